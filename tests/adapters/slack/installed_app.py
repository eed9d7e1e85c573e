"""An app over HTTP, installed in a workspace with two people and two channels."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from redis.asyncio import Redis

from adapters.slack.manifest import manifest
from bot.domain.models import ChannelRef
from tests.adapters.slack.double import Channel, Message, Person, Slack
from tests.adapters.slack.double.people import words
from tests.adapters.slack.double.world import Json, Workspace
from tests.adapters.slack.running import Running, install
from tests.papers import a_paper
from tests.platform_harness import arrive


class InstalledApp:
    """Ada and Ben in the workspace “lab”, where Ada installed the app."""

    def __init__(self, slack: Slack, redis: Redis) -> None:
        self.slack = slack
        self.running = Running(slack, redis)
        self.workspace = slack.workspace("lab")
        self.ada = slack.person(self.workspace, "ada", is_admin=True)
        self.ben = slack.person(self.workspace, "ben")
        self.room = slack.channel(self.workspace, "papers", self.ada, self.ben)
        self.den = slack.channel(self.workspace, "den", self.ben, self.ada, private=True)
        self.papers = 0

    async def subscribe(self, channel: Channel) -> None:
        await self.ben.type(channel, "subscribe diffusion")
        await self.running.settled()

    async def publish_paper(self) -> None:
        """Publish a matching paper."""
        self.papers += 1
        await arrive(self.running.bot, a_paper(f"2603.0000{self.papers}", title=f"Diffusion {self.papers}"))

    async def send_event(self, event: Json) -> None:
        await self.slack.event(self.workspace, event)
        await self.running.settled()

    def cards(self, channel: Channel) -> list[str]:
        """Return the titles of the papers that were posted."""
        return [words(m.blocks).splitlines()[0] for m in channel.messages if m.metadata]

    def text_of(self, messages: list[Message]) -> str:
        return "\n".join(words(message.blocks) for message in messages)

    def ref(self, channel: Channel) -> ChannelRef:
        return ChannelRef("slack", self.workspace.id, channel.id)

    async def answer_to(self, person: Person, channel: Channel, line: str) -> str:
        """Return the answer to a command."""
        trigger = await person.type(channel, line)
        await self.running.settled()
        return self.text_of([a for a in person.answers(trigger) if isinstance(a, Message)])

    async def add_partner(self) -> tuple[Workspace, Person]:
        """Add another workspace with the app, which shares #papers. Return it and its member Eve."""
        partner = self.slack.workspace("partner")
        eve = self.slack.person(partner, "eve")
        partner.channels[self.room.id] = self.room
        self.room.teams = [self.workspace.id, partner.id]
        self.room.members.add(eve.user)
        await install(self.slack, self.running.address, eve)
        return partner, eve


@asynccontextmanager
async def installed_app(redis: Redis) -> AsyncIterator[InstalledApp]:
    """Yield a running, installed app. Fail at the end if Slack refused anything."""
    async with Slack(manifest("http")).serve() as slack:
        made = InstalledApp(slack, redis)
        await made.running.start(made.running.http())
        await install(slack, made.running.address, made.ada)
        yield made
        await made.running.stop()
        assert slack.refused == []

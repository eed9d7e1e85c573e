"""What happens to channels and workspaces ends in the right state, and the right person hears of it."""

from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from adapters.slack.lifecycle import people
from adapters.slack.manifest import manifest
from bot.domain.models import ChannelRef, Subscription
from tests.adapters.slack.double import Channel, Message, Slack
from tests.adapters.slack.double.people import words
from tests.adapters.slack.double.world import Json
from tests.adapters.slack.running import Running, install
from tests.papers import SPRING, a_paper
from tests.platform_harness import arrive, deliver


class Town:
    """Ada and Ben in a workspace with the app, which many workspaces can install."""

    def __init__(self, slack: Slack, redis: Redis) -> None:
        self.slack = slack
        self.running = Running(slack, redis)
        self.lab = slack.workspace("lab")
        self.ada = slack.person(self.lab, "ada", is_admin=True)
        self.ben = slack.person(self.lab, "ben")
        self.room = slack.channel(self.lab, "papers", self.ada, self.ben)
        self.den = slack.channel(self.lab, "den", self.ben, self.ada, private=True)
        self.papers = 0

    async def subscribe(self, channel: Channel) -> None:
        await self.ben.type(channel, "subscribe diffusion")
        await self.running.settled()

    async def paper(self) -> None:
        """A matching one comes."""
        self.papers += 1
        await arrive(self.running.bot, a_paper(f"2603.0000{self.papers}", title=f"Diffusion {self.papers}"))

    async def happens(self, event: Json) -> None:
        await self.slack.event(self.lab, event)
        await self.running.settled()

    def cards(self, channel: Channel) -> list[str]:
        """The titles of the papers that were posted."""
        return [words(m.blocks).splitlines()[0] for m in channel.messages if m.metadata]

    def told(self, messages: list[Message]) -> str:
        return "\n".join(words(message.blocks) for message in messages)


@pytest.fixture
async def town(redis: Redis) -> AsyncIterator[Town]:
    async with Slack(manifest("http")).serve() as slack:
        made = Town(slack, redis)
        await made.running.start(made.running.http())
        await install(slack, made.running.address, made.ada)
        yield made
        await made.running.stop()
        assert slack.refused == []


async def test_whoever_installs_it_is_told_how_to_begin(town: Town) -> None:
    assert "/paper subscribe" in town.told(town.ada.direct())
    assert town.ben.direct() == []


async def test_an_archived_channel_rests_its_people_hear_of_it_and_it_goes_on_after(town: Town) -> None:
    await town.subscribe(town.room)
    await town.paper()
    await town.ada.archive(town.room)
    await town.running.settled()
    for person in (town.ada, town.ben):
        assert "archived" in town.told(person.direct())
    await town.paper()
    assert town.cards(town.room) == ["Diffusion 1"]
    assert town.slack.calls("chat.postMessage")[-1].body["channel"] != town.room.id
    await town.ada.archive(town.room, again=False)
    await town.running.settled()
    await deliver(town.running.bot)
    assert town.cards(town.room) == ["Diffusion 1", "Diffusion 2"]


async def test_removed_from_a_private_channel_it_rests_until_it_is_invited_back(town: Town) -> None:
    await town.ben.invite(town.den)
    await town.running.settled()
    await town.subscribe(town.den)
    await town.ada.remove(town.den)
    await town.running.settled()
    assert "/invite @Paperboy" in town.told(town.ben.direct())
    assert "removed" in town.told(town.ada.direct())
    await town.paper()
    assert town.cards(town.den) == []
    await town.ben.invite(town.den)
    await town.running.settled()
    assert "1 subscription of this channel goes on" in town.told(town.den.messages)
    await deliver(town.running.bot)
    assert town.cards(town.den) == ["Diffusion 1"]


async def test_removed_from_a_public_channel_a_new_subscription_brings_it_back(town: Town) -> None:
    await town.subscribe(town.room)
    await town.ada.invite(town.room)
    await town.ada.remove(town.room)
    await town.running.settled()
    await town.paper()
    assert town.cards(town.room) == []
    await town.ben.type(town.room, "subscribe robots")
    await town.running.settled()
    await deliver(town.running.bot)
    assert town.cards(town.room) == ["Diffusion 1"]


async def test_a_channel_that_was_left_while_nobody_listened_is_paused_by_the_first_post(town: Town) -> None:
    await town.ben.invite(town.den)
    await town.running.settled()
    await town.subscribe(town.den)
    town.den.members.discard(town.lab.bot_user)
    await town.paper()
    before = len(town.slack.calls("chat.postMessage"))
    await town.paper()
    assert len(town.slack.calls("chat.postMessage")) == before
    await town.ben.invite(town.den)
    await town.running.settled()
    await deliver(town.running.bot)
    assert sorted(town.cards(town.den)) == ["Diffusion 1", "Diffusion 2"]


async def test_a_deleted_channel_and_one_without_subscriptions_trouble_nobody(town: Town) -> None:
    await town.happens({"type": "channel_deleted", "channel": town.room.id})
    assert town.ben.direct() == []


async def test_a_new_name_changes_nothing(town: Town) -> None:
    await town.subscribe(town.room)
    town.room.name = "reading"
    await town.happens({"type": "channel_rename", "channel": {"id": town.room.id, "name": "reading"}})
    await town.paper()
    assert town.cards(town.room) == ["Diffusion 1"]
    assert f"<#{town.room.id}>" in (await town.ben.open_home()).text


async def test_somebody_else_who_joins_is_not_greeted(town: Town) -> None:
    await town.happens({"type": "member_joined_channel", "user": town.ben.user, "channel": town.room.id})
    assert town.room.messages == []


async def test_an_event_that_is_told_again_is_acted_on_once(town: Town) -> None:
    joined: Json = {"type": "member_joined_channel", "user": town.lab.bot_user, "channel": town.room.id}
    for _ in range(3):
        await town.slack.event(town.lab, joined, event_id="Ev1")
        await town.running.settled()
    assert len(town.room.messages) == 1


async def test_an_old_word_of_an_uninstall_does_not_undo_a_new_installation(town: Town) -> None:
    await town.subscribe(town.room)
    await town.happens({"type": "app_uninstalled", "event_ts": 1_700_000_000})
    await town.paper()
    assert town.cards(town.room) == ["Diffusion 1"]


async def test_a_revoked_personal_token_is_none_of_ours(town: Town) -> None:
    await town.subscribe(town.room)
    await town.happens({"type": "tokens_revoked", "tokens": {"oauth": [town.ben.user], "bot": []}})
    await town.paper()
    assert town.cards(town.room) == ["Diffusion 1"]


async def test_a_command_in_a_workspace_that_is_gone_is_answered_in_words(town: Town) -> None:
    other = town.slack.workspace("other")
    eve = town.slack.person(other, "eve")
    room = town.slack.channel(other, "x", eve)
    trigger = await eve.type(room, "list")
    (answer,) = eve.answers(trigger)
    assert isinstance(answer, Message)
    assert "not installed" in answer.text


async def test_a_missing_scope_pauses_the_workspace_and_its_installer_hears_why(town: Town) -> None:
    await town.subscribe(town.room)
    town.slack.faults.always[f"chat.postMessage {town.room.id}"] = "missing_scope"
    await town.paper()
    before = len(town.slack.calls("chat.postMessage"))
    await town.paper()
    assert len(town.slack.calls("chat.postMessage")) == before
    assert "permission" in town.told(town.ada.direct())
    town.slack.faults.always.clear()
    await install(town.slack, town.running.address, town.ada)
    await deliver(town.running.bot)
    assert sorted(town.cards(town.room)) == ["Diffusion 1", "Diffusion 2"]


async def test_a_channel_of_two_workspaces_gets_each_paper_once(town: Town) -> None:
    partner = town.slack.workspace("partner")
    eve = town.slack.person(partner, "eve")
    partner.channels[town.room.id] = town.room
    town.room.teams = [town.lab.id, partner.id]
    town.room.members.add(eve.user)
    await install(town.slack, town.running.address, eve)
    await town.subscribe(town.room)

    async def said(line: str) -> str:
        trigger = await eve.type(town.room, line)
        await town.running.settled()
        return town.told([a for a in eve.answers(trigger) if isinstance(a, Message)])

    assert "shared with another workspace" in await said("subscribe diffusion")
    await town.paper()
    assert town.cards(town.room) == ["Diffusion 1"]
    await town.ada.uninstall()
    await town.running.settled()
    assert "Subscribed" in await said("subscribe diffusion")


def test_those_are_told_who_did_it_or_made_the_subscriptions_but_few() -> None:
    channel = ChannelRef("slack", "T1", "C1")
    made = [
        Subscription(channel=channel, number=n, query="x", created_by=f"U{n % 8} name", created_at=SPRING)
        for n in range(20)
    ]
    assert people(made, "U9") == ["U9", "U3", "U2", "U1", "U0"]
    assert people(made[:1], "") == ["U0"]
    assert people([], "USLACKBOT") == ["USLACKBOT"]

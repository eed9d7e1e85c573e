"""A lab uses Paperboy for a month, in Socket Mode and over HTTP."""

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any, Literal

import pytest
from redis.asyncio import Redis

from adapters.slack.manifest import manifest
from bot.sources.arxiv import ArxivSettings
from bot.sources.huggingface import HuggingFaceSettings
from tests.adapters.slack.double import Channel, Message, Person, Slack, View
from tests.adapters.slack.double.people import words
from tests.adapters.slack.double.world import Token
from tests.adapters.slack.running import Running, install
from tests.clock import advance
from tests.replay import HuggingFaceReplay, serve
from tests.test_five_days import DAYS
from tests.test_five_days import words as plain_words

HOUR = 3600.0

Mode = Literal["socket", "http"]
NOON = time(15, tzinfo=UTC)


class Lab:
    """The double, a bot in one of the two modes, and recorded days of papers."""

    def __init__(self, mode: Mode, redis: Redis, replay: HuggingFaceReplay) -> None:
        self.mode = mode
        self.slack = Slack(manifest(mode))
        self.replay = replay
        self.today = DAYS[0]
        self.running = Running(self.slack, redis, lambda: datetime.combine(self.today, NOON))
        self.workspace = self.slack.workspace("lab")
        self.ada = self.slack.person(self.workspace, "ada", is_admin=True)
        self.ben = self.slack.person(self.workspace, "ben")
        self.papers = self.slack.channel(self.workspace, "papers", self.ada, self.ben)
        self.reading = self.slack.channel(self.workspace, "reading", self.ben, private=True)
        self.upstream = ""

    async def start(self, token: Token | None = None) -> None:
        """Start Paperboy: in Socket Mode if there is a token, else over HTTP."""
        mode = self.running.socket(token.value) if token else self.running.http()
        await self.running.start(
            mode,
            HuggingFaceSettings(huggingface_url=self.upstream),
            ArxivSettings(arxiv_categories=()),
        )

    async def install(self) -> None:
        """Install the app in the workspace, with an admin's token or on the install page."""
        if self.mode == "socket":
            token = self.slack.world.install(self.workspace, self.ada.user)
            await self.running.stop()
            await self.start(token)
            return
        if not self.running.address:
            await self.start()
        assert "Thank you" in await install(self.slack, self.running.address, self.ada)

    async def type(self, person: Person, channel: Channel, line: str) -> Message:
        """Type a command. Return the answer."""
        answers = person.answers(await self._settle(person.type(channel, line)))
        assert isinstance(answers[-1], Message)
        assert answers[-1].only_for == person.user
        return answers[-1]

    async def press(self, person: Person, on: Message | View, label: str) -> list[Message | View]:
        """Press a button. Return the answers."""
        return person.answers(await self._settle(person.press(on, label)))

    async def run_day(self, day: date) -> None:
        """Poll, match and post the papers of a day."""
        self.today = self.replay.until = day
        bot = self.running.bot
        await bot.poller.poll_once()
        await bot.fanout.match_all()
        for deliveries in bot.deliveries:
            await deliveries.deliver_due()

    async def _settle(self, action: Any) -> str:
        trigger: str = await action
        await self.running.settled()
        return trigger


@asynccontextmanager
async def lab(mode: Mode, redis: Redis, folder: Path) -> AsyncIterator[Lab]:
    """Serve Slack and the upstream, without starting Paperboy."""
    replay = HuggingFaceReplay(folder / "hf_daily")
    here = Lab(mode, redis, replay)
    async with here.slack.serve(), serve(replay.app) as here.upstream:
        try:
            yield here
        finally:
            await here.running.stop()


def matching(rows: list[dict[str, Any]], word: str) -> set[str]:
    """Return the papers whose text contains the word or its plural, by a simple search."""
    return {
        row["paper"]["id"]
        for row in rows
        if {word, f"{word}s"} & {*plain_words(row["paper"]["title"]), *plain_words(row["paper"]["summary"])}
    }


def cards(channel: Channel) -> list[Message]:
    return [m for m in channel.messages if m.metadata is not None]


def posted(channel: Channel) -> Counter[str]:
    """Count the arXiv ids on the cards and digests of a channel."""
    found: Counter[str] = Counter()
    for message in cards(channel):
        found.update(
            {
                link.rpartition("/")[2]
                for link in links(message.blocks)
                if "/abs/" in link or "/papers/" in link
            }
        )
    return found


def links(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [value["url"]] if "url" in value else []
        return own + [link for part in value.values() for link in links(part)]
    return [link for part in value for link in links(part)] if isinstance(value, list) else []


@pytest.mark.parametrize("mode", ["socket", "http"])
async def test_a_lab_installs_subscribes_reads_mutes_uninstalls_and_returns(
    mode: Mode, redis: Redis, shared_data: Path
) -> None:
    async with lab(mode, redis, shared_data) as here:
        ada, ben, papers, reading = here.ada, here.ben, here.papers, here.reading
        await here.install()

        # Two channels subscribe; in the private one, the bot must be invited first.
        assert "diffusion" in words((await here.type(ada, papers, "subscribe diffusion")).blocks)
        refused = await here.type(ben, reading, "subscribe video")
        assert "/invite @Paperboy" in words(refused.blocks)
        assert "no subscriptions" in words((await here.type(ben, reading, "list")).blocks)
        await ben.invite(reading)
        await here.running.settled()
        assert "/paper subscribe" in words(reading.messages[-1].blocks)
        assert "video" in words((await here.type(ben, reading, "subscribe video")).blocks)

        # Five days: every match is posted once, and nothing else.
        seen: list[dict[str, Any]] = []
        for day in DAYS:
            await here.run_day(day)
            await advance(redis, 12 * HOUR)  # posts that flood control delayed are due
            await here.run_day(day)
            await advance(redis, 12 * HOUR)
            seen += here.replay.day(day)
            assert posted(papers) == Counter(dict.fromkeys(matching(seen, "diffusion"), 1))
            assert posted(reading) == Counter(dict.fromkeys(matching(seen, "video"), 1))
        assert len(posted(papers)) > 5
        assert len(posted(reading)) > 5

        # A card's buttons: Ben saves the paper, reads the abstract in the thread, and finds the paper in App Home.
        card = next(m for m in cards(papers) if "Save" in str(m.blocks))
        (saved,) = await here.press(ben, card, "Save")
        assert "Saved" in words(saved.blocks)  # type: ignore[union-attr]
        await here.press(ben, card, "Full abstract")
        assert papers.messages[-1].thread_ts == card.ts
        home = await ben.open_home()
        assert words(card.blocks).splitlines()[0] in home.text
        assert f"<#{papers.id}>" in home.text
        assert "video" in home.text

        # Muting and undoing it; changing settings in a form that reports errors.
        muted = await here.type(ada, papers, "mute diffusion for:7d")
        assert "Muted here" in words(muted.blocks)
        (back,) = await here.press(ada, muted, "Undo")
        assert "No longer muted" in words(back.blocks)  # type: ignore[union-attr]
        await here._settle(ada.type(papers, "settings"))
        form = ada.modals()[-1]
        wrong = await ada.submit(form, zone="Nowhere/Land")
        assert wrong is not None
        assert "Nowhere/Land" in wrong.text
        right = await ada.submit(wrong, zone="Europe/Berlin")
        assert right is not None
        assert "Berlin" in right.text

        # The workspace uninstalls the app: its token is deleted, and no calls are made there.
        await ada.uninstall()
        await here.running.settled()
        before = len(here.slack.world.calls)
        await here.run_day(DAYS[-1] + timedelta(days=3))
        assert [call.method for call in list(here.slack.world.calls)[before:]] == []
        assert not [key async for key in redis.scan_iter("*installation*")]

        # It reinstalls the app: its subscriptions are still there, and missed papers are posted.
        await here.install()
        await ben.invite(reading)
        await here.run_day(DAYS[-1] + timedelta(days=3))
        seen += here.replay.day(DAYS[-1] + timedelta(days=3))
        assert posted(papers) == Counter(dict.fromkeys(matching(seen, "diffusion"), 1))
        assert posted(reading) == Counter(dict.fromkeys(matching(seen, "video"), 1))
        assert "diffusion" in words((await here.type(ben, papers, "list")).blocks)
        assert here.slack.refused == []

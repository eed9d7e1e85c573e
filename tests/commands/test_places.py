"""Where a paper was posted: people see only channels that they can read."""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import count, product

import pytest
from redis.asyncio import Redis

from bot.cards import Button, Card
from bot.commands.access import REMEMBERED_FOR, AccessGate
from bot.commands.core import Commands
from bot.commands.places import MAX_CHECKED_CHANNELS
from bot.commands.services import Services
from bot.domain.deliveries import PlannedDelivery
from bot.domain.errors import AccessUnknown
from bot.domain.models import ChannelRef, MessageRef, User
from bot.policy.planner import REST
from bot.ports import Access, Reply
from bot.store import keys
from tests.commands.conftest import NOW, card_text, services_on
from tests.papers import a_paper
from tests.scenario import Clock, set_clock

TOKENS = count()
"""Tokens of claims, all different."""
PAPERS = tuple(f"2603.{n:05}" for n in range(1, 5))
ROOM = ChannelRef("chat", "T1", "reading")
"""Channel in which the simple tests run commands."""
NLP, SECRET = ChannelRef("chat", "T1", "nlp"), ChannelRef("chat", "T1", "secret")
ADA, EVE = User("U1", "Ada"), User("U2", "Eve")


@dataclass
class Chat:
    """A platform that knows the members of its channels, and that can fail to answer."""

    name: str = "chat"
    readers: dict[ChannelRef, set[str]] = field(default_factory=dict)
    silent: set[tuple[str, ChannelRef]] = field(default_factory=set)
    calls: Counter[ChannelRef] = field(default_factory=Counter)

    async def access(self, user: User, channel: ChannelRef) -> Access:
        self.calls[channel] += 1
        if (user.id, channel) in self.silent:
            raise AccessUnknown("no answer")
        return Access(member=user.id in self.readers.get(channel, set()), may_manage=False, may_edit=True)


@dataclass
class World:
    """The bot on this platform, and its posts."""

    chat: Chat
    services: Services
    clock: Clock
    minutes: float = 0.0

    @property
    def core(self) -> Commands:
        return Commands(self.services)

    async def post(self, channel: ChannelRef, *papers: str, label: str = "") -> None:
        """Post papers in one message."""
        await self.clock.set(self.clock.now + timedelta(seconds=10))  # so that rate limits delay nothing
        delivery = PlannedDelivery(
            channel=channel,
            papers=tuple((paper, ()) for paper in papers),
            due=round(self.clock.now.timestamp() * 1000),
            label=label or papers[0],
        )
        await self.services.outbox.enqueue([delivery])
        claims = await self.services.outbox.claim(
            "chat", 1, [keys.shard_of(channel)], token=str(next(TOKENS))
        )
        [claimed] = claims.deliveries
        assert await self.services.outbox.begin(claimed) is not None
        await self.services.outbox.done(claimed, MessageRef("m", f"https://chat.example/{channel.channel}"))

    async def ask(self, line: str, user: User = ADA, channel: ChannelRef = ROOM) -> Reply:
        return await self.core.handle_text(line, user, channel)

    def pass_a_minute(self) -> None:
        """Advance the clock, so that cached access answers expire."""
        self.minutes += REMEMBERED_FOR


@pytest.fixture
async def world(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> World:
    clock = set_clock(monkeypatch, redis)
    await clock.set(NOW)
    chat = Chat()
    made = World(chat, services_on(redis, now=lambda: clock.now), clock)
    gate = AccessGate([chat], lambda: made.minutes)  # type: ignore[list-item]  # only `access` is called
    made.services = replace(made.services, access=gate)
    chat.readers = {ROOM: {"U1", "U2"}, NLP: {"U1", "U2"}, SECRET: {"U2"}}
    await made.services.papers.remember([a_paper(paper) for paper in PAPERS])
    return made


async def test_the_card_says_where_and_when_it_was_posted(world: World) -> None:
    await world.post(NLP, PAPERS[0])
    await world.clock.set(NOW + timedelta(days=1))
    await world.post(ROOM, PAPERS[0])
    await world.ask(f"up {PAPERS[0]}", channel=NLP)
    await world.ask(f"up {PAPERS[0]}", EVE, NLP)
    await world.ask(f"down {PAPERS[0]}", EVE)
    await world.ask(f"save {PAPERS[0]}", channel=NLP)
    shown = (await world.ask(f"show {PAPERS[0]}")).card
    assert card_text(shown).endswith("Posted here on 11 Mar\nPosted in #nlp on 10 Mar · 2 👍")
    assert links(shown) >= {"https://chat.example/reading", "https://chat.example/nlp"}
    assert "Posted in #nlp on 10 Mar" in card_text((await world.ask(f"explain {PAPERS[0]}")).card)


async def test_a_channel_that_the_person_cannot_read_is_not_shown(world: World) -> None:
    await world.post(SECRET, PAPERS[0])
    for line in (f"show {PAPERS[0]}", f"explain {PAPERS[0]}"):
        assert "secret" not in repr(await world.ask(line))
        assert "Posted in #secret" in card_text((await world.ask(line, EVE)).card)


async def test_no_channel_is_shown_if_the_platform_does_not_answer(world: World) -> None:
    await world.post(NLP, PAPERS[0])
    world.chat.silent = {("U1", NLP)}
    assert "nlp" not in repr(await world.ask(f"show {PAPERS[0]}"))


async def test_someone_who_left_a_channel_sees_it_for_at_most_a_minute(world: World) -> None:
    await world.post(NLP, PAPERS[0])
    assert "#nlp" in card_text((await world.ask(f"show {PAPERS[0]}")).card)
    calls = world.chat.calls[NLP]
    await world.ask(f"show {PAPERS[0]}")
    assert world.chat.calls[NLP] == calls
    world.chat.readers[NLP].clear()
    world.pass_a_minute()
    assert "nlp" not in repr(await world.ask(f"show {PAPERS[0]}"))


async def test_an_answer_for_everyone_names_only_this_channel(world: World) -> None:
    await world.post(NLP, PAPERS[0])
    await world.post(ROOM, PAPERS[0])
    shared = await world.ask(f"share {PAPERS[0]}")
    assert not shared.private
    assert "Posted here on 10 Mar" in card_text(shared.card)
    assert "nlp" not in repr(shared)


async def test_a_card_below_a_link_says_that_it_was_posted_here(world: World) -> None:
    await world.post(NLP, PAPERS[0])
    await world.post(ROOM, PAPERS[0])
    shown: dict[str, Card] = {}

    async def show(cards: Mapping[str, Card]) -> None:
        shown.update(cards)

    link = f"https://arxiv.org/abs/{PAPERS[0]}"
    await world.core.show_links([link], ROOM, show)
    assert "posted here on 10 Mar" in card_text(shown[link])
    assert "nlp" not in repr(shown)
    assert "https://chat.example/reading" in links(shown[link])
    assert "Posted in #nlp" in card_text((await world.ask(f"papers {link}")).card)


async def test_a_paper_that_a_digest_only_counted_is_not_shown_as_posted(world: World) -> None:
    await world.post(NLP, PAPERS[0], label=f"{REST}2026-03-10T09:00Z")
    await world.post(ROOM, PAPERS[1], label=f"{REST}2026-03-10T09:00Z")
    for paper in PAPERS[:2]:
        assert "Posted" not in card_text((await world.ask(f"show {paper}")).card)


async def test_access_is_checked_for_few_channels_per_card(world: World) -> None:
    for number in range(20):
        await world.clock.set(NOW + timedelta(minutes=number))
        await world.post(ChannelRef("chat", "T1", f"busy{number}"), PAPERS[0])
    await world.ask(f"show {PAPERS[0]}")
    assert [name.channel for name in world.chat.calls if name != ROOM] == ["busy19", "busy18", "busy17"]


async def test_results_say_where_each_paper_was_posted(world: World) -> None:
    await world.post(NLP, PAPERS[0], PAPERS[1])
    await world.post(ROOM, PAPERS[1])
    await world.post(SECRET, PAPERS[2])
    await world.post(NLP, PAPERS[3])
    await world.clock.set(NOW + timedelta(days=1))
    await world.post(SECRET, PAPERS[3])  # its latest post is in a channel that Ada can't read
    shown = await world.ask("search paper")
    text = card_text(shown.card)
    assert shown.private
    assert text.count("Posted here on 10 Mar") == 1
    assert text.count("Posted in #nlp on 10 Mar") == 2
    assert "secret" not in repr(shown)
    assert links(shown.card) >= {"https://chat.example/reading", "https://chat.example/nlp"}
    assert "Posted in #secret" in card_text((await world.ask("search paper", EVE)).card)


async def test_results_are_shown_even_if_the_platform_does_not_answer(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.commands.places.DEADLINE", 0.05)
    monkeypatch.setattr(world.chat, "access", hang_except_for(ROOM, world.chat.access))
    await world.post(NLP, PAPERS[0])
    await world.post(ROOM, PAPERS[1])
    text = card_text((await world.ask("search paper")).card)
    assert text.count("Posted") == 1
    assert "On paper 2603.00001" in text


async def test_access_is_checked_for_few_channels_per_list(world: World) -> None:
    for number in range(20):
        await world.clock.set(NOW + timedelta(minutes=number))
        await world.post(ChannelRef("chat", "T1", f"busy{number}"), *PAPERS)
    await world.ask("search paper")
    assert len({*world.chat.calls} - {ROOM}) == MAX_CHECKED_CHANNELS


async def test_a_forgotten_channel_is_not_named(world: World) -> None:
    await world.post(NLP, PAPERS[0])
    await world.services.forgetting.channel(NLP)
    assert "nlp" not in repr(await world.ask(f"show {PAPERS[0]}"))
    await world.post(NLP, PAPERS[1])
    await world.services.forgetting.workspace("chat", "T1")
    assert not [key async for key in world.services.outbox._redis.scan_iter("*posting*")]


WORLDS = 12
LINES = (
    "show {paper}",
    "explain {paper}",
    "share {paper}",
    "abstract {paper}",
    "search {paper}",
    "search paper",
    "saved",
    "saved here",
    "saved export:md",
    "saved here export:bibtex",
    "save {paper} here",
    "list",
    "status",
)
PEOPLE = [User(f"U{n}", f"person{n}") for n in range(5)]
ROOMS = [ChannelRef("chat", f"T{team}", f"r{team}oom{n}x") for team, n in product((1, 2), range(5))]


@pytest.mark.timeout(240)
@pytest.mark.parametrize("seed", range(WORLDS))
async def test_private_channels_and_lists_do_not_leak(world: World, seed: int) -> None:
    """Users run random commands in two workspaces; the platform doesn't answer about some of their channels."""
    dice = random.Random(seed)
    teams = {user.id: {"T1", "T2"} if n == 0 else {f"T{1 + n % 2}"} for n, user in enumerate(PEOPLE)}
    pairs = [(room, user) for room, user in product(ROOMS, PEOPLE) if room.workspace in teams[user.id]]
    world.chat.readers = {
        room: {user.id for place, user in pairs if place == room and dice.random() < 0.6} for room in ROOMS
    }
    for room in ROOMS:
        for paper in dice.sample(PAPERS, dice.randrange(1, 4)):
            await world.post(room, paper)
    for room, user in pairs:
        await world.ask(f"save {dice.choice(PAPERS)} here note:list-of-{room.channel}", user, room)
        await world.ask(f"save {dice.choice(PAPERS)} note:own-of-{user.id}-{room.workspace}z", user, room)
    world.chat.silent = {(user.id, room) for room, user in pairs if dice.random() < 0.1}
    world.pass_a_minute()
    checked = Counter[str]()
    for _ in range(2):
        for room, user in pairs:
            for line in dice.sample(LINES, 4):
                reply = await world.ask(line.format(paper=dice.choice(PAPERS)), user, room)
                checked["answers"] += 1
                checked["named"] += _no_leak(world.chat, reply, user, room)
        for room, user in pairs:  # people join and leave
            if dice.random() < 0.3:
                world.chat.readers[room] ^= {user.id}
        world.pass_a_minute()
    assert checked["answers"] == 2 * 4 * len(pairs)
    assert checked["named"] > 10


def _no_leak(chat: Chat, reply: Reply, user: User, room: ChannelRef) -> int:
    """Check that the answer leaks nothing. Returns how many channels it names."""
    text = f"{reply.card!r} {reply.file!r}"
    named = [other for other in ROOMS if other.channel in text]
    unread = {
        other for other in ROOMS if user.id not in chat.readers[other] or (user.id, other) in chat.silent
    }
    assert not unread & {*named} - {room}
    assert {other.workspace for other in named} <= {room.workspace}
    assert reply.private or {*named} <= {room}
    assert not [
        other for other in unread if f"list-of-{other.channel}" in text or f"/{other.channel}" in text
    ]
    own = f"own-of-{user.id}-{room.workspace}z"
    assert "own-of-" not in text.replace(own, "")
    return len(named)


def hang_except_for(
    channel: ChannelRef, access: Callable[[User, ChannelRef], Awaitable[Access]]
) -> Callable[[User, ChannelRef], Awaitable[Access]]:
    """Return an `access` that answers only about `channel` and hangs for others."""

    async def hanging(user: User, other: ChannelRef) -> Access:
        if other != channel:
            await asyncio.Event().wait()
        return await access(user, other)

    return hanging


def links(card: Card) -> set[str]:
    """Return every URL on a card."""
    found = set[str]()

    def visit(value: object) -> None:
        if isinstance(value, Button) and value.url:
            found.add(value.url)
        if isinstance(value, tuple):
            for item in value:
                visit(item)
        elif hasattr(value, "__dataclass_fields__"):
            if url := getattr(value, "url", None):
                found.add(url)
            for name in value.__dataclass_fields__:
                visit(getattr(value, name))

    visit(card)
    return found

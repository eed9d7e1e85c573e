"""“Already here”: a person hears of the channels that they can read, and of no other."""

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
from tests.commands.conftest import NOW, services_on, written
from tests.papers import a_paper
from tests.scenario import Clock, set_clock

TOKENS = count()
"""No two claims have the same one."""
PAPERS = tuple(f"2603.{n:05}" for n in range(1, 5))
ROOM = ChannelRef("chat", "T1", "reading")
"""Where the person of the simple tests asks."""
NLP, SECRET = ChannelRef("chat", "T1", "nlp"), ChannelRef("chat", "T1", "secret")
ADA, EVE = User("U1", "Ada"), User("U2", "Eve")


@dataclass
class Chat:
    """A platform that knows who is in which channel, and that may not answer."""

    name: str = "chat"
    readers: dict[ChannelRef, set[str]] = field(default_factory=dict)
    silent: set[tuple[str, ChannelRef]] = field(default_factory=set)
    asked: Counter[ChannelRef] = field(default_factory=Counter)

    async def access(self, user: User, channel: ChannelRef) -> Access:
        self.asked[channel] += 1
        if (user.id, channel) in self.silent:
            raise AccessUnknown("no answer")
        return Access(member=user.id in self.readers.get(channel, set()), may_manage=False, may_edit=True)


@dataclass
class World:
    """The bot on this platform, and what was posted."""

    chat: Chat
    services: Services
    clock: Clock
    minutes: float = 0.0

    @property
    def core(self) -> Commands:
        return Commands(self.services)

    async def post(self, channel: ChannelRef, *papers: str, label: str = "") -> None:
        """Paperboy posts papers, in one message."""
        await self.clock.set(self.clock.now + timedelta(seconds=10))  # no channel is in a hurry
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
        """What was remembered of who may read what is forgotten."""
        self.minutes += REMEMBERED_FOR


@pytest.fixture
async def world(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> World:
    clock = set_clock(monkeypatch, redis)
    await clock.set(NOW)
    chat = Chat()
    made = World(chat, services_on(redis, now=lambda: clock.now), clock)
    gate = AccessGate([chat], lambda: made.minutes)  # type: ignore[list-item]  # only asked for access
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
    assert written(shown).endswith("Posted here on 11 Mar\nPosted in #nlp on 10 Mar · 2 👍")
    assert links(shown) >= {"https://chat.example/reading", "https://chat.example/nlp"}
    assert "Posted in #nlp on 10 Mar" in written((await world.ask(f"explain {PAPERS[0]}")).card)


async def test_a_channel_that_the_person_cannot_read_is_not_named(world: World) -> None:
    await world.post(SECRET, PAPERS[0])
    for line in (f"show {PAPERS[0]}", f"explain {PAPERS[0]}"):
        assert "secret" not in repr(await world.ask(line))
        assert "Posted in #secret" in written((await world.ask(line, EVE)).card)


async def test_without_an_answer_of_the_platform_nothing_is_said(world: World) -> None:
    await world.post(NLP, PAPERS[0])
    world.chat.silent = {("U1", NLP)}
    assert "nlp" not in repr(await world.ask(f"show {PAPERS[0]}"))


async def test_someone_who_left_hears_of_it_for_a_minute_at_most(world: World) -> None:
    await world.post(NLP, PAPERS[0])
    assert "#nlp" in written((await world.ask(f"show {PAPERS[0]}")).card)
    asked = world.chat.asked[NLP]
    await world.ask(f"show {PAPERS[0]}")
    assert world.chat.asked[NLP] == asked
    world.chat.readers[NLP].clear()
    world.pass_a_minute()
    assert "nlp" not in repr(await world.ask(f"show {PAPERS[0]}"))


async def test_what_all_see_names_this_channel_alone(world: World) -> None:
    await world.post(NLP, PAPERS[0])
    await world.post(ROOM, PAPERS[0])
    shared = await world.ask(f"share {PAPERS[0]}")
    assert not shared.private
    assert "Posted here on 10 Mar" in written(shared.card)
    assert "nlp" not in repr(shared)


async def test_a_card_below_a_link_says_that_it_was_posted_here(world: World) -> None:
    await world.post(NLP, PAPERS[0])
    await world.post(ROOM, PAPERS[0])
    shown: dict[str, Card] = {}

    async def show(cards: Mapping[str, Card]) -> None:
        shown.update(cards)

    link = f"https://arxiv.org/abs/{PAPERS[0]}"
    await world.core.show_links([link], ROOM, show)
    assert "posted here on 10 Mar" in written(shown[link])
    assert "nlp" not in repr(shown)
    assert "https://chat.example/reading" in links(shown[link])
    assert "Posted in #nlp" in written((await world.ask(f"papers {link}")).card)


async def test_a_paper_that_was_only_counted_was_not_posted(world: World) -> None:
    await world.post(NLP, PAPERS[0], label=f"{REST}2026-03-10T09:00Z")
    await world.post(ROOM, PAPERS[1], label=f"{REST}2026-03-10T09:00Z")
    for paper in PAPERS[:2]:
        assert "Posted" not in written((await world.ask(f"show {paper}")).card)


async def test_few_channels_are_asked_about(world: World) -> None:
    for number in range(20):
        await world.clock.set(NOW + timedelta(minutes=number))
        await world.post(ChannelRef("chat", "T1", f"busy{number}"), PAPERS[0])
    await world.ask(f"show {PAPERS[0]}")
    assert [name.channel for name in world.chat.asked if name != ROOM] == ["busy19", "busy18", "busy17"]


async def test_results_say_where_each_paper_was_posted(world: World) -> None:
    await world.post(NLP, PAPERS[0], PAPERS[1])
    await world.post(ROOM, PAPERS[1])
    await world.post(SECRET, PAPERS[2])
    await world.post(NLP, PAPERS[3])
    await world.clock.set(NOW + timedelta(days=1))
    await world.post(SECRET, PAPERS[3])  # its latest post is where Ada can't read
    shown = await world.ask("search paper")
    said = written(shown.card)
    assert shown.private
    assert said.count("Posted here on 10 Mar") == 1
    assert said.count("Posted in #nlp on 10 Mar") == 2
    assert "secret" not in repr(shown)
    assert links(shown.card) >= {"https://chat.example/reading", "https://chat.example/nlp"}
    assert "Posted in #secret" in written((await world.ask("search paper", EVE)).card)


async def test_a_platform_that_does_not_answer_holds_no_results_back(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.commands.places.DEADLINE", 0.05)
    monkeypatch.setattr(world.chat, "access", hang_but_for(ROOM, world.chat.access))
    await world.post(NLP, PAPERS[0])
    await world.post(ROOM, PAPERS[1])
    said = written((await world.ask("search paper")).card)
    assert said.count("Posted") == 1
    assert "On paper 2603.00001" in said


async def test_few_channels_are_asked_about_for_a_list(world: World) -> None:
    for number in range(20):
        await world.clock.set(NOW + timedelta(minutes=number))
        await world.post(ChannelRef("chat", "T1", f"busy{number}"), *PAPERS)
    await world.ask("search paper")
    assert len({*world.chat.asked} - {ROOM}) == MAX_CHECKED_CHANNELS


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
async def test_nothing_of_a_private_channel_or_list_leaks(world: World, seed: int) -> None:
    """People in channels of two workspaces, some private, some left, some about which the platform is silent."""
    dice = random.Random(seed)
    teams = {user.id: {"T1", "T2"} if n == 0 else {f"T{1 + n % 2}"} for n, user in enumerate(PEOPLE)}
    there = [(room, user) for room, user in product(ROOMS, PEOPLE) if room.workspace in teams[user.id]]
    world.chat.readers = {
        room: {user.id for place, user in there if place == room and dice.random() < 0.6} for room in ROOMS
    }
    for room in ROOMS:
        for paper in dice.sample(PAPERS, dice.randrange(1, 4)):
            await world.post(room, paper)
    for room, user in there:
        await world.ask(f"save {dice.choice(PAPERS)} here note:list-of-{room.channel}", user, room)
        await world.ask(f"save {dice.choice(PAPERS)} note:own-of-{user.id}-{room.workspace}z", user, room)
    world.chat.silent = {(user.id, room) for room, user in there if dice.random() < 0.1}
    world.pass_a_minute()
    checked = Counter[str]()
    for _ in range(2):
        for room, user in there:
            for line in dice.sample(LINES, 4):
                reply = await world.ask(line.format(paper=dice.choice(PAPERS)), user, room)
                checked["answers"] += 1
                checked["named"] += _no_leak(world.chat, reply, user, room)
        for room, user in there:  # people come and go
            if dice.random() < 0.3:
                world.chat.readers[room] ^= {user.id}
        world.pass_a_minute()
    assert checked["answers"] == 2 * 4 * len(there)
    assert checked["named"] > 10


def _no_leak(chat: Chat, reply: Reply, user: User, room: ChannelRef) -> int:
    """How many channels the answer names; all of them may be named."""
    said = f"{reply.card!r} {reply.file!r}"
    named = [other for other in ROOMS if other.channel in said]
    unread = {one for one in ROOMS if user.id not in chat.readers[one] or (user.id, one) in chat.silent}
    assert not unread & {*named} - {room}
    assert {one.workspace for one in named} <= {room.workspace}
    assert reply.private or {*named} <= {room}
    assert not [one for one in unread if f"list-of-{one.channel}" in said or f"/{one.channel}" in said]
    own = f"own-of-{user.id}-{room.workspace}z"
    assert "own-of-" not in said.replace(own, "")
    return len(named)


def hang_but_for(
    channel: ChannelRef, access: Callable[[User, ChannelRef], Awaitable[Access]]
) -> Callable[[User, ChannelRef], Awaitable[Access]]:
    """A platform that answers about one channel alone."""

    async def hanging(user: User, asked: ChannelRef) -> Access:
        if asked != channel:
            await asyncio.Event().wait()
        return await access(user, asked)

    return hanging


def links(card: Card) -> set[str]:
    """Every address on a card."""
    found = set[str]()

    def look(value: object) -> None:
        if isinstance(value, Button) and value.url:
            found.add(value.url)
        if isinstance(value, tuple):
            for one in value:
                look(one)
        elif hasattr(value, "__dataclass_fields__"):
            if url := getattr(value, "url", None):
                found.add(url)
            for name in value.__dataclass_fields__:
                look(getattr(value, name))

    look(card)
    return found

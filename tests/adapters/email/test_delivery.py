"""Deliveries through a mail server that fails in every way: no mail is lost, and only resending doubles some."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, get_args

import pytest
from redis.asyncio import Redis

from adapters.email.address import Address
from adapters.email.addresses import Addresses
from adapters.email.links import Links
from adapters.email.message import FromAddress
from adapters.email.platform import EmailPlatform
from adapters.email.smtp_client import SmtpClient
from adapters.email.smtp_url import SmtpServer
from bot.domain.deliveries import PlannedDelivery
from bot.domain.models import ChannelRef
from bot.encryption import Encryptor
from bot.pipeline import delivery as delivering
from bot.pipeline.delivery import DeliveryWorker
from bot.pipeline.delivery_card import compose
from bot.policy import retry
from bot.ports import Batch
from bot.store.limits import Limits, RateLimiter
from bot.store.outbox import outbox as outboxes
from bot.store.outbox.outbox import Outbox
from bot.store.papers import Papers
from tests.adapters.email.mail_server import Fault, MailServer
from tests.papers import a_paper
from tests.waiting import until

NOW = datetime(2026, 3, 3, tzinfo=UTC)
NOT_RETRIED = frozenset({"550 at sender", "550 at recipient", "554 at end", "550 at end"})
"""Faults after which a mail isn't simply retried: its address or all mail is paused, or the mail is refused."""


@dataclass
class Scene:
    """A mail server, and deliveries for some addresses."""

    mail_server: MailServer
    redis: Redis
    platform: EmailPlatform
    addresses: Addresses
    outbox: Outbox
    papers: Papers

    def deliveries(self, on_uncertain: Literal["resend", "hold"] | None = None) -> DeliveryWorker:
        return DeliveryWorker(
            self.platform,
            self.outbox,
            self.papers,
            RateLimiter(self.redis),
            lambda _delivery, entries, rules: compose(entries, rules, NOW),
            on_uncertain=on_uncertain or self.platform.on_uncertain,
        )

    async def channel(self, address: str) -> ChannelRef:
        parsed = Address.parse(address)
        channel = await self.addresses.channel(parsed)
        await self.addresses.confirm(channel, parsed)
        return channel

    async def enqueue(self, addresses: list[str], *papers: str) -> None:
        await self.papers.ingest("hf", Batch(tuple(map(a_paper, papers)), "c"), 0)
        channels = [await self.channel(address) for address in addresses]
        for paper in papers:
            await self.outbox.enqueue(
                PlannedDelivery(channel=c, papers=((paper, ()),), due=0, label=paper) for c in channels
            )

    def mail_counts(self) -> Counter[tuple[str, str]]:
        """Return (address, Message-ID) -> number of mails."""
        return Counter((mail.to, mail.message["Message-ID"]) for mail in self.mail_server.mails)


@asynccontextmanager
async def open_scene(redis: Redis) -> AsyncIterator[Scene]:
    """Start a mail server, and a platform that sends through it."""
    encryptor = Encryptor(["a key that can't be guessed"])
    addresses = Addresses(redis, encryptor)
    async with MailServer().open() as mail_server:
        client = SmtpClient(SmtpServer.parse(mail_server.url), patience=3)
        platform = EmailPlatform(
            addresses=addresses,
            limits=Limits(redis),
            links=Links("https://papers.example.org", encryptor, lambda: NOW),
            client=client,
            sender=FromAddress.parse("Paperboy <papers@example.org>"),
            bounce=Address.parse("bounces@example.org"),
            now=lambda: NOW,
        )
        yield Scene(mail_server, redis, platform, addresses, Outbox(redis, durable=True), Papers(redis))
        await platform.close()


@pytest.fixture
async def scene(redis: Redis) -> AsyncIterator[Scene]:
    async with open_scene(redis) as scene:
        yield scene


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the waits of the policies."""
    monkeypatch.setattr(retry, "RETRIES", (0.02,) * 7)
    monkeypatch.setattr(retry, "LOOKUP_DELAY", 0.02)
    monkeypatch.setattr(retry, "FIRST_LIMIT", 0.02)
    monkeypatch.setattr(retry, "LONGEST_LIMIT", 0.05)
    monkeypatch.setattr(outboxes, "BREAK", 0.05)
    monkeypatch.setattr(delivering, "MAX_WAIT", 0.5)


PEOPLE = [f"person{n}@{'example.org' if n % 2 else 'example.net'}" for n in range(40)]


async def test_everyone_gets_their_mails_once(scene: Scene) -> None:
    await scene.enqueue(PEOPLE, "p1", "p2", "p3")
    assert (await scene.deliveries().deliver_due())["posted"] == 120
    assert len(scene.mail_counts()) == len(scene.mail_server.mails) == 120


@pytest.mark.timeout(180)
@pytest.mark.parametrize("on_uncertain", ["hold", "resend"])
async def test_through_every_fault_no_mail_is_lost_and_only_resending_doubles_some(
    scene: Scene, on_uncertain: Literal["hold", "resend"]
) -> None:
    rng = random.Random(11)
    faults: list[Fault] = [f for f in get_args(Fault) if f not in NOT_RETRIED and "hang" not in f]
    scene.mail_server.chance = lambda: rng.choice(faults) if rng.random() < 0.25 else None
    await scene.enqueue(PEOPLE, *(f"p{n}" for n in range(10)))
    await scene.deliveries(on_uncertain).deliver_due()
    held = [delivery async for delivery in scene.outbox.dead_letters()]
    counts = scene.mail_counts()
    doubled = sum(times - 1 for times in counts.values())
    lost_answers = (
        scene.mail_server.fault_counts["lose at end"] + scene.mail_server.fault_counts["nonsense at end"]
    )
    assert set(scene.mail_server.fault_counts) == set(faults)
    if on_uncertain == "hold":
        assert doubled == 0
        assert {delivery.state for delivery in held} == {"held"}
        assert len(held) == lost_answers + scene.mail_server.fault_counts["cut in data"]
        # The rest is held, not lost.
        assert len(counts) == 400 - scene.mail_server.fault_counts["cut in data"]
    else:
        assert held == []
        assert len(counts) == 400
        assert doubled == lost_answers


async def test_a_held_mail_arrives_after_the_operators_retry(scene: Scene) -> None:
    scene.mail_server.faults = {PEOPLE[0]: ["cut in data"]}
    await scene.enqueue(PEOPLE[:1], "p1")
    assert (await scene.deliveries().deliver_due())["held"] == 1
    [held] = [delivery async for delivery in scene.outbox.dead_letters()]
    assert await scene.outbox.retry(held.key)
    assert await scene.deliveries().deliver_due() == Counter(posted=1)


async def test_a_mail_is_retried_if_the_server_hangs_early_and_held_if_it_hangs_at_the_end(
    scene: Scene,
) -> None:
    hangs_early, hangs_at_end = PEOPLE[:2]
    scene.mail_server.faults = {hangs_early: ["hang at recipient"], hangs_at_end: ["hang at end"]}
    await scene.enqueue(PEOPLE, "p1")
    counts = await scene.deliveries().deliver_due()
    assert (counts["posted"], counts["held"]) == (39, 1)
    assert len(scene.mail_counts()) == len(scene.mail_server.mails) == 40


@pytest.mark.parametrize("fault", ["550 at recipient", "550 at end"])
async def test_a_final_refusal_pauses_only_that_address(scene: Scene, fault: Fault) -> None:
    refused = PEOPLE[0]
    scene.mail_server.faults = {refused: [fault]}
    await scene.enqueue(PEOPLE, "p1", "p2")
    assert (await scene.deliveries().deliver_due())["posted"] == 78
    assert scene.mail_server.to(refused) == []
    assert await scene.deliveries().deliver_due() == Counter()
    await scene.outbox.resume(await scene.channel(refused))
    assert await scene.deliveries().deliver_due() == Counter(posted=2)
    assert len(scene.mail_counts()) == len(scene.mail_server.mails) == 80


async def test_a_refused_message_does_not_pause_its_address(scene: Scene) -> None:
    scene.mail_server.faults = {PEOPLE[0]: ["554 at end"]}
    await scene.enqueue(PEOPLE, "p1", "p2")
    assert (await scene.deliveries().deliver_due())["posted"] == 79
    assert len(scene.mail_server.to(PEOPLE[0])) == 1


async def test_after_an_outage_of_the_server_all_mails_arrive(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.email.errors.SERVER_PAUSE", 0.05)
    scene.mail_server.greeting = "421 4.3.2 Too busy"
    await scene.enqueue(PEOPLE, "p1")
    running = asyncio.create_task(scene.deliveries().deliver_due())
    await until(lambda: scene.mail_server.connections, "a connection")
    scene.mail_server.greeting = ""
    assert (await running)["posted"] == 40
    assert len(scene.mail_counts()) == len(scene.mail_server.mails) == 40


async def test_a_forgotten_address_gets_nothing(scene: Scene) -> None:
    await scene.enqueue(PEOPLE[:2], "p1")
    await scene.addresses.forget(await scene.channel(PEOPLE[0]))
    assert (await scene.deliveries().deliver_due())["posted"] == 1
    assert [mail.to for mail in scene.mail_server.mails] == [PEOPLE[1]]


async def test_no_address_is_readable_in_redis(scene: Scene) -> None:
    scene.mail_server.faults = {address: ["550 at recipient"] for address in PEOPLE[:5]}
    await scene.enqueue(PEOPLE, "p1")
    await scene.deliveries().deliver_due()
    stored = "\n".join([str(await content_of(scene.redis, key)) async for key in scene.redis.scan_iter()])
    assert "person" not in stored
    assert "example.net" not in stored


async def content_of(redis: Redis, key: str) -> list[Any]:
    """Return a key and its whole content."""
    raw: Any = redis
    match await raw.type(key):
        case "string":
            return [key, await raw.get(key)]
        case "hash":
            return [key, await raw.hgetall(key)]
        case "set":
            return [key, await raw.smembers(key)]
        case "zset":
            return [key, await raw.zrange(key, 0, -1)]
        case "list":
            return [key, await raw.lrange(key, 0, -1)]
        case _:
            return [key, await raw.xrange(key)]

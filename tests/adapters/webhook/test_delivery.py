"""Posts to a webhook receiver that fails in every way: none is lost, and a repeated post has the same id."""

import asyncio
import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from redis.asyncio import Redis

from adapters.webhook import answers
from adapters.webhook.platform import WebhookPlatform
from bot.cards import Card
from bot.domain.deliveries import PlannedDelivery
from bot.domain.errors import LookupUnsupported
from bot.domain.models import ChannelRef, ChannelSettings, MessageRef, Reason
from bot.pipeline import delivery as delivering
from bot.pipeline.delivery import DeliveryWorker
from bot.pipeline.delivery_card import compose
from bot.pipeline.pauses import CopyOwners
from bot.policy import retry
from bot.ports import Batch, Core, Platform, Rates
from bot.store.channel_rules import ChannelSettingsStore
from bot.store.copies import Copies
from bot.store.limits import RateLimiter
from bot.store.outbox.outbox import Outbox
from bot.store.papers import Papers
from tests.adapters.webhook.scene import Scene, open_scene
from tests.papers import a_channel, a_paper
from tests.waiting import until

FAULTS = ("lose", "hang", "loris", "giant", "html", "429", "301", "404", "500", "503")


class Chat:
    """A platform that accepts every post."""

    name = "fake"
    rates = Rates()
    on_uncertain = "hold"

    def __init__(self) -> None:
        self.posts: list[tuple[ChannelRef, tuple[str, ...]]] = []
        self.notified: list[tuple[ChannelRef, str]] = []

    async def run(self, core: Core) -> None: ...

    async def close(self) -> None: ...

    async def send(self, to: ChannelRef, card: Card, key: str) -> MessageRef:
        self.posts.append((to, card.posting.papers))
        return MessageRef(key)

    async def find(self, to: ChannelRef, key: str, since: datetime) -> MessageRef | None:
        raise LookupUnsupported(f"{key} in {to} since {since}")

    async def notify(self, channel: ChannelRef, problem: str) -> bool:
        self.notified.append((channel, problem))
        return True


class Posting:
    """A chat platform, and the webhooks of its channels."""

    def __init__(self, scene: Scene) -> None:
        redis = scene.redis
        self.scene, self.chat = scene, Chat()
        self.outbox, self.papers, self.copies = Outbox(redis, durable=True), Papers(redis), Copies(redis)
        self.owners = CopyOwners([self.chat], self.copies, lambda _platform: False)  # type: ignore[list-item]  # `unclear`
        self.workers = [self._worker(self.chat), self._worker(scene.platform)]  # type: ignore[arg-type]

    def _worker(self, platform: Platform) -> DeliveryWorker:
        return DeliveryWorker(
            platform,
            self.outbox,
            self.papers,
            RateLimiter(self.scene.redis),
            lambda delivery, entries, rules: compose(
                entries, rules, datetime.now(UTC), delivery.label, ordered=delivery.copy_of is not None
            ),
            on_uncertain=platform.on_uncertain,
            owners=self.owners,
        )

    async def post(self, channel: ChannelRef, *papers: str, label: str = "") -> None:
        await self.papers.ingest("hf", Batch(tuple(map(a_paper, papers)), "c"), 0)
        matched = tuple((paper, (Reason(1, "cats"),)) for paper in papers)
        planned = PlannedDelivery(channel=channel, papers=matched, due=0, label=label or papers[0])
        await self.outbox.enqueue([planned])

    async def deliver(self) -> None:
        for worker in self.workers:
            await worker.deliver_due()


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the waits of the policies."""
    monkeypatch.setattr(retry, "LOOKUP_DELAY", 0.02)
    monkeypatch.setattr(delivering, "MAX_WAIT", 0.5)
    monkeypatch.setattr(answers, "FIRST_WAIT", 0.05)
    monkeypatch.setattr(answers, "LONGEST_WAIT", 0.2)
    monkeypatch.setattr(WebhookPlatform, "rates", Rates())


@pytest.fixture
async def posting(redis: Redis) -> AsyncIterator[Posting]:
    async with open_scene(redis, patience=0.4) as scene:
        scene.listener.retry_after = "0"
        yield Posting(scene)


async def test_through_every_fault_no_post_is_lost_and_a_repeat_has_the_same_id(posting: Posting) -> None:
    listener, rng = posting.scene.listener, random.Random(3)
    channels = [a_channel(f"C{n}") for n in range(5)]
    for n, channel in enumerate(channels):
        await posting.scene.add(f"/{n}", channel)
    for n in range(4):
        for channel in channels:
            await posting.post(channel, f"2611.0000{n}")
    listener.faults = [rng.choice(FAULTS) for _ in range(30)]
    for _ in range(40):
        await posting.deliver()
        if not listener.faults and not await posting.outbox.open():
            break
    expected = {(f"/{n}", f"2611.0000{paper}") for n in range(len(channels)) for paper in range(4)}
    received = [(one.path, one.json["data"]["papers"][0]["paper"]["id"]) for one in listener.taken]
    assert sorted(received) == sorted(expected)
    assert len(listener.seen) == len(expected)
    assert max(listener.seen.values()) > 1
    assert listener.refused == []
    assert [one async for one in posting.outbox.dead_letters()] == []
    assert len(posting.chat.posts) == len(expected)


async def test_a_copy_has_the_same_papers_order_and_total_as_the_post(
    posting: Posting,
) -> None:
    channel = a_channel()
    await ChannelSettingsStore(posting.scene.redis).put(channel, ChannelSettings(most=2))
    await posting.scene.add(channel=channel)
    await posting.post(channel, "2611.00001", "2611.00002", "2611.00003", label="digest@2026-03-03T09:00Z")
    await posting.deliver()
    (post,) = posting.scene.listener.taken
    ((_, shown),) = posting.chat.posts
    assert tuple(entry["paper"]["id"] for entry in post.json["data"]["papers"]) == shown
    assert post.json["data"]["summary"].startswith("3 new papers, the best 2")


async def test_a_webhook_gets_only_the_posts_between_its_creation_and_its_removal(posting: Posting) -> None:
    channel = a_channel()
    await posting.post(channel, "2611.00001")
    await posting.deliver()
    copy = await posting.scene.add(channel=channel)
    await posting.post(channel, "2611.00002")
    await posting.deliver()
    await posting.copies.remove(channel, copy)
    await posting.post(channel, "2611.00003")
    await posting.deliver()
    (post,) = posting.scene.listener.taken
    assert post.json["data"]["post"] == "2611.00002"


async def test_a_410_removes_the_webhook_and_notifies_one_person(posting: Posting) -> None:
    channel, listener = a_channel(), posting.scene.listener
    copy = await posting.scene.add(channel=channel)
    listener.always = "410"
    for paper in ("2611.00001", "2611.00002"):
        await posting.post(channel, paper)
        await posting.deliver()
    assert await posting.copies.of(channel) == []
    assert listener.asked == 1
    ((notified, problem),) = posting.chat.notified
    assert notified == channel
    assert "has ended" in problem
    assert "#1" in problem
    assert await posting.outbox.open_deliveries(copy.to) == []


async def test_a_webhook_that_fails_for_a_day_is_paused_and_resumes_once_it_works(
    posting: Posting, monkeypatch: pytest.MonkeyPatch
) -> None:
    channel, listener = a_channel(), posting.scene.listener
    copy = await posting.scene.add(channel=channel)
    listener.always = "404"
    monkeypatch.setattr(answers, "PAUSED_AFTER", timedelta())
    await posting.post(channel, "2611.00001")
    await posting.deliver()
    pause = (await posting.outbox.status(copy.to)).pause
    assert pause is not None
    assert "answered 404" in pause.why
    await posting.outbox.resume(copy.to)
    await posting.deliver()
    assert len(posting.chat.notified) == 1
    listener.always = ""
    await posting.outbox.resume(copy.to)
    await posting.deliver()
    assert len(listener.taken) == 1
    assert (await posting.outbox.status(copy.to)).pause is None


async def test_a_post_that_alone_is_refused_delays_no_other_and_becomes_a_dead_letter(
    posting: Posting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retry, "LONGEST_REFUSAL", 0.05)
    monkeypatch.setattr("bot.store.outbox.outbox.REFUSED_ALONE", 3)
    channel, listener = a_channel(), posting.scene.listener
    copy = await posting.scene.add(channel=channel)
    listener.blocked_word = b"2611.00000"
    chat, webhooks = posting.workers

    async def post(number: int) -> None:
        await posting.post(channel, f"2611.0000{number}")
        await chat.deliver_due()

    async def wait_for_attempt(after: int) -> None:
        await until(lambda: listener.asked > after or running.done(), "another attempt at the first post")

    async def wait_until_taken(count: int) -> None:
        await until(lambda: len(listener.taken) == count, f"post {count}")

    await post(0)
    running = asyncio.create_task(webhooks.deliver_due())
    for n in range(1, 4):
        await wait_for_attempt(listener.asked)
        await post(n)
        await wait_until_taken(n)
    await wait_for_attempt(listener.asked)
    await running
    await webhooks.deliver_due()
    assert [one.json["data"]["post"] for one in listener.taken] == [f"2611.0000{n}" for n in range(1, 4)]
    (dead_letter,) = [one async for one in posting.outbox.dead_letters()]
    assert dead_letter.channel == copy.to
    assert "answered 400" in dead_letter.why
    assert (await posting.outbox.status(copy.to)).pause is None


async def test_a_webhook_that_hangs_delays_no_other(
    posting: Posting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers, "FIRST_WAIT", 60.0)
    monkeypatch.setattr(answers, "LONGEST_WAIT", 60.0)
    slow, quick = a_channel("C1"), a_channel("C2")
    await posting.scene.add("/slow", slow)
    await posting.scene.add("/quick", quick)
    posting.scene.listener.hanging.add("/slow")
    for n in range(8):
        await posting.post(slow, f"2611.0000{n}")
        await posting.post(quick, f"2611.0000{n}")
    await posting.deliver()
    assert len([one for one in posting.scene.listener.taken if one.path == "/quick"]) == 8

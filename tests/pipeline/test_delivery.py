"""Deliveries are posted once, and every answer of a platform leads to the right outcome."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import pytest
from aiohttp import ClientSession
from redis.asyncio import Redis
from redis.exceptions import OutOfMemoryError
from structlog.testing import capture_logs

from bot.cards import Card
from bot.cards.digest import Entry
from bot.domain.deliveries import Claims, Delivery, PlannedDelivery
from bot.domain.errors import CardRefused, ChannelGone, DeliveryUncertain, RetryLater, WorkspaceGone
from bot.domain.models import ChannelRef, Rules
from bot.pipeline import delivery as delivering
from bot.pipeline import sending
from bot.pipeline.delivery import DeliveryWorker
from bot.policy import retry
from bot.policy.retry import on_failure
from bot.ports import Batch, Rate, Rates
from bot.store import keys
from bot.store.limits import RateLimiter
from bot.store.notifications import Notifications
from bot.store.outbox import outbox as outboxes
from bot.store.outbox.outbox import Outbox
from bot.store.papers import Papers
from bot.supervisor import cancel
from tests.fake_platform import FakePlatform, FakeService, Weather
from tests.papers import a_card, a_channel, a_paper
from tests.waiting import until


@dataclass
class Post:
    """An outbox, a platform and the workers between them."""

    redis: Redis
    service: FakeService
    session: ClientSession
    outbox: Outbox
    papers: Papers

    def deliveries(self, *, looks: bool = True, rates: Rates | None = None, **more: Any) -> DeliveryWorker:
        platform = FakePlatform(self.service.url, self.session, rates=rates, looks=looks)
        return DeliveryWorker(platform, self.outbox, self.papers, RateLimiter(self.redis), a_card, **more)

    async def enqueue_papers(self, channels: Sequence[ChannelRef], *papers: str) -> None:
        stored = tuple(a_paper(paper) for paper in papers)
        await self.papers.ingest("hf", Batch(papers=stored, cursor="c"), 0)
        for paper in papers:
            await self.outbox.enqueue(
                PlannedDelivery(channel=c, papers=((paper, ()),), due=0, label=paper) for c in channels
            )


@pytest.fixture
async def post(redis: Redis) -> AsyncIterator[Post]:
    async with FakeService().serve() as service, ClientSession() as session:
        yield Post(redis, service, session, Outbox(redis, durable=True), Papers(redis))


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the waits of the policies."""
    monkeypatch.setattr(retry, "RETRIES", (0.02,) * 7)
    monkeypatch.setattr(retry, "LOOKUP_DELAY", 0.02)
    monkeypatch.setattr(retry, "FIRST_LIMIT", 0.02)
    monkeypatch.setattr(retry, "LONGEST_LIMIT", 0.05)
    monkeypatch.setattr(delivering, "MAX_WAIT", 0.5)
    monkeypatch.setattr(outboxes, "BREAK", 0.05)


CHANNELS = [a_channel(f"C{n}", f"T{n % 3}") for n in range(12)]


async def test_everything_due_is_posted_once(post: Post) -> None:
    await post.enqueue_papers(CHANNELS, "p1", "p2", "p3")
    assert await post.deliveries().deliver_due() == Counter(posted=36)
    assert await post.deliveries().deliver_due() == Counter()
    assert post.service.counts() == Counter((str(c), f"p{n}") for c in CHANNELS for n in (1, 2, 3))


async def test_lost_answers_errors_and_limits_neither_lose_nor_double(post: Post) -> None:
    post.service.weather = Weather(lose=0.1, error=0.1, limit=0.1, retry_after=0.05)
    papers = [f"p{n}" for n in range(10)]
    await post.enqueue_papers(CHANNELS, *papers)
    counts = await post.deliveries().deliver_due()
    assert post.service.counts() == Counter((str(c), p) for c in CHANNELS for p in papers)
    assert counts["unknown"] > 5
    assert post.service.too_early == []


async def test_without_reconciliation_posts_are_doubled(post: Post) -> None:
    post.service.weather = Weather(lose=0.2)
    await post.enqueue_papers(CHANNELS, "p1", "p2", "p3")
    await post.deliveries(looks=False).deliver_due()
    assert post.service.doubled()


async def test_without_lookups_an_uncertain_post_is_held_for_the_operator(post: Post) -> None:
    post.service._can_tell = False
    post.service.weather = Weather(lose=1.0)
    await post.enqueue_papers(CHANNELS[:1], "p1")
    counts = await post.deliveries(on_uncertain="hold").deliver_due()
    assert (counts["held"], len(post.service.posts)) == (1, 1)
    [held] = [stuck async for stuck in post.outbox.dead_letters()]
    post.service.weather = Weather()
    assert await post.outbox.retry(held.key)
    assert await post.deliveries(on_uncertain="hold").deliver_due() == Counter(posted=1)


async def test_with_resending_nothing_is_lost(post: Post) -> None:
    post.service._can_tell = False
    post.service.weather = Weather(lose=0.3)
    await post.enqueue_papers(CHANNELS, "p1", "p2")
    await post.deliveries(on_uncertain="resend").deliver_due()
    assert len(post.service.counts()) == 24


async def test_a_missing_channel_is_paused_and_others_go_on(post: Post) -> None:
    removed = CHANNELS[0]
    post.service.weather = Weather(always={str(removed): "gone"})
    await post.enqueue_papers(CHANNELS, "p1", "p2")
    assert (await post.deliveries().deliver_due())["posted"] == 22
    post.service.weather = Weather()
    assert await post.deliveries().deliver_due() == Counter()
    await post.outbox.resume(removed)
    assert await post.deliveries().deliver_due() == Counter(posted=2)
    assert post.service.doubled() == {}


async def test_a_missing_workspace_is_paused_as_a_whole(post: Post) -> None:
    removed = [c for c in CHANNELS if c.workspace == "T1"]
    post.service.weather = Weather(always={str(c): "workspace gone" for c in removed})
    await post.enqueue_papers(CHANNELS, "p1")
    assert (await post.deliveries().deliver_due())["posted"] == 8
    post.service.weather = Weather()
    await post.outbox.resume_workspace("fake", "T1")
    assert await post.deliveries().deliver_due() == Counter(posted=4)


async def test_a_refused_card_is_a_dead_letter_at_once(post: Post) -> None:
    post.service.weather = Weather(always={str(CHANNELS[0]): "refuse"})
    await post.enqueue_papers(CHANNELS[:2], "p1")
    assert await post.deliveries().deliver_due() == Counter(posted=1, dead=1)


async def test_a_platform_that_is_down_for_a_while_gets_everything_afterwards(post: Post) -> None:
    post.service.weather.down = True
    await post.enqueue_papers(CHANNELS, "p1", "p2")
    worker = post.deliveries()
    running = asyncio.create_task(worker.deliver_due())
    await until(lambda: post.service.requests >= len(CHANNELS), "every channel's first attempt")
    post.service.weather.down = False
    await running
    assert len(post.service.counts()) == 24
    assert post.service.doubled() == {}


async def test_a_post_that_hangs_is_looked_up(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "SEND_TIMEOUT", 0.1)
    hanging = CHANNELS[0]
    post.service.weather = Weather(always={str(hanging): "hang"})
    await post.enqueue_papers(CHANNELS, "p1")
    running = asyncio.create_task(post.deliveries().deliver_due())
    await until(lambda: len(post.service.counts()) == 11, "all other posts")
    assert (str(hanging), "p1") not in post.service.counts()
    post.service.weather = Weather()
    await running
    assert len(post.service.counts()) == 12


async def test_a_workspace_whose_posts_hang_leaves_room_for_others(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivering, "MAX_IN_FLIGHT", 6)
    monkeypatch.setattr(sending, "MAX_IN_WORKSPACE", 4)
    hanging = [a_channel(f"H{n}", "sick") for n in range(20)]
    post.service.weather = Weather(always={str(c): "hang" for c in hanging})
    worker = post.deliveries()
    running = asyncio.create_task(worker.run(Notifications(post.redis)))
    await post.enqueue_papers(hanging, "p1")
    worker._look_everywhere()
    await post.enqueue_papers(CHANNELS, "p1")

    def all_posted() -> bool:
        worker._look_everywhere()
        return len(post.service.posts) == len(CHANNELS)

    await until(all_posted, "the other workspace's posts")
    monkeypatch.setattr(delivering, "DRAIN", 0.1)
    await worker.drain()
    await running


async def test_the_rates_of_a_platform_are_respected(post: Post) -> None:
    rates = Rates(platform=Rate(20, 0.6), workspace=Rate(8, 0.6), channel=Rate(1, 0.4))
    await post.enqueue_papers(CHANNELS, "p1", "p2", "p3")
    await asyncio.gather(*(post.deliveries(rates=rates).deliver_due() for _ in range(3)))
    assert len(post.service.counts()) == 36
    times: dict[str, list[float]] = {}
    for sent in post.service.posts:
        times.setdefault(sent.channel, []).append(sent.at)
    for at in times.values():
        assert all(b - a > 0.25 for a, b in pairwise(at))
    everything = sorted(sent.at for sent in post.service.posts)
    assert all(b - a > 0.45 for a, b in zip(everything, everything[20:], strict=False))


async def is_listening(redis: Redis) -> bool:
    return bool(await redis.pubsub_numsub("pb:wake") == [("pb:wake", 1)])


async def test_a_notification_is_enough_to_post_a_delivery(post: Post) -> None:
    notifications, worker = Notifications(post.redis), post.deliveries()
    listening = asyncio.create_task(notifications.run())
    running = asyncio.create_task(worker.run(notifications))
    await until(lambda: is_listening(post.redis), "the worker to listen")
    await post.enqueue_papers(CHANNELS, "p1")
    await until(lambda: len(post.service.posts) == 12, "the posts")
    await worker.drain()
    await running
    await cancel({listening})


async def test_draining_finishes_posts_in_flight_and_claims_no_more(post: Post) -> None:
    post.service.weather.delay = 0.05
    for _ in range(20):
        await post.enqueue_papers(CHANNELS, *(f"p{n}" for n in range(5)))
    worker = post.deliveries()
    running = asyncio.create_task(worker.run(Notifications(post.redis)))
    await until(lambda: post.service.posts, "the first post")
    await worker.drain()
    await running
    posted = len(post.service.posts)
    assert posted < 60
    await post.deliveries().deliver_due()
    assert len(post.service.counts()) == len(post.service.posts) == 60


class HeldClaims(Outbox):
    """An outbox that answers claims only once `answer` is set."""

    def __init__(self, redis: Redis) -> None:
        super().__init__(redis, durable=True)
        self.answer, self.claimed = asyncio.Event(), asyncio.Event()
        self.answer.set()

    async def claim(self, platform: str, most: int, shards: Sequence[int], *, token: str) -> Claims:
        claims = await super().claim(platform, most, shards, token=token)
        if claims.deliveries:
            self.claimed.set()
        await self.answer.wait()
        return claims


async def test_draining_also_finishes_posts_whose_claim_was_under_way(post: Post) -> None:
    post.service.weather.delay = 0.2
    post.outbox = outbox = HeldClaims(post.redis)
    await post.enqueue_papers(CHANNELS[:6], "p1")
    worker = post.deliveries()
    running = asyncio.create_task(worker.run(Notifications(post.redis)))
    await until(lambda: post.service.requests == 6, "the first posts to be in flight")
    outbox.answer.clear()
    outbox.claimed.clear()
    await post.enqueue_papers(CHANNELS[6:], "p1")
    worker._look_everywhere()
    await outbox.claimed.wait()
    draining = asyncio.create_task(worker.drain())
    await asyncio.sleep(0)
    outbox.answer.set()
    await draining
    await running
    assert len(post.service.counts()) == 12
    assert await post.outbox.open() == 0


async def test_draining_waits_for_a_claim_even_if_nothing_is_in_flight(post: Post) -> None:
    post.outbox = outbox = HeldClaims(post.redis)
    outbox.answer.clear()
    await post.enqueue_papers(CHANNELS, "p1")
    worker = post.deliveries()
    running = asyncio.create_task(worker.run(Notifications(post.redis)))
    await outbox.claimed.wait()
    draining = asyncio.create_task(worker.drain())
    await asyncio.sleep(0)
    outbox.answer.set()
    await draining
    assert len(post.service.counts()) == 12
    await running


async def test_a_full_server_records_every_post_that_was_made(post: Post) -> None:
    post.service.weather = Weather(lose=0.1, error=0.1)
    await post.enqueue_papers(CHANNELS, "p1", "p2", "p3")
    await post.redis.config_set("maxmemory", "1mb")
    try:
        counts = await post.deliveries(rates=Rates(workspace=Rate(100, 0.1))).deliver_due()
        with pytest.raises(OutOfMemoryError):
            await post.outbox.enqueue(
                [PlannedDelivery(channel=CHANNELS[0], papers=(("p4", ()),), due=0, label="p4")]
            )
    finally:
        await post.redis.config_set("maxmemory", 0)
    assert counts["posted"] == 36
    assert post.service.counts() == Counter((str(c), f"p{n}") for c in CHANNELS for n in (1, 2, 3))
    await post.enqueue_papers(CHANNELS, "p1", "p2", "p3")
    assert await post.deliveries().deliver_due() == Counter()


async def test_a_card_that_cannot_be_composed_is_a_dead_letter_and_others_go_on(post: Post) -> None:
    failing = CHANNELS[3]

    def compose(delivery: Delivery, entries: Sequence[Entry], rules: Rules) -> Card:
        if delivery.channel == failing:
            raise ZeroDivisionError
        return a_card(delivery, entries, rules)

    await post.enqueue_papers(CHANNELS, "p1")
    worker = post.deliveries()
    worker._sender._render = compose
    assert await worker.deliver_due() == Counter(posted=11, dead=1)
    [dead] = [stuck async for stuck in post.outbox.dead_letters()]
    assert "ZeroDivisionError" in dead.why


async def test_recent_papers_are_replayed_until_it_succeeds(post: Post) -> None:
    box = Outbox(post.redis)  # the server doesn't sync every write
    answers = [False, True]
    attempts = 0

    async def replay_recent() -> bool:
        nonlocal attempts
        attempts += 1
        return answers[attempts - 1]

    await box.claim("fake", 1, range(16), token="before")
    for shard in range(16):
        await post.redis.set(f"{keys.shard(shard)}run", "another server")
    post.outbox = box
    worker = post.deliveries(replay_recent=replay_recent)
    await worker.deliver_due()
    assert (attempts, await shards_to_replay(box)) == (1, 16)
    await worker.deliver_due()
    assert (attempts, await shards_to_replay(box)) == (2, 0)


async def shards_to_replay(box: Outbox) -> int:
    """Return the number of shards for which recent papers must still be enqueued again."""
    return len((await box.claim("fake", 1, range(16), token="looking")).forgot)


@pytest.mark.parametrize(
    ("error", "state", "counts", "limit"),
    [
        (RetryLater("no", counts=True), "pending", True, None),
        (RetryLater("429", after=3, counts=False), "pending", False, "channel"),
        (RetryLater("429", counts=False, scope="platform"), "pending", False, "workspace"),
        (ChannelGone("archived"), "pending", False, None),
        (WorkspaceGone("revoked"), "pending", False, None),
        (CardRefused("too long"), "dead", False, None),
        (DeliveryUncertain("dropped"), "unknown", True, None),
        (TimeoutError(), "unknown", True, None),
        (ZeroDivisionError(), "unknown", True, None),
    ],
)
def test_each_failure_leads_to_its_outcome(
    error: Exception, state: str, *, counts: bool, limit: str | None
) -> None:
    outcome = on_failure(error, 0)
    assert (outcome.state, outcome.counts, outcome.limit) == (state, counts, limit)


async def test_the_history_of_a_delivery_can_be_found_in_the_log_by_its_key(post: Post) -> None:
    post.service.weather = Weather(lose=1.0)
    await post.enqueue_papers(CHANNELS[:2], "p1")
    with capture_logs() as lines:
        await post.deliveries().deliver_due()
    key = f"{CHANNELS[0]}/p1"
    life = [(line["event"], line["log_level"]) for line in lines if line.get("delivery") == key]
    assert life == [
        ("delivery_claimed", "debug"),
        ("delivery_not_confirmed", "info"),
        ("delivery_claimed", "debug"),
        ("delivery_looked_up", "info"),
        ("delivery_posted", "info"),
    ]
    (event,) = (
        line for line in lines if line.get("delivery") == key and line["event"] == "delivery_not_confirmed"
    )
    assert (event["outcome"], event["reason"].partition(":")[0]) == ("unknown", "DeliveryUncertain")

"""A pause ends automatically, and one person is notified of it; an outage of the platform pauses nothing."""

import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
from aiohttp import ClientSession
from hypothesis import given
from hypothesis import strategies as st
from redis.asyncio import Redis
from structlog.testing import capture_logs

from bot.domain.deliveries import Outcome, PlannedDelivery
from bot.domain.errors import RetryLater
from bot.domain.models import ChannelRef
from bot.pipeline import delivery as delivering
from bot.pipeline.delivery import DeliveryWorker
from bot.policy.retry import DOWN_AFTER, LONGEST_LIMIT, PlatformHealth
from bot.ports import Batch
from bot.store import keys
from bot.store.limits import RateLimiter
from bot.store.outbox.outbox import Outbox
from bot.store.papers import Papers
from tests.clock import advance
from tests.fake_platform import FakePlatform, FakeService, Weather
from tests.papers import a_card, a_channel, a_paper

HOUR, DAY = 3600.0, 86_400.0
HERE = a_channel("C1", "T1")


@dataclass
class Place:
    """A platform, and a worker that posts to it."""

    redis: Redis
    service: FakeService
    platform: FakePlatform
    outbox: Outbox
    worker: DeliveryWorker

    async def enqueue(self, paper: str, *channels: ChannelRef) -> None:
        await Papers(self.redis).ingest("hf", Batch(papers=(a_paper(paper),), cursor="c"), 0)
        now = round((await self.outbox.now()).timestamp() * 1000)
        await self.outbox.enqueue(
            PlannedDelivery(channel=c, papers=((paper, ()),), due=now, label=paper) for c in channels
        )

    async def refuse(self, fault: str, *channels: ChannelRef) -> None:
        self.service.weather = Weather(always={str(c): fault for c in channels})  # type: ignore[misc]

    async def after(self, seconds: float) -> int:
        """Let time pass, and deliver what is due. Returns the number of posts that the platform was sent."""
        await advance(self.redis, seconds)
        self.worker._outcomes.not_before -= seconds
        self.worker._next_probe -= seconds
        if self.worker._outcomes._last_success:
            self.worker._outcomes._last_success -= seconds
        before = self.service.requests
        await self.worker.deliver_due()
        return self.service.requests - before


@pytest.fixture
async def place(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Place]:
    monkeypatch.setattr(delivering, "MAX_WAIT", 0.2)
    async with FakeService().serve() as service, ClientSession() as session:
        platform, outbox = FakePlatform(service.url, session), Outbox(redis, durable=True)
        worker = DeliveryWorker(platform, outbox, Papers(redis), RateLimiter(redis), a_card)
        yield Place(redis, service, platform, outbox, worker)


@pytest.mark.parametrize("fault", ["gone", "workspace gone"])
async def test_a_pause_is_probed_after_an_hour_and_then_less_and_less_often(place: Place, fault: str) -> None:
    await place.refuse(fault, HERE)
    await place.enqueue("p1", HERE)
    await place.enqueue("p2", HERE)
    assert await place.after(0) == 1
    for wait in (HOUR, 2 * HOUR, 4 * HOUR, 8 * HOUR, 16 * HOUR, DAY, DAY, DAY):
        assert await place.after(wait - 60) == 0
        assert await place.after(120) == 1, "one post probes it"
        await advance(place.redis, -60)
    place.service.weather = Weather()
    assert await place.after(DAY + 120) == 2
    assert place.service.counts() == {(str(HERE), "p1"): 1, (str(HERE), "p2"): 1}
    assert (await place.outbox.status(HERE)).pause is None
    assert await place.outbox.paused_counts() == {}
    assert await place.outbox.open() == 0


@pytest.mark.parametrize("fault", ["gone", "workspace gone"])
async def test_one_person_is_notified_once_for_each_problem(place: Place, fault: str) -> None:
    await place.refuse(fault, HERE)
    await place.enqueue("p1", HERE)
    await place.after(0)
    for _ in range(5):
        await place.after(DAY)
    await place.outbox.resume(HERE)  # as on a platform's event, such as an edited role
    await place.outbox.resume_workspace(HERE.platform, HERE.workspace)
    await place.after(0)
    assert len(place.platform.notified) == 1
    place.service.weather = Weather()
    await place.after(2 * DAY)
    assert place.service.counts() == {(str(HERE), "p1"): 1}
    await place.refuse(fault, HERE)
    await place.enqueue("p2", HERE)
    await place.after(0)
    assert len(place.platform.notified) == 2, "it worked in between, so this is another problem"


async def test_a_whole_workspace_that_refuses_is_announced_once(place: Place) -> None:
    channels = [a_channel(f"C{n}", "T1") for n in range(40)]
    await place.refuse("workspace gone", *channels)
    await place.enqueue("p1", *channels)
    await place.after(0)
    assert len(place.platform.notified) == 1
    place.service.weather = Weather()
    await place.after(2 * HOUR)
    await place.after(0)
    assert len(place.service.counts()) == 40


async def test_a_notification_that_failed_is_sent_with_the_next_probe(place: Place) -> None:
    def fails() -> bool:
        raise RetryLater("not now")

    place.platform.reaches = fails
    await place.refuse("gone", HERE)
    await place.enqueue("p1", HERE)
    await place.after(0)
    place.platform.reaches = lambda: False
    await place.after(HOUR + 60)
    await place.after(2 * HOUR + 60)
    assert len(place.platform.notified) == 2, "no one can be reached, and it isn't tried again"


async def test_status_shows_the_reason_the_start_and_the_next_attempt(place: Place) -> None:
    await place.refuse("gone", HERE)
    await place.enqueue("p1", HERE)
    await place.after(0)
    pause = (await place.outbox.status(HERE)).pause
    assert pause is not None
    assert (pause.scope, pause.why) == ("channel", "the channel was archived")
    assert pause.since is not None
    assert pause.next_probe is not None
    assert (pause.next_probe - pause.since).total_seconds() == HOUR
    assert await place.outbox.pauses() == [pause]
    assert await place.outbox.paused_counts() == {("fake", "channel"): (1, pause.since)}


async def test_a_channel_that_an_older_version_paused_is_probed_too(place: Place) -> None:
    await place.redis.hset(keys.channel(HERE), mapping={"paused": "archived", "paused_at": "1"})
    await place.enqueue("p1", HERE)
    assert await place.after(0) == 0
    assert await place.after(HOUR + 60) == 1
    assert place.service.counts() == {(str(HERE), "p1"): 1}


async def test_a_spell_of_a_proxys_answers_pauses_nothing_and_uses_up_no_attempts(place: Place) -> None:
    channels = [a_channel(f"C{n}", f"T{n % 7}") for n in range(50)]
    place.service.weather = Weather(proxied=True)
    await place.enqueue("p1", *channels)
    for _ in range(30):
        await place.after(40)
    assert place.service.counts() == {}
    assert await place.outbox.paused_counts() == {}
    assert place.platform.notified == []
    assert sum((await place.outbox.dead_letter_counts()).values()) == 0
    place.service.weather = Weather()
    await place.after(LONGEST_LIMIT)
    assert len(place.service.counts()) == 50
    assert place.service.doubled() == {}


async def test_a_card_that_a_firewall_rejects_blocks_nothing_and_becomes_a_dead_letter(place: Place) -> None:
    place.service.weather = Weather(firewall="poison")
    others = [a_channel(f"D{n}", "T1") for n in range(3)]
    await place.enqueue("poison", HERE)
    posted, hours = 0, 0
    while not (dead := (await place.outbox.dead_letter_counts())["dead"]):
        hours += 1
        await place.enqueue(f"p{hours}", HERE, *others)
        await place.after(0)
        await place.after(40)
        posted += 1 + len(others)
        assert sum(place.service.counts().values()) == posted, "all other posts succeeded at once"
        await place.after(HOUR - 40)
        assert hours < 48
    assert dead == 1
    assert hours > 12, "it was retried for a day"
    [dead_letter] = [one async for one in place.outbox.dead_letters()]
    assert dead_letter.why.startswith(
        "RetryLater: a firewall answered — refused 24 times while other posts got through"
    )
    assert await place.outbox.paused_counts() == {}
    assert place.platform.notified == []
    place.service.weather = Weather()
    assert await place.outbox.retry(dead_letter.key)
    assert await place.after(0) == 1


async def test_a_firewalls_page_stops_the_platform_only_until_others_get_through(place: Place) -> None:
    place.service.weather = Weather(firewall="poison")
    await place.enqueue("poison", HERE)
    for n in range(4):
        await place.enqueue(f"p{n}", a_channel("C2", "T2"))
        await place.after(40)
    place.worker._outcomes.not_before = 0.0
    await place.after(40)
    assert place.worker._outcomes.not_before <= time.monotonic(), "only the post itself waits"
    assert sum([await place.after(40) for _ in range(20)]) <= 4, "each wait is longer"
    await place.enqueue("q", a_channel("C3", "T3"))
    assert await place.after(0) == 1


async def test_an_undocumented_refusal_is_retried_indefinitely_and_reported_after_a_day(place: Place) -> None:
    await place.refuse("odd", HERE)
    await place.enqueue("p1", HERE)
    await place.enqueue("p2", a_channel("C2", "T1"))
    assert await place.after(0) == 2
    tries = 0
    with capture_logs() as logs:
        for _ in range(23):
            tries += await place.after(HOUR)
        assert await place.outbox.refused(timedelta(days=1)) == []
        assert not [line for line in logs if line["event"] == "channel_refused_for_a_day"]
        for _ in range(30):
            tries += await place.after(HOUR)
        assert [line["channel"] for line in logs if line["event"] == "channel_refused_for_a_day"] == [
            str(HERE)
        ]
    assert 20 < tries < 70, "waits are bounded, and retries never end"
    [refused] = await place.outbox.refused(timedelta(days=1))
    assert (refused.channel, refused.why) == (HERE, "RetryLater: error i_am_a_teapot")
    assert await place.outbox.refused_counts(timedelta(days=1)) == {"fake": (1, refused.since)}
    assert await place.outbox.paused_counts() == {}
    assert sum((await place.outbox.dead_letter_counts()).values()) == 0
    place.service.weather = Weather()
    assert await place.after(HOUR) == 1
    assert place.service.doubled() == {}
    assert await place.outbox.refused(timedelta()) == []


async def test_all_channels_are_back_a_minute_after_a_spell_of_undocumented_refusals(place: Place) -> None:
    channels = [a_channel(f"C{n}", f"T{n % 7}") for n in range(50)]
    await place.refuse("odd", *channels)
    await place.enqueue("p1", *channels)
    for _ in range(30):
        await place.after(400)
    place.service.weather = Weather()
    await place.after(LONGEST_LIMIT)
    await place.after(LONGEST_LIMIT)
    assert len(place.service.counts()) == 50
    assert place.service.doubled() == {}


async def test_a_channels_first_post_after_undocumented_refusals_releases_the_others(place: Place) -> None:
    await place.refuse("odd", HERE)
    for n in range(5):
        await place.enqueue(f"p{n}", HERE)
        await place.enqueue(f"p{n}", a_channel("C2"))
        await place.after(10)
    for _ in range(20):
        await place.after(400)
    place.service.weather = Weather()
    await place.enqueue("p9", HERE)
    await place.after(0)
    await place.after(0)
    assert sum(place.service.counts().values()) == 5 + 6


channels = st.builds(ChannelRef, st.just("fake"), st.sampled_from("TU"), st.sampled_from("ABCDEFGH"))


@given(st.lists(channels, min_size=1, max_size=40))
def test_pauses_after_failures_are_bounded_and_grow_only_in_their_scope(failing: list[ChannelRef]) -> None:
    health = PlatformHealth()
    for channel in failing:
        for scope in ("channel", "workspace"):
            error = RetryLater("no", counts=False, scope=scope)
            assert 0 < health.limited(error, channel) <= LONGEST_LIMIT
        assert not health.is_down
    named = RetryLater("429", counts=False, scope="platform", after=1000.0)
    assert health.limited(named, failing[0]) == 1000.0
    assert not health.is_down, "a time named by the platform is an answer"


@given(st.lists(st.tuples(channels, st.booleans()), max_size=60))
def test_a_platform_counts_as_down_once_enough_channels_fail_in_a_row(
    answers: list[tuple[ChannelRef, bool]],
) -> None:
    health, failed = PlatformHealth(), set[ChannelRef]()
    for channel, works in answers:
        if works:
            assert health.answered(channel) == (len(failed) >= DOWN_AFTER)
            failed.clear()
        else:
            wait = health.failed(channel)
            failed.add(channel)
            assert (wait > 0) == (len(failed) >= DOWN_AFTER)
        assert health.is_down == (len(failed) >= DOWN_AFTER)


async def test_a_lookup_is_not_moved_forward_while_its_post_may_be_in_flight(place: Place) -> None:
    await place.enqueue("p1", HERE)
    [delivery] = (await place.outbox.claim("fake", 1, range(keys.SHARDS), token="t")).deliveries
    await place.outbox.begin(delivery)
    soon = Outcome(state="unknown", why="no answer", after=4.0)
    await place.outbox.record_outcome(delivery, soon)
    assert await place.outbox.hasten("fake") == 0
    await advance(place.redis, 5)
    [delivery] = (await place.outbox.claim("fake", 1, range(keys.SHARDS), token="u")).deliveries
    await place.outbox.record_outcome(delivery, Outcome(state="unknown", why="asking failed", after=300.0))
    assert await place.outbox.hasten("fake") == 1

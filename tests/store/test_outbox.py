"""Each step changes a delivery's state once, even if calls are repeated, late or lost."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from redis.asyncio import Redis
from redis.exceptions import OutOfMemoryError

from bot.domain.deliveries import ChannelStatus, Delivery, Outcome, PlannedDelivery
from bot.domain.models import ChannelRef, MessageRef, Reason
from bot.store import keys
from bot.store.outbox import outbox
from bot.store.outbox.outbox import Outbox
from tests.papers import a_channel
from tests.scenario import Clock, set_clock

ALL = tuple(range(keys.SHARDS))
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
tokens = (f"token{n}" for n in count())


def planned(channel: ChannelRef | None = None, *papers: str, **more: Any) -> PlannedDelivery:
    with_reasons = tuple((paper, (Reason(1, "diffusion"),)) for paper in papers or ("2603.00001",))
    defaults: dict[str, Any] = {"channel": channel or a_channel(), "papers": with_reasons, "due": 0}
    return PlannedDelivery(**(defaults | {"label": with_reasons[0][0]} | more))


async def claim(box: Outbox, most: int = 160) -> Sequence[Delivery]:
    return (await box.claim("fake", most, ALL, token=next(tokens))).deliveries


async def states(redis: Redis) -> dict[str, str]:
    """Return delivery -> state, for all deliveries that aren't done."""
    found: dict[str, str] = {}
    async for key in redis.scan_iter("pb:*:delivery:*"):
        found[key.split("delivery:")[1]] = str(await redis.hget(key, "state"))
    return found


@pytest.fixture(autouse=True)
async def clock(monkeypatch: pytest.MonkeyPatch, redis: Redis) -> Clock:
    clock = set_clock(monkeypatch, redis)
    await clock.set(NOW)
    return clock


@pytest.fixture
def box(redis: Redis) -> Outbox:
    return Outbox(redis, durable=True, lease=60)


@pytest.fixture
async def limited_server(redis: Redis) -> AsyncIterator[Redis]:
    """Yield a server whose memory limit a test lowers; the limit is removed at the end."""
    yield redis
    await redis.config_set("maxmemory", 0)


async def wait(clock: Clock, seconds: float) -> None:
    await clock.set(clock.now + timedelta(seconds=seconds))


async def expire_leases(clock: Clock, box: Outbox) -> None:
    await wait(clock, box.lease + 1)


async def test_a_paper_is_enqueued_claimed_posted_and_never_enqueued_again(redis: Redis, box: Outbox) -> None:
    assert await box.enqueue([planned()]) == 1
    assert await box.enqueue([planned()]) == 0
    assert await box.open() == 1
    [delivery] = await claim(box)
    assert delivery.papers == (("2603.00001", (Reason(1, "diffusion"),)),)
    assert (delivery.state, delivery.tries, delivery.channel) == ("claimed", 0, a_channel())
    assert await claim(box) == ()
    assert await box.begin(delivery)
    await box.done(delivery, MessageRef("m1", "https://x.org/m1"))
    assert await states(redis) == {}
    assert await box.open() == 0
    assert await box.enqueue([planned()]) == 0


async def test_the_outbox_remembers_where_a_paper_was_posted(box: Outbox) -> None:
    await box.enqueue([planned()])
    [delivery] = await claim(box)
    assert await box.sent(a_channel(), "2603.00001") is None
    await box.done(delivery, MessageRef("m1", "https://x.org/m1"))
    found = await box.sent(a_channel(), "2603.00001")
    assert found is not None
    assert found.message == MessageRef("m1", "https://x.org/m1")
    assert await box.sent(a_channel("other"), "2603.00001") is None


async def test_papers_of_one_label_become_one_message_until_it_is_on_its_way(box: Outbox) -> None:
    here = a_channel()
    await box.enqueue([planned(here, "p1", label="daily 2026-03-02")])
    assert await box.enqueue([planned(here, "p2", "p1", label="daily 2026-03-02")]) == 1
    [delivery] = await claim(box)
    assert [paper for paper, _ in delivery.papers] == ["p1", "p2"]
    await box.enqueue([planned(here, "p3", label="daily 2026-03-02")])
    await box.done(delivery, MessageRef("m1"))
    [rest] = await claim(box)
    assert [paper for paper, _ in rest.papers] == ["p3"]
    assert rest.key != delivery.key
    assert await box.enqueue([planned(here, "p1"), planned(here, "p2")]) == 0


async def test_a_message_that_was_posted_never_shares_its_key_with_a_later_one(box: Outbox) -> None:
    here, keys_used = a_channel(), set()
    for n in range(3):
        await box.enqueue([planned(here, f"p{n}", label="digest@9")])
        [delivery] = await claim(box)
        keys_used.add(delivery.key)
        await box.done(delivery, MessageRef(f"m{n}"))
    assert len(keys_used) == 3


async def test_nothing_is_claimed_before_it_is_due(redis: Redis, box: Outbox) -> None:
    now = int((await redis.time())[0]) * 1000
    await box.enqueue([planned(due=now + 3_600_000)])
    claims = await box.claim("fake", 10, ALL, token="t")
    assert claims.deliveries == ()
    [look] = [wait for wait in claims.next_look.values() if wait is not None]
    assert 3590 < look <= 3601


async def test_channels_and_workspaces_take_turns(box: Outbox) -> None:
    many = [planned(a_channel("C1", "busy"), f"p{n}", due=n) for n in range(20)]
    single = planned(a_channel("C2", "calm"), "p1", due=100)
    for delivery in (*many, single):
        await box.enqueue([delivery])
    first = await claim(box, 160)
    assert {delivery.channel.workspace for delivery in first} == {"busy", "calm"}
    assert len(first) == 2  # each channel gets one at a time


async def test_a_workspace_with_many_channels_does_not_get_two_turns_in_a_row(box: Outbox) -> None:
    shard = keys.shard_of(a_channel("C0", "calm"))
    many = [c for n in range(900) if keys.shard_of(c := a_channel(f"C{n}", "busy")) == shard]
    await box.enqueue([planned(channel, due=1) for channel in many])
    await box.enqueue([planned(a_channel("C0", "calm"), due=500)])
    claims = await box.claim("fake", 2, [shard], token="t")
    assert {delivery.channel.workspace for delivery in claims.deliveries} == {"busy", "calm"}


async def test_posts_in_a_channel_keep_a_gap(clock: Clock, box: Outbox) -> None:
    await box.enqueue([planned(None, "p1")])
    await box.enqueue([planned(None, "p2")])
    [first] = await claim(box)
    await box.begin(first, gap=0.2)
    pause = await box.done(first, MessageRef("m1"))
    assert pause is not None
    assert 0.1 < pause <= 0.2
    assert await claim(box) == ()
    await wait(clock, pause)
    assert len(await claim(box)) == 1


async def test_a_repeated_claim_gives_the_same_deliveries(box: Outbox) -> None:
    await box.enqueue([planned(a_channel(f"C{n}")) for n in range(10)])
    once = await box.claim("fake", 160, ALL, token="same")
    assert len(once.deliveries) == 10
    assert (await box.claim("fake", 160, ALL, token="same")).deliveries == once.deliveries


async def test_the_next_worker_sends_what_a_dead_one_had_not_begun(clock: Clock, box: Outbox) -> None:
    await box.enqueue([planned()])
    [dead] = await claim(box)
    await expire_leases(clock, box)
    [delivery] = await claim(box)
    assert delivery.state == "claimed"
    assert not await box.begin(dead)
    assert await box.begin(delivery)


async def test_a_delivery_is_unknown_if_its_worker_died_while_sending(clock: Clock, box: Outbox) -> None:
    await box.enqueue([planned()])
    [dead] = await claim(box)
    await box.begin(dead)
    await expire_leases(clock, box)
    [delivery] = await claim(box)
    assert delivery.state == "unknown"
    assert delivery.since is not None


async def test_a_post_confirmed_late_still_counts(clock: Clock, redis: Redis, box: Outbox) -> None:
    await box.enqueue([planned()])
    [slow] = await claim(box)
    await box.begin(slow)
    await expire_leases(clock, box)
    [other] = await claim(box)
    await box.done(slow, MessageRef("m1"))
    assert not await box.begin(other)
    await box.record_outcome(other, Outcome(state="pending", why="refused"))
    assert await states(redis) == {}


async def test_three_deaths_of_workers_make_a_dead_letter(clock: Clock, redis: Redis, box: Outbox) -> None:
    await box.enqueue([planned()])
    for deaths in range(outbox.DEATHS):
        [delivery] = await claim(box)
        assert delivery.deaths == deaths
        await box.begin(delivery)
        await expire_leases(clock, box)
    assert await claim(box) == ()
    assert list((await states(redis)).values()) == ["dead"]
    assert await box.open() == 0


async def test_a_death_before_sending_does_not_count(clock: Clock, box: Outbox) -> None:
    await box.enqueue([planned()])
    for _ in range(outbox.DEATHS + 1):
        [delivery] = await claim(box)
        assert delivery.deaths == 0
        await expire_leases(clock, box)


async def test_eight_refusals_make_a_dead_letter(
    redis: Redis, box: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "FAILURES", 100)
    await box.enqueue([planned()])
    for _ in range(outbox.TRIES):
        [delivery] = await claim(box)
        await box.record_outcome(delivery, Outcome(state="pending", why="refused", counts=True))
    assert await claim(box) == ()
    assert list((await states(redis)).values()) == ["dead"]


async def test_a_rate_limit_does_not_count_as_an_attempt_and_delays_the_whole_channel(
    clock: Clock, box: Outbox
) -> None:
    await box.enqueue([planned(None, "p1")])
    await box.enqueue([planned(None, "p2")])
    [delivery] = await claim(box)
    await box.record_outcome(delivery, Outcome(state="pending", why="429", after=0.1, limit="channel"))
    assert await claim(box) == ()
    await wait(clock, 0.11)
    [again] = await claim(box)
    assert again.tries == 0


async def test_five_failures_in_a_row_pause_the_channel_until_a_post_succeeds(
    redis: Redis, box: Outbox
) -> None:
    for n in range(9):
        await box.enqueue([planned(None, f"p{n}")])
    for n in range(outbox.FAILURES):
        [delivery] = await claim(box)
        wait = await box.record_outcome(delivery, Outcome(state="pending", why="no", after=60, counts=True))
        assert wait is not None
        assert (wait > 50) == (n == outbox.FAILURES - 1)
    assert await claim(box) == ()
    await redis.hset(keys.channel(a_channel()), "broken", "0")
    await box.resume(a_channel())
    [delivery] = await claim(box)
    await box.done(delivery, MessageRef("m1"))
    assert await redis.hexists(keys.channel(a_channel()), "fails") is False


async def test_concurrent_failures_delay_a_channel_no_longer_than_one(
    box: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "WORKSPACE_FAILURES", 5)
    channels = [c for n in range(400) if keys.shard_of(c := a_channel(f"C{n}")) == 3][:20]
    await box.enqueue([planned(channel) for channel in channels])
    deliveries = (await box.claim("fake", 20, [3], token="t")).deliveries
    assert len(deliveries) == 20
    for delivery in deliveries:
        wait = await box.record_outcome(delivery, Outcome(state="pending", why="no", after=0, counts=True))
    assert wait is not None
    assert 50 < wait <= outbox.BREAK


async def test_after_a_break_one_delivery_is_tried_and_its_success_releases_the_others(
    clock: Clock, box: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "WORKSPACE_FAILURES", 5)
    monkeypatch.setattr(outbox, "BREAK", 0.05)
    channels = [c for n in range(400) if keys.shard_of(c := a_channel(f"C{n}")) == 3][:6]
    await box.enqueue([planned(channel) for channel in channels])
    for n, delivery in enumerate((await box.claim("fake", 20, [3], token="t1")).deliveries):
        # For the last one, the platform itself named a time.
        outcome = Outcome(state="pending", why="down", after=0 if not n else 500, counts=True, named=n == 5)
        await box.record_outcome(delivery, outcome)
    await wait(clock, 0.06)
    [first] = (await box.claim("fake", 20, [3], token="t2")).deliveries
    assert (await box.claim("fake", 20, [3], token="t3")).deliveries == ()
    await box.done(first, MessageRef("m1"))
    assert len((await box.claim("fake", 20, [3], token="t4")).deliveries) == 4


async def test_a_channels_status_counts_waiting_deliveries(box: Outbox) -> None:
    here = a_channel()
    assert await box.status(here) == ChannelStatus(waiting=0, dead_letters=0, pause=None)
    await box.enqueue([planned(here, "p1", "p2", label="daily"), planned(here, "p3"), planned(here, "p4")])
    [delivery] = await claim(box)
    await box.record_outcome(delivery, Outcome(state="dead", why="refused"))
    await box.pause_workspace("fake", "T1", "uninstalled")
    status = await box.status(here)
    assert (status.waiting, status.dead_letters, status.paused) == (2, 1, "uninstalled")


async def test_a_digest_that_is_not_due_does_not_count_as_open(redis: Redis, box: Outbox) -> None:
    later = int((await redis.time())[0]) * 1000 + 3_600_000
    await box.enqueue([planned(None, "p1", due=later), planned(None, "p2")])
    assert await box.open() == 1
    await box.pause(a_channel(), "archived")
    await box.resume(a_channel())
    assert await box.open() == 1


async def test_paused_deliveries_wait_and_do_not_count_as_open(box: Outbox) -> None:
    here, other = a_channel("C1"), a_channel("C2")
    await box.enqueue([planned(here, "p1"), planned(other, "p1")])
    await box.pause(here, "archived")
    await box.enqueue([planned(here, "p2")])
    assert [delivery.channel for delivery in await claim(box)] == [other]
    assert await box.open() == 1
    await box.resume(here)
    assert await box.open() == 3
    assert [delivery.channel for delivery in await claim(box)] == [here]


async def test_a_paused_workspace_waits_as_a_whole(box: Outbox) -> None:
    await box.enqueue([planned(a_channel(f"C{n}", "T1")) for n in range(20)])
    await box.enqueue([planned(a_channel("C1", "T2"))])
    held = await claim(box, 16)
    assert held
    await box.pause_workspace("fake", "T1", "uninstalled")
    for delivery in held:
        await box.record_outcome(delivery, Outcome(state="pending", why="uninstalled"))
    assert {delivery.channel.workspace for delivery in await claim(box)} == {"T2"}
    assert await box.open() == 1
    await box.resume_workspace("fake", "T1")
    assert len(await claim(box)) == 20
    assert await box.open() == 21


async def test_a_held_delivery_waits_for_a_person(redis: Redis, box: Outbox) -> None:
    await box.enqueue([planned()])
    [delivery] = await claim(box)
    await box.begin(delivery)
    await box.record_outcome(delivery, Outcome(state="held", why="this platform has no history"))
    assert await claim(box) == ()
    assert await box.enqueue([planned()]) == 0
    assert list((await states(redis)).values()) == ["held"]


@pytest.mark.parametrize("state", ["pending", "unknown", "dead", "held"])
async def test_recording_an_outcome_twice_changes_nothing(redis: Redis, box: Outbox, state: Any) -> None:
    await box.enqueue([planned()])
    [delivery] = await claim(box)
    outcome = Outcome(state=state, why="no", after=10, counts=True)
    await box.record_outcome(delivery, outcome)
    key = keys.delivery(delivery.key)
    before: Any = await redis.hgetall(key)
    await box.record_outcome(delivery, outcome)
    assert await redis.hgetall(key) == before
    assert await box.open() == (1 if state in {"pending", "unknown"} else 0)


async def test_a_full_server_accepts_nothing_new_but_finishes_the_rest(
    limited_server: Redis, box: Outbox
) -> None:
    await box.enqueue([planned(a_channel(f"C{n}")) for n in range(20)])
    await limited_server.config_set("maxmemory", "1mb")
    with pytest.raises(OutOfMemoryError):
        await box.enqueue([planned(a_channel("C99"))])
    deliveries = await claim(box)
    assert len(deliveries) == 20
    for delivery in deliveries[:10]:
        assert await box.begin(delivery)
        await box.done(delivery, MessageRef("m1"))
    for delivery in deliveries[10:]:
        await box.record_outcome(delivery, Outcome(state="pending", why="refused", after=1, counts=True))
    assert await box.open() == 10
    await limited_server.config_set("maxmemory", 0)
    assert await box.enqueue([planned(a_channel(f"C{n}")) for n in range(20)]) == 0


async def test_due_deliveries_are_unknown_after_a_restart_that_may_have_lost_data(
    clock: Clock, redis: Redis
) -> None:
    box = Outbox(redis)  # the server doesn't sync every write
    await claim(box)
    await box.enqueue([planned()])
    for shard in ALL:
        await redis.set(f"{keys.shard(shard)}run", "the one before")
    claims = await box.claim("fake", 10, ALL, token="t")
    [delivery] = claims.deliveries
    assert set(claims.forgot) == set(ALL)
    assert delivery.state == "unknown"
    await box.enqueue([planned(a_channel("later"), due=int((await redis.time())[0]) * 1000 + 1000)])
    await wait(clock, 1.5)
    claims = await box.claim("fake", 10, ALL, token="t2")
    assert set(claims.forgot) == set(ALL)  # until everything has been enqueued again
    await box.mark_replayed(dict.fromkeys(ALL, "0"))
    await box.mark_replayed({shard: claims.forgot[shard] for shard in ALL[1:]})
    assert set((await box.claim("fake", 10, ALL, token="t3")).forgot) == {0}
    assert [d.state for d in claims.deliveries] == ["claimed"]


async def test_a_delivery_that_may_have_been_posted_is_looked_up_first(box: Outbox) -> None:
    await box.enqueue([planned(maybe_sent_since=1000)])
    [delivery] = await claim(box)
    assert delivery.state == "unknown"
    assert delivery.since is not None
    assert delivery.since.timestamp() == 1


async def test_dead_letters_can_be_listed_retried_and_dropped(redis: Redis, box: Outbox) -> None:
    here = a_channel()
    for n, state in enumerate(["dead", "held", "dead"]):
        await box.enqueue([planned(here, f"p{n}")])
        [delivery] = await claim(box)
        await box.record_outcome(delivery, Outcome(state=state, why=f"because {n}"))  # type: ignore[arg-type]  # from a list
    found = [stuck async for stuck in box.dead_letters()]
    assert sorted((stuck.papers[0][0], stuck.state, stuck.why) for stuck in found) == [
        ("p0", "dead", "because 0"),
        ("p1", "held", "because 1"),
        ("p2", "dead", "because 2"),
    ]
    assert await box.retry(f"{here}/p1")
    assert not await box.retry(f"{here}/p1")
    assert await box.drop(f"{here}/p2")
    assert [stuck.key async for stuck in box.dead_letters()] == [f"{here}/p0"]
    assert [d.papers[0][0] for d in await claim(box)] == ["p1"]
    assert await states(redis) == {f"{here}/p0": "dead", f"{here}/p1": "claimed"}


async def test_lua_and_python_agree_on_keys(redis: Redis, box: Outbox) -> None:
    here = ChannelRef("fake", "T 1", "C:1/2")
    await box.enqueue([planned(here, "p1")])
    [delivery] = await claim(box)
    assert delivery.channel == here
    assert await redis.exists(keys.delivery(delivery.key), keys.channel(here)) == 2
    await box.pause_workspace("fake", "T 1", "gone")
    await box.record_outcome(delivery, Outcome(state="pending", why="x"))
    assert await claim(box) == ()

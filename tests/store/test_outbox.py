"""A delivery moves through its states once for each step, whatever is repeated, late or lost."""

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


def an_offer(channel: ChannelRef | None = None, *papers: str, **more: Any) -> PlannedDelivery:
    wanted = tuple((paper, (Reason(1, "diffusion"),)) for paper in papers or ("2603.00001",))
    usual: dict[str, Any] = {"channel": channel or a_channel(), "papers": wanted, "due": 0}
    return PlannedDelivery(**(usual | {"label": wanted[0][0]} | more))


async def claim(box: Outbox, most: int = 160) -> Sequence[Delivery]:
    return (await box.claim("fake", most, ALL, token=next(tokens))).deliveries


async def states(redis: Redis) -> dict[str, str]:
    """Delivery -> its state, of all that are not done."""
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
async def small(redis: Redis) -> AsyncIterator[Redis]:
    """A server that is about to be full."""
    yield redis
    await redis.config_set("maxmemory", 0)


async def wait(clock: Clock, seconds: float) -> None:
    await clock.set(clock.now + timedelta(seconds=seconds))


async def lapse(clock: Clock, box: Outbox) -> None:
    await wait(clock, box.lease + 1)


async def test_a_paper_is_enqueued_claimed_posted_and_never_enqueued_again(redis: Redis, box: Outbox) -> None:
    assert await box.enqueue([an_offer()]) == 1
    assert await box.enqueue([an_offer()]) == 0
    assert await box.open() == 1
    [delivery] = await claim(box)
    assert delivery.papers == (("2603.00001", (Reason(1, "diffusion"),)),)
    assert (delivery.state, delivery.tries, delivery.channel) == ("claimed", 0, a_channel())
    assert await claim(box) == ()
    assert await box.begin(delivery)
    await box.done(delivery, MessageRef("m1", "https://x.org/m1"))
    assert await states(redis) == {}
    assert await box.open() == 0
    assert await box.enqueue([an_offer()]) == 0


async def test_the_outbox_remembers_where_a_paper_was_posted(box: Outbox) -> None:
    await box.enqueue([an_offer()])
    [delivery] = await claim(box)
    assert await box.sent(a_channel(), "2603.00001") is None
    await box.done(delivery, MessageRef("m1", "https://x.org/m1"))
    found = await box.sent(a_channel(), "2603.00001")
    assert found is not None
    assert found.message == MessageRef("m1", "https://x.org/m1")
    assert await box.sent(a_channel("other"), "2603.00001") is None


async def test_papers_of_one_label_become_one_message_until_it_is_on_its_way(box: Outbox) -> None:
    here = a_channel()
    await box.enqueue([an_offer(here, "p1", label="daily 2026-03-02")])
    assert await box.enqueue([an_offer(here, "p2", "p1", label="daily 2026-03-02")]) == 1
    [delivery] = await claim(box)
    assert [paper for paper, _ in delivery.papers] == ["p1", "p2"]
    await box.enqueue([an_offer(here, "p3", label="daily 2026-03-02")])
    await box.done(delivery, MessageRef("m1"))
    [rest] = await claim(box)
    assert [paper for paper, _ in rest.papers] == ["p3"]
    assert rest.key != delivery.key
    assert await box.enqueue([an_offer(here, "p1"), an_offer(here, "p2")]) == 0


async def test_a_message_that_was_posted_never_shares_its_key_with_a_later_one(box: Outbox) -> None:
    here, keys_used = a_channel(), set()
    for n in range(3):
        await box.enqueue([an_offer(here, f"p{n}", label="digest@9")])
        [delivery] = await claim(box)
        keys_used.add(delivery.key)
        await box.done(delivery, MessageRef(f"m{n}"))
    assert len(keys_used) == 3


async def test_nothing_is_claimed_before_it_is_due(redis: Redis, box: Outbox) -> None:
    now = int((await redis.time())[0]) * 1000
    await box.enqueue([an_offer(due=now + 3_600_000)])
    claims = await box.claim("fake", 10, ALL, token="t")
    assert claims.deliveries == ()
    [look] = [wait for wait in claims.next_look.values() if wait is not None]
    assert 3590 < look <= 3601


async def test_channels_and_workspaces_take_turns(box: Outbox) -> None:
    flood = [an_offer(a_channel("C1", "busy"), f"p{n}", due=n) for n in range(20)]
    calm = an_offer(a_channel("C2", "calm"), "p1", due=100)
    for offer in (*flood, calm):
        await box.enqueue([offer])
    first = await claim(box, 160)
    assert {delivery.channel.workspace for delivery in first} == {"busy", "calm"}
    assert len(first) == 2  # one at a time in each channel


async def test_a_workspace_of_many_channels_does_not_go_first_twice(box: Outbox) -> None:
    shard = keys.shard_of(a_channel("C0", "calm"))
    many = [c for n in range(900) if keys.shard_of(c := a_channel(f"C{n}", "busy")) == shard]
    await box.enqueue([an_offer(channel, due=1) for channel in many])
    await box.enqueue([an_offer(a_channel("C0", "calm"), due=500)])
    claims = await box.claim("fake", 2, [shard], token="t")
    assert {delivery.channel.workspace for delivery in claims.deliveries} == {"busy", "calm"}


async def test_posts_in_a_channel_are_a_gap_apart(clock: Clock, box: Outbox) -> None:
    await box.enqueue([an_offer(None, "p1")])
    await box.enqueue([an_offer(None, "p2")])
    [first] = await claim(box)
    await box.begin(first, gap=0.2)
    pause = await box.done(first, MessageRef("m1"))
    assert pause is not None
    assert 0.1 < pause <= 0.2
    assert await claim(box) == ()
    await wait(clock, pause)
    assert len(await claim(box)) == 1


async def test_a_repeated_claim_gives_the_same(box: Outbox) -> None:
    await box.enqueue([an_offer(a_channel(f"C{n}")) for n in range(10)])
    once = await box.claim("fake", 160, ALL, token="same")
    assert len(once.deliveries) == 10
    assert (await box.claim("fake", 160, ALL, token="same")).deliveries == once.deliveries


async def test_a_worker_that_died_before_sending_leaves_it_to_the_next(clock: Clock, box: Outbox) -> None:
    await box.enqueue([an_offer()])
    [dead] = await claim(box)
    await lapse(clock, box)
    [delivery] = await claim(box)
    assert delivery.state == "claimed"
    assert not await box.begin(dead)
    assert await box.begin(delivery)


async def test_a_worker_that_died_while_sending_leaves_a_question(clock: Clock, box: Outbox) -> None:
    await box.enqueue([an_offer()])
    [dead] = await claim(box)
    await box.begin(dead)
    await lapse(clock, box)
    [delivery] = await claim(box)
    assert delivery.state == "unknown"
    assert delivery.since is not None


async def test_a_post_confirmed_late_counts_all_the_same(clock: Clock, redis: Redis, box: Outbox) -> None:
    await box.enqueue([an_offer()])
    [slow] = await claim(box)
    await box.begin(slow)
    await lapse(clock, box)
    [other] = await claim(box)
    await box.done(slow, MessageRef("m1"))
    assert not await box.begin(other)
    await box.record_outcome(other, Outcome(state="pending", why="refused"))
    assert await states(redis) == {}


async def test_three_workers_dying_on_it_set_it_aside(clock: Clock, redis: Redis, box: Outbox) -> None:
    await box.enqueue([an_offer()])
    for deaths in range(outbox.DEATHS):
        [delivery] = await claim(box)
        assert delivery.deaths == deaths
        await box.begin(delivery)
        await lapse(clock, box)
    assert await claim(box) == ()
    assert list((await states(redis)).values()) == ["dead"]
    assert await box.open() == 0


async def test_a_worker_that_died_before_it_sent_anything_is_not_held_against_it(
    clock: Clock, box: Outbox
) -> None:
    await box.enqueue([an_offer()])
    for _ in range(outbox.DEATHS + 1):
        [delivery] = await claim(box)
        assert delivery.deaths == 0
        await lapse(clock, box)


async def test_eight_refusals_set_it_aside(
    redis: Redis, box: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "FAILURES", 100)
    await box.enqueue([an_offer()])
    for _ in range(outbox.TRIES):
        [delivery] = await claim(box)
        await box.record_outcome(delivery, Outcome(state="pending", why="refused", counts=True))
    assert await claim(box) == ()
    assert list((await states(redis)).values()) == ["dead"]


async def test_a_rate_limit_is_no_attempt_and_holds_the_whole_channel(clock: Clock, box: Outbox) -> None:
    await box.enqueue([an_offer(None, "p1")])
    await box.enqueue([an_offer(None, "p2")])
    [delivery] = await claim(box)
    await box.record_outcome(delivery, Outcome(state="pending", why="429", after=0.1, limit="channel"))
    assert await claim(box) == ()
    await wait(clock, 0.11)
    [again] = await claim(box)
    assert again.tries == 0


async def test_five_failures_in_a_row_rest_the_channel_and_a_post_ends_it(redis: Redis, box: Outbox) -> None:
    for n in range(9):
        await box.enqueue([an_offer(None, f"p{n}")])
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


async def test_failures_at_the_same_time_rest_a_channel_no_longer_than_one(
    box: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "WORKSPACE_FAILURES", 5)
    channels = [c for n in range(400) if keys.shard_of(c := a_channel(f"C{n}")) == 3][:20]
    await box.enqueue([an_offer(channel) for channel in channels])
    deliveries = (await box.claim("fake", 20, [3], token="t")).deliveries
    assert len(deliveries) == 20
    for delivery in deliveries:
        wait = await box.record_outcome(delivery, Outcome(state="pending", why="no", after=0, counts=True))
    assert wait is not None
    assert 50 < wait <= outbox.BREAK


async def test_after_a_rest_one_goes_ahead_and_its_success_hastens_the_others(
    clock: Clock, box: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "WORKSPACE_FAILURES", 5)
    monkeypatch.setattr(outbox, "BREAK", 0.05)
    channels = [c for n in range(400) if keys.shard_of(c := a_channel(f"C{n}")) == 3][:6]
    await box.enqueue([an_offer(channel) for channel in channels])
    for n, delivery in enumerate((await box.claim("fake", 20, [3], token="t1")).deliveries):
        # The platform itself named a time to the last one.
        giving = Outcome(state="pending", why="down", after=0 if not n else 500, counts=True, named=n == 5)
        await box.record_outcome(delivery, giving)
    await wait(clock, 0.06)
    [first] = (await box.claim("fake", 20, [3], token="t2")).deliveries
    assert (await box.claim("fake", 20, [3], token="t3")).deliveries == ()
    await box.done(first, MessageRef("m1"))
    assert len((await box.claim("fake", 20, [3], token="t4")).deliveries) == 4


async def test_a_channels_status_counts_what_waits(box: Outbox) -> None:
    here = a_channel()
    assert await box.status(here) == ChannelStatus(waiting=0, dead_letters=0, pause=None)
    await box.enqueue([an_offer(here, "p1", "p2", label="daily"), an_offer(here, "p3"), an_offer(here, "p4")])
    [delivery] = await claim(box)
    await box.record_outcome(delivery, Outcome(state="dead", why="refused"))
    await box.pause_workspace("fake", "T1", "uninstalled")
    standing = await box.status(here)
    assert (standing.waiting, standing.dead_letters, standing.paused) == (2, 1, "uninstalled")


async def test_a_digest_whose_hour_has_not_come_is_no_backlog(redis: Redis, box: Outbox) -> None:
    later = int((await redis.time())[0]) * 1000 + 3_600_000
    await box.enqueue([an_offer(None, "p1", due=later), an_offer(None, "p2")])
    assert await box.open() == 1
    await box.pause(a_channel(), "archived")
    await box.resume(a_channel())
    assert await box.open() == 1


async def test_what_is_paused_waits_and_does_not_count_as_open(box: Outbox) -> None:
    here, other = a_channel("C1"), a_channel("C2")
    await box.enqueue([an_offer(here, "p1"), an_offer(other, "p1")])
    await box.pause(here, "archived")
    await box.enqueue([an_offer(here, "p2")])
    assert [delivery.channel for delivery in await claim(box)] == [other]
    assert await box.open() == 1
    await box.resume(here)
    assert await box.open() == 3
    assert [delivery.channel for delivery in await claim(box)] == [here]


async def test_a_paused_workspace_waits_as_a_whole(box: Outbox) -> None:
    await box.enqueue([an_offer(a_channel(f"C{n}", "T1")) for n in range(20)])
    await box.enqueue([an_offer(a_channel("C1", "T2"))])
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
    await box.enqueue([an_offer()])
    [delivery] = await claim(box)
    await box.begin(delivery)
    await box.record_outcome(delivery, Outcome(state="held", why="this platform has no history"))
    assert await claim(box) == ()
    assert await box.enqueue([an_offer()]) == 0
    assert list((await states(redis)).values()) == ["held"]


@pytest.mark.parametrize("state", ["pending", "unknown", "dead", "held"])
async def test_giving_back_twice_is_giving_back_once(redis: Redis, box: Outbox, state: Any) -> None:
    await box.enqueue([an_offer()])
    [delivery] = await claim(box)
    giving = Outcome(state=state, why="no", after=10, counts=True)
    await box.record_outcome(delivery, giving)
    key = keys.delivery(delivery.key)
    before: Any = await redis.hgetall(key)
    await box.record_outcome(delivery, giving)
    assert await redis.hgetall(key) == before
    assert await box.open() == (1 if state in {"pending", "unknown"} else 0)


async def test_a_full_server_takes_nothing_new_and_lets_everything_out(small: Redis, box: Outbox) -> None:
    await box.enqueue([an_offer(a_channel(f"C{n}")) for n in range(20)])
    await small.config_set("maxmemory", "1mb")
    with pytest.raises(OutOfMemoryError):
        await box.enqueue([an_offer(a_channel("C99"))])
    deliveries = await claim(box)
    assert len(deliveries) == 20
    for delivery in deliveries[:10]:
        assert await box.begin(delivery)
        await box.done(delivery, MessageRef("m1"))
    for delivery in deliveries[10:]:
        await box.record_outcome(delivery, Outcome(state="pending", why="refused", after=1, counts=True))
    assert await box.open() == 10
    await small.config_set("maxmemory", 0)
    assert await box.enqueue([an_offer(a_channel(f"C{n}")) for n in range(20)]) == 0


async def test_after_a_restart_that_may_have_forgotten_what_was_due_is_asked_about(
    clock: Clock, redis: Redis
) -> None:
    box = Outbox(redis)  # a server that syncs now and then
    await claim(box)
    await box.enqueue([an_offer()])
    for shard in ALL:
        await redis.set(f"{keys.shard(shard)}run", "the one before")
    claims = await box.claim("fake", 10, ALL, token="t")
    [delivery] = claims.deliveries
    assert set(claims.forgot) == set(ALL)
    assert delivery.state == "unknown"
    await box.enqueue([an_offer(a_channel("later"), due=int((await redis.time())[0]) * 1000 + 1000)])
    await wait(clock, 1.5)
    claims = await box.claim("fake", 10, ALL, token="t2")
    assert set(claims.forgot) == set(ALL)  # until somebody has offered everything again
    await box.mark_replayed(dict.fromkeys(ALL, "0"))
    await box.mark_replayed({shard: claims.forgot[shard] for shard in ALL[1:]})
    assert set((await box.claim("fake", 10, ALL, token="t3")).forgot) == {0}
    assert [d.state for d in claims.deliveries] == ["claimed"]


async def test_an_offer_that_may_have_been_posted_is_asked_about_first(box: Outbox) -> None:
    await box.enqueue([an_offer(maybe_sent_since=1000)])
    [delivery] = await claim(box)
    assert delivery.state == "unknown"
    assert delivery.since is not None
    assert delivery.since.timestamp() == 1


async def test_a_person_lists_retries_and_drops_what_was_set_aside(redis: Redis, box: Outbox) -> None:
    here = a_channel()
    for n, state in enumerate(["dead", "held", "dead"]):
        await box.enqueue([an_offer(here, f"p{n}")])
        [delivery] = await claim(box)
        await box.record_outcome(delivery, Outcome(state=state, why=f"because {n}"))  # type: ignore[arg-type]  # of a list
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
    await box.enqueue([an_offer(here, "p1")])
    [delivery] = await claim(box)
    assert delivery.channel == here
    assert await redis.exists(keys.delivery(delivery.key), keys.channel(here)) == 2
    await box.pause_workspace("fake", "T 1", "gone")
    await box.record_outcome(delivery, Outcome(state="pending", why="x"))
    assert await claim(box) == ()

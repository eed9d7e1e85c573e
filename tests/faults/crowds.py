"""Many channels at once: an outage of the platform, one dead channel among healthy ones, and rate limits."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from statistics import quantiles
from time import monotonic, time

from aiohttp import ClientSession
from redis.asyncio import Redis

from bot.domain.deliveries import PlannedDelivery
from bot.domain.models import ChannelRef
from bot.pipeline import delivery as delivering
from bot.pipeline.delivery import DeliveryWorker
from bot.ports import Batch, Rate, Rates
from bot.store.connect import client
from bot.store.limits import RateLimiter
from bot.store.outbox.outbox import Outbox
from bot.store.papers import Papers
from tests.clock import advance
from tests.fake_platform import FakePlatform, Weather
from tests.faults.scene import Outcome, Scene, Size, alone
from tests.papers import a_card, a_paper

OUTAGE = 1800.0
"""Length of the outage in seconds of the simulated clock."""
WINDOW = 10.0
"""Seconds over which a channel's rate is measured."""


async def enqueue_papers(redis: Redis, channels: Sequence[ChannelRef], papers: Sequence[str]) -> None:
    """Enqueue each paper for each channel, as separate messages."""
    await Papers(redis).ingest("hf", Batch(papers=tuple(map(a_paper, papers)), cursor="c"), 0)
    outbox = Outbox(redis)
    now = round((await outbox.now()).timestamp() * 1000)
    for paper in papers:
        await outbox.enqueue(
            PlannedDelivery(channel=c, papers=((paper, ()),), due=now, label=paper) for c in channels
        )


async def outage(folder: Path, size: Size) -> Outcome:
    """The platform is down for half an hour; then everything that waits is posted as fast as the limits allow."""
    per = 1.0 if size.pace == 1 else 0.05
    async with alone(folder, size) as here, ClientSession() as session:
        redis = client(here.plan.redis_url)
        await enqueue_papers(redis, here.channels, here.papers)
        platform = FakePlatform(here.service.url, session, rates=Rates(channel=Rate(1, per)))
        deliveries = DeliveryWorker(
            platform,
            Outbox(redis, durable=True),
            Papers(redis),
            RateLimiter(redis),
            a_card,
        )
        patience, delivering.MAX_WAIT = delivering.MAX_WAIT, 0.05
        try:
            here.service.weather.down = True
            passed = await _pass_time(redis, deliveries, OUTAGE)
            here.service.weather.down = False
            waited = 0.0
            while not here.service.posts and waited < 2 * OUTAGE:
                waited += await _pass_time(redis, deliveries, 1.0)
            delivering.MAX_WAIT = max(5.0, 3 * per)
            await deliveries.deliver_due()
        finally:
            delivering.MAX_WAIT = patience
        await redis.aclose()
        at = sorted(post.at for post in here.service.posts)
        allowed = len(here.channels) / per
        share = len(at) / (at[-1] - at[0] + per) / allowed
        note = (
            f"down for {passed:.0f} s, first post {waited:.0f} s after, "
            f"drained at {share:.0%} of {allowed:.0f} posts/s"
        )
        return here.outcome("platform down for 30 min", note, fine=share >= 0.9 or size.pace < 1)


async def _pass_time(redis: Redis, deliveries: DeliveryWorker, seconds: float) -> float:
    """Deliver what is due as time passes, for at least `seconds`. Returns the seconds passed."""
    passed = 0.0
    while passed < seconds:
        await deliveries.deliver_due()
        step = max(min(deliveries._next_look.values()), deliveries._outcomes.not_before) - monotonic()
        step = min(max(step, 1.0), max(seconds - passed, 1.0))
        await advance(redis, step)
        deliveries._outcomes.not_before -= step
        deliveries._next_probe -= step
        passed += step
    return passed


async def one_dead_channel(folder: Path, size: Size) -> Outcome:
    """One channel's posts hang; 99 others get theirs as fast as without it."""
    rounds, runs = (20, 3) if size.pace == 1 else (3, 1)
    size = Size(channels=100, papers=rounds * runs * 2, seed=size.seed, pace=size.pace)
    late: dict[bool, list[float]] = {False: [], True: []}
    async with alone(folder, size) as here:
        redis = client(here.plan.redis_url)
        dead, *healthy = here.channels
        for _ in range(2):
            here.start("delivery")
        await enqueue_papers(redis, healthy, ["warm-up"])
        await _until_posted(here, healthy, "warm-up")
        papers = iter(here.papers)
        for _ in range(runs):
            for sick in (False, True):
                here.service.weather = Weather(always={str(dead): "hang"} if sick else {}, delay=0.01)
                for _ in range(rounds):
                    paper = next(papers)
                    if sick:
                        await enqueue_papers(redis, [dead], [paper])
                    began = time()
                    await enqueue_papers(redis, healthy, [paper])
                    await _until_posted(here, healthy, paper)
                    late[sick] += [post.at - began for post in here.service.posts if post.papers == (paper,)]
        await redis.aclose()
        before, during = (_p99(late[sick]) for sick in (False, True))
        counts = here.service.counts()
        missing = sum(counts[str(c), p] != 1 for c in healthy for p in here.papers)
        note = f"p99 of 99 healthy ones {before * 1000:.0f} ms, with a dead one {during * 1000:.0f} ms"
        return Outcome(
            test="one dead channel among 100",
            deliveries=len(healthy) * len(here.papers),
            kills=0,
            lost=missing,
            doubled=sum(n - 1 for n in counts.values()),
            seconds=round(monotonic() - here.began, 1),
            note=note,
            fine=during <= 1.1 * before or size.pace < 1,
        )


async def _until_posted(here: Scene, channels: Sequence[ChannelRef], paper: str) -> None:
    async with asyncio.timeout(30):
        while any(not here.service.counts()[str(c), paper] for c in channels):  # noqa: ASYNC110  # the service knows
            await asyncio.sleep(0.02)


async def rates(folder: Path, size: Size) -> Outcome:
    """Four replicas work on a backlog for 200 channels, each of which allows a post a second."""
    seconds = 60 if size.pace == 1 else 3
    per_second = 1.0 if size.pace == 1 else 10.0
    window = WINDOW / per_second
    size = Size(
        channels=200 if size.pace == 1 else 20, papers=round(1.2 * seconds * per_second), pace=size.pace
    )
    async with alone(folder, size) as here:
        redis = client(here.plan.redis_url)
        await enqueue_papers(redis, here.channels, here.papers)
        await redis.aclose()
        for _ in range(4):
            here.start("delivery", per_second=per_second)
        while len(here.service.posts) < len(here.channels):  # noqa: ASYNC110  # the service knows
            await asyncio.sleep(0.05)
        began = time()
        await asyncio.sleep(seconds)
        posts = [post for post in here.service.posts if post.at >= began]
        await here.stop()
        most = max(_most_within(window, [p.at for p in posts if p.channel == str(c)]) for c in here.channels)
        share = len(posts) / (seconds * per_second * len(here.channels))
        fastest = most / window / per_second
        # On a busy machine, a post that is sent late can share its window with one more than allowed.
        allowed = window * per_second + (1 if size.pace < 1 else 0)
        return Outcome(
            test="200 channels, 4 replicas",
            deliveries=len(posts),
            kills=0,
            lost=0,
            doubled=sum(n - 1 for n in here.service.counts().values()),
            seconds=round(monotonic() - here.began, 1),
            note=f"the fastest channel at {fastest:.2f} of its rate over any 10 s, the whole at {share:.0%}",
            fine=most <= allowed and (share >= 0.9 or size.pace < 1),
        )


def _most_within(window: float, times: Sequence[float]) -> int:
    """Return the maximum number of posts in any stretch of `window` seconds."""
    most, first = 0, 0
    for last, at in enumerate(times):
        while at - times[first] >= window:
            first += 1
        most = max(most, last - first + 1)
    return most


def _p99(values: Sequence[float]) -> float:
    return quantiles(values, n=100)[98]

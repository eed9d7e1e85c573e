"""A bot process for the faults to hit: some roles, wired as by `paperboy run`, but connected to doubles."""

import asyncio
import logging
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import structlog
from aiohttp import ClientError, ClientSession
from redis.asyncio import Redis

from adapters.webhook import answers as webhook_answers
from adapters.webhook import platform as webhook_sending
from adapters.webhook.client import PATIENCE
from adapters.webhook.platform import WebhookPlatform
from bot.domain.errors import SourceError
from bot.pipeline import delivery as delivering
from bot.pipeline import sending
from bot.pipeline.fanout import Fanout
from bot.pipeline.poller import Poller
from bot.policy import retry
from bot.ports import Batch, Platform, Rate, Rates
from bot.settings import Settings
from bot.store import lease as leases
from bot.store import poll_stream as announcing
from bot.store import worker_loop
from bot.store.connect import connect, syncs_every_write
from bot.store.lease import Lease
from bot.store.notifications import Notifications
from bot.store.outbox import outbox as outboxes
from bot.store.outbox.outbox import Outbox
from bot.store.poll_stream import PollReader
from bot.supervisor import serve
from bot.wiring import Bot, wire
from tests.adapters.webhook.scene import webhook_platform
from tests.fake_platform import FakePlatform
from tests.papers import a_paper

POLL_EVERY = timedelta(seconds=0.2)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The configuration of a process. `pace` is the factor on the policies' waits: 1 is their real length."""

    redis_url: str
    service_url: str
    log: Path
    roles: tuple[str, ...] = ()
    pace: float = 1.0
    looks: bool = True
    """False disables reconciliation."""
    per_second: float | None = None
    """Posts that a channel allows per second."""
    ghost: str = ""
    """A paper that only this process's source lists."""
    crashes: int = 0
    """Number of times that the fan-out crashes before it works."""
    certificate: Path | None = None
    """Certificate of the program that receives the webhooks' posts; without it there are no webhooks."""
    new_ids: bool = False
    """Whether a webhook's post gets a new id at each attempt, which the real one never does."""


class Listing:
    """A source that lists the service's papers."""

    name = "hf"

    def __init__(self, url: str, session: ClientSession, ghost: str) -> None:
        self._url = url
        self._session = session
        self._ghost = ghost

    async def fetch(self, cursor: str | None) -> Batch:
        try:
            async with self._session.get(f"{self._url}/papers", params={"from": cursor or "0"}) as response:
                ids = await response.json()
        except ClientError as error:
            raise SourceError(f"not read: {error!r}", retry_after=0.2) from error
        papers = [a_paper(paper_id, title="Diffusion") for paper_id in ids]
        if self._ghost and papers:
            papers.append(a_paper(self._ghost, title="Diffusion"))
        return Batch(papers=tuple(papers), cursor=str(int(cursor or 0) + len(ids)))

    def next_poll(self, now: datetime) -> datetime:
        return now + POLL_EVERY


def quicken(pace: float) -> None:
    """Multiply the waits of the policies by `pace`."""
    first, *more = (seconds * pace for seconds in retry.RETRIES)
    retry.RETRIES = (first, *more)  # type: ignore[assignment]  # the length stays the same
    retry.LOOKUP_DELAY *= pace
    retry.FIRST_LIMIT *= pace
    retry.LONGEST_LIMIT *= pace
    sending.SEND_TIMEOUT *= pace
    delivering.REPLAY_CHECK *= pace
    delivering.PROBE_EVERY *= pace
    outboxes.BREAK *= pace
    outboxes.LONGEST_BREAK *= pace
    announcing.REPLAY_GAP *= pace
    worker_loop.FIRST_BACKOFF *= pace
    webhook_answers.FIRST_WAIT *= pace


async def build(plan: Plan, session: ClientSession) -> Bot:
    """Build the bot of `paperboy run`, with doubles and at the plan's pace."""
    redis = await connect(plan.redis_url)
    rates = Rates(channel=Rate(1, 1 / plan.per_second)) if plan.per_second else None
    platform = FakePlatform(plan.service_url, session, rates=rates, looks=plan.looks)
    durable = await syncs_every_write(redis)
    platforms: tuple[Platform, ...] = (platform, *_webhooks(plan, redis))
    bot = wire(Settings(), redis, session, platforms, durable=durable, now=_now)
    outbox = Outbox(redis, durable=durable, lease=outboxes.LEASE * plan.pace)
    news = PollReader(redis, bot.papers, stale=announcing.STALE * plan.pace)
    lease = Lease(redis, ttl=leases.TTL * plan.pace)
    source = Listing(plan.service_url, session, plan.ghost)
    _crash(bot.fanout, plan.crashes)
    bot.fanout._outbox, bot.fanout._polls = outbox, news
    for deliveries in bot.deliveries:
        deliveries._outbox = deliveries._sender._outbox = deliveries._outcomes._outbox = outbox
        deliveries._replay_recent = news.replay_recent
    return replace(
        bot,
        sources=(source,),
        poller=Poller(
            (source,),
            bot.papers,
            lease,
            redis,
            now=_now,
            renew_every=leases.TTL * plan.pace / 3,
            lease_timeout=60,
        ),
    )


def _webhooks(plan: Plan, redis: Redis) -> tuple[WebhookPlatform, ...]:
    """Return the platform of webhooks, if the plan has them."""
    if plan.certificate is None:
        return ()
    webhooks = webhook_platform(redis, patience=PATIENCE * plan.pace, known=plan.certificate)
    webhooks.rates = Rates(channel=Rate(1, plan.pace))
    if plan.new_ids:
        vars(webhook_sending)["identity_of"] = lambda *_: f"msg_{uuid4().hex}"
    return (webhooks,)


def _crash(fanout: Fanout, times: int) -> None:
    """Let the role crash at its first `times` starts."""
    run, left = fanout.run, times

    async def crashing(notifications: Notifications) -> None:
        nonlocal left
        if left:
            left -= 1
            raise ZeroDivisionError("a bug")
        await run(notifications)

    fanout.run = crashing  # type: ignore[method-assign]  # of this one process


async def _run(plan: Plan) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with ClientSession() as session:
        bot = await build(plan, session)
        try:
            await serve(bot, frozenset(plan.roles), stop)
        finally:
            for platform in bot.platforms[1:]:
                await platform.close()
            await bot.redis.aclose()


async def _once(plan: Plan) -> None:
    async with ClientSession() as session:
        bot = await build(plan, session)
        await bot.poller.poll_once()
        await bot.fanout.match_all()
        await bot.deliveries[0].deliver_due()
        await bot.redis.aclose()


def work(plan: Plan) -> None:
    """Run roles until SIGTERM."""
    _begin(plan)
    asyncio.run(_run(plan))


def work_once(plan: Plan, before: Callable[[], None] = lambda: None) -> None:
    """Poll, match and deliver once."""
    _begin(plan)
    before()
    asyncio.run(_once(plan))


def work_in_each(plans: Sequence[Plan]) -> None:
    """Poll, match and deliver once with each plan."""
    _begin(plans[0])

    async def one_after_the_other() -> None:
        for plan in plans:
            await _once(plan)

    asyncio.run(one_after_the_other())


def _begin(plan: Plan) -> None:
    sys.stdout = sys.stderr = plan.log.open("a", buffering=1)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    quicken(plan.pace)


def _now() -> datetime:
    return datetime.now(UTC)

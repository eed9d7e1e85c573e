"""Starts the bot's roles, restarts those that crash, and shuts all down without losing a post."""

import asyncio
import gc
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import structlog

from bot.app import DELIVERY, FALLBACK, FANOUT, POLLER, WEB, open_bot
from bot.domain.errors import ConfigurationError
from bot.domain.models import SAMPLE_SOURCE
from bot.observability.error_tally import tally
from bot.observability.progress import working
from bot.observability.role_status import RoleStatus
from bot.ports import Batch
from bot.settings import Settings
from bot.store.recent_errors import RecentErrors
from bot.store.worker_loop import STABLE_AFTER, backoff
from bot.terminal import demo
from bot.terminal.sample import today
from bot.terminal.session import show_indexing, stand_in, welcome
from bot.wiring import Bot

log = structlog.get_logger(__name__)

LONGEST_RESTART_BACKOFF = 60.0
"""Maximum seconds between a role's crash and its restart; one second after the first crash, then doubling."""
THREAD_SWITCH_INTERVAL = 0.0005
"""Seconds for which a thread can hold the GIL while another waits. Python's default of 5 ms made commands 0.1 s slower
while a thread indexes papers, because the event loop releases the GIL at each system call."""
CANCEL_AGAIN_AFTER = 1.0
"""Seconds after which a task that is still running is cancelled again: redis-py can lose a cancellation."""


@dataclass(frozen=True, slots=True)
class Role:
    """A part of the bot that runs until it is cancelled."""

    name: str
    start: Callable[[], Awaitable[None]]
    may_end: bool = False
    """If it ends, the bot stops, for example when the person at the terminal leaves. Other roles are restarted."""


async def run(settings: Settings, roles: frozenset[str]) -> None:
    """Run these roles, or all, until SIGTERM, SIGHUP or Ctrl-C, or until the person at the terminal leaves."""
    async with AsyncExitStack() as stack:
        with working("Starting"):
            bot = await stack.enter_async_context(open_bot(settings, roles))
        with _stop_on_signals() as stop:
            async with _greeting(bot, roles), _sharing_errors(bot):
                await serve(bot, roles, stop)


async def serve(bot: Bot, roles: frozenset[str], stop: asyncio.Event) -> None:
    """Run until `stop` is set or the person at the terminal leaves, then let posts in flight finish.

    A role that crashes is restarted with backoff while the others go on. If a role can never work, stops the others and
    raises ConfigurationError.
    """
    status = RoleStatus()
    jobs = [_task(role, status) for role in _roles(bot, roles, status)]
    delivering = [_task(role, status) for role in _delivery_roles(bot, roles)]
    stopping = asyncio.create_task(stop.wait(), name="stop")
    sys.setswitchinterval(THREAD_SWITCH_INTERVAL)
    gc.freeze()  # loaded code stays in memory: don't let the garbage collector scan it again and again
    log.info("started", roles=[job.get_name() for job in (*jobs, *delivering)])
    ended, _ = await asyncio.wait({*jobs, *delivering, stopping}, return_when=asyncio.FIRST_COMPLETED)
    log.info("stopping", because=[job.get_name() for job in ended])
    await cancel({*jobs, stopping})
    await asyncio.gather(*(worker.drain() for worker in bot.deliveries))
    await cancel(delivering)
    for job in ended:
        job.result()


def _task(role: Role, status: RoleStatus) -> asyncio.Task[None]:
    return asyncio.create_task(keep_running(role, status), name=role.name)


async def keep_running(role: Role, status: RoleStatus) -> None:
    """Run a role, and restart it with backoff whenever it crashes. Raises ConfigurationError."""
    clock = asyncio.get_running_loop().time
    crashes = 0
    while True:
        status.started(role.name)
        began = clock()
        try:
            await role.start()
            if role.may_end:
                return
            crash: Exception = RuntimeError("it ended, and should run until the bot is stopped")
        except Exception as error:  # the edge: one role never ends the others
            if (configuration := _configuration_error(error)) is not None:
                raise configuration from error
            crash = error
        crashes = crashes + 1 if clock() - began < STABLE_AFTER else 1
        wait = backoff(crashes, LONGEST_RESTART_BACKOFF)
        status.crashed(role.name, f"crashed, restarts soon: {type(crash).__name__}: {crash}")
        log.error("role_crashed", role=role.name, crashes=crashes, restart_in=round(wait, 1), exc_info=crash)
        await asyncio.sleep(wait)


def _configuration_error(error: Exception) -> ConfigurationError | None:
    """Find a configuration error in a role's error, which may be an exception group."""
    if isinstance(error, ExceptionGroup):
        return next(filter(None, map(_configuration_error, error.exceptions)), None)
    return error if isinstance(error, ConfigurationError) else None


async def cancel(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancel these tasks and wait until they end. Errors are logged, since the bot is shutting down."""
    running = {task for task in tasks if not task.done()}
    while running:
        for task in running:
            task.cancel()
        ended, running = await asyncio.wait(running, timeout=CANCEL_AGAIN_AFTER)
        for task in ended:
            if not task.cancelled() and (error := task.exception()):
                log.error("role_failed_at_shutdown", role=task.get_name(), exc_info=error)


async def once(settings: Settings, roles: frozenset[str]) -> bool:
    """Run the commands on standard input, poll every source, and deliver what is due; or only the roles' part of it.

    Returns whether any source could be read, or none had to be. Failures are logged.
    """
    async with open_bot(settings, roles) as bot, _sharing_errors(bot):
        if bot.interactive and not sys.stdin.isatty():
            await bot.interactive.answer_input(bot.core)
        with working("Reading the sources"):
            results = await bot.poller.poll_once() if _wanted(POLLER, roles) else []
        if _wanted(FANOUT, roles):
            await bot.fanout.match_all()
            await bot.fanout.stop()
        if _wanted(DELIVERY, roles):
            for deliveries in bot.deliveries:
                log.info("delivered", **await deliveries.deliver_due())
        return not results or any(result.error is None for result in results)


async def tour(settings: Settings) -> None:
    """Show the tour with the bundled sample papers, on a temporary Redis server."""
    with TemporaryDirectory(prefix="paperboy-") as folder:
        private = settings.model_copy(update={"data_dir": Path(folder), "redis_url": None})
        async with open_bot(private, frozenset({FALLBACK}), now=today) as bot:
            screen = bot.interactive
            if screen is None:
                return
            await bot.papers.ingest(SAMPLE_SOURCE, Batch(papers=(), history=demo.known(), cursor=""), fence=0)

            async def arrive() -> None:
                await bot.papers.ingest(SAMPLE_SOURCE, Batch(papers=demo.news(), cursor=""), fence=0)
                await bot.fanout.match_all()
                await bot.deliveries[0].deliver_due()

            pause = asyncio.sleep if sys.stdout.isatty() else _no_pause
            await demo.tour(
                bot.core,
                screen.screen,
                screen.channel,
                platforms=settings.connectable,
                arrive=arrive,
                pause=pause,
            )


@asynccontextmanager
async def _greeting(bot: Bot, roles: frozenset[str]) -> AsyncIterator[None]:
    """While the block runs, show the person at the terminal how to begin, if it is the only channel."""
    if bot.interactive is None or roles:
        yield
        return
    await welcome(bot.interactive, bot.subscriptions, bot.settings.connectable)
    watching = {
        asyncio.create_task(stand_in(bot.interactive, bot.papers, bot.reached)),
        asyncio.create_task(show_indexing(bot.interactive, bot.search)),
    }
    try:
        yield
    finally:
        await cancel(watching)


@asynccontextmanager
async def _sharing_errors(bot: Bot) -> AsyncIterator[None]:
    """While the block runs and at its end, add this process's errors to those in `paperboy status`."""
    shared = RecentErrors(bot.redis)
    sharing = asyncio.create_task(shared.share(tally))
    try:
        yield
    finally:
        await cancel({sharing})
        await shared.share_now(tally)


async def _no_pause(_seconds: float) -> None:
    """Don't pause: no one reads the output as it appears."""


def _roles(bot: Bot, roles: frozenset[str], status: RoleStatus) -> Iterator[Role]:
    """Yield the roles that are cancelled at shutdown. Delivery isn't, so that posts in flight can finish."""
    yield Role("notifications", bot.notifications.run)
    if _wanted(POLLER, roles):
        yield Role(POLLER, bot.poller.run)
        yield Role("channel_moves", bot.moves.run)
        if bot.retention is not None:
            yield Role("retention", bot.retention.run)
    if _wanted(FANOUT, roles):
        yield Role(FANOUT, partial(bot.fanout.run, bot.notifications))
    if _wanted(DELIVERY, roles):
        for platform, updater in zip(bot.platforms, bot.card_updaters, strict=True):
            yield Role(f"card_updates {platform.name}", partial(updater.run, bot.notifications))
    pages = bot.web is not None and _wanted(WEB, roles)
    if pages or any(_wanted(platform.name, roles) for platform in bot.platforms):
        yield Role("search", partial(bot.search.run, bot.notifications))
        yield Role("recent_papers", partial(bot.recent.run, bot.notifications))
    if bot.web is not None:
        yield Role(WEB, partial(bot.web.run, bot.core, roles, status))
    for platform in bot.platforms:
        if _wanted(platform.name, roles):
            yield Role(platform.name, partial(platform.run, bot.core), may_end=platform.name == FALLBACK)


def _delivery_roles(bot: Bot, roles: frozenset[str]) -> Iterator[Role]:
    if _wanted(DELIVERY, roles):
        for platform, worker in zip(bot.platforms, bot.deliveries, strict=True):
            yield Role(f"delivery {platform.name}", partial(worker.run, bot.notifications), may_end=True)


def _wanted(role: str, roles: frozenset[str]) -> bool:
    return not roles or role in roles


@contextmanager
def _stop_on_signals() -> Iterator[asyncio.Event]:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    numbers = [signal.SIGTERM, signal.SIGINT]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # otherwise nohup started the bot
        numbers.append(signal.SIGHUP)  # the terminal's window was closed
    for number in numbers:
        loop.add_signal_handler(number, stop.set)
    try:
        yield stop
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)

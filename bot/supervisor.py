"""Starting a bot's roles, and stopping them so that nothing is left half done."""

import asyncio
import gc
import signal
import sys
from collections.abc import AsyncIterator, Coroutine, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import structlog

from bot.app import CONSOLE, DELIVERY, FANOUT, POLLER, WEB, Bot, open_bot
from bot.domain.models import SAMPLE_SOURCE
from bot.ports import Batch
from bot.settings import Settings
from bot.terminal import demo
from bot.terminal.sample import today
from bot.terminal.session import stand_in, welcome

log = structlog.get_logger(__name__)

DRAIN = 16.0
"""Seconds that posts in flight have when the bot is stopped; one times out before."""
TURN = 0.0005
"""Seconds that a thread may run while another waits. The loop lets go at each system call, and Python's own 5 ms for
each to come back is a tenth of a second for an answer while the search index takes papers in."""
INSIST = 1.0
"""Seconds after which a task that did not end is cancelled again: redis-py can lose a cancellation."""


async def run(settings: Settings, roles: frozenset[str]) -> None:
    """Run these roles, or all, until SIGTERM, Ctrl-C, or until the person at the terminal leaves."""
    async with open_bot(settings, roles) as bot:
        with _stop_on_signals() as stop:
            async with _greeted(bot, roles):
                await serve(bot, roles, stop)


async def serve(bot: Bot, roles: frozenset[str], stop: asyncio.Event) -> None:
    """Run until `stop` is set or a platform has ended, then let what is being posted finish.

    Raises what a role raised, after the others were stopped.
    """
    jobs = [asyncio.create_task(job, name=name) for name, job in _jobs(bot, roles)]
    delivering = [asyncio.create_task(d.run(bot.wake)) for d in bot.deliveries if _wanted(DELIVERY, roles)]
    stopping = asyncio.create_task(stop.wait(), name="stop")
    sys.setswitchinterval(TURN)
    gc.freeze()  # what was loaded to begin with stays: going over all of it again and again delays answers
    log.info("started", roles=[job.get_name() for job in jobs])
    ended, _ = await asyncio.wait({*jobs, *delivering, stopping}, return_when=asyncio.FIRST_COMPLETED)
    log.info("stopping", because=[job.get_name() for job in ended])
    await cancel({*jobs, stopping})
    await _drain(bot)
    await cancel(delivering)
    for job in ended:
        job.result()


async def _drain(bot: Bot) -> None:
    try:
        async with asyncio.timeout(DRAIN):
            await asyncio.gather(*(deliveries.drain() for deliveries in bot.deliveries))
    except TimeoutError:
        log.warning("posts were left in flight; the next start finds out about them")


async def cancel(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """End these tasks. What one of them raises meanwhile is logged: something else ended the bot already."""
    left = {task for task in tasks if not task.done()}
    while left:
        for task in left:
            task.cancel()
        ended, left = await asyncio.wait(left, timeout=INSIST)
        for task in ended:
            if not task.cancelled() and (error := task.exception()):
                log.error("role failed while it was stopped", role=task.get_name(), exc_info=error)


async def once(settings: Settings, roles: frozenset[str]) -> bool:
    """Carry out the commands on standard input, poll every source, deliver all that is due.

    -> whether any source could be read. What failed is in the log.
    """
    async with open_bot(settings, roles) as bot:
        if bot.terminal and not sys.stdin.isatty():
            await bot.terminal.answer_input(bot.core)
        results = await bot.poller.poll_once()
        await bot.fanout.match_all()
        for deliveries in bot.deliveries:
            log.info("delivered", **await deliveries.deliver_due())
        await bot.fanout.stop()
        return any(result.error is None for result in results)


async def tour(settings: Settings) -> None:
    """Show the sample's tour, on a server of its own that is thrown away."""
    with TemporaryDirectory(prefix="paperboy-") as folder:
        private = settings.model_copy(update={"data_dir": Path(folder), "redis_url": None})
        async with open_bot(private, frozenset({CONSOLE}), now=today) as bot:
            screen = bot.terminal
            if screen is None:
                return
            await bot.papers.ingest(SAMPLE_SOURCE, Batch(papers=(), history=demo.known(), cursor=""), fence=0)

            async def arrive() -> None:
                await bot.papers.ingest(SAMPLE_SOURCE, Batch(papers=demo.news(), cursor=""), fence=0)
                await bot.fanout.match_all()
                await bot.deliveries[0].deliver_due()

            pause = asyncio.sleep if sys.stdout.isatty() else _no_pause
            await demo.tour(bot.core, screen.screen, screen.channel, arrive=arrive, pause=pause)


@asynccontextmanager
async def _greeted(bot: Bot, roles: frozenset[str]) -> AsyncIterator[None]:
    """Meanwhile, whoever sits at a terminal that is the only channel is told how to begin."""
    if bot.terminal is None or roles:
        yield
        return
    await welcome(bot.terminal, bot.subscriptions)
    watching = asyncio.create_task(stand_in(bot.terminal, bot.papers, bot.reached))
    try:
        yield
    finally:
        await cancel({watching})


async def _no_pause(_seconds: float) -> None:
    """Nobody reads along."""


def _jobs(bot: Bot, roles: frozenset[str]) -> Iterator[tuple[str, Coroutine[Any, Any, None]]]:
    """What runs until it is cancelled. Delivering is not among it: that is let finish."""
    yield "wake", bot.wake.run()
    if _wanted(POLLER, roles):
        yield POLLER, bot.poller.run()
    if _wanted(FANOUT, roles):
        yield FANOUT, bot.fanout.run(bot.wake)
    if _wanted(DELIVERY, roles):
        yield from (("edits", editor.run(bot.wake)) for editor in bot.editors)
    pages = bot.web is not None and _wanted(WEB, roles)
    if pages or any(_wanted(platform.name, roles) for platform in bot.platforms):
        yield "search", bot.search.run(bot.wake)
        yield "recent", bot.recent.run(bot.wake)
    if bot.web is not None:
        yield WEB, bot.web.run(bot.core, roles)
    for platform in bot.platforms:
        if _wanted(platform.name, roles):
            yield platform.name, platform.run(bot.core)


def _wanted(role: str, roles: frozenset[str]) -> bool:
    return not roles or role in roles


@contextmanager
def _stop_on_signals() -> Iterator[asyncio.Event]:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        yield stop
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)

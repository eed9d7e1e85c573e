"""`paperboy backfill`: papers of days gone by, for search alone. Nothing is posted, and nothing counts as seen."""

import asyncio
import gzip
import sys
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import islice
from pathlib import Path

import aiohttp
import structlog

from bot.app import open_server, wall_clock
from bot.domain.errors import ConfigurationError, SourceError
from bot.domain.models import Paper
from bot.observability.progress import Advance, progress
from bot.settings import Settings
from bot.sources import build_histories
from bot.sources.context import SourceContext
from bot.sources.metadata_file import paper_in, published_in, row_of
from bot.sources.upstream_search import History
from bot.store.papers import Papers

AT_ONCE = 500
"""Lines read, and papers written, together."""
TRIES = 4
WAIT = 60.0
"""Seconds after a failure, where the upstream named no time."""
TOLD = 5
"""Broken lines that are named."""
DOUBTFUL = 1000
"""Lines of which some must be papers, or the file is no file of papers."""

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Filled:
    """What has come of it."""

    new: int = 0
    changed: int = 0
    known: int = 0
    """Papers that were there as they are."""
    broken: list[str] = field(default_factory=list)
    """What could not be read, and why; of lines the first few."""
    unread: int = 0
    """How many lines could not be read."""

    async def add(self, found: Sequence[Paper], papers: Papers) -> None:
        """Remember `found`. Raises RedisError."""
        ingested = await papers.remember(found)
        self.new += ingested.new
        self.changed += ingested.changed
        self.known += len(found) - ingested.new - ingested.changed

    def __str__(self) -> str:
        parts = [f"{self.new:,} new papers", f"{self.changed:,} changed", f"{self.known:,} known already"]
        parts += [f"{self.unread:,} lines could not be read"] if self.unread else []
        return ", ".join(parts)


async def backfill(settings: Settings, days: int | None, file: Path | None) -> Filled:
    """Read the last `days` days from the upstreams, or `file`, of which `days` bounds the age of papers.

    Raises ConfigurationError for a file that can't be read or holds no papers. Repeating it changes nothing.
    """
    async with open_server(settings) as redis:
        papers = Papers(redis)
        if file is not None:
            since = wall_clock() - timedelta(days=days) if days is not None else None
            with _opened(file) as lines, progress(f"Reading {file.name}") as advance:
                return await from_lines(lines, papers, since, advance)
        async with aiohttp.ClientSession() as session:
            context = SourceContext(settings=settings, session=session, redis=redis, now=wall_clock)
            upstreams = build_histories(context)
            with progress("Reading days", (days or 0) * len(upstreams)) as advance:
                return await from_days(upstreams, days or 0, papers, wall_clock().date(), advance=advance)


async def from_lines(
    lines: Iterable[str], papers: Papers, since: datetime | None = None, advance: Advance = lambda _: None
) -> Filled:
    """Remember the papers of `lines`, read in a thread and never all at once."""
    filled, read, lines = Filled(), 0, iter(lines)
    while batch := await asyncio.to_thread(list, islice(lines, AT_ONCE)):
        found, broken = await asyncio.to_thread(_parsed, batch, read, since)
        read += len(batch)
        filled.unread += len(broken)
        filled.broken += broken[: TOLD - len(filled.broken)]
        await filled.add(found, papers)
        advance(len(batch))
        if read >= DOUBTFUL and filled.unread == read:
            break
    if read and filled.unread == read:
        raise ConfigurationError(
            f"no line of it is a paper; {filled.broken[0]}. It takes a JSON object a line: of arXiv's public "
            'metadata, or with "id", "title", "abstract", "authors" and "published"'
        )
    return filled


async def from_days(
    upstreams: Sequence[History],
    days: int,
    papers: Papers,
    today: date,
    *,
    advance: Advance = lambda _: None,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> Filled:
    """Remember what the upstreams list for the last `days` days, the newest first.

    The upstreams are read side by side; a day that stays unreadable is named, and the others go on.
    """
    filled = Filled()

    async def read(upstream: History) -> None:
        for day in (today - timedelta(days=n) for n in range(days)):
            try:
                await filled.add(await _patiently(upstream, day, sleep), papers)
            except SourceError as error:
                filled.broken.append(f"{upstream.name}, {day}: {error}")
            advance(1)

    await asyncio.gather(*map(read, upstreams))
    return filled


async def _patiently(
    upstream: History, day: date, sleep: Callable[[float], Awaitable[None]]
) -> Sequence[Paper]:
    for left in range(TRIES - 1, -1, -1):
        try:
            return await upstream.of(day)
        except SourceError as error:
            if not left or error.refused:
                raise
            log.warning(
                "a day could not be read, for now", upstream=upstream.name, day=str(day), reason=str(error)
            )
            await sleep(WAIT if error.retry_after is None else error.retry_after)
    raise AssertionError("a try ends in an answer or an error")  # pragma: no cover


def _parsed(lines: Sequence[str], before: int, since: datetime | None) -> tuple[list[Paper], list[str]]:
    """The papers of some lines, and what is wrong with the others; `before` counts the lines before them."""
    found, broken = [], []
    for number, line in enumerate(lines, before + 1):
        if not line.strip():
            continue
        try:
            row = row_of(line)
            if since is None or published_in(row) >= since:
                found.append(paper_in(row))
        except (ValueError, TypeError) as error:
            broken.append(f"line {number}: {str(error)[:100]}")
    return found, broken


@contextmanager
def _opened(path: Path) -> Iterator[Iterable[str]]:
    """The lines of a file, also of one that gzip has packed; of standard input for `-`."""
    if str(path) == "-":
        yield sys.stdin
        return
    try:
        packed = path.suffix == ".gz"
        with (gzip.open if packed else open)(path, "rt", encoding="utf-8", errors="replace") as lines:
            yield lines
    except (OSError, EOFError) as error:
        raise ConfigurationError(f"{path} can't be read: {error}") from error

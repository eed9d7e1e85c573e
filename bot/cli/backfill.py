"""`paperboy backfill`: adds older papers to the search index. They are never posted and don't count as seen."""

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

from bot.cli.process import opened
from bot.clock import wall_clock
from bot.domain.errors import ConfigurationError, SourceError
from bot.domain.models import Paper
from bot.observability.progress import Advance, progress
from bot.settings import Settings
from bot.sources import build_histories
from bot.sources.context import SourceContext
from bot.sources.metadata_file import paper_in, published_in, row_of
from bot.sources.upstream_search import History
from bot.store.papers import Papers

BATCH = 500
"""Number of lines read, and of papers stored, at a time."""
ATTEMPTS = 4
"""Maximum number of attempts to read one day."""
RETRY_AFTER = 60.0
"""Seconds between two attempts, if the upstream doesn't name a time."""
MAX_NAMED_LINES = 5
"""Maximum number of unreadable lines listed in the result."""
GIVE_UP_AFTER = 1000
"""Number of lines without a single paper after which we stop reading a file."""

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class BackfillResult:
    """Counts of stored papers, and the days and lines that couldn't be read."""

    new: int = 0
    changed: int = 0
    known: int = 0
    """Number of papers that were already stored, unchanged."""
    broken: list[str] = field(default_factory=list)
    """Days that couldn't be read, and the first unreadable lines, with reasons."""
    unread: int = 0
    """Number of unreadable lines."""

    async def add(self, found: Sequence[Paper], papers: Papers) -> None:
        """Store `found`. Raises RedisError."""
        ingested = await papers.remember(found)
        self.new += ingested.new
        self.changed += ingested.changed
        self.known += len(found) - ingested.new - ingested.changed

    def __str__(self) -> str:
        parts = [f"{self.new:,} new papers", f"{self.changed:,} changed", f"{self.known:,} known already"]
        parts += [f"{self.unread:,} lines could not be read"] if self.unread else []
        return ", ".join(parts)


async def backfill(settings: Settings, days: int | None, file: Path | None) -> BackfillResult:
    """Read the last `days` days from the upstreams, or the papers of `file` that are at most `days` days old.

    Raises ConfigurationError for a file that can't be read or contains no papers. Idempotent.
    """
    async with opened(settings) as redis:
        papers = Papers(redis)
        if file is not None:
            since = wall_clock() - timedelta(days=days) if days is not None else None
            with _lines_of(file) as lines, progress(f"Reading {file.name}") as advance:
                return await from_lines(lines, papers, since, advance)
        async with aiohttp.ClientSession() as session:
            context = SourceContext(settings=settings, session=session, redis=redis, now=wall_clock)
            upstreams = build_histories(context)
            with progress("Reading days", (days or 0) * len(upstreams)) as advance:
                return await from_days(upstreams, days or 0, papers, wall_clock().date(), advance=advance)


async def from_lines(
    lines: Iterable[str], papers: Papers, since: datetime | None = None, advance: Advance = lambda _: None
) -> BackfillResult:
    """Store the papers in `lines`, which are parsed in a thread, in batches.

    Raises ConfigurationError if no line is a paper.
    """
    result, read, lines = BackfillResult(), 0, iter(lines)
    while batch := await asyncio.to_thread(list, islice(lines, BATCH)):
        found, broken = await asyncio.to_thread(_parsed, batch, read, since)
        read += len(batch)
        result.unread += len(broken)
        result.broken += broken[: MAX_NAMED_LINES - len(result.broken)]
        await result.add(found, papers)
        advance(len(batch))
        if read >= GIVE_UP_AFTER and result.unread == read:
            break
    if read and result.unread == read:
        raise ConfigurationError(
            f"No line of the file is a paper; {result.broken[0]}. Each line must be a JSON object: of arXiv's public "
            'metadata, or with "id", "title", "abstract", "authors" and "published"'
        )
    return result


async def from_days(
    upstreams: Sequence[History],
    days: int,
    papers: Papers,
    today: date,
    *,
    advance: Advance = lambda _: None,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> BackfillResult:
    """Store the papers that the upstreams list for the last `days` days, the newest day first.

    The upstreams are read at the same time. A day that can't be read is listed in the result, and reading continues.
    """
    result = BackfillResult()

    async def read(upstream: History) -> None:
        for day in (today - timedelta(days=n) for n in range(days)):
            try:
                await result.add(await _read_with_retries(upstream, day, sleep), papers)
            except SourceError as error:
                result.broken.append(f"{upstream.name}, {day}: {error}")
            advance(1)

    await asyncio.gather(*map(read, upstreams))
    return result


async def _read_with_retries(
    upstream: History, day: date, sleep: Callable[[float], Awaitable[None]]
) -> Sequence[Paper]:
    for attempts_left in range(ATTEMPTS - 1, -1, -1):
        try:
            return await upstream.of(day)
        except SourceError as error:
            if not attempts_left or error.refused:
                raise
            log.warning("day_not_read", upstream=upstream.name, day=str(day), reason=str(error))
            await sleep(RETRY_AFTER if error.retry_after is None else error.retry_after)
    raise AssertionError("an attempt ends in an answer or an error")  # pragma: no cover


def _parsed(lines: Sequence[str], before: int, since: datetime | None) -> tuple[list[Paper], list[str]]:
    """Return the papers in some lines, and why others can't be read. `before` is the number of preceding lines."""
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
def _lines_of(path: Path) -> Iterator[Iterable[str]]:
    """Open a file of lines, compressed by gzip or not; standard input for `-`."""
    if str(path) == "-":
        yield sys.stdin
        return
    try:
        compressed = path.suffix == ".gz"
        with (gzip.open if compressed else open)(path, "rt", encoding="utf-8", errors="replace") as lines:
            yield lines
    except (OSError, EOFError) as error:
        raise ConfigurationError(f"{path} can't be read: {error}") from error

"""`paperboy status`: the sources, the posts and the platforms of an installation, once or as a live table."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from redis.asyncio import Redis
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from bot.app import ROLES, open_server
from bot.cards.build import count
from bot.cli.process import opened
from bot.domain.polls import PollResult
from bot.observability.error_tally import ErrorKind
from bot.settings import Settings
from bot.store.outbox.outbox import Outbox
from bot.store.polls import last_polls
from bot.store.recent_errors import recent_errors
from bot.store.unreadable import unreadable_count

EVERY = 2.0
"""Seconds between two refreshes."""
MAX_KINDS = 8
"""Maximum number of error kinds shown."""
REASON = 80
"""Maximum number of characters shown of an error."""


@dataclass(frozen=True, slots=True)
class InstallationStatus:
    """The status of an installation. Times are aware."""

    at: datetime
    sources: Sequence[PollResult]
    waiting: int
    """Number of posts that are due or late."""
    late: Mapping[str, float]
    """Platform -> seconds by which its most overdue post is late."""
    dead_letters: Mapping[str, int]
    """`dead` or `held` -> number of posts that wait for the operator's decision."""
    paused: Mapping[str, int]
    """Platform and `channel` or `workspace` -> number of paused ones."""
    unreadable: int
    """Number of unreadable records in Redis."""
    errors: Sequence[tuple[ErrorKind, int]] = ()
    """The errors of the last hour, the most frequent first."""

    def as_json(self) -> dict[str, Any]:
        """Convert to JSON values, with times in ISO 8601."""
        sources = [
            {
                "source": poll.source,
                "at": poll.at.isoformat(),
                "next_at": poll.next_at.isoformat(),
                "new": poll.new,
                "skipped": poll.skipped,
                "error": poll.error,
            }
            for poll in self.sources
        ]
        errors = [{**kind._asdict(), "count": times} for kind, times in self.errors]
        return asdict(self) | {"at": self.at.isoformat(), "sources": sources, "errors": errors}


async def status(settings: Settings) -> InstallationStatus:
    """Return the current status. Raises ConfigurationError if the server can't be reached."""
    async with open_server(settings) as redis:
        return await _status(redis)


async def watch(settings: Settings, console: Console) -> None:
    """Show the status, refreshed every EVERY seconds, until interrupted."""
    async with opened(settings) as redis:
        with Live(console=console, screen=True, auto_refresh=False) as live:
            async for current in _repeatedly(redis):
                live.update(rendered(current), refresh=True)


async def _repeatedly(redis: Redis) -> AsyncIterator[InstallationStatus]:
    while True:
        yield await _status(redis)
        await asyncio.sleep(EVERY)


async def _status(redis: Redis) -> InstallationStatus:
    outbox = Outbox(redis)
    polls = await last_polls(redis)
    late = {name: await outbox.overdue(name) for name in ROLES}  # roles that aren't platforms have no posts
    return InstallationStatus(
        at=await outbox.now(),
        sources=sorted(polls.values(), key=lambda poll: poll.source),
        waiting=await outbox.open(),
        late={name: seconds for name, seconds in late.items() if seconds},
        dead_letters={state: count for state, count in (await outbox.dead_letter_counts()).items() if count},
        paused={
            f"{platform} {scope}": count
            for (platform, scope), (count, _) in sorted((await outbox.paused_counts()).items())
        },
        unreadable=await unreadable_count(redis),
        errors=(await recent_errors(redis)).most_common(),
    )


def rendered(current: InstallationStatus) -> Group:
    """Render the status: a line for each fact, the most frequent errors, and a table of sources."""
    table = Table(box=None, pad_edge=False)
    for heading in ("source", "last poll", "next", "new", "skipped", "error"):
        table.add_column(heading, justify="right" if heading in {"new", "skipped"} else "left")
    for poll in current.sources:
        table.add_row(
            poll.source,
            f"{_span((current.at - poll.at).total_seconds())} ago",
            "due"
            if poll.next_at <= current.at
            else f"in {_span((poll.next_at - current.at).total_seconds())}",
            str(poll.new),
            str(poll.skipped or ""),
            Text((poll.error or "")[:REASON], style="red"),
        )
    facts = [
        f"{count(current.waiting, 'post')} waiting",
        *(f"{platform}: the oldest is {_span(seconds)} late" for platform, seconds in current.late.items()),
        *(
            f"{number:,} {state}: see paperboy deliveries list"
            for state, number in current.dead_letters.items()
        ),
        *(f"{number:,} paused ({what})" for what, number in current.paused.items()),
        *(
            [f"{count(current.unreadable, 'record')} can't be read: see paperboy doctor"]
            if current.unreadable
            else []
        ),
    ]
    first = Text(f"Paperboy at {current.at:%H:%M:%S} UTC", style="bold")
    empty = () if current.sources else (Text("No source has been read yet."),)
    # The sources come last: there can be more of them than the screen has lines.
    return Group(first, *map(Text, facts), *_errors(current.errors), Text(""), table, *empty)


def _errors(errors: Sequence[tuple[ErrorKind, int]]) -> Iterator[Text | Table]:
    """Yield a table of the most frequent errors of the last hour."""
    if not errors:
        return
    total = sum(times for _, times in errors)
    yield Text(f"\n{count(total, 'error')} in the last hour; the log says more", style="bold")
    table = Table(box=None, pad_edge=False)
    for heading in ("times", "where", "error"):
        table.add_column(heading, justify="right" if heading == "times" else "left")
    for kind, times in errors[:MAX_KINDS]:
        table.add_row(f"{times:,}", Text(kind.origin), Text(kind.name))
    yield table
    if len(errors) > MAX_KINDS:
        yield Text(f"and {count(len(errors) - MAX_KINDS, 'rarer kind')}")


def _span(seconds: float) -> str:
    """Format a time span: `40 s`, `12 min`, `3 h`, `2 days`."""
    for size, name in ((86_400, "days"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size or (name != "days" and seconds >= size):
            return f"{seconds / size:.0f} {name}"
    return f"{max(0, seconds):.0f} s"

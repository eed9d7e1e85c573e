"""What can be wrong with Redis, and with what lies in it."""

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from redis.asyncio import Redis

from bot.domain.deliveries import Pause
from bot.domain.polls import PollResult
from bot.ports import Finding
from bot.store import keys
from bot.store.outbox.outbox import Outbox
from bot.store.polls import last_polls
from bot.store.unreadable import UnreadableRecord, unreadable_count, unreadable_records

MOST_DRIFT = 30
"""Seconds between this machine's clock and the server's; due times are shown by one and kept by the other."""
MOST_MEMORY = 0.85
"""Of the server's limit."""
SHOWN = 5
"""Pauses and unreadable records that are listed."""
LATE = timedelta(minutes=30)
"""A poll that is later than that has been forgotten, as has a post."""


async def look_into(
    redis: Redis, platforms: Iterable[str], now: Callable[[], datetime]
) -> AsyncIterator[Finding]:
    """The server's clock and memory, who polls, and what waits."""
    outbox = Outbox(redis)
    yield await _clock(redis, now())
    yield await _memory(redis)
    polls = await last_polls(redis)
    yield _polls(polls, now(), held=bool(await redis.exists(keys.LEASE)))
    if polls:
        yield _completeness(polls)
    yield _posts({name: await outbox.overdue(name) for name in platforms})
    yield _set_aside(sum((await outbox.dead_letter_counts()).values()))
    yield _paused(
        sum(count for count, _ in (await outbox.paused_counts()).values()), await outbox.pauses(SHOWN)
    )
    yield _unreadable(await unreadable_count(redis), [one async for one in unreadable_records(redis)][:SHOWN])


async def _clock(redis: Redis, now: datetime) -> Finding:
    seconds, micros = await redis.time()
    drift = abs(now.timestamp() - (seconds + micros / 1e6))
    ok = drift <= MOST_DRIFT
    todo = "" if ok else "set both machines' clocks by NTP"
    return Finding("clock", ok=ok, message=f"{drift:.1f} s from the Redis server's", todo=todo)


async def _memory(redis: Redis) -> Finding:
    info: dict[str, Any] = await redis.info("memory")
    servers = [info] if "used_memory" in info else [one for one in info.values() if isinstance(one, dict)]
    limited = [one for one in servers if one.get("maxmemory")]
    if not limited:
        return Finding("memory", ok=True, message="Redis has no limit of its own")
    share = max(one["used_memory"] / one["maxmemory"] for one in limited)
    todo = (
        ""
        if share <= MOST_MEMORY
        else "raise its maxmemory: a full server takes no new paper and no new subscription"
    )
    return Finding(
        "memory", ok=share <= MOST_MEMORY, message=f"Redis has used {share:.0%} of its limit", todo=todo
    )


def _polls(polls: dict[str, PollResult], now: datetime, *, held: bool) -> Finding:
    late = sorted(name for name, poll in polls.items() if poll.next_at + LATE < now)
    if not polls:
        return Finding("polls", ok=True, message="none yet", todo="" if held else "start paperboy run")
    if not late:
        return Finding("polls", ok=True, message="every source was asked in time")
    names = ", ".join(late)
    if held:
        todo = "restart the process with the role poller, and keep its log: it hangs"
        return Finding("polls", ok=False, message=f"a process leads, but has not asked {names}", todo=todo)
    todo = "start paperboy run, or a process with the role poller"
    return Finding("polls", ok=False, message=f"nobody polls: {names} should have been asked", todo=todo)


def _completeness(polls: dict[str, PollResult]) -> Finding:
    """Whether a feed is suspicious, and what it would have missed without OAI-PMH. Neither is this machine's fault."""
    left_out = sum(poll.found for name, poll in polls.items() if name.endswith(":oai"))
    alarms = [poll.alarm for poll in polls.values() if poll.alarm]
    if alarms:
        todo = "nothing, unless it lasts for days: then look at the category's page, and at PAPERBOY_ARXIV_HOLIDAYS"
        return Finding("completeness", ok=True, message="; ".join(alarms), todo=todo)
    return Finding(
        "completeness",
        ok=True,
        message=f"{left_out} papers of arXiv's came by OAI-PMH alone, none is known to lack",
    )


def _posts(late: dict[str, float]) -> Finding:
    stuck = {name: seconds for name, seconds in late.items() if seconds > LATE.total_seconds()}
    if not stuck:
        return Finding("posts", ok=True, message="none is late")
    said = ", ".join(f"{name} by {seconds / 60:.0f} minutes" for name, seconds in sorted(stuck.items()))
    todo = "start paperboy run, or a process with the role delivery and the tokens of that platform"
    return Finding("posts", ok=False, message=f"posts are late on {said}", todo=todo)


def _set_aside(count: int) -> Finding:
    if not count:
        return Finding("set aside", ok=True, message="no post waits for a decision")
    return Finding(
        "set aside",
        ok=False,
        message=f"{count} post{'s' if count > 1 else ''} failed for good, or may have been posted or not",
        todo="paperboy deliveries list shows them; retry or drop decides",
    )


def _paused(count: int, longest: Sequence[Pause]) -> Finding:
    """A pause is no failure of this installation, so it is shown and not held against it."""
    if not count:
        return Finding("pauses", ok=True, message="no channel is paused")
    listed = "; ".join(
        f"{one.name} since {one.since:%Y-%m-%d %H:%M} ({one.why})" if one.since else f"{one.name} ({one.why})"
        for one in longest
    )
    more = f"; and {count - len(longest)} more" if count > len(longest) else ""
    return Finding(
        "pauses",
        ok=True,
        message=f"{count} paused: {listed}{more}",
        todo="nothing: each is tried again by itself, at least daily, and at any /paper there",
    )


def _unreadable(count: int, some: Sequence[UnreadableRecord]) -> Finding:
    if not count:
        return Finding("records", ok=True, message="every record in Redis could be read")
    listed = "; ".join(f"{one.kind} {one.name} ({one.reason})" for one in some)
    return Finding(
        "records",
        ok=False,
        message=f"{count} can't be read and were skipped: {listed}",
        todo="if an older version runs beside a newer one, finish the upgrade; else please report it",
    )

"""Checks of Redis, and of the polls and posts recorded in it."""

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from redis.asyncio import Redis

from bot.domain.deliveries import Pause, Refused
from bot.domain.polls import PollResult
from bot.ports import Finding
from bot.store import keys
from bot.store.outbox.outbox import Outbox
from bot.store.outbox.reader import REFUSED_FOR
from bot.store.polls import last_polls
from bot.store.unreadable import UnreadableRecord, unreadable_count, unreadable_records
from bot.store.watches import Watches

MAX_CLOCK_DRIFT = 30
"""Maximum seconds between this machine's clock, which shows due times, and the Redis server's, which enforces them."""
MAX_MEMORY_SHARE = 0.85
"""Maximum used share of the server's memory limit."""
SHOWN = 5
"""Maximum number of pauses, refusals and unreadable records listed."""
LATE = timedelta(minutes=30)
"""Delay above which a late poll or post is a problem."""

OLD_HARVEST = timedelta(days=2)
"""Age above which the latest harvest of arXiv's records is suspicious: there are two a day."""


async def check_server(
    redis: Redis, platforms: Iterable[str], now: Callable[[], datetime]
) -> AsyncIterator[Finding]:
    """Check the server's clock and memory, then polls, posts, pauses, watches and records."""
    outbox = Outbox(redis)
    yield await _clock(redis, now())
    yield await _memory(redis)
    polls = await last_polls(redis)
    yield _polls(polls, now(), held=bool(await redis.exists(keys.LEASE)))
    if polls:
        yield _completeness(polls)
        yield _skipped(polls)
    yield _posts({name: await outbox.overdue(name) for name in platforms})
    yield _dead_letters(sum((await outbox.dead_letter_counts()).values()))
    yield _paused(
        sum(count for count, _ in (await outbox.paused_counts()).values()), await outbox.pauses(SHOWN)
    )
    yield _refused(await outbox.refused(REFUSED_FOR))
    yield _news(await Watches(redis).count(), polls, now())
    yield _unreadable(
        await unreadable_count(redis), [record async for record in unreadable_records(redis)][:SHOWN]
    )


async def _clock(redis: Redis, now: datetime) -> Finding:
    seconds, micros = await redis.time()
    drift = abs(now.timestamp() - (seconds + micros / 1e6))
    ok = drift <= MAX_CLOCK_DRIFT
    todo = "" if ok else "set both machines' clocks by NTP"
    return Finding("clock", ok=ok, message=f"{drift:.1f} s apart from the Redis server's", todo=todo)


async def _memory(redis: Redis) -> Finding:
    info: dict[str, Any] = await redis.info("memory")
    servers = [info] if "used_memory" in info else [node for node in info.values() if isinstance(node, dict)]
    limited = [server for server in servers if server.get("maxmemory")]
    if not limited:
        return Finding("memory", ok=True, message="Redis has no memory limit")
    share = max(server["used_memory"] / server["maxmemory"] for server in limited)
    todo = (
        ""
        if share <= MAX_MEMORY_SHARE
        else "raise its maxmemory: a full server accepts no new papers and subscriptions"
    )
    return Finding(
        "memory", ok=share <= MAX_MEMORY_SHARE, message=f"Redis has used {share:.0%} of its limit", todo=todo
    )


def _polls(polls: dict[str, PollResult], now: datetime, *, held: bool) -> Finding:
    late = sorted(name for name, poll in polls.items() if poll.next_at + LATE < now)
    if not polls:
        return Finding("polls", ok=True, message="none yet", todo="" if held else "start paperboy run")
    if not late:
        return Finding("polls", ok=True, message="every source was read in time")
    names = ", ".join(late)
    if held:
        todo = "restart the process with the role poller and save its log: it hangs"
        return Finding(
            "polls", ok=False, message=f"a poller runs, but hasn't read {names} in time", todo=todo
        )
    todo = "start paperboy run, or a process with the role poller"
    return Finding("polls", ok=False, message=f"no poller runs: {names} should have been read", todo=todo)


def _completeness(polls: dict[str, PollResult]) -> Finding:
    """Check whether a feed looks incomplete, and count papers from OAI-PMH only. Neither is this machine's fault."""
    left_out = sum(poll.found for name, poll in polls.items() if name.endswith(":oai"))
    alarms = [poll.alarm for poll in polls.values() if poll.alarm]
    if alarms:
        todo = "wait; if it lasts for days, look at the category's page and at PAPERBOY_ARXIV_HOLIDAYS"
        return Finding("completeness", ok=True, message="; ".join(alarms), todo=todo)
    return Finding(
        "completeness",
        ok=True,
        message=f"{left_out} arXiv papers came only by OAI-PMH; none are known to be missing",
    )


def _skipped(polls: dict[str, PollResult]) -> Finding:
    """Report unreadable entries of upstreams' lists. The other entries are read."""
    counts = {name: poll for name, poll in sorted(polls.items()) if poll.skipped}
    if not counts:
        return Finding("entries", ok=True, message="every entry of the latest lists could be read")
    parts = (f"{poll.skipped} of {name} ({poll.skipped_reason})" for name, poll in counts.items())
    todo = "nothing here: the log names each entry (row_skipped); write to the upstream if it persists"
    return Finding("entries", ok=True, message=f"can't be read: {', '.join(parts)}", todo=todo)


def _posts(late: dict[str, float]) -> Finding:
    stuck = {name: seconds for name, seconds in late.items() if seconds > LATE.total_seconds()}
    if not stuck:
        return Finding("posts", ok=True, message="no post is late")
    listed = ", ".join(f"{name} by {seconds / 60:.0f} minutes" for name, seconds in sorted(stuck.items()))
    todo = "start paperboy run, or a process with the role delivery and the tokens of that platform"
    return Finding("posts", ok=False, message=f"posts are late on {listed}", todo=todo)


def _dead_letters(count: int) -> Finding:
    if not count:
        return Finding("dead letters", ok=True, message="no post waits for your decision")
    return Finding(
        "dead letters",
        ok=False,
        message=f"{count} post{'s' if count > 1 else ''} failed for good, or may have been posted or not",
        todo="paperboy deliveries list shows them; retry or drop them",
    )


def _paused(count: int, longest: Sequence[Pause]) -> Finding:
    """List pauses. A pause isn't a failure of this installation, so the finding is `ok`."""
    if not count:
        return Finding("pauses", ok=True, message="no channel is paused")
    listed = "; ".join(
        f"{pause.name} since {pause.since:%Y-%m-%d %H:%M} ({pause.why})"
        if pause.since
        else f"{pause.name} ({pause.why})"
        for pause in longest
    )
    more = f"; and {count - len(longest)} more" if count > len(longest) else ""
    return Finding(
        "pauses",
        ok=True,
        message=f"{count} paused: {listed}{more}",
        todo="nothing: each is tried again automatically, at least daily, and at any /paper command there",
    )


def _refused(channels: Sequence[Refused]) -> Finding:
    """List channels whose posts the platform refuses for an undocumented reason."""
    if not channels:
        return Finding("refusals", ok=True, message="no channel's posts are refused without a known reason")
    listed = "; ".join(
        f"{refused.channel} since {refused.since:%Y-%m-%d %H:%M} ({refused.why})"
        for refused in channels[:SHOWN]
    )
    more = f"; and {len(channels) - SHOWN} more" if len(channels) > SHOWN else ""
    return Finding(
        "refusals",
        ok=False,
        message=f"all posts of {len(channels)} channels have been refused for a day: {listed}{more}",
        todo="look at the platform's answers; each channel is tried again at least every hour",
    )


def _news(watchers: int, polls: dict[str, PollResult], now: datetime) -> Finding:
    """Check whether people who watch papers can be notified of new versions, acceptances and withdrawals."""
    if not watchers:
        return Finding("news", ok=True, message="no paper is watched")
    who = f"{watchers} channels and people watch papers"
    read = [poll.succeeded_at for name, poll in polls.items() if name.endswith(":oai") and poll.succeeded_at]
    if not read:
        todo = (
            "set PAPERBOY_ARXIV_CATEGORIES: versions, acceptances and withdrawals come from arXiv's records"
        )
        return Finding("news", ok=True, message=f"{who}, but no records of arXiv are read", todo=todo)
    old = now - max(read) > OLD_HARVEST
    todo = "look at the polls of arXiv whose names end with :oai" if old else ""
    return Finding(
        "news", ok=True, message=f"{who}; arXiv's records were read {max(read):%Y-%m-%d %H:%M}", todo=todo
    )


def _unreadable(count: int, examples: Sequence[UnreadableRecord]) -> Finding:
    if not count:
        return Finding("records", ok=True, message="every record in Redis could be read")
    listed = "; ".join(f"{record.kind} {record.name} ({record.reason})" for record in examples)
    return Finding(
        "records",
        ok=False,
        message=f"{count} can't be read and were skipped: {listed}",
        todo="if an older version runs next to a newer one, finish the upgrade; else please report it",
    )

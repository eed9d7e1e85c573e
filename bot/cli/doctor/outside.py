"""Checks of servers outside this machine: sources and platforms. Failures with the same cause become one finding."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from dataclasses import replace

import structlog

from bot.domain.errors import SourceError
from bot.ports import CHECK_NETWORK, Diagnosable, Finding, Platform, Source

TIMEOUT = 5.0
"""Seconds for one source or platform. An operator is waiting; all are checked concurrently."""
REJECTED = "it rejects Paperboy: set PAPERBOY_CONTACT; Paperboy tries again in a day"
THEIR_FAULT = (
    "wait, Paperboy keeps trying; if it lasts, check whether a proxy answers instead of the real server"
)
SLOW = "nothing: it may be slow, and Paperboy waits longer than this check"
COMMON = (CHECK_NETWORK, REJECTED, THEIR_FAULT)
"""Advice that several sources and platforms can share, since one cause makes all of them fail."""

log = structlog.get_logger(__name__)


async def check_outside(
    sources: Sequence[Source],
    cursor: Callable[[str], Awaitable[str | None]],
    platforms: Iterable[Platform],
    only: Collection[str],
) -> list[Finding]:
    """Check sources and platforms. `only` names the platforms to check; if empty, all are checked."""
    upstreams, connections = await asyncio.gather(_sources(sources, cursor), _platforms(platforms, only))
    return _by_cause([*upstreams, *connections])


def _by_cause(findings: Sequence[Finding]) -> list[Finding]:
    """Merge findings that fail with the same cause into one."""
    merged: list[Finding] = []
    for cause in COMMON:
        same = [finding for finding in findings if finding.todo == cause and not finding.ok]
        if len(same) < 2:
            continue
        findings = [finding for finding in findings if finding not in same]
        names = ", ".join(finding.name for finding in same)
        if cause != CHECK_NETWORK:
            name, message = "sources", f"{names} have the same problem; the first one: {same[0].message}"
        elif findings or merged:
            name, message = "network", f"{names} can't be reached; the first one: {same[0].message}"
        else:
            name, message = "network", f"nothing can be reached ({names}); the first one: {same[0].message}"
        merged.append(Finding(name, ok=False, message=message, todo=cause))
    return [*findings, *merged]


async def _platforms(platforms: Iterable[Platform], only: Collection[str]) -> list[Finding]:
    checked = (
        _platform(platform, platform.name)
        for platform in platforms
        if isinstance(platform, Diagnosable) and (not only or platform.name in only)
    )
    return [finding for findings in await asyncio.gather(*checked) for finding in findings]


async def _platform(platform: Diagnosable, name: str) -> list[Finding]:
    found: list[Finding] = []
    try:
        async with asyncio.timeout(TIMEOUT):
            async for finding in platform.diagnose():
                found.append(finding)  # noqa: PERF401  # findings before the time-out must not be lost
    except TimeoutError:
        if not found:
            return [Finding(name, ok=False, message=f"no answer within {TIMEOUT:.0f} s", todo=CHECK_NETWORK)]
        todo = f"paperboy doctor {name} checks it alone; try that in a minute"
        found.append(Finding(name, ok=True, message="not all could be checked in time", todo=todo))
    except Exception as error:  # the edge: a failed check is a finding too
        log.debug("check_failed", platform=name, exc_info=True)
        message = f"could not be checked: {type(error).__name__}: {error}"
        found.append(Finding(name, ok=False, message=message, todo="try again in a minute"))
    return found


async def _sources(
    sources: Sequence[Source], cursor: Callable[[str], Awaitable[str | None]]
) -> list[Finding]:
    """Return one finding for each upstream: categories on the same server fail together."""
    upstreams: dict[tuple[str, type], list[Source]] = defaultdict(list)
    for source in sources:
        upstreams[source.name.partition(":")[0], type(source)].append(source)
    checks = [_upstream(members, await cursor(members[0].name)) for members in upstreams.values()]
    found = await asyncio.gather(*checks)
    answered = any(finding.ok for finding, _ in found)
    return [replace(finding, ok=True, todo=SLOW) if slow and answered else finding for finding, slow in found]


async def _upstream(members: Sequence[Source], cursor: str | None) -> tuple[Finding, bool]:
    """Check the first source of an upstream. Return the finding, and whether it timed out."""
    source, others = members[0], [member.name.partition(":")[2] for member in members[1:]]
    name = source.name
    also = (
        f" ({len(others)} more there: {', '.join(others[:5])}{', …' if len(others) > 5 else ''})"
        if others
        else ""
    )
    try:
        async with asyncio.timeout(TIMEOUT):
            batch = await source.fetch(cursor)
    except SourceError as error:
        todo = REJECTED if error.refused else CHECK_NETWORK if error.unreachable else THEIR_FAULT
        message = str(error)
    except TimeoutError:
        message = f"no answer within {TIMEOUT:.0f} s"
        return Finding(name, ok=False, message=f"{message}{also}", todo=CHECK_NETWORK), True
    except Exception as error:  # the edge: the other sources are still checked
        log.debug("check_failed", source=name, exc_info=True)
        message, todo = (
            f"{type(error).__name__}: {error}",
            "this is a bug in Paperboy; other sources still work",
        )
    else:
        message = f"reachable, {len(batch.papers)} papers listed now{also}"
        return Finding(name, ok=True, message=message), False
    return Finding(name, ok=False, message=f"{message}{also}", todo=todo), False

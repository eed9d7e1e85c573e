"""Probes and metrics, for supervisors and monitoring."""

import asyncio
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hmac import compare_digest

from aiohttp import web
from prometheus_client import REGISTRY, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from redis.asyncio import Redis
from redis.exceptions import RedisError

from bot.domain.polls import PollResult
from bot.observability.role_status import RoleStatus
from bot.ports import Connected, Platform
from bot.store.embedded import problem_of
from bot.store.outbox.outbox import Outbox
from bot.store.polls import last_polls
from bot.web.shared_metrics import shared_metrics

REDIS_SECONDS = 3.0
"""Timeout of Redis, in seconds. Supervisors give up on a probe after about 5."""
OVERDUE = timedelta(minutes=15)
"""Delay of a poll after which we report that no process polls."""
POLLER = "poller"


@dataclass(frozen=True, slots=True)
class Check:
    """The state of something that a process needs in order to work."""

    name: str
    ok: bool
    detail: str


class Probes:
    """`/healthz`, `/readyz` and `/metrics`. With a `token`, `/metrics` requires it as a bearer token."""

    def __init__(
        self,
        redis: Redis,
        outbox: Outbox,
        platforms: Iterable[Platform],
        now: Callable[[], datetime],
        token: str | None = None,
    ) -> None:
        self._redis = redis
        self._outbox = outbox
        self._platforms = tuple(platforms)
        self._now = now
        self._token = token

    def routes(self, roles: frozenset[str], status: RoleStatus | None = None) -> list[web.RouteDef]:
        """Return the routes of a process with these roles; none means all. `status` is the state of the roles."""

        async def ready(_request: web.Request) -> web.Response:
            checks = [*await self.checks(roles), *_roles(status or RoleStatus())]
            answer = {"ready": all(check.ok for check in checks)} | {
                check.name: check.detail for check in checks
            }
            return web.json_response(answer, status=200 if answer["ready"] else 503)

        return [
            web.get("/healthz", self._alive),
            web.get("/readyz", ready),
            web.get("/metrics", self._metrics),
        ]

    async def checks(self, roles: frozenset[str]) -> list[Check]:
        """Check Redis, the last polls, and the platforms that this process listens to."""
        try:
            async with asyncio.timeout(REDIS_SECONDS):
                polls = await last_polls(self._redis)
        except (RedisError, OSError, TimeoutError) as error:
            return [Check("redis", ok=False, detail=str(error) or "no answer")]
        return [
            Check("redis", ok=True, detail="answers"),
            self._polled(polls.values(), needed=not roles or POLLER in roles),
            *(
                Check(platform.name, connected, "connected" if connected else "not connected")
                for platform in self._platforms
                if isinstance(platform, Connected) and (not roles or platform.name in roles)
                for connected in [platform.connected()]
            ),
        ]

    def _polled(self, polls: Collection[PollResult], *, needed: bool) -> Check:
        """Check that some process polls. If this one has to (`needed`), it isn't ready until it has polled."""
        late = [poll.source for poll in polls if poll.next_at + OVERDUE < self._now()]
        last = max((poll.at for poll in polls), default=None)
        if last is None:
            return Check("polls", ok=not needed, detail="nothing was polled yet")
        if late:
            return Check("polls", ok=not needed, detail=f"overdue: {', '.join(sorted(late))}")
        failing = sum(poll.error is not None for poll in polls)
        failures = f"; {failing} of {len(polls)} sources fail" if failing else ""
        return Check("polls", ok=True, detail=f"last at {last.isoformat(timespec='seconds')}{failures}")

    async def _alive(self, _request: web.Request) -> web.Response:
        """Answer 200, or 503 if the embedded database has stopped: a restart doesn't help, but operators see why."""
        if (problem := problem_of(self._redis)) is not None:
            return web.Response(status=503, text=f"the database has stopped: {problem}\n")
        return web.Response(text="ok\n")

    async def _metrics(self, request: web.Request) -> web.Response:
        if self._token is not None and not _bears(request, self._token):
            return web.Response(status=401, headers={"WWW-Authenticate": "Bearer"})
        own = generate_latest(REGISTRY)
        try:
            async with asyncio.timeout(REDIS_SECONDS):
                own += await shared_metrics(self._redis, self._outbox, self._platforms)
        except (RedisError, OSError, TimeoutError):
            own += b"# Redis does not answer: the metrics that all processes share are missing\n"
        return web.Response(body=own, headers={"Content-Type": CONTENT_TYPE_LATEST})


def _roles(status: RoleStatus) -> Iterable[Check]:
    """Yield a check for each role that crashed and waits to be restarted."""
    for name in status.names:
        if (problem := status.problem(name)) is not None:
            yield Check(f"role {name}", ok=False, detail=problem)


def _bears(request: web.Request, token: str) -> bool:
    return compare_digest(request.headers.get("Authorization", "").encode(), f"Bearer {token}".encode())

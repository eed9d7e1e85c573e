"""The dependencies that the composition root passes to every source."""

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from ipaddress import IPv4Network, IPv6Network

from aiohttp import ClientSession
from redis.asyncio import Redis

from bot.settings import Settings
from bot.sources.http import TIMEOUT, Turn, Upstream, user_agent
from bot.store.limits import Gate

Network = IPv4Network | IPv6Network
Progress = Callable[[str, int, int], None]
"""Receives a source's name, the number of days that it has read, and the total."""


def silent(_source: str, _done: int, _total: int) -> None:
    """Ignore progress."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceContext:
    """Settings, connections and the clock."""

    settings: Settings
    """A source reads its own group: `context.settings.of(ArxivSettings)`."""
    session: ClientSession
    redis: Redis
    now: Callable[[], datetime]
    """The current time, with a zone."""
    progress: Progress = silent
    timeout: float = TIMEOUT
    """Timeout of one request, in seconds."""
    pace: float = 1.0
    """Factor on the pauses between requests; less than 1 only in a simulation."""

    _shared: dict[str, Upstream] = field(default_factory=dict)

    def shared_upstream(self, name: str, *, gate: str, pause: float) -> Upstream:
        """Return the same upstream for each call with this name, so that its users queue and pause together."""
        if name not in self._shared:
            self._shared[name] = self.upstream(name, gate=gate, pause=pause)
        return self._shared[name]

    def upstream(self, name: str, *, gate: str = "", pause: float = 0.0) -> Upstream:
        """Build the HTTP access to an upstream, which errors call `name`.

        With a `gate`, the requests of all processes take turns, with `pause` seconds between them.
        """
        turn: Turn = Gate(self.redis, gate, pause=pause * self.pace).turn if gate else nullcontext
        return Upstream(
            name,
            self.session,
            user_agent=user_agent(self.settings.contact),
            now=self.now,
            timeout=self.timeout,
            turn=turn,
        )

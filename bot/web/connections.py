"""Connection limits, in total and per peer, that keep the process below its descriptor limit."""

import asyncio
import resource
from collections import Counter
from collections.abc import Callable, Collection
from ipaddress import ip_address
from time import monotonic
from typing import cast

from structlog import get_logger

from bot.web.requests import Network

MAX_CONNECTIONS = 1000
"""Maximum number of open connections per process, if its descriptor limit allows twice as many."""
MAX_PER_PEER = 100
"""Maximum number of open connections from one address that isn't a trusted proxy's."""
HEAD_SECONDS = 20.0
"""Timeout of a request's head and of an idle connection, in seconds."""
LOG_INTERVAL = 60.0
"""Seconds between two log lines about refused connections."""

ProtocolFactory = Callable[[], asyncio.Protocol]

log = get_logger()


def max_connections() -> int:
    """Return at most half of the process's descriptors, so that enough are left for Redis and the platforms."""
    soft, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MAX_CONNECTIONS if soft == resource.RLIM_INFINITY else min(MAX_CONNECTIONS, soft // 2)


class ConnectionLimits:
    """Makes a protocol for each connection, and closes those beyond the limits at once."""

    def __init__(
        self,
        protocol: ProtocolFactory,
        *,
        trusted: Collection[Network] = (),
        total: int | None = None,
        per_peer: int | None = None,
    ) -> None:
        self.protocol = protocol
        self._trusted = tuple(trusted)
        self._total = max_connections() if total is None else total
        self._per_peer = MAX_PER_PEER if per_peer is None else per_peer
        self._open: Counter[str] = Counter()
        self._refused = 0
        self._logged_at = float("-inf")

    def __call__(self) -> asyncio.Protocol:
        return _Connection(self)

    def enter(self, peer: str) -> bool:
        """Count a connection; return False, and don't count it, if it exceeds a limit."""
        if self._open.total() >= self._total or (
            self._open[peer] >= self._per_peer and not self._is_trusted(peer)
        ):
            self._log_refused(peer)
            return False
        self._open[peer] += 1
        return True

    def leave(self, peer: str) -> None:
        """Stop counting a connection that has ended."""
        self._open[peer] -= 1
        if not self._open[peer]:
            del self._open[peer]

    def _is_trusted(self, peer: str) -> bool:
        try:
            address = ip_address(peer)
        except ValueError:
            return False
        return any(address in network for network in self._trusted)

    def _log_refused(self, peer: str) -> None:
        self._refused += 1
        if monotonic() - self._logged_at >= LOG_INTERVAL:
            log.warning("connections_refused", count=self._refused, open=self._open.total(), latest_peer=peer)
            self._refused, self._logged_at = 0, monotonic()


class _Connection(asyncio.Protocol):
    """One connection: counted, and passed on to the protocol that speaks HTTP."""

    def __init__(self, limits: ConnectionLimits) -> None:
        self._limits = limits
        self._inner: asyncio.Protocol | None = None
        self._peer = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        peer = transport.get_extra_info("peername")
        self._peer = str(peer[0]) if isinstance(peer, tuple) else "unknown"
        if not self._limits.enter(self._peer):
            cast("asyncio.Transport", transport).abort()
            return
        self._inner = self._limits.protocol()
        self._inner.connection_made(transport)

    def data_received(self, data: bytes) -> None:
        if self._inner is not None:
            self._inner.data_received(data)

    def eof_received(self) -> bool | None:
        return self._inner.eof_received() if self._inner is not None else None

    def connection_lost(self, exc: Exception | None) -> None:
        if self._inner is not None:
            self._limits.leave(self._peer)
            self._inner.connection_lost(exc)

    def pause_writing(self) -> None:
        if self._inner is not None:
            self._inner.pause_writing()

    def resume_writing(self) -> None:
        if self._inner is not None:
            self._inner.resume_writing()

"""Faults of the Web API, injected by tests."""

import asyncio
import random
from collections import defaultdict, deque
from dataclasses import dataclass, field

Fault = str
"""The fault of a call. “Taken” means that Slack executed the call:

- `lose`: taken, but the connection is dropped before the answer; `hang`: never answered; `ok`: nothing goes wrong
- `429 3`: not taken, retry after 3 s; `500`: not taken, and `500 taken`: taken; `garbage`: taken, invalid JSON
- `html 403`, or any body of BODIES with any status: not taken, answered by a proxy; `html 502 taken`: taken
- `is_archived`: an error code of Slack's, with HTTP 200; `is_archived 500`: with another status
"""

BODIES: dict[str, tuple[str, bytes]] = {
    "html": ("text/html", b"<html><title>Access denied</title>{&quot;ok&quot;: true}</html>"),
    "plain": ("text/plain", b"Forbidden"),
    "empty": ("application/json", b""),
    "cut": ("application/json", b'{"ok": false, "error": "is_arch'),
    "bare": ("application/json", b'{"ok": false}'),
    "object": ("application/json", b"{}"),
    "foreign": ("application/json", b'{"error": "account_inactive"}'),
    "list": ("application/json", b"[1, 2]"),
    "null": ("application/json", b"null"),
    "number": ("application/json", b'{"ok": false, "error": 17}'),
    "bytes": ("application/json", b'{"ok": "\xff\xfe"}'),
    "charset": ("application/json; charset=nonsense", b'{"ok": true}'),
    "deep": ("application/json", b"[" * 100_000),
    "nowhere": ("application/json", b'{"ok": true}'),
}
"""Content types and bodies that Slack never answers a post with."""


@dataclass
class Faults:
    """Faults of the next calls in order, of every call of a method, and of random posts."""

    queued: dict[str, deque[Fault]] = field(default_factory=lambda: defaultdict(deque))
    always: dict[str, Fault] = field(default_factory=dict)
    """The fault of every call, by `method` or `method channel`."""
    chances: dict[Fault, float] = field(default_factory=dict)
    """The probability of each fault, for every post."""
    dice: random.Random = field(default_factory=lambda: random.Random(1))
    firewall: str = ""
    """A firewall in front of Slack answers every request whose body has this word with an error page."""
    latency: float = 0.0
    """Seconds that each call takes."""

    def next(self, method: str, *faults: Fault) -> None:
        """Add faults of the next calls of this method."""
        self.queued[method].extend(faults)

    async def of(self, method: str, channel: str) -> Fault | None:
        """Return the fault of this call."""
        if self.latency:
            await asyncio.sleep(self.latency)
        if self.queued[method]:
            following = self.queued[method].popleft()
            return None if following == "ok" else following
        if fault := self.always.get(f"{method} {channel}") or self.always.get(method):
            return fault
        if method == "chat.postMessage":
            thrown = self.dice.random()
            for fault, chance in self.chances.items():
                thrown -= chance
                if thrown < 0:
                    return fault
        return None

"""Faults of the Web API, injected by tests."""

import asyncio
import random
from collections import defaultdict, deque
from dataclasses import dataclass, field

Fault = str
"""What goes wrong with a call:

- `lose`: taken, but the connection is dropped before the answer; `hang`: never answered; `ok`: nothing goes wrong
- `429 3`: not taken, come back in 3 s; `500`, and `500 taken`: taken all the same; `garbage`: taken, answered with no JSON
- `html 403`, and another body of BODIES with any status: not taken, answered by a proxy; `html 502 taken`: taken
- `is_archived`: an error that Slack answers with, by HTTP 200; `is_archived 500`: by another status
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
"""Bodies that are no answer of Slack's to a post, with their content types."""


@dataclass
class Faults:
    """The faults of the next calls, one after the other, of all calls of a method, and some by chance."""

    queued: dict[str, deque[Fault]] = field(default_factory=lambda: defaultdict(deque))
    always: dict[str, Fault] = field(default_factory=dict)
    """The fault of each method, or `method channel`."""
    chances: dict[Fault, float] = field(default_factory=dict)
    """The share of all posts that each fault has."""
    dice: random.Random = field(default_factory=lambda: random.Random(1))
    firewall: str = ""
    """A firewall in between answers every request with this word in its body itself, with an error page."""
    latency: float = 0.0
    """Seconds that each call takes."""

    def next(self, method: str, *faults: Fault) -> None:
        """The next calls of this method go wrong."""
        self.queued[method].extend(faults)

    async def of(self, method: str, channel: str) -> Fault | None:
        """What goes wrong with this call."""
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

"""What goes wrong with the Web API, when a test wants it to."""

import asyncio
import random
from collections import defaultdict, deque
from dataclasses import dataclass, field

Fault = str
"""`lose`: taken, and the connection dropped before the answer. `429 3`: not taken, come back in 3 s. `500`, and
`500 taken`: taken all the same. `hang`: no answer ever. `garbage`: taken, and the answer is no JSON. `ok`: this one not. Anything else is an error that Slack answers with."""


@dataclass
class Faults:
    """Faults to come: `next` ones, one after the other, and some by chance."""

    queued: dict[str, deque[Fault]] = field(default_factory=lambda: defaultdict(deque))
    always: dict[str, Fault] = field(default_factory=dict)
    """Method, or `method channel`, -> its fault."""
    chances: dict[Fault, float] = field(default_factory=dict)
    """Fault -> share of all posts."""
    dice: random.Random = field(default_factory=lambda: random.Random(1))
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

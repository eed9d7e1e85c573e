"""Lets one request at a time through to an upstream, over all processes, with a pause after each."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from uuid import uuid4

from redis.asyncio import Redis
from redis.exceptions import RedisError

from bot.domain.errors import SourceError
from bot.store import keys
from bot.store.scripts import Scripts, script

ARXIV_PAUSE = 3.0
"""Seconds between requests, one connection at a time: https://info.arxiv.org/help/api/tou.html."""
HOLD = 120.0
"""Seconds after which a turn ends by itself if its holder died. Longer than any request takes."""


class Gate:
    """The queue for one upstream: one turn at a time, each starting `pause` seconds after the last one ended.

    The pause runs from the end of a request to the start of the next, so that no delay between getting a turn and
    sending can bring two requests closer together. Only the server's clock counts.
    """

    def __init__(
        self, redis: Redis, upstream: str, *, pause: float = ARXIV_PAUSE, hold: float = HOLD
    ) -> None:
        self._key = keys.gate(upstream)
        self._pause = pause
        self._hold = hold
        self._scripts = Scripts(redis)
        self._queue = asyncio.Lock()

    @contextlib.asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for a turn and hold it inside the `with` block. Raises SourceError if Redis doesn't answer."""
        token = uuid4().hex
        async with (
            self._queue
        ):  # first come, first served within a process; only its first request asks the server
            await self._wait(token)
            try:
                yield
            finally:
                with contextlib.suppress(RedisError):  # a turn that can't be given back ends by itself
                    await self._leave(token)

    async def _wait(self, token: str) -> None:
        left = await self._ask(token)
        while left:
            await asyncio.sleep(left)
            left = await self._ask(token)

    async def _ask(self, token: str) -> float:
        """Seconds until it makes sense to ask again; 0 if the turn is ours."""
        try:
            left = await self._scripts.run(script("gate_enter"), [self._key], [token, _ms(self._hold)])
        except RedisError as error:
            raise SourceError(
                f"the request was not sent, because Redis did not answer whose turn it is: {error}"
            ) from error
        return min(int(left) / 1000, self._pause)

    async def _leave(self, token: str) -> None:
        await self._scripts.run(script("gate_leave"), [self._key], [token, _ms(self._pause)])


def _ms(seconds: float) -> int:
    return max(1, round(seconds * 1000))

"""Text that a button is to remember and has no room for."""

from base64 import b32encode
from hashlib import sha256

from redis.asyncio import Redis

from bot.store import keys

KEEP = 90 * 86_400
"""Seconds; then the button says that it is too old."""
LENGTH = 17
"""Characters of a name."""


class ButtonPayloads:
    """Texts under short names of their own, the same for the same text; and what was just done."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def put(self, text: str) -> str:
        """The name by which `get` brings it back: `~` and 16 letters. Raises RedisError."""
        name = "~" + b32encode(sha256(text.encode()).digest()[:10]).decode().lower()
        await self._redis.set(keys.kept(name), text, ex=KEEP)
        return name

    async def get(self, name: str) -> str | None:
        """The text, or None where it is kept no longer."""
        text = await self._redis.get(keys.kept(name))
        return None if text is None else str(text)

    async def first(self, what: str, seconds: int) -> bool:
        """Whether `what` was not said in the last `seconds`. Raises RedisError."""
        return bool(await self._redis.set(keys.kept(what), "", ex=seconds, nx=True))

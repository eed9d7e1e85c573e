"""Texts that are too long for a button: the button carries a short name of the text."""

from base64 import b32encode
from hashlib import sha256

from redis.asyncio import Redis

from bot.store import keys

KEEP = 90 * 86_400
"""Seconds for which a text is stored; after that its button says that it is too old."""
LENGTH = 17
"""Length of a name, in characters."""


class ButtonPayloads:
    """Stores texts under short names, the same name for the same text. Also remembers what was just done."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def put(self, text: str) -> str:
        """Store a text and return its name: `~` and 16 letters. Raises RedisError."""
        name = "~" + b32encode(sha256(text.encode()).digest()[:10]).decode().lower()
        await self._redis.set(keys.button_payload(name), text, ex=KEEP)
        return name

    async def get(self, name: str) -> str | None:
        """Return the text of a name; None if it is no longer stored."""
        text = await self._redis.get(keys.button_payload(name))
        return None if text is None else str(text)

    async def first(self, what: str, seconds: int) -> bool:
        """Whether this is the first call for `what` in the last `seconds`. Raises RedisError."""
        return bool(await self._redis.set(keys.button_payload(what), "", ex=seconds, nx=True))

    async def remember(self, what: str, seconds: int) -> None:
        """Let `first` return False for another `seconds`. Raises RedisError."""
        await self._redis.set(keys.button_payload(what), "", ex=seconds)

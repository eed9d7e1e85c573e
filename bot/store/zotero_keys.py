"""The keys to people's Zotero libraries, encrypted. A person has one in each workspace."""

from redis.asyncio import Redis

from bot.domain.errors import ConfigurationError
from bot.domain.models import ChannelRef, User
from bot.encryption import Encryptor
from bot.store import keys

UNUSED = 400 * 86_400
"""Seconds after which an unused key is deleted."""


class ZoteroKeys:
    """Stores, finds and deletes Zotero keys. Every method raises RedisError."""

    def __init__(self, redis: Redis, encryptor: Encryptor | None) -> None:
        self._redis = redis
        self._encryptor = encryptor

    @property
    def ready(self) -> bool:
        """Whether keys can be stored: the operator has set a key that encrypts them."""
        return self._encryptor is not None

    async def of(self, user: User, channel: ChannelRef) -> str | None:
        """Return the person's key in the channel's workspace; None if it is missing or can't be decrypted any more."""
        name = _name(user, channel)
        sealed = await self._redis.get(name)
        if sealed is None or self._encryptor is None:
            return None
        try:
            key = self._encryptor.unseal(str(sealed))
        except ConfigurationError:  # it was encrypted with a key that the operator has since removed
            return None
        await self._redis.set(name, self._encryptor.seal(key), ex=UNUSED)
        return key

    async def put(self, user: User, channel: ChannelRef, key: str) -> None:
        """Store the person's key, replacing an earlier one."""
        if self._encryptor is not None:
            await self._redis.set(_name(user, channel), self._encryptor.seal(key), ex=UNUSED)

    async def end(self, user: User, channel: ChannelRef) -> bool:
        """Delete the person's key. False if there was none."""
        return bool(await self._redis.delete(_name(user, channel)))


def _name(user: User, channel: ChannelRef) -> str:
    return keys.zotero(ChannelRef(channel.platform, channel.workspace, user.id))

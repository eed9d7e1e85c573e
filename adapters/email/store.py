"""What is kept of an address: under a keyed hash, and sealed. Nothing in Redis tells who reads what."""

import hmac
from base64 import b32encode
from datetime import timedelta
from hashlib import sha256
from secrets import token_hex
from typing import Any
from uuid import uuid4

from redis.asyncio import Redis

from adapters.email.address import Address
from bot.domain.models import ChannelRef
from bot.encryption import Encryptor
from bot.ports import Rate
from bot.store import keys
from bot.store.rates import Rates, TurnedAway

PLATFORM = "email"
PEPPER = keys.installation(PLATFORM, "pepper")
"""The key of the hash, sealed: so that it survives a change of PAPERBOY_SECRET_KEY."""
LET_GO = timedelta(days=30)
"""As long as a link to come back works."""
HASH, DOMAIN_HASH = 26, 8
"""Letters of base32: 130 bits, for nobody may guess a channel; and 40, for a domain is only a neighbourhood."""


class Addresses:
    """The confirmed addresses, by channel; and how often anybody may ask for mail."""

    def __init__(self, redis: Redis, seal: Encryptor) -> None:
        self._redis = redis
        self._seal = seal
        self._rates = Rates(redis)
        self._pepper: bytes | None = None

    async def channel(self, address: Address) -> ChannelRef:
        """The address as a channel. Its workspace is its provider, so that one that is down delays no other."""
        domain = await self._hash(f"domain {address.domain}", DOMAIN_HASH)
        return ChannelRef(PLATFORM, domain, await self._hash(f"address {address.identity}", HASH))

    async def keep(self, channel: ChannelRef, address: Address) -> None:
        """The address was confirmed."""
        await self._redis.set(_key(channel), self._seal.seal(str(address)))

    async def of(self, channel: ChannelRef) -> Address | None:
        """The confirmed address; None where there is none (any more)."""
        sealed: Any = await self._redis.get(_key(channel))
        return Address.parse(self._seal.unseal(sealed)) if sealed else None

    async def let_go(self, channel: ChannelRef) -> None:
        """Nothing comes to it any more: forget it in a while, unless it is kept again."""
        await self._redis.expire(_key(channel), LET_GO)

    async def forget(self, channel: ChannelRef) -> None:
        """Keep nothing of it."""
        await self._redis.delete(_key(channel))

    async def reseal(self) -> None:
        """Seal everything with the newest key, where there are several: then the others may go."""
        if self._seal.rotating:
            async for key in self._redis.scan_iter(f"pb:{{{PLATFORM}:*}}:installation", count=500):
                sealed: Any = await self._redis.get(key)
                if sealed:  # else, and where it is gone by now, it was forgotten meanwhile
                    await self._redis.set(key, self._seal.reseal(sealed), xx=True, keepttl=True)

    async def allows(self, rate: Rate, *scope: str) -> bool:
        """Whether this may be done once more, and if so, that it was. What stands in `scope` is hashed."""
        try:
            wait = await self._rates.turn(
                rate, uuid4().hex, PLATFORM, await self._hash(" ".join(scope), HASH)
            )
        except TurnedAway:
            return False
        return wait == 0

    async def _hash(self, text: str, letters: int) -> str:
        if self._pepper is None:
            await self._redis.set(PEPPER, self._seal.seal(token_hex(32)), nx=True)
            sealed: Any = await self._redis.get(PEPPER)
            self._pepper = bytes.fromhex(self._seal.unseal(sealed or ""))
        return b32encode(hmac.digest(self._pepper, text.encode(), sha256)).decode().lower()[:letters]


def _key(channel: ChannelRef) -> str:
    return keys.installation(PLATFORM, channel.channel)

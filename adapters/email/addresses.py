"""Confirmed addresses in Redis, encrypted, under a keyed hash: Redis alone doesn't reveal who subscribed to what."""

import hmac
from base64 import b32encode
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from secrets import token_hex
from typing import Any

from redis.asyncio import Redis

from adapters.email.address import Address
from bot.domain.models import ChannelRef
from bot.encryption import Encryptor
from bot.store import keys

PLATFORM = "email"
PEPPER = keys.installation(PLATFORM, "pepper")
"""The key of the hash, encrypted. It stays the same when PAPERBOY_SECRET_KEY changes."""
KEPT_AFTER_LEAVING = timedelta(days=30)
"""Time for which an address is stored after all its mail was stopped, and its generation after it was forgotten.

Must not be shorter than the longest lifetime of a link in a mail: see `links`.
"""
MILLISECOND = timedelta(milliseconds=1)
HASH, DOMAIN_HASH = 26, 8
"""Lengths in base32 letters: 130 bits, so that a channel can't be guessed; 40 bits to group addresses by provider."""


@dataclass(frozen=True, slots=True)
class Account:
    """An address, and the generation of its links."""

    channel: ChannelRef
    address: Address | None
    """None if it isn't confirmed, or was forgotten."""
    generation: str
    """Links of another generation no longer work. "" for an address that was never confirmed."""
    membership: str = ""
    """Stays the same from the first sign-up until the address is forgotten; links that stop all mail depend on it.

    "" for an address confirmed by a version without memberships.
    """


class Addresses:
    """Store of the confirmed addresses, by channel."""

    def __init__(self, redis: Redis, encryptor: Encryptor) -> None:
        self._redis = redis
        self._encryptor = encryptor
        self._pepper: bytes | None = None

    async def channel(self, address: Address) -> ChannelRef:
        """Return an address's channel. Its workspace is the provider, so that one that is down delays no other."""
        domain = await self.hashed(f"domain {address.domain}", DOMAIN_HASH)
        return ChannelRef(PLATFORM, domain, await self.hashed(f"address {address.identity}"))

    async def account(self, channel: ChannelRef) -> Account:
        """Return what is stored about a channel. Raises RedisError, or ConfigurationError if no key decrypts it."""
        sealed: Any = await self._redis.get(_key(channel))
        address, generation, membership = f"{self._encryptor.unseal(sealed) if sealed else ''}\n\n".split(
            "\n"
        )[:3]
        return Account(channel, Address.parse(address) if address else None, generation, membership)

    async def confirm(self, channel: ChannelRef, address: Address) -> None:
        """Store a confirmed address. All earlier links to it stop working, except those that stop its mail."""
        account = await self.account(channel)
        membership = account.membership if account.address else token_hex(8)
        await self._redis.set(_key(channel), self._seal(address, membership))

    async def end_links(self, channel: ChannelRef) -> None:
        """Revoke all links to the address, except those that stop its mail."""
        account = await self.account(channel)
        await self._redis.set(
            _key(channel), self._seal(account.address, account.membership), xx=True, keepttl=True
        )

    async def expire(self, channel: ChannelRef) -> None:
        """Forget the address after `KEPT_AFTER_LEAVING`, unless `keep` is called: all its mail was stopped."""
        await self._redis.expire(_key(channel), KEPT_AFTER_LEAVING)

    async def keep(self, channel: ChannelRef) -> None:
        """Undo `expire`: the person wants mail again."""
        await self._redis.persist(_key(channel))

    async def forget(self, channel: ChannelRef) -> None:
        """Remove the address. A new generation without an address stays stored, so that no earlier link works again."""
        await self._redis.set(_key(channel), self._seal(None, ""), ex=KEPT_AFTER_LEAVING)

    async def use_once(self, token: str, lifetime: timedelta) -> bool:
        """Return whether a link's token is used for the first time. Its use is stored for its remaining `lifetime`."""
        name = keys.handled(PLATFORM, await self.hashed(f"token {token}"))
        return bool(await self._redis.set(name, "", nx=True, px=max(1, int(lifetime / MILLISECOND))))

    async def reseal(self) -> None:
        """Encrypt everything with the newest key, if there are several, so that the others can be removed."""
        if self._encryptor.rotating:
            async for key in self._redis.scan_iter(f"pb:{{{PLATFORM}:*}}:installation", count=500):
                sealed: Any = await self._redis.get(key)
                if sealed:  # otherwise, it was forgotten in the meantime
                    await self._redis.set(key, self._encryptor.reseal(sealed), xx=True, keepttl=True)

    async def hashed(self, text: str, letters: int = HASH) -> str:
        """Return the keyed hash of `text`. Raises RedisError."""
        if self._pepper is None:
            await self._redis.set(PEPPER, self._encryptor.seal(token_hex(32)), nx=True)
            sealed: Any = await self._redis.get(PEPPER)
            self._pepper = bytes.fromhex(self._encryptor.unseal(sealed or ""))
        return b32encode(hmac.digest(self._pepper, text.encode(), sha256)).decode().lower()[:letters]

    def _seal(self, address: Address | None, membership: str) -> str:
        """Encrypt an account with a new generation."""
        return self._encryptor.seal(f"{address or ''}\n{token_hex(8)}\n{membership}")


def _key(channel: ChannelRef) -> str:
    return keys.installation(PLATFORM, channel.channel)

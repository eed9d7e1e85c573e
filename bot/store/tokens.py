"""Tokens that give access to a channel from outside: feed addresses and API tokens.

A feed's address can be shown again, so its secret is stored: anyone who can read Redis can read the posts anyway. Of an
API token only a hash is stored. A token is found by the hash of its secret, and is revoked in all processes at once.
"""

import json
import secrets
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Literal, get_args

from redis.asyncio import Redis

from bot.domain.errors import UserError
from bot.domain.models import ChannelRef
from bot.store import keys
from bot.store.scripts import Scripts, script
from bot.store.unreadable import load_each

Kind = Literal["feed", "api"]
MAX_TOKENS = 60
"""Maximum number of tokens of one channel: a feed for each of 50 subscriptions, one for all of them, one for the shared
list, and some for programs."""
SHARED_LIST = -1
"""Subscription number that stands for a channel's shared list."""
SECRET_BYTES = 24
SECRET = r"[A-Za-z0-9_-]{32}"  # noqa: S105  # a pattern, not a secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """The access that a token gives to its holder."""

    channel: ChannelRef
    kind: Kind
    number: int = 0
    """The subscription whose posts it shows; 0 for the whole channel, SHARED_LIST for its shared list."""
    at: datetime

    @property
    def purpose(self) -> str:
        """A channel has one token for each purpose."""
        return _purpose(self.kind, self.number)


class Tokens:
    """Creates, finds and revokes tokens."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._scripts = Scripts(redis)

    async def make(self, grant: Grant) -> str:
        """Create a token and return its secret. Revokes an earlier token for the same purpose.

        Raises UserError if the channel has too many tokens.
        """
        secret = secrets.token_urlsafe(SECRET_BYTES)
        await self._put(grant, secret if grant.kind == "feed" else "", _digest(secret))
        return secret

    async def secret(self, channel: ChannelRef, number: int = 0) -> str | None:
        """Return the secret of a feed's address; None if there is no such feed."""
        stored: Any = await self._redis.hget(keys.tokens(channel), _purpose("feed", number))
        return stored.partition(" ")[2] if stored else None

    async def has(self, channel: ChannelRef, kind: Kind, number: int = 0) -> bool:
        """Whether the channel has such a token."""
        return bool(await self._redis.hexists(keys.tokens(channel), _purpose(kind, number)))

    async def find(self, secret: str) -> Grant | None:
        """Return the grant of a secret; None if it was never issued or has been revoked. Raises RedisError."""
        return await self._granted(_digest(secret))

    async def end(self, channel: ChannelRef, kind: Kind, number: int = 0) -> bool:
        """Revoke a token. Returns False if there is none."""
        return bool(await self._remove(channel, _purpose(kind, number)))

    async def forget(self, channel: ChannelRef) -> None:
        """Revoke all tokens of a channel."""
        await self._remove(channel, "")

    async def of(self, channel: ChannelRef) -> list[tuple[Grant, str, str]]:
        """Return each token of a channel: its grant, its secret's hash, and the secret or "" if it isn't stored."""
        stored: Any = await self._redis.hgetall(keys.tokens(channel))
        found = []
        for text in stored.values():
            digest, _, secret = text.partition(" ")
            grant = await self._granted(digest)
            if grant is not None:
                found.append((grant, digest, secret))
        return found

    async def restore(self, grant: Grant, digest: str, secret: str) -> None:
        """Restore a former token of a channel, unless the channel has one for the same purpose."""
        if not await self.has(grant.channel, grant.kind, grant.number):
            await self._put(grant, secret, digest)

    async def move(self, old: ChannelRef, new: ChannelRef) -> None:
        """Move a channel's tokens to its new id, except those that `new` has already. Can be repeated."""
        for grant, digest, secret in await self.of(old):
            if not await self.has(new, grant.kind, grant.number):
                await self._put(replace(grant, channel=new), secret, digest)
            moved: Any = await self._redis.hget(keys.tokens(new), grant.purpose)
            if moved and moved.partition(" ")[0] == digest:
                await self._redis.hdel(keys.tokens(old), grant.purpose)
        await self.forget(old)

    async def _granted(self, digest: str) -> Grant | None:
        record: Any = await self._redis.get(keys.token(digest))
        stored = [(digest, record)] if record else []
        loaded = await load_each(self._redis, "token", stored, lambda _digest, text: _load(text))
        return loaded[0][1] if loaded else None

    async def _put(self, grant: Grant, secret: str, digest: str) -> None:
        args: list[str | int] = [
            grant.purpose,
            f"{digest} {secret}".rstrip(),
            _dump(grant),
            MAX_TOKENS,
            keys.token(""),
        ]
        script_keys = [keys.tokens(grant.channel), keys.token(digest)]
        if not int(await self._scripts.run(script("token_put"), script_keys, args)):
            raise UserError(
                f"This channel already has {MAX_TOKENS} addresses, the most that one channel can have.",
                hint="/paper feed #3 feed:off",
            )

    async def _remove(self, channel: ChannelRef, purpose: str) -> int:
        return int(
            await self._scripts.run(script("token_remove"), [keys.tokens(channel)], [purpose, keys.token("")])
        )


def _purpose(kind: Kind, number: int) -> str:
    return f"{kind}:{number}"


def _digest(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()


def _dump(grant: Grant) -> str:
    values = {
        "channel": str(grant.channel),
        "kind": grant.kind,
        "number": grant.number,
        "at": round(grant.at.timestamp() * 1000),
    }
    return json.dumps(values, ensure_ascii=False)


def _load(record: str) -> Grant:
    """Parse a grant's JSON. Raises ValueError for a kind that a newer version added."""
    values = json.loads(record)
    if values["kind"] not in get_args(Kind):
        raise ValueError(f"unknown kind of token: {values['kind']}")
    return Grant(
        channel=ChannelRef.parse(values["channel"]),
        kind=values["kind"],
        number=int(values["number"]),
        at=datetime.fromtimestamp(values["at"] / 1000, UTC),
    )

"""E-mail in the contract that every platform is held to."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from redis.asyncio import Redis

from tests.adapters.email.postoffice import Mail
from tests.adapters.email.test_delivery import desk_at
from tests.platform_place import Place


@asynccontextmanager
async def place(redis: Redis) -> AsyncIterator[Place]:
    async with desk_at(redis) as desk:
        address = "ada@example.org"
        yield Place(
            desk.platform,
            await desk.channel(address),
            lambda: [_plain(mail) for mail in desk.office.to(address)],
            lambda: desk.office.faults.setdefault(address, []).append("lose at end"),
        )


def _plain(mail: Mail) -> str:
    """The plain part, its lines joined."""
    part = mail.message.get_body(("plain",))
    assert part is not None
    return " ".join(part.get_content().split())

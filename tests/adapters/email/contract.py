"""The mail platform, for the contract tests of all platforms."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from redis.asyncio import Redis

from tests.adapters.email.mail_server import Mail
from tests.adapters.email.test_delivery import open_scene
from tests.platform_place import Place


@asynccontextmanager
async def place(redis: Redis) -> AsyncIterator[Place]:
    async with open_scene(redis) as scene:
        address = "ada@example.org"
        yield Place(
            scene.platform,
            await scene.channel(address),
            lambda: [_plain(mail) for mail in scene.mail_server.to(address)],
            lambda: scene.mail_server.faults.setdefault(address, []).append("lose at end"),
        )


def _plain(mail: Mail) -> str:
    """Return the plain-text part in one line."""
    part = mail.message.get_body(("plain",))
    assert part is not None
    return " ".join(part.get_content().split())

"""The role `web`: what every installation answers over HTTP."""

from aiohttp.test_utils import TestClient, TestServer
from redis.asyncio import Redis

from bot.commands.core import Commands
from bot.web import Website
from tests.commands.conftest import services_on


async def test_it_says_that_it_is_alive(redis: Redis) -> None:
    app = Website(0, ()).app(Commands(services_on(redis)))
    async with TestClient(TestServer(app)) as client, client.get("/healthz") as response:
        assert response.status == 200
        assert await response.text() == "ok\n"

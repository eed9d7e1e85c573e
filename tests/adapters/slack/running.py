"""Paperboy in the test's process, connected to the double over a socket or HTTP."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from html import unescape
from typing import Any

import aiohttp
from aiohttp.test_utils import TestServer
from redis.asyncio import Redis

from adapters.slack.connection_mode import ConnectionMode
from adapters.slack.http import EVENTS
from adapters.slack.platform import SlackPlatform
from bot.clock import wall_clock
from bot.ports import Rates
from bot.settings import Settings, SettingsGroup
from bot.wiring import Bot, wire
from tests.adapters.slack.double import Person, Slack
from tests.adapters.webhook.scene import webhook_platform
from tests.platform_harness import PUBLIC_URL, zotero_settings

SECRET_KEY = "a key that opens nothing but tests"


class UnlimitedSlack(SlackPlatform):
    """Slack without rate limits, so that a test doesn't wait between two posts."""

    rates = Rates()

    async def settled(self) -> None:
        """Wait until everything that was acknowledged has been handled."""
        await self._tasks.drain(30)


class Running:
    """A bot that can be started and stopped repeatedly with the same Redis and Slack."""

    def __init__(self, slack: Slack, redis: Redis, now: Callable[[], datetime] = wall_clock) -> None:
        self.slack = slack
        self.redis = redis
        self.bot: Bot
        self.platform: UnlimitedSlack
        self.address = ""
        """Base URL in HTTP mode."""
        self._now = now
        self._stack = AsyncExitStack()

    async def start(self, mode: ConnectionMode, *groups: SettingsGroup, **settings: Any) -> None:
        """Start the bot, and wait until Slack can reach it."""
        defaults = {name: field.default for name, field in Settings.model_fields.items()}
        known = Settings.model_construct(
            **(defaults | zotero_settings() | {"port": mode.port, "public_url": PUBLIC_URL} | settings)
        ).with_groups(*groups)
        session = await self._stack.enter_async_context(aiohttp.ClientSession())
        self.platform = UnlimitedSlack(mode, self.redis, self._now)
        self._stack.push_async_callback(self.platform.close)
        webhooks = webhook_platform(self.redis)
        self._stack.push_async_callback(webhooks.close)
        platforms = (self.platform, webhooks)
        self.bot = wire(known, self.redis, session, platforms, durable=False, now=self._now)
        if mode.kind == "socket":
            await self._connect()
        else:
            await self._listen()

    async def stop(self) -> None:
        """Stop the bot as SIGTERM does: it first handles everything that it acknowledged."""
        await self._stack.aclose()

    def socket(self, token: str) -> ConnectionMode:
        """Return the settings of Socket Mode with a bot token."""
        return ConnectionMode(
            kind="socket", api_url=self.slack.api_url, bot_token=token, app_token=self.slack.app.app_token
        )

    def http_alone(self, token: str) -> ConnectionMode:
        """Return the settings of HTTP for one workspace, with a bot token."""
        return ConnectionMode(
            kind="http",
            api_url=self.slack.api_url,
            bot_token=token,
            signing_secret=self.slack.app.signing_secret,
            port=80,
        )

    def http(self, secret_key: str = SECRET_KEY) -> ConnectionMode:
        """Return the settings of HTTP for every workspace that installs the app."""
        return ConnectionMode(
            kind="http",
            api_url=self.slack.api_url,
            signing_secret=self.slack.app.signing_secret,
            client_id=self.slack.app.client_id,
            client_secret=self.slack.app.client_secret,
            secret_key=secret_key,
            port=80,
        )

    async def settled(self) -> None:
        """Wait until everything that Slack sent has been handled."""
        await self.platform.settled()

    async def _connect(self) -> None:
        running = asyncio.create_task(self.platform.run(self.bot.core))
        self._stack.push_async_callback(_end, running)
        opened = asyncio.create_task(self.slack.sockets.opened.wait())
        await asyncio.wait({running, opened}, return_when=asyncio.FIRST_COMPLETED)
        assert opened.done(), running.result()

    async def _listen(self) -> None:
        assert self.bot.web is not None
        app = self.bot.web.app(self.bot.core)
        server = await self._stack.enter_async_context(TestServer(app))
        self.address = str(server.make_url("")).rstrip("/")
        self.slack.at(self.address + EVENTS)


async def install(
    slack: Slack,
    address: str,
    person: Person,
    scopes: frozenset[str] | None = None,
    *,
    organization: bool = False,
) -> str:
    """Install the app in a browser, from the first page to the last. Return the last page.

    Browsers send the cookie only over TLS, which the test doesn't have, so the cookie is set by hand.
    """
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as browser:
        async with browser.get(f"{address}/slack/install") as page:
            cookie = page.headers["Set-Cookie"].partition(";")[0]
            link = unescape(re.findall(r'href="([^"]+/oauth/v2/authorize[^"]*)"', await page.text())[0])
        query = slack.oauth.approve(link, person, scopes, organization=organization)
        callback = f"{address}/slack/oauth_redirect"
        async with browser.get(callback, params=query, headers={"Cookie": cookie}) as page:
            return await page.text()


@asynccontextmanager
async def running(
    slack: Slack, redis: Redis, mode: Callable[[Running], ConnectionMode]
) -> AsyncIterator[Running]:
    """Yield a running bot; stop it at the end."""
    bot = Running(slack, redis)
    await bot.start(mode(bot))
    try:
        yield bot
    finally:
        await bot.stop()


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait({task})

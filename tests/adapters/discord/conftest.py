"""Fixtures: the double of Discord, and the platform that is connected to it."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import discord
import pytest
from discord.gateway import DiscordWebSocket
from redis.asyncio import Redis

from adapters.discord.platform import DiscordPlatform
from tests.adapters.discord.double import openapi
from tests.adapters.discord.double.service import DiscordDouble

RECEIVED = "discord_requests"
"""Key of the report from a test process to the one that prints the summary."""
reported = openapi.Tally()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Report the requests that this process has judged."""
    if (output := getattr(session.config, "workeroutput", None)) is not None:
        output[RECEIVED] = [
            openapi.tally.requests,
            sorted(openapi.tally.operations),
            openapi.tally.violations,
        ]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Add up the reports of the test processes."""
    requests, operations, violations = getattr(node, "workeroutput", {}).get(RECEIVED, (0, (), ()))
    reported.requests += requests
    reported.operations |= set(operations)
    reported.violations += violations


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print how many requests were judged by Discord's description."""
    seen = reported if reported.requests else openapi.tally
    if seen.requests:
        terminalreporter.write_line(
            f"Discord's OpenAPI description: {seen.requests} requests to {len(seen.operations)} operations, "
            f"{len(seen.violations)} violations"
        )


@pytest.fixture(autouse=True)
def _restore_discord_addresses() -> Iterator[None]:
    """Restore the addresses of discord.py, which are class attributes."""
    base, gateway = discord.http.Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY
    yield
    discord.http.Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY = base, gateway


@pytest.fixture
async def double() -> AsyncIterator[DiscordDouble]:
    """Yield a double of Discord on the loopback interface, without rate limits."""
    async with DiscordDouble(buckets=False).serve() as service:
        discord.http.Route.BASE = service.url
        yield service


@pytest.fixture
async def platform(double: DiscordDouble, redis: Redis) -> AsyncIterator[DiscordPlatform]:
    """Yield a platform connected to the double."""
    platform = DiscordPlatform(double.token, redis)
    yield platform
    await platform.close()

"""The separate processes of `ack`: the platforms' doubles, and polls that add papers.

A double's process has a small HTTP interface for the process that measures: `POST /typed` makes a person give a
command, `GET /posted` returns the number of posts that the double accepted.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from itertools import count, islice
from multiprocessing.connection import Connection
from pathlib import Path

from aiohttp import ClientSession, web
from redis.asyncio import Redis
from slack_sdk.oauth.installation_store import Installation

from adapters.slack.installations import RedisInstallationStore
from adapters.slack.manifest import manifest
from bot.domain.models import ChannelRef, ChannelSettings
from bot.encryption import Encryptor
from bot.ports import Batch
from bot.store.channel_rules import ChannelSettingsStore
from bot.store.connect import connect
from bot.store.embedded import EmbeddedServer
from bot.store.papers import Papers
from bot.store.subscriptions import Subscriptions
from tests.adapters.discord.double.interactions import interaction
from tests.adapters.discord.double.payloads import GUILD, guild_payload, text_channel
from tests.adapters.discord.double.service import DiscordDouble
from tests.adapters.slack.double import Slack
from tests.adapters.slack.double.people import Person
from tests.adapters.slack.double.world import Channel
from tests.bench import corpus
from tests.conftest import SHARED_DATA
from tests.replay import HuggingFaceReplay, serve

CHANNELS = 200
"""Number of subscribed channels, and so of deliveries per matching paper."""
IN_WORKSPACE = 4
"""Slack channels per workspace; a workspace accepts at most 300 posts a minute."""
COMMANDED = 2000
"""Id of the Discord channel in which the double's interactions happen."""
QUERY = "agentic"
KEY = "a-key-for-the-bench-alone"
DAY = date(2026, 5, 20)
PAGE_TAKES = 2.0
"""Seconds that Hugging Face takes to answer, so that the bot's own first poll, of 15 pages, lasts."""
INDEXED = 200
"""Papers per poll that match nothing, but must be indexed."""
POLL_EVERY = 9.0
"""Seconds between two polls, each of a paper for all channels: 1,000 deliveries in the time of 1,000 commands."""
FENCE = 1 << 40
"""A fencing number that no lease of the bot's poller exceeds."""

Typed = Callable[[str], Awaitable[object]]
"""Makes a person give a command. Returns what the measuring process needs, once it can continue."""


@dataclass(frozen=True, slots=True)
class Double:
    """A platform's double."""

    settings: Mapping[str, str]
    """Settings with which the bot reaches it."""
    typed: Typed
    posted: Callable[[], int]


def serve_double(platform: str, folder: Path, started: Connection) -> None:
    """Run a double's process: store its channels in `folder`, report all addresses, and serve until killed."""
    asyncio.run(_serve_double(platform, folder, started))


async def _serve_double(platform: str, folder: Path, started: Connection) -> None:
    async with DOUBLES[platform](folder) as double:

        async def typed(request: web.Request) -> web.Response:
            return web.json_response(await double.typed(await request.text()))

        async def posted(_request: web.Request) -> web.Response:
            return web.json_response(double.posted())

        control = web.Application()
        control.add_routes([web.post("/typed", typed), web.get("/posted", posted)])
        replay = HuggingFaceReplay(SHARED_DATA / "hf_daily", until=DAY, shift=DAY - datetime.now(UTC).date())
        slow = replay.app
        slow.middlewares.append(_slowly)
        async with serve(control) as address, serve(slow) as upstream:
            started.send((address, upstream, dict(double.settings)))
            await asyncio.Event().wait()


@web.middleware
async def _slowly(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    await asyncio.sleep(PAGE_TAKES)
    return await handler(request)


@asynccontextmanager
async def _slack(folder: Path) -> AsyncIterator[Double]:
    slack = Slack(manifest("http"))
    async with slack.serve():
        rooms = [room for number in range(CHANNELS // IN_WORKSPACE) for room in _rooms(slack, number)]
        await _install_slack(folder, slack, rooms)
        person, room = rooms[0]

        async def typed(line: str) -> object:
            return person.typed(room, line)

        settings = slack.http_settings | {"PAPERBOY_SECRET_KEY": KEY}
        yield Double(settings, typed, lambda: len(slack.calls("chat.postMessage")))


def _rooms(slack: Slack, number: int) -> list[tuple[Person, Channel]]:
    """Create a workspace's channels, and a person who is a member of all of them."""
    workspace = slack.workspace(f"lab{number}")
    person = slack.person(workspace)
    return [(person, slack.channel(workspace, f"papers{n}", person)) for n in range(IN_WORKSPACE)]


async def _install_slack(folder: Path, slack: Slack, rooms: list[tuple[Person, Channel]]) -> None:
    async with EmbeddedServer(folder) as server:
        redis = await connect(server.url)
        store = RedisInstallationStore(redis, Encryptor([KEY]))
        for person, channel in rooms:
            workspace = person.workspace
            if not workspace.bot_user:
                token = slack.world.install(workspace, person.user)
                await store.async_save(
                    Installation(
                        user_id=person.user,
                        team_id=workspace.id,
                        bot_token=token.value,
                        bot_user_id=workspace.bot_user,
                        bot_refresh_token=token.refresh,
                        bot_token_expires_in=43_000,
                    )
                )
            await _subscribe(redis, ChannelRef("slack", workspace.id, channel.id), person.user)
        await redis.aclose()


async def _subscribe(redis: Redis, channel: ChannelRef, by: str) -> None:
    """Subscribe a channel without flood control: each paper is one message."""
    await Subscriptions(redis).add(channel, QUERY, "now", by)
    await ChannelSettingsStore(redis).put(channel, ChannelSettings(digest_size=10_000))


@asynccontextmanager
async def _discord(folder: Path) -> AsyncIterator[Double]:
    discord = DiscordDouble()
    channels = [5000 + number for number in range(CHANNELS)]
    listed = [text_channel(number) for number in (COMMANDED, *channels)]
    discord.gateway.guilds = {0: [guild_payload() | {"channels": listed}]}
    answered: dict[str, asyncio.Future[None]] = {}
    numbers = count(1)

    async def listen() -> None:
        while True:
            identity, _, _ = await discord.callbacks.get()
            answered.pop(identity).set_result(None)

    async def typed(line: str) -> object:
        identity, (name, _, query) = str(next(numbers)), line.partition(" ")
        done = answered[identity] = asyncio.get_running_loop().create_future()
        options = {"query": query} if query else {}
        await discord.gateway.until(lambda: discord.gateway.shards == {0})
        await discord.gateway.dispatch("INTERACTION_CREATE", interaction(identity, name, **options))
        return await done

    async with discord.serve():
        async with EmbeddedServer(folder) as server:
            redis = await connect(server.url)
            for number in channels:
                channel = ChannelRef("discord", str(GUILD), str(number))
                await _subscribe(redis, channel, "4242 joe")
            await redis.aclose()
        listening = asyncio.create_task(listen())
        settings = {"DISCORD_TOKEN": discord.token, "DISCORD_API_URL": discord.url}
        yield Double(settings, typed, lambda: len(discord.messages))
        listening.cancel()


DOUBLES = {"slack": _slack, "discord": _discord}


def poll_papers(folder: Path) -> None:
    """Run a process that polls repeatedly; each poll has a paper for all channels, and others to index."""
    asyncio.run(_poll_papers(folder))


async def _poll_papers(folder: Path) -> None:
    redis, listed = await connect(EmbeddedServer(folder).url), iter(corpus.papers(100_000))
    papers = Papers(redis)
    clock = asyncio.get_running_loop().time
    began = clock()
    for poll in count(1):
        first, *others = islice(listed, 1 + INDEXED)
        paper = replace(first, title=f"{QUERY} {first.title}", published=datetime.now(UTC))
        batch = Batch(papers=(paper,), history=tuple(others), cursor=str(poll))
        await papers.ingest("bench", batch, FENCE)
        await asyncio.sleep(began + poll * POLL_EVERY - clock())


async def posted(session: ClientSession, control: str) -> int:
    """Return the number of posts that the double has accepted."""
    async with session.get(f"{control}/posted") as answer:
        return int(await answer.json())

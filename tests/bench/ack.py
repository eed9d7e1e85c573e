"""How fast commands are acknowledged while 1,000 deliveries are being sent and a poll runs.

    python -m tests.bench.ack --json

`paperboy run` is a separate program on its own server; the platform's double and the recorded upstream are in this
process. In the same run, the same commands while nothing else happens (`…_idle_ms_…`).

A platform is one function in PARTS: it starts the program on its double, waits for the deliveries, and answers
`<platform>_ack_ms_p50`, `<platform>_ack_ms_p99`, the same for idle, and what else is worth knowing. `measured` and
`figures` do what is the same for all.
"""

import argparse
import asyncio
import json
import socket
import sys
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from datetime import UTC, date, datetime
from http.client import HTTPConnection
from itertools import count, cycle
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory
from time import monotonic

from slack_sdk.oauth.installation_store import Installation

from adapters.slack.http import EVENTS
from adapters.slack.installations import RedisInstallationStore
from adapters.slack.manifest import manifest
from bot.domain.models import ChannelRef
from bot.encryption import Encryptor
from bot.store.connect import connect
from bot.store.embedded import EmbeddedServer
from bot.store.subscriptions import Subscriptions
from tests.adapters.discord.double.interactions import interaction
from tests.adapters.discord.double.payloads import GUILD, guild_payload
from tests.adapters.discord.double.service import DiscordDouble
from tests.adapters.slack.double import Slack
from tests.adapters.slack.double.links import encoded, signed
from tests.adapters.slack.double.people import Person
from tests.adapters.slack.double.world import Channel
from tests.conftest import SHARED_DATA
from tests.program import environment, running
from tests.replay import HuggingFaceReplay, serve

DAY = date(2026, 5, 20)
QUERY, MATCHES = "agentic", 5
"""So many papers of that day match, and each is a separate card."""
CHANNELS = 4
"""In a workspace."""
LINES = ("search diffusion", "list")
EVERY = 0.05
"""Seconds between two commands."""
IDLE = 200
"""Commands while nothing else happens."""
PATIENCE = 120.0
KEY = "a-key-for-the-bench-alone"

Ask = Callable[[str], Awaitable[float]]
"""Give a command line. -> seconds until it was acknowledged."""


async def measured(ask: Ask, done: Callable[[], bool]) -> list[float]:
    """Commands one after the other, until `done`. -> seconds of each"""
    asking: list[asyncio.Task[float]] = []
    for line in cycle(LINES):
        if done():
            break
        asking.append(asyncio.create_task(ask(line)))  # type: ignore[arg-type]  # they are coroutines
        await asyncio.sleep(EVERY)
    return list(await asyncio.gather(*asking))


def figures(platform: str, busy: list[float], idle: list[float]) -> dict[str, float]:
    """Milliseconds, as the keys say."""
    found: dict[str, float] = {}
    for name, seconds in ((f"{platform}_ack_ms", busy), (f"{platform}_ack_idle_ms", idle)):
        cuts = quantiles(seconds, n=100, method="inclusive")
        found |= {f"{name}_p50": round(1000 * cuts[49], 1), f"{name}_p99": round(1000 * cuts[98], 1)}
    return found


async def slack(deliveries: int) -> dict[str, float]:
    """Slack over HTTP: many workspaces, as one alone takes no more than 300 posts a minute."""
    double = Slack(manifest("http"))
    workspaces = -(-deliveries // (MATCHES * CHANNELS))
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(double.serve())
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="paperboy-bench-")))
        rooms = [_room(double, n) for n in range(workspaces)]
        await _prepare_slack(folder, double, [room for some in rooms for room in some])
        replay = HuggingFaceReplay(SHARED_DATA / "hf_daily", until=DAY, shift=DAY - datetime.now(UTC).date())
        upstream = await stack.enter_async_context(serve(replay.app))
        port = _free_port()
        env = environment(
            folder,
            upstream,
            PORT=str(port),
            SLACK_API_URL=double.api_url,
            SLACK_SIGNING_SECRET=double.app.signing_secret,
            SLACK_CLIENT_ID=double.app.client_id,
            SLACK_CLIENT_SECRET=double.app.client_secret,
            PAPERBOY_SECRET_KEY=KEY,
        )
        program = await stack.enter_async_context(running("run", env=env))
        assert program.stderr is not None
        reading = asyncio.create_task(_discard(program.stderr))
        stack.callback(reading.cancel)
        person, room = rooms[0][0]

        async def ask(line: str) -> float:
            body, content = encoded("slash_commands", person.typed(room, line))
            headers = {"Content-Type": content, **signed(double.app.signing_secret, body)}
            return await asyncio.to_thread(_acknowledged, port, body, headers)

        def posted() -> int:
            return len(double.calls("chat.postMessage"))

        await _listening(port)
        await double.until(posted, PATIENCE)
        began = monotonic()
        busy = await measured(ask, lambda: posted() >= deliveries or monotonic() - began > PATIENCE)
        seconds, sent = monotonic() - began, posted()
        counter = count()
        idle = await measured(ask, lambda: next(counter) >= IDLE)
        program.terminate()  # its server ends with it
        await program.wait()
    return figures("slack", busy, idle) | {
        "slack_deliveries": sent,
        "slack_seconds": round(seconds, 1),
        "slack_commands": len(busy),
    }


def _acknowledged(port: int, body: str, headers: Mapping[str, str]) -> float:
    """Seconds until a command was. In a thread: the double's work in the event loop is not to be measured."""
    connection = HTTPConnection("127.0.0.1", port, timeout=3)
    began = monotonic()
    connection.request("POST", EVENTS, body.encode(), dict(headers))
    status = connection.getresponse().status
    took = monotonic() - began
    connection.close()
    assert status == 200, status
    return took


def _room(double: Slack, number: int) -> list[tuple[Person, Channel]]:
    """A workspace with its channels, and a person who is in all of them."""
    workspace = double.workspace(f"lab{number}")
    person = double.person(workspace)
    return [(person, double.channel(workspace, f"papers{n}", person)) for n in range(CHANNELS)]


async def _prepare_slack(folder: Path, double: Slack, rooms: list[tuple[Person, Channel]]) -> None:
    async with EmbeddedServer(folder) as server:
        redis = await connect(server.url)
        store, subscriptions = RedisInstallationStore(redis, Encryptor([KEY])), Subscriptions(redis)
        for person, channel in rooms:
            workspace = person.workspace
            if not workspace.bot_user:
                token = double.world.install(workspace, person.user)
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
            await subscriptions.add(ChannelRef("slack", workspace.id, channel.id), QUERY, "now", person.user)
        await redis.aclose()


async def _discard(stream: asyncio.StreamReader) -> None:
    while await stream.read(65_536):
        continue


async def _listening(port: int) -> None:
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.1)
                continue
            writer.close()
            return


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def discord(deliveries: int) -> dict[str, float]:
    """Discord: one bot for all servers, which takes no more than 50 posts a second."""
    double = DiscordDouble()
    double.gateway.guilds = {0: [guild_payload()]}
    answered: dict[str, asyncio.Future[float]] = {}
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(double.serve())
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="paperboy-bench-")))
        await _prepare_discord(folder, -(-deliveries // MATCHES))
        replay = HuggingFaceReplay(SHARED_DATA / "hf_daily", until=DAY, shift=DAY - datetime.now(UTC).date())
        upstream = await stack.enter_async_context(serve(replay.app))
        env = environment(folder, upstream, DISCORD_TOKEN=double.token, DISCORD_API_URL=double.url)
        program = await stack.enter_async_context(running("run", env=env))
        assert program.stderr is not None
        reading = asyncio.create_task(_discard(program.stderr))
        stack.callback(reading.cancel)

        async def listen() -> None:
            while True:
                identity, _, at = await double.callbacks.get()
                answered[identity].set_result(at)

        listening = asyncio.create_task(listen())
        stack.callback(listening.cancel)
        numbers = count(1)

        async def ask(line: str) -> float:
            identity, (name, _, query) = str(next(numbers)), line.partition(" ")
            answered[identity] = asyncio.get_running_loop().create_future()
            options = {"query": query} if query else {}
            began = monotonic()
            await double.gateway.dispatch("INTERACTION_CREATE", interaction(identity, name, **options))
            return await answered[identity] - began

        async with asyncio.timeout(PATIENCE):
            await double.gateway.until(lambda: double.gateway.shards == {0})
            while not double.messages:  # noqa: ASYNC110  # the double counts for itself
                await asyncio.sleep(0.05)
        began = monotonic()
        busy = await measured(
            ask, lambda: len(double.messages) >= deliveries or monotonic() - began > PATIENCE
        )
        seconds, sent = monotonic() - began, len(double.messages)
        counter = count()
        idle = await measured(ask, lambda: next(counter) >= IDLE)
    return figures("discord", busy, idle) | {
        "discord_deliveries": sent,
        "discord_seconds": round(seconds, 1),
        "discord_commands": len(busy),
        "discord_turned_away": double.too_fast + double.too_fast_in_channel,
    }


async def _prepare_discord(folder: Path, channels: int) -> None:
    async with EmbeddedServer(folder) as server:
        redis = await connect(server.url)
        subscriptions = Subscriptions(redis)
        for number in range(channels):
            channel = ChannelRef("discord", str(GUILD), str(5000 + number))
            await subscriptions.add(channel, QUERY, "now", "4242 joe")
        await redis.aclose()


PARTS: Mapping[str, Callable[[int], Awaitable[dict[str, float]]]] = {"slack": slack, "discord": discord}


async def run(names: list[str], deliveries: int) -> dict[str, float]:
    """The parts, one after the other: each has the machine for itself."""
    found: dict[str, float] = {}
    for name in names:
        found |= await PARTS[name](deliveries)
    return found


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("platforms", nargs="*", default=list(PARTS), help=f"of {', '.join(PARTS)}")
    parser.add_argument("--deliveries", type=int, default=1000)
    parser.add_argument("--json", action="store_true", help="only the figures, as one line")
    options = parser.parse_args()
    if not SHARED_DATA.is_dir():
        raise SystemExit("recorded data is not here (expected in ../shared/data)")
    sys.stdout.write(json.dumps(asyncio.run(run(options.platforms, options.deliveries))) + "\n")


if __name__ == "__main__":
    main()

"""Attacks on the running program by feeds and webhooks that lead to private addresses: by redirects, and by names that
first resolve to a public address and then to a private one.

127.0.0.1 is allowed here and stands for the public Internet. 127.0.0.2 and ::1 are the private network.
"""

import asyncio
import json
import os
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiohttp import web
from redis.asyncio import Redis

from bot.store.polls import last_polls
from tests.adapters.email.test_program import Upstream
from tests.adapters.webhook.listener import Listener, certificate
from tests.ports import free_port
from tests.program import environment, running, start
from tests.replay import serve
from tests.waiting import until

NAMES = Path(__file__).parent / "lying_names"
PUBLIC = "127.0.0.1"
PRIVATE = "127.0.0.2", "::1"
SECRET = "what only the private network may read"  # only text to look for
FEED = """<?xml version="1.0"?><rss version="2.0"><channel><title>F</title><item><title>An honest paper</title>
<link>https://example.org/1</link><guid>https://example.org/1</guid></item></channel></rss>"""


@dataclass
class Networks:
    """A public server that redirects, and a private one on the same port."""

    port: int
    reached: list[str] = field(default_factory=list)
    """First lines of requests that reached the private network."""
    asked: Counter[str] = field(default_factory=Counter)
    """Path of the public server -> number of requests."""

    @property
    def redirects(self) -> Mapping[str, str]:
        """Return path -> target of the redirect."""
        port = self.port
        return {
            "loopback": f"http://127.0.0.2:{port}/",
            "six": f"http://[::1]:{port}/",
            "mapped": f"http://[::ffff:127.0.0.2]:{port}/",
            "number": f"http://2130706434:{port}/",
            "octal": f"http://0177.0.0.2:{port}/",
            "short": f"http://127.2:{port}/",
            "fullwidth": f"http://127。0。0。2:{port}/",
            "metadata": "http://169.254.169.254/latest/meta-data/",
            "nat64": f"http://[64:ff9b::7f00:2]:{port}/",
            "user": f"http://127.0.0.1@127.0.0.2:{port}/",
            "chain": f"http://{PUBLIC}:{port}/loopback",
            "rebound": f"http://rebinding.test:{port}/feed",
            "file": "file:///etc/passwd",
            "other": f"gopher://127.0.0.2:{port}/",
            "slashes": f"//127.0.0.2:{port}/",
            "backslash": f"http://127.0.0.1:{port}\\@127.0.0.2:{port}/",
        }

    @asynccontextmanager
    async def open(self) -> AsyncIterator["Networks"]:
        app = web.Application()
        app.router.add_get("/{path:.*}", self._public)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, PUBLIC, self.port).start()
        traps = [await asyncio.start_server(self._private, host, self.port) for host in PRIVATE]
        try:
            yield self
        finally:
            for trap in traps:
                trap.close()
            await runner.cleanup()

    async def _public(self, request: web.Request) -> web.StreamResponse:
        path = request.path.strip("/")
        self.asked[path] += 1
        if to := self.redirects.get(path):
            return web.Response(status=302 + (len(path) % 2) * 5, headers={"Location": to})
        return web.Response(text=FEED, content_type="application/rss+xml")

    async def _private(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reached.append(repr((await reader.read(200))[:80]))
        writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: {len(SECRET)}\r\n\r\n{SECRET}".encode())
        writer.close()


def lying(folder: Path, **names: list[list[str]]) -> dict[str, str]:
    """Return the environment in which a program resolves names to these addresses; `_` in a name stands for a dot."""
    path = folder / "names.json"
    path.write_text(json.dumps({name.replace("_", "."): found for name, found in names.items()}))
    known = os.environ.get("PYTHONPATH", "")
    return {"PYTHONPATH": f"{NAMES}{os.pathsep}{known}" if known else str(NAMES), "LYING_NAMES": str(path)}


@pytest.mark.timeout(120)
async def test_no_feed_leads_into_a_private_network(tmp_path: Path, redis: Redis, valkey: str) -> None:
    async with Networks(free_port()).open() as networks:
        feeds = {path: f"http://{PUBLIC}:{networks.port}/{path}" for path in networks.redirects}
        feeds |= {
            "honest": f"http://{PUBLIC}:{networks.port}/feed",
            "named": f"http://honest.test:{networks.port}/feed",
            "private": f"http://private.test:{networks.port}/feed",
            "either": f"http://either.test:{networks.port}/feed",
            "sixth": f"http://six.test:{networks.port}/feed",
        }
        settings = {
            "REDIS_URL": valkey,
            "PAPERBOY_FEEDS": " ".join(f"{name}={url}" for name, url in feeds.items()),
            "PAPERBOY_FEEDS_PRIVATE": f"{PUBLIC}/32",
            **lying(
                tmp_path,
                honest_test=[[PUBLIC]],
                rebinding_test=[["127.0.0.2"], [PUBLIC], ["127.0.0.2"]],
                private_test=[["127.0.0.2"]],
                either_test=[["127.0.0.2", "::1"]],
                six_test=[["::1"]],
            ),
        }
        async with running("run", env=environment(tmp_path, **settings)) as process:

            async def polled() -> bool:
                return feeds.keys() <= (await last_polls(redis)).keys()

            await until(polled, "every feed to be requested once", within=60)
            process.terminate()
            _, log = await process.communicate()
        assert networks.reached == []
        errors = {name: poll.error for name, poll in (await last_polls(redis)).items() if name in feeds}
        assert {name for name, error in errors.items() if error is None} == {"honest", "named"}, errors
        assert set(networks.redirects) <= set(networks.asked), "each redirect was answered"
        assert "not a public address" in str(errors["metadata"])
        assert SECRET not in log.decode() + str(errors)
        assert "root:" not in log.decode() + str(errors)


@pytest.mark.timeout(120)
async def test_no_webhook_leads_into_a_private_network(tmp_path: Path, redis: Redis, valkey: str) -> None:
    """A name is resolved when a webhook is added, and again for each post."""
    upstream = Upstream()
    async with (
        Listener().open() as listener,
        Networks(free_port()).open() as networks,
        serve(upstream.app) as hugging_face,
    ):
        port = listener.url.rpartition(":")[2]
        settings = {
            "REDIS_URL": valkey,
            "SSL_CERT_FILE": str(certificate()),
            "PAPERBOY_SECRET_KEY": "a key that can't be guessed",
            "PAPERBOY_WEBHOOKS_PRIVATE": f"{PUBLIC}/32",
            **lying(tmp_path, rebinding_test=[[PUBLIC], ["127.0.0.2"]], private_test=[["::1"]]),
        }
        env = environment(tmp_path, hugging_face, **settings)
        commands = (
            "subscribe robots every:now",
            "settings weekends:on",
            f"webhook add https://{PUBLIC}:{port}/redirecting",
            f"webhook add https://rebinding.test:{networks.port}/",
            f"webhook add https://private.test:{networks.port}/",
        )
        answers = await once(env, *commands)
        assert "private.test is in a private network" in answers
        assert answers.count('"heading":"Webhook #') == 2, answers
        listener.always, listener.redirect = "307", f"http://127.0.0.2:{networks.port}/"
        upstream.titles.append("Robots diffuse")

        async def both_failed() -> bool:
            return len([key async for key in redis.scan_iter("pb:{webhook}:failing:*")]) == 2

        lying(tmp_path, rebinding_test=[["127.0.0.2"]])  # the name has changed since it was resolved
        async with running("run", env=env) as process:
            await until(both_failed, "both webhooks to fail", within=60)
            process.terminate()
            posted, _ = await process.communicate()
        assert b"Robots diffuse" in posted
        assert listener.asked >= 1, "the redirect was answered"
        assert networks.reached == []


async def once(env: Mapping[str, str], *commands: str) -> str:
    """Run `paperboy run --once`. Returns what it prints, and its log."""
    process = await start("run", "--once", env=env)
    out, log = await process.communicate("".join(f"{line}\n" for line in commands).encode())
    assert process.returncode == 0, log.decode()
    assert b"Traceback" not in log
    return out.decode()

"""A chat platform as strict as a real one, and as unreliable as a test wants it.

`FakeService` is the platform itself: it accepts posts over HTTP and records each one before it answers, or
doesn't answer. `FakePlatform` is its adapter.
"""

import asyncio
import json
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from time import monotonic, time
from typing import Literal

from aiohttp import ClientConnectorError, ClientError, ClientSession, web

from bot.cards import Card, PaperBlock
from bot.domain.errors import (
    CardRefused,
    ChannelGone,
    DeliveryUncertain,
    LookupUnsupported,
    RetryLater,
    WorkspaceGone,
)
from bot.domain.models import ChannelRef, MessageRef
from bot.ports import Core, Rates

Fault = Literal["lose", "500", "429", "hang", "gone", "workspace gone", "refuse", "odd"]

REFUSALS = {"gone": 410, "workspace gone": 401, "refuse": 422, "odd": 418}
"""Fault -> status of the answer; the post isn't accepted."""
LIVES = 300.0
"""Seconds for which a platform that dedupes remembers a key."""


@dataclass(frozen=True, slots=True)
class Post:
    """A message that the platform accepted."""

    id: str
    at: float
    """Seconds since 1970."""
    channel: str
    key: str
    papers: tuple[str, ...]


@dataclass(kw_only=True)
class Weather:
    """The faults: some hit a share of all posts, others every post."""

    lose: float = 0.0
    """The post is accepted, and the connection is dropped before the answer."""
    lose_first: bool = False
    """The answer to the first post of each key is lost."""
    error: float = 0.0
    """500; half of the time the post was accepted."""
    limit: float = 0.0
    """429: not accepted, and the channel accepts no post for `retry_after` seconds."""
    retry_after: float = 0.2
    always: dict[str, Fault] = field(default_factory=dict)
    """Channel (as text) -> its fault."""
    down: bool = False
    """Everything gets a 503; nothing is accepted."""
    proxied: bool = False
    """A proxy in between answers everything with its own page; nothing is accepted."""
    firewall: str = ""
    """A proxy in between answers every body that contains this word with its own page, and doesn't pass it on."""
    delay: float = 0.0
    """Latency in seconds of a post, and of its answer."""


class FakeService:
    """The platform. It alone records what tests judge by."""

    def __init__(
        self,
        *,
        weather: Weather | None = None,
        can_tell: bool = True,
        dedupes: bool = False,
        log: Path | None = None,
        seed: int = 1,
    ) -> None:
        self.weather = weather or Weather()
        self.posts: list[Post] = []
        self.asked: list[str] = []
        self.requests = 0
        """Number of posts requested, accepted or not."""
        self.listed: list[str] = []
        """Papers that the service lists for a source."""
        self.hold: asyncio.Event | None = None
        """If set, the next listing is answered only after this event; `held` is set when the request has arrived."""
        self.held = asyncio.Event()
        self.too_early: list[str] = []
        """Channels posted to before Retry-After was over."""
        self._can_tell = can_tell
        self._dedupes = dedupes
        self._log = log
        self._random = random.Random(seed)
        self._not_before: dict[str, float] = {}
        self._next = 0
        self.url = ""

    @asynccontextmanager
    async def serve(self, port: int = 0) -> AsyncIterator["FakeService"]:
        """Listen on loopback."""
        app = web.Application()
        app.router.add_post("/post", self._post)
        app.router.add_get("/find", self._find)
        app.router.add_get("/papers", self._papers)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", port)
        await site.start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield self
        finally:
            await runner.cleanup()

    def doubled(self) -> dict[tuple[str, str], int]:
        """Return (channel, paper) -> number of posts, for those posted more than once."""
        return {pair: n for pair, n in self.counts().items() if n > 1}

    def counts(self) -> Counter[tuple[str, str]]:
        """Return (channel, paper) -> how often it was posted there."""
        return Counter((post.channel, paper) for post in self.posts for paper in post.papers)

    async def _post(self, request: web.Request) -> web.StreamResponse:  # noqa: C901, PLR0911  # one line per fault
        body = await request.json()
        self.requests += 1
        channel, key = body["channel"], body["key"]
        await asyncio.sleep(self.weather.delay)
        weather, now = self.weather, monotonic()
        if weather.down:
            return web.Response(status=503)
        if weather.firewall and weather.firewall in json.dumps(body):
            return web.Response(status=406, text="<html>Not acceptable</html>", content_type="text/html")
        if weather.proxied:
            return web.Response(status=403, text="<html>Access denied</html>", content_type="text/html")
        if now < self._not_before.get(channel, 0.0):
            self.too_early.append(channel)
            return self._limited(channel, now)
        fault = weather.always.get(channel) or self._chance()
        if weather.lose_first and all(post.key != key for post in self.posts):
            fault = "lose"
        if fault in REFUSALS:
            return web.Response(status=REFUSALS[fault])
        if fault == "429":
            return self._limited(channel, now)
        if fault == "500" and self._random.random() < 0.5:
            return web.Response(status=500)
        if fault == "hang":
            await asyncio.sleep(3600)
        accepted = self._take(channel, key, tuple(body["papers"]))
        await asyncio.sleep(self.weather.delay)
        if fault == "500":
            return web.Response(status=500)
        if fault == "lose" and request.transport is not None:  # otherwise the worker was killed meanwhile
            request.transport.abort()
        return web.json_response({"id": accepted.id})

    def _chance(self) -> Fault | None:
        weather, dice = self.weather, self._random.random()
        if dice < weather.lose:
            return "lose"
        if dice < weather.lose + weather.error:
            return "500"
        return "429" if dice < weather.lose + weather.error + weather.limit else None

    def _limited(self, channel: str, now: float) -> web.Response:
        wait = self.weather.retry_after
        self._not_before[channel] = max(self._not_before.get(channel, 0.0), now + wait)
        left = self._not_before[channel] - now
        return web.Response(status=429, headers={"Retry-After": f"{left:.3f}"})

    def _take(self, channel: str, key: str, papers: tuple[str, ...]) -> Post:
        if self._dedupes:
            for post in reversed(self.posts):
                if time() - post.at > LIVES:
                    break
                if post.key == key:
                    return post
        self._next += 1
        post = Post(f"m{self._next}", time(), channel, key, papers)
        if self._log is not None:
            with self._log.open("a", encoding="utf-8") as log:
                log.write(json.dumps([post.id, post.at, post.channel, post.key, post.papers]) + "\n")
        self.posts.append(post)
        return post

    async def _papers(self, request: web.Request) -> web.Response:
        gate, self.hold = self.hold, None
        if gate is not None:
            self.held.set()
            await gate.wait()
        return web.json_response(self.listed[int(request.query["from"]) :])

    async def _find(self, request: web.Request) -> web.StreamResponse:
        key = request.query["key"]
        self.asked.append(key)
        if self.weather.down:
            return web.Response(status=503)
        if self.weather.proxied:
            return web.Response(status=403, text="<html>Access denied</html>", content_type="text/html")
        if not self._can_tell:
            return web.Response(status=501)
        since = float(request.query["since"])
        for post in self.posts:
            if post.key == key and post.channel == request.query["channel"] and post.at >= since:
                return web.json_response({"id": post.id})
        return web.Response(status=404)


class FakePlatform:
    """The adapter for a `FakeService`. `looks=False` disables reconciliation: `find` never finds a post."""

    name = "fake"
    on_uncertain: Literal["resend", "hold"] = "resend"

    def __init__(
        self, url: str, session: ClientSession, *, rates: Rates | None = None, looks: bool = True
    ) -> None:
        self.rates = rates or Rates()
        self._url = url
        self._session = session
        self._looks = looks
        self.notified: list[tuple[str, str]] = []
        self.reaches: Callable[[], bool] = lambda: True

    async def run(self, core: Core) -> None:  # noqa: ARG002  # the port has it
        """Takes no commands."""
        await asyncio.Event().wait()

    async def send(self, to: ChannelRef, card: Card, key: str) -> MessageRef:  # noqa: C901  # one line per fault
        papers = [block.paper_id for block in card.blocks if isinstance(block, PaperBlock)]
        body = {"channel": str(to), "key": key, "papers": papers}
        try:
            async with self._session.post(f"{self._url}/post", json=body) as response:
                match response.status:
                    case 200:
                        return MessageRef((await response.json())["id"])
                    case 429:
                        after = float(response.headers["Retry-After"])
                        raise RetryLater("slow down", after=after, counts=False)
                    case 410:
                        raise ChannelGone("the channel was archived")
                    case 401:
                        raise WorkspaceGone("the token was revoked")
                    case 422:
                        raise CardRefused("invalid blocks")
                    case 403:
                        raise RetryLater("a proxy answered", counts=False, scope="platform", unexplained=True)
                    case 406 | 418 as status:
                        raise _unexplained(status)
                    case 503:
                        raise RetryLater("the platform is down")
                    case status:
                        raise DeliveryUncertain(f"the platform said {status}")
        except ClientConnectorError as error:
            raise RetryLater(f"not connected: {error}") from error
        except ClientError as error:
            raise DeliveryUncertain(f"no answer: {error!r}") from error

    async def find(self, to: ChannelRef, key: str, since: datetime) -> MessageRef | None:
        if not self._looks:
            return None
        query = {"channel": str(to), "key": key, "since": str(since.timestamp())}
        try:
            async with self._session.get(f"{self._url}/find", params=query) as response:
                if response.status == 501:
                    raise LookupUnsupported("this platform has no history")
                if response.status == 404:
                    return None
                if response.status == 403:
                    raise RetryLater("a proxy answered", counts=False, scope="platform")
                response.raise_for_status()
                return MessageRef((await response.json())["id"])
        except ClientError as error:
            raise RetryLater(f"no answer: {error!r}") from error

    async def notify(self, channel: ChannelRef, problem: str) -> bool:
        """Record the notification; `reaches` returns whether anyone was reached, or raises."""
        self.notified.append((str(channel), problem))
        return self.reaches()

    async def close(self) -> None:
        """Close nothing: the session belongs to the test."""


def _unexplained(status: int) -> RetryLater:
    """Return the error for a firewall's page, which may concern everything, or for an undocumented answer."""
    if status == 406:
        return RetryLater("a firewall answered", after=10.0, scope="platform", counts=False, unexplained=True)
    return RetryLater("error i_am_a_teapot", after=60.0, counts=False, unexplained=True)

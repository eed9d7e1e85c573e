"""Malformed requests get 4xx, never 5xx: 10,000 random ones over all routes and methods, and the worst by name."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from ipaddress import ip_network
from typing import Any
from urllib.parse import quote

import aiohttp
import mcp.server.mcpserver  # noqa: F401  # import here: CPython 3.11 can't always compile in a thread what pytest rewrites (anyio)
import pytest
from aiohttp.test_utils import TestServer
from pydantic import SecretStr
from redis.asyncio import Redis

from adapters.email.settings import EmailSettings
from adapters.slack.settings import SlackSettings
from bot.app import build_platforms
from bot.clock import wall_clock
from bot.settings import Settings
from bot.sources.arxiv import ArxivSettings
from bot.sources.huggingface import HuggingFaceSettings
from bot.store.limits import Limits
from bot.wiring import wire
from tests.program import NOWHERE

pytestmark = [
    pytest.mark.filterwarnings("ignore::aiohttp.multipart.BadContentDispositionHeader"),
    pytest.mark.filterwarnings("ignore::aiohttp.multipart.BadContentDispositionParam"),
]
KEY = "a key that can't be guessed"
METHODS = (
    "GET",
    "POST",
    "PUT",
    "PATCH",
    "DELETE",
    "HEAD",
    "OPTIONS",
    "TRACE",
    "CONNECT",
    "get",
    "BREW",
    "P\xc3\xb6ST",
)
NUMBER = "9" * 5_000
NASTY: Sequence[bytes] = [
    *(
        b"",
        b"0",
        b"-1",
        b"1e999",
        NUMBER.encode(),
        b"%00",
        b"\x00",
        b"%ED%A0%80",
        b"\xed\xa0\x80",
        b"%FF%FE",
        b"\xff",
    ),
    *(
        b"%",
        b"%zz",
        b"%E2%80%AE",
        "ä\u202e𝕏".encode(),
        b"a" * 3_000,
        b"(" * 1_000,
        b"<@" * 500,
        b"&#" * 500,
        b"$\\" * 300,
    ),
    *(
        b"..%2f..%2f",
        b"//evil.example",
        b"{{7*7}}",
        b"' OR 1=1 --",
        b"=?utf-8?q?=0d=0aBcc:_v@b.co?=",
        b"\t",
        b"%0d%0aX: y",
    ),
]
TYPES: Sequence[bytes] = [
    b"application/x-www-form-urlencoded",
    b"application/x-www-form-urlencoded; charset=utf-16",
    b"application/x-www-form-urlencoded; charset=klingon",
    b"application/x-www-form-urlencoded; charset=\xff",
    b"multipart/form-data",
    b"multipart/form-data; boundary=",
    b"multipart/form-data; boundary=x",
    b"multipart/form-data; boundary=" + b"x" * 200,
    *(b"multipart/mixed; boundary=x", b"application/json", b"text/plain; charset=rot13", b"message/rfc822"),
    *(b"\xff\xfe", b"/", b"", b";;;", b"application/json; charset=utf-8; charset=latin1"),
]
HEADERS: Sequence[bytes] = [
    b"X-Slack-Signature: v0=\xc3\xa4\xc3\xb6",
    b"X-Slack-Signature: v0=" + b"0" * 64,
    b"X-Slack-Request-Timestamp: " + NUMBER.encode(),
    b"X-Slack-Request-Timestamp: " + b"9" * 400,
    b"X-Slack-Request-Timestamp: -1",
    "X-Slack-Request-Timestamp: ١٢٣".encode(),
    b"X-Slack-Request-Timestamp: 1e5",
    b"Content-Encoding: gzip",
    b"Content-Encoding: deflate",
    b"Content-Encoding: br",
    b"Cookie: " + b"a=b; " * 500,
    b"Cookie: slack-app-oauth-state=\xff; =; ;;",
    b"Authorization: Bearer \xff",
    b"X-Forwarded-For: " + b"1.2.3.4," * 400,
    b"X-Forwarded-For: \x00, ::ffff:1.2.3.4, fe80::1%eth0, 999.1.1.1",
    b"Range: bytes=" + NUMBER.encode(),
    b"If-Modified-Since: " + b"9" * 100,
    b"Expect: 100-continue",
    b"Expect: nonsense",
    b"Upgrade: websocket\r\nConnection: upgrade",
    b"Transfer-Encoding: gzip",
    b"X-Long: " + b"x" * 9_000,
    b"\xff: x",
    b": x",
    b"No colon",
]
COMMON_FIELDS = (
    b"q",
    b"page",
    b"address",
    b"query",
    b"zone",
    b"every",
    b"do",
    b"say",
    b"command",
    b"ticket",
    b"state",
    b"code",
)
MORE_FIELDS = (
    b"payload",
    b"subscription",
    b"paper",
    b"hour",
    b"List-Unsubscribe",
    b"token",
    b"challenge",
    b"error",
)
FIELDS = COMMON_FIELDS + MORE_FIELDS


@dataclass
class Site:
    """The whole site as a server for raw bytes, with a count of its answers by status."""

    port: int
    routes: Sequence[str]
    statuses: Counter[int] = field(default_factory=Counter)

    async def send(self, request: bytes) -> int:
        """Send a request. Returns the status of the answer, or 0 if the connection was closed without one."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            writer.write(request)
            async with asyncio.timeout(20):
                line = await reader.readline()
        except ConnectionError:
            line = b""
        except TimeoutError:
            line = b"HTTP/1.1 599"
        finally:
            writer.close()
        status = int(line.split()[1]) if line.startswith(b"HTTP/1.") else 0
        self.statuses[status] += 1
        return status


@asynccontextmanager
async def whole_site(redis: Redis) -> AsyncIterator[Site]:
    """Serve all routes: probes, pages, mail, and a Slack app that workspaces install."""
    settings = Settings(
        public_url="https://papers.example.org",
        secret_key=SecretStr(KEY),
        trusted_proxies=(ip_network("127.0.0.0/8"),),
        **PORT,
    ).with_groups(
        HuggingFaceSettings(huggingface_url=NOWHERE),
        ArxivSettings(arxiv_api_url=NOWHERE, arxiv_oai_url=NOWHERE),
        EmailSettings(**MAIL),
        SlackSettings(**SLACK),
    )
    platforms = build_platforms(settings, redis, frozenset())
    async with aiohttp.ClientSession() as session:
        bot = wire(settings, redis, session, platforms, durable=False, now=wall_clock)
        assert bot.web is not None
        app = bot.web.app(bot.core)
        routes = sorted({route.resource.canonical for route in app.router.routes() if route.resource})
        async with TestServer(app) as server:
            assert server.port is not None
            yield Site(server.port, routes)
        for platform in platforms:
            await platform.close()
        await bot.search.close()


MAIL: dict[str, Any] = {"SMTP_URL": "smtp://127.0.0.1:9", "mail_from": "papers@example.org"}
PORT: dict[str, Any] = {"PORT": 1}
SLACK: dict[str, Any] = {
    "SLACK_SIGNING_SECRET": "planted",
    "SLACK_CLIENT_ID": "1.2",
    "SLACK_CLIENT_SECRET": "planted",
    "SLACK_API_URL": f"{NOWHERE}/api/",
}


@pytest.fixture
async def site(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Site]:
    async def unlimited(*_args: object) -> None:
        """Count nothing; otherwise most requests would only reach the rate limit."""

    monkeypatch.setattr(Limits, "count", unlimited)
    monkeypatch.setattr("bot.web.requests.BODY_SECONDS", 0.2)
    async with whole_site(redis) as site:
        yield site


def random_request(dice: random.Random, routes: Sequence[str]) -> bytes:
    """Return a request that is malformed in some ways."""
    path = dice.choice(routes).encode()
    for name in (b"{token}", b"{version}"):
        path = path.replace(name, quote(dice.choice(NASTY)[:300] or b"x").encode())
    if dice.random() < 0.05:
        path = (
            dice.choice([b"/", b"", b"*", b"//", b"/%00", b"/email/act/%ff", b"/a\xff", b"http://evil/"])
            + path
        )
    query = b"&".join(
        dice.choice(FIELDS) + b"=" + nasty_value(dice)[:2_500] for _ in range(dice.choice([0, 0, 1, 1, 60]))
    )
    target = path + (b"?" + query if query else b"")
    head = [
        dice.choice(METHODS + ("GET", "POST") * 6).encode("latin-1")
        + b" "
        + target
        + b" HTTP/1."
        + dice.choice([b"1", b"1", b"0", b"9"])
    ]
    head += [b"Host: papers.example.org", b"Connection: close"]
    head += dice.sample(HEADERS, dice.choice([0, 0, 0, 0, 1, 3]))
    body = dice.choice(BODIES)(dice)
    if body:
        head.append(b"Content-Type: " + (TYPES[0] if dice.random() < 0.4 else dice.choice(TYPES)))
        if dice.random() < 0.2:
            head.append(b"Transfer-Encoding: chunked")
            body = dice.choice([b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body), b"zz\r\n" + body, body])
        else:
            head.append(b"Content-Length: %d" % (len(body) + dice.choice([0, 0, 0, 0, 5, -1])))
    return b"\r\n".join(head) + b"\r\n\r\n" + body


def nasty_value(dice: random.Random) -> bytes:
    """Return a nasty value, mostly percent-encoded as it should be."""
    nasty = dice.choice(NASTY)
    return quote(nasty).encode() if dice.random() < 0.9 else nasty


def form(dice: random.Random) -> bytes:
    return b"&".join(
        dice.choice(FIELDS) + b"=" + dice.choice(NASTY) for _ in range(dice.choice([1, 2, 6, 100]))
    )


def multipart(dice: random.Random) -> bytes:
    disposition = dice.choice(
        [
            b'form-data; name="address"',
            b"form-data",
            b'form-data; name="a"; filename="f"',
            b"x" * 500,
            b"\xff",
        ]
    )
    ending = dice.choice([b"--x--\r\n", b"", b"--x", b"--y--\r\n"])
    extra = dice.choice(
        [b"", b"Content-Transfer-Encoding: base64\r\n", b"Content-Type: text/plain; charset=klingon\r\n"]
    )
    return (
        b"--x\r\nContent-Disposition: "
        + disposition
        + b"\r\n"
        + extra
        + b"\r\n"
        + dice.choice(NASTY)
        + b"\r\n"
        + ending
    )


BODIES: Sequence[Callable[[random.Random], bytes]] = [
    lambda _dice: b"",
    form,
    form,
    multipart,
    lambda dice: dice.randbytes(dice.choice([1, 100, 5_000])),
    lambda _dice: b'{"type": "url_verification", "challenge": ' + b"[" * 2_000,
    lambda _dice: b"payload=" + quote('{"type": "block_actions", "actions": [{}], "user": null}').encode(),
    lambda _dice: b"\x1f\x8b\x08\x00" + b"\x00" * 50,
]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", range(4))
async def test_random_requests_are_never_answered_with_5xx(site: Site, seed: int) -> None:
    dice = random.Random(seed)
    assert {"/", "/healthz", "/email/link", "/email/act/{token}", "/slack/events", "/slack/install"} <= set(
        site.routes
    )
    failed: list[tuple[int, bytes]] = []

    async def send_some() -> None:
        for _ in range(250):
            request = random_request(dice, site.routes)
            status = await site.send(request)
            # 501 is the right answer to an unknown transfer coding.
            if status >= 500 and not (status == 503 and b"/readyz" in request) and status != 501:
                failed.append((status, request[:600]))

    await asyncio.gather(*(send_some() for _ in range(10)))
    assert failed == [], site.statuses
    assert site.statuses.total() == 2_500
    assert site.statuses[200] > 50
    assert site.statuses[400] > 300


def request(target: str | bytes, body: bytes = b"", *headers: bytes, method: bytes = b"GET") -> bytes:
    target = target.encode() if isinstance(target, str) else target
    lines = [method + b" " + target + b" HTTP/1.1", b"Host: x", b"Connection: close", *headers]
    if body:
        lines.append(b"Content-Length: %d" % len(body))
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


FORM = b"Content-Type: application/x-www-form-urlencoded"
NAMED: dict[str, tuple[bytes, int]] = {
    "a page number of 5,000 digits": (request(f"/?q=a&page={NUMBER}"), 200),
    "an encoded lone surrogate": (request("/?q=%ED%A0%80"), 200),
    "an encoded NUL": (request("/?q=%00&page=%00"), 200),
    "a NUL in the path": (request("/email/act/%00"), 400),
    "a raw lone surrogate": (request(b"/?q=\xed\xa0\x80"), 400),
    "an unknown charset": (
        request("/email/link", b"address=a", FORM + b"; charset=klingon", method=b"POST"),
        415,
    ),
    "a charset that isn't for text": (
        request("/email/link", b"address=a", FORM + b"; charset=rot13", method=b"POST"),
        415,
    ),
    "a form that isn't UTF-8": (request("/email/link", b"address=\xff\xfe", FORM, method=b"POST"), 400),
    "a broken boundary": (
        request(
            "/email/link", b"--y\r\n\r\nx", b"Content-Type: multipart/form-data; boundary=x", method=b"POST"
        ),
        400,
    ),
    "no boundary": (
        request("/email/link", b"--y\r\n\r\nx", b"Content-Type: multipart/form-data", method=b"POST"),
        400,
    ),
    "a signature that isn't ASCII": (
        request(
            "/slack/events",
            b"a=b",
            FORM,
            b"X-Slack-Signature: v0=\xc3\xa4",
            b"X-Slack-Request-Timestamp: 1",
            method=b"POST",
        ),
        400,
    ),
    "a timestamp of thousands of digits": (
        request(
            "/slack/events",
            b"a=b",
            FORM,
            b"X-Slack-Signature: v0=a",
            b"X-Slack-Request-Timestamp: " + b"9" * 5_000,
            method=b"POST",
        ),
        401,
    ),
    "a timestamp of 400 digits": (
        request(
            "/slack/events",
            b"a=b",
            FORM,
            b"X-Slack-Signature: v0=a",
            b"X-Slack-Request-Timestamp: " + b"9" * 400,
            method=b"POST",
        ),
        401,
    ),
    "a body that isn't UTF-8": (request("/slack/events", b"\xff\xfe", FORM, method=b"POST"), 401),
    "too many fields": (request("/email/link", b"a=b&" * 900, FORM, method=b"POST"), 400),
    "a field that is too long": (
        request("/email/link", b"address=" + b"a" * 5_000, FORM, method=b"POST"),
        400,
    ),
    "a body that is too large": (request("/email/link", b"a" * 1_200_000, FORM, method=b"POST"), 413),
    "a body that isn't gzip": (
        request("/email/link", b"a=b", FORM, b"Content-Encoding: gzip", method=b"POST"),
        400,
    ),
}


@pytest.mark.parametrize("name", NAMED)
async def test_a_malformed_request_gets_the_expected_status(site: Site, name: str) -> None:
    sent, status = NAMED[name]
    assert await site.send(sent) == status


async def test_a_request_whose_body_does_not_arrive_gets_408(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.web.requests.BODY_SECONDS", 0.05)
    reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
    writer.write(b"POST /email/link HTTP/1.1\r\nHost: x\r\n" + FORM + b"\r\nContent-Length: 100\r\n\r\na=")
    async with asyncio.timeout(20):
        assert b" 408 " in await reader.readline()
    writer.close()

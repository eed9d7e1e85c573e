"""Requests to upstreams: rate limits, hostile headers, and errors that say what happened."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import ClientSession, web
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.errors import SourceError
from bot.sources.http import Upstream, link_relations, requested_pause, user_agent
from tests.replay import serve
from tests.sources.upstreams import Clock, app_of, sending

NOW = datetime(2026, 5, 20, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("status", "headers", "seconds"),
    [
        (429, {"Retry-After": "30"}, 30),
        (503, {"Retry-After": "Wed, 20 May 2026 12:02:00 GMT"}, 120),
        (503, {"Retry-After": "Wed, 20 May 2026 11:00:00 GMT"}, 0),
        (429, {"RateLimit": '"api";r=0;t=55'}, 56),
        (429, {"RateLimit": '"api";r=12;t=55'}, 56),
        (429, {"RateLimit": '"api";r=0;t=55', "Retry-After": "10"}, 56),
        (200, {"RateLimit": '"api";r=0;t=55'}, 56),
        (200, {"RateLimit": '"api";r=1;t=55'}, None),
        (200, {"Retry-After": "30"}, None),
        (429, {"Retry-After": "soon"}, None),
        (429, {"RateLimit": "nonsense"}, None),
        (500, {}, None),
        (429, {"Retry-After": "99999999999"}, 86_400),
        (429, {"Retry-After": "9" * 400}, 86_400),
        (429, {"Retry-After": "9" * 5000}, 86_400),
        (429, {"Retry-After": "0" * 400 + "7"}, 7),
        (429, {"Retry-After": "9" * 500_000}, None),
        (429, {"Retry-After": "-5"}, None),
        (429, {"Retry-After": "1e9"}, None),
        (429, {"Retry-After": "\u0661\u0662"}, None),
        (503, {"Retry-After": "Wed, 20 May 9999 12:02:00 GMT"}, 86_400),
        (503, {"Retry-After": "Wed, 20 May 99999 12:02:00 GMT"}, None),
        (503, {"Retry-After": "Fri, 31 Dec 9999 23:59:59 -9999"}, None),
        (503, {"Retry-After": "Mon, 01 Jan 0001 00:00:00 +9999"}, None),
        (429, {"RateLimit": f'"api";r=0;t={"9" * 400}'}, 86_400),
        (429, {"RateLimit": f'"api";r={"9" * 5000};t=5'}, None),
        (200, {"RateLimit": f'"api";r={"9" * 400};t=5'}, None),
    ],
)
def test_an_upstream_determines_the_length_of_a_pause(
    status: int, headers: dict[str, str], seconds: float | None
) -> None:
    assert requested_pause(status, headers, NOW) == seconds


@given(st.text(max_size=300) | st.text("0123456789 :;=rt,GMTWed-+", max_size=300))
def test_no_header_causes_a_pause_of_more_than_a_day(value: str) -> None:
    for status in (200, 429, 503):
        pause = requested_pause(status, {"Retry-After": value, "RateLimit": value}, NOW)
        assert pause is None or 0 <= pause <= 86_400


@pytest.fixture
async def session() -> AsyncIterator[ClientSession]:
    async with ClientSession() as opened:
        yield opened


async def test_no_request_is_sent_during_a_pause(session: ClientSession) -> None:
    clock, requests = Clock(NOW), 0

    async def respond(_request: web.Request) -> web.StreamResponse:
        nonlocal requests
        requests += 1
        return web.Response(status=429, headers={"RateLimit": '"api";r=0;t=99'})

    async with serve(app_of(respond)) as url:
        upstream = Upstream("Someone", session, user_agent="test", now=clock.now)
        for _ in range(3):
            with pytest.raises(SourceError) as raised:
                await upstream.get(url)
            assert raised.value.retry_after == 100
        assert requests == 1
        clock.at += timedelta(seconds=101)
        with pytest.raises(SourceError, match="HTTP 429"):
            await upstream.get(url)
        assert requests == 2


async def test_after_the_last_allowed_request_there_is_a_pause(session: ClientSession) -> None:
    async with serve(app_of(sending(b"yes", headers={"RateLimit": '"api";r=0;t=4'}))) as url:
        upstream = Upstream("Someone", session, user_agent="test", now=Clock(NOW).now)
        assert (await upstream.get(url)).body == b"yes"
        with pytest.raises(SourceError, match="sent in 5 s"):
            await upstream.get(url)


async def test_an_oversized_body_is_an_error(session: ClientSession) -> None:
    async def flood(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        response.enable_compression()  # few bytes on the wire, many once decompressed
        await response.prepare(request)
        for _ in range(64):
            await response.write(bytes(2**18))
        return response

    async with serve(app_of(flood)) as url:
        upstream = Upstream("Someone", session, user_agent="test", now=Clock(NOW).now, max_body=2**20)
        with pytest.raises(SourceError, match="more than 1 MB"):
            await upstream.get(url)


async def test_the_link_header_names_the_next_page(session: ClientSession) -> None:
    headers = {"Link": '</x?p=1>; rel="next", </x?p=0>; rel="prev"'}
    async with serve(app_of(sending(b"", headers=headers))) as url:
        upstream = Upstream("Someone", session, user_agent="test", now=Clock(NOW).now)
        assert (await upstream.get(url)).has_next


@pytest.mark.parametrize(
    ("value", "relations"),
    [
        ('<https://a.example/x?p=1>; rel="next"', {"next"}),
        ("</x>;rel=next", {"next"}),
        ('</x>; title="a, b; rel=next <c>"; REL = "Next prev"', {"next", "prev"}),
        ("</x>; rel=prev, </y>; rel=first;", {"prev", "first"}),
        ("</x>", set()),
        ("", set()),
        (" , ", set()),
        ('</x>; rel="next', None),
        ("</x; rel=next", None),
        ("x>; rel=next", None),
        ("https://a.example; rel=next", None),
        ("<https://[::1>; rel=next", None),
        ("<a>; rel=next <b>; rel=prev", None),
        ("<" * 100_000, None),
        ('"' * 99_999, None),
        ("</x>; rel=next," * 100_000, None),
    ],
)
def test_link_headers_are_read_or_refused(value: str, relations: set[str] | None) -> None:
    if relations is None:
        with pytest.raises(ValueError, match=r".+"):
            link_relations(value)
    else:
        assert link_relations(value) == relations


@given(st.text(max_size=100) | st.text('<>;,=" relnxt', max_size=100))
def test_a_link_header_raises_no_other_error(value: str) -> None:
    with contextlib.suppress(ValueError):
        link_relations(value)


async def test_a_malformed_link_header_is_an_error_only_if_it_is_followed(
    session: ClientSession,
) -> None:
    async with serve(app_of(sending(b"yes", headers={"Link": "</x?p=1; rel=next"}))) as url:
        answer = await Upstream("Someone", session, user_agent="test", now=Clock(NOW).now).get(url)
        assert answer.body == b"yes"
        with pytest.raises(SourceError, match="Someone sent a Link header"):
            _ = answer.has_next


LOCATIONS = [
    b"http://[::1", b"http://exa mple/", b"http://" + b"a" * 300 + b".org", b"ftp://x", b"javascript:alert(1)",
    b"http://a:99999999/", b"http://a:b/", b"http://", b"//", b"?", b"\xff\xfe", b"http://\xe9\xff.org/",
    b"http://a..b/", b"http://.../", b"http://" + b"1" * 5000, b"/" + b"x" * 9000, b"http:////x", b"data:,x",
    b"http://user:pa ss@[x]/", b"http://\xc3\xa9\xcc\x88\xe2\x80\xae.org/", b"http://xn--a.org/", b"\\\\x",
]  # fmt: skip


@pytest.mark.parametrize("location", LOCATIONS)
async def test_a_malformed_redirect_is_an_error_of_the_upstream(
    location: bytes, session: ClientSession
) -> None:
    async def redirect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            head = b"HTTP/1.1 302 Found\r\nConnection: close\r\nContent-Length: 0\r\nLocation: "
            writer.write(head + location + b"\r\n\r\n")
            await writer.drain()
        writer.close()

    async with await asyncio.start_server(redirect, "127.0.0.1", 0, limit=2**20) as server:
        port = server.sockets[0].getsockname()[1]
        upstream = Upstream("Someone", session, user_agent="test", now=Clock(NOW).now, timeout=5)
        with pytest.raises(SourceError, match="Someone"):
            await upstream.get(f"http://127.0.0.1:{port}/")


async def test_a_long_header_is_accepted(session: ClientSession) -> None:
    headers = {"Content-Security-Policy": "img-src " + "https://a.example " * 8000}
    async with serve(app_of(sending(b"yes", headers=headers))) as url:
        upstream = Upstream("Someone", session, user_agent="test", now=Clock(NOW).now)
        assert (await upstream.get(url)).body == b"yes"


def test_the_user_agent_names_program_version_and_contact() -> None:
    assert user_agent("mail@example.org").startswith("Paperboy/")
    assert user_agent("mail@example.org").endswith(" (+mail@example.org)")
    assert "(" not in user_agent("")
    assert "\n" not in user_agent("a\r\nX-Injected: yes")


async def test_circular_redirects_are_named(session: ClientSession) -> None:
    async def around(_request: web.Request) -> web.StreamResponse:
        raise web.HTTPFound("/again")

    async with serve(app_of(around)) as url:
        upstream = Upstream("Someone", session, user_agent="test", now=Clock(NOW).now)
        with pytest.raises(SourceError, match="in circles"):
            await upstream.get(url)

"""What upstreams say about limits is heeded, and every failure is a sentence."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import ClientSession, web

from bot.domain.errors import SourceError
from bot.sources.http import Upstream, rest_asked_for, user_agent
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
    ],
)
def test_an_upstream_says_how_long_it_wants_rest(
    status: int, headers: dict[str, str], seconds: float | None
) -> None:
    assert rest_asked_for(status, headers, NOW) == seconds


@pytest.fixture
async def session() -> AsyncIterator[ClientSession]:
    async with ClientSession() as opened:
        yield opened


async def test_no_request_leaves_while_an_upstream_rests(session: ClientSession) -> None:
    clock, asked = Clock(NOW), 0

    async def respond(_request: web.Request) -> web.StreamResponse:
        nonlocal asked
        asked += 1
        return web.Response(status=429, headers={"RateLimit": '"api";r=0;t=99'})

    async with serve(app_of(respond)) as url:
        upstream = Upstream("Somebody", session, user_agent="test", now=clock.now)
        for _ in range(3):
            with pytest.raises(SourceError) as raised:
                await upstream.get(url)
            assert raised.value.retry_after == 100
        assert asked == 1
        clock.at += timedelta(seconds=101)
        with pytest.raises(SourceError, match="HTTP 429"):
            await upstream.get(url)
        assert asked == 2


async def test_the_last_allowed_answer_is_used_and_then_there_is_rest(session: ClientSession) -> None:
    async with serve(app_of(sending(b"yes", headers={"RateLimit": '"api";r=0;t=4'}))) as url:
        upstream = Upstream("Somebody", session, user_agent="test", now=Clock(NOW).now)
        assert (await upstream.get(url)).body == b"yes"
        with pytest.raises(SourceError, match="left alone for 5 s"):
            await upstream.get(url)


async def test_a_body_beyond_all_bounds_is_not_read(session: ClientSession) -> None:
    async def flood(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        response.enable_compression()  # few bytes on the wire, many here
        await response.prepare(request)
        for _ in range(64):
            await response.write(bytes(2**18))
        return response

    async with serve(app_of(flood)) as url:
        upstream = Upstream("Somebody", session, user_agent="test", now=Clock(NOW).now, max_body=2**20)
        with pytest.raises(SourceError, match="more than 1 MB"):
            await upstream.get(url)


async def test_a_next_page_is_known_by_the_link_header(session: ClientSession) -> None:
    headers = {"Link": '</x?p=1>; rel="next", </x?p=0>; rel="prev"'}
    async with serve(app_of(sending(b"", headers=headers))) as url:
        upstream = Upstream("Somebody", session, user_agent="test", now=Clock(NOW).now)
        assert (await upstream.get(url)).has_next


def test_the_user_agent_names_program_version_and_contact() -> None:
    assert user_agent("mail@example.org").startswith("Paperboy/")
    assert user_agent("mail@example.org").endswith(" (+mail@example.org)")
    assert "(" not in user_agent("")
    assert "\n" not in user_agent("a\r\nX-Injected: yes")


async def test_redirects_in_circles_are_named_as_such(session: ClientSession) -> None:
    async def around(_request: web.Request) -> web.StreamResponse:
        raise web.HTTPFound("/again")

    async with serve(app_of(around)) as url:
        upstream = Upstream("Somebody", session, user_agent="test", now=Clock(NOW).now)
        with pytest.raises(SourceError, match="in circles"):
            await upstream.get(url)

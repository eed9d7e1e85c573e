"""Any feed: read apart, never trusted, each entry once."""

import asyncio
import gzip
import json
import zlib
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import web
from redis.asyncio import Redis

from bot.domain.errors import SourceError
from bot.ports import Batch
from bot.query import parse
from bot.settings import Settings
from bot.sources import feed as feeds
from bot.sources.feed import Cursor, Feed, build, read_apart
from bot.sources.feed_worker import rows
from tests.replay import serve
from tests.sources import upstreams
from tests.sources.feed_answers import Entry, journal
from tests.sources.upstreams import Clock, Respond, app_of, sending, wiring

ALLOWED = upstreams.Settings("", "", "").feeds_private
SEEN = str(Cursor("of another day"))


async def fetched(respond: Respond, cursor: str | None = SEEN, path: str = "/feed.xml") -> Batch:
    async with serve(app_of(respond)) as url:
        return await Feed("journal", url + path, Clock().now, private=ALLOWED, timeout=2.0).fetch(cursor)


async def test_an_entry_has_all_its_fields() -> None:
    (paper,) = (
        await fetched(sending(journal(Entry(title="On &lt;i&gt;Stars&lt;/i&gt; & $\\alpha$"))))
    ).papers
    assert (paper.title, paper.abstract) == ("On Stars & α", "We count stars.")
    assert (paper.url, paper.authors) == ("https://journal.example.org/articles/1", ("Cecilia Payne",))
    assert paper.published == datetime(2026, 5, 20, 6, tzinfo=UTC)
    assert (paper.categories, paper.sources) == (("astronomy-astrophysics",), ("journal",))
    assert parse("cat:astronomy-astrophysics source:journal stars").matches(paper)


@pytest.mark.parametrize(
    ("entry", "identity"),
    [
        (Entry("10.1038/S41586-026-1"), "doi:10.1038/s41586-026-1"),
        (Entry(guid="https://doi.org/10.1126/science.abc1"), "doi:10.1126/science.abc1"),
        (Entry(link="https://www.pnas.org/doi/full/10.1073/pnas.26"), "doi:10.1073/pnas.26"),
        (Entry(guid="https://doi.org/10.1101/2026.05.18.000001v2"), "doi:10.1101/2026.05.18.000001"),
        (Entry(link="https://arxiv.org/abs/2605.00001v2"), "2605.00001"),
        (Entry(guid="a"), "feed:ca978112ca1bbdcafac2"),
    ],
)
async def test_a_paper_is_the_same_wherever_it_is_listed(entry: Entry, identity: str) -> None:
    assert [paper.id for paper in (await fetched(sending(journal(entry)))).papers] == [identity]


async def test_an_archive_is_history() -> None:
    old, undated = (
        Entry(guid="old", published="Mon, 1 Jan 2024 00:00:00 GMT"),
        Entry(guid="new", published=""),
    )
    batch = await fetched(sending(journal(old, undated)))
    assert (len(batch.papers), len(batch.history)) == (1, 1)
    assert batch.papers[0].published == Clock().now()


async def test_the_first_fetch_announces_the_last_day() -> None:
    old = Entry(guid="old", published="Mon, 18 May 2026 00:00:00 GMT")
    batch = await fetched(sending(journal(old, Entry(guid="new"))), cursor=None)
    assert (len(batch.papers), len(batch.history)) == (1, 1)


async def test_what_has_not_changed_is_not_read_again() -> None:
    asked: list[str | None] = []

    async def respond(request: web.Request) -> web.StreamResponse:
        asked.append(request.headers.get("If-None-Match"))
        if request.headers.get("If-None-Match") == '"1"':
            return web.Response(status=304)
        return web.Response(body=journal(Entry()), headers={"ETag": '"1"'})

    first = await fetched(respond)
    again = await fetched(respond, first.cursor)
    assert (len(first.papers), len(again.papers), again.cursor) == (1, 0, first.cursor)
    assert asked == [None, '"1"']
    unaware = Cursor.parse(first.cursor)
    same = await fetched(sending(journal(Entry())), str(Cursor(unaware.digest)))
    assert same.papers == ()


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (gzip.compress(journal(Entry())), "gzip"),
        (zlib.compress(journal(Entry())), "deflate"),
        (zlib.compress(journal(Entry()))[2:-4], "deflate"),
    ],
)
async def test_packed_feeds_are_unpacked(body: bytes, encoding: str) -> None:
    assert len((await fetched(sending(body, headers={"Content-Encoding": encoding}))).papers) == 1


@pytest.mark.parametrize(
    "body",
    [
        journal(Entry(title="Café"), charset="latin-1"),
        journal(Entry(title="Café"), charset="latin-1", declared="utf-8"),
        journal(Entry(title="Café"), charset="utf-16"),
        journal(Entry(title="Caf&eacute;")).replace(b"&amp;eacute;", b"&eacute;"),
        journal(Entry(title="Café")).replace(b"Counting", b"Count\x01ing"),
    ],
)
async def test_faults_of_the_wild_are_forgiven(body: bytes) -> None:
    assert [paper.title for paper in (await fetched(sending(body))).papers] == ["Café"]


LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
BOMB = f'<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY l0 "ha">{LAUGHS}]><rss version="2.0"><channel>'
BOMB += "<item><title>&l11;</title><link>https://example.org</link></item></channel></rss>"
FILE = BOMB.replace("<!ENTITY l0", '<!ENTITY f SYSTEM "file:///etc/passwd"><!ENTITY l0').replace(
    "&l11;", "a&f;b"
)


async def test_declared_entities_are_nothing() -> None:
    for body in (BOMB, FILE):
        try:
            batch = await fetched(sending(body.encode()))
        except SourceError:
            continue
        for paper in batch.papers:
            assert len(paper.title) < 100
            assert "root:" not in paper.title


@pytest.mark.parametrize(
    ("body", "encoding", "reason"),
    [
        (gzip.compress(b"<rss>" + b" " * 200_000_000), "gzip", "more than 4 MB"),
        (gzip.compress(journal(Entry()))[:-20], "gzip", "in the midst"),
        (journal(Entry()), "gzip", "can't be unpacked"),
        (journal(Entry()), "br", "not asked for"),
        (b"x" * (4 * 1024 * 1024 + 1), "", "more than 4 MB"),
        (journal(Entry())[:-30], "", "can't be read"),
        (b"<html>Bad gateway</html>", "", "can't be read"),
    ],
)
async def test_what_is_no_feed_is_an_error(body: bytes, encoding: str, reason: str) -> None:
    with pytest.raises(SourceError, match=reason):
        await fetched(sending(body, headers={"Content-Encoding": encoding} if encoding else None))


async def test_nothing_private_is_read() -> None:
    async with serve(app_of(sending(journal(Entry())))) as url:
        feed = Feed("journal", url, Clock().now)
        with pytest.raises(SourceError, match=r"not a public address.*PAPERBOY_FEEDS_PRIVATE"):
            await feed.fetch(None)


async def test_a_body_that_drips_is_given_up() -> None:
    over = asyncio.Event()

    async def drip(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while not over.is_set():
            await response.write(b" ")
            await asyncio.sleep(0.05)
        return response

    async with serve(app_of(drip)) as url:
        feed = Feed("journal", url, Clock().now, private=ALLOWED, timeout=0.5)
        with pytest.raises(SourceError, match="did not answer within"):
            await feed.fetch(None)
        over.set()


async def test_a_feed_that_takes_too_long_to_read_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feeds, "PATIENCE", 0.01)
    with pytest.raises(SourceError, match=r"could not be read .* took longer"):
        await read_apart(journal(Entry()), "", "it")


async def test_a_worker_that_dies_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", "/bin/false")
    with pytest.raises(SourceError, match="needed too much"):
        await read_apart(journal(Entry()), "", "it")


async def test_each_feed_is_a_source(redis: Redis) -> None:
    world: Any = wiring("https://example.org", None, redis)  # type: ignore[arg-type]  # never used
    assert [(source.name, source._url) for source in build(world)] == [
        ("journal", "https://example.org/feed.xml")
    ]


def configured(monkeypatch: pytest.MonkeyPatch, feeds: str) -> tuple[str, ...]:
    monkeypatch.setenv("PAPERBOY_FEEDS", feeds)
    return Settings.read().feeds


def test_feeds_are_listed_in_one_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    two = ("a=https://a.example/x?y=1,2", "b=http://b.example/feed")
    for listed in (", ".join(two), ",".join(two), "\n".join(two)):
        assert configured(monkeypatch, listed) == two


@pytest.mark.parametrize(
    "listed", ["https://a.example", "a=ftp://a.example", "arxiv=https://a.example", "A=https://a.example",
               "a=https://user:secret@a.example", "a=https://a.example a=https://b.example"],
)  # fmt: skip
def test_a_bad_feed_is_a_readable_error(monkeypatch: pytest.MonkeyPatch, listed: str) -> None:
    with pytest.raises(Exception, match="PAPERBOY_FEEDS") as raised:
        configured(monkeypatch, listed)
    assert "secret" not in str(raised.value)


def test_cursors_survive_being_written() -> None:
    cursor = Cursor("d", '"e"', "m")
    assert Cursor.parse(str(cursor)) == cursor
    with pytest.raises(SourceError):
        Cursor.parse(json.dumps({"a": 1, "b": 2, "c": 3, "d": 4}))


def test_an_ampersand_without_its_escape_is_one() -> None:
    body = b"<rss version='2.0'><channel><title>x</title><item><title>AT&T and R&amp;D</title><link>https://a.example/1</link></item></channel></rss>"
    assert [row["title"] for row in rows(body)] == ["AT&T and R&D"]

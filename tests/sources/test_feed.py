"""Feeds are read in a limited process, never trusted, and each entry is listed once."""

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
from bot.sources.feed import SCHEME, Cursor, FeedSettings, FeedSource, build, read_in_process
from bot.sources.feed_worker import LONGEST_TITLE, read_feed
from tests.replay import serve
from tests.sources.context import a_context
from tests.sources.feed_answers import Entry, journal
from tests.sources.odd_feeds import BROKEN, ODD, within
from tests.sources.recordings.feeds import LOOPBACK
from tests.sources.upstreams import Clock, Respond, app_of, sending

ALLOWED = (LOOPBACK,)
SEEN = str(Cursor("of another day", scheme=SCHEME))


async def fetched(respond: Respond, cursor: str | None = SEEN, path: str = "/feed.xml") -> Batch:
    async with serve(app_of(respond)) as url:
        return await FeedSource("journal", url + path, Clock().now, private=ALLOWED, timeout=2.0).fetch(
            cursor
        )


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
async def test_a_paper_has_the_same_id_wherever_it_is_listed(entry: Entry, identity: str) -> None:
    assert [paper.id for paper in (await fetched(sending(journal(entry)))).papers] == [identity]


def ids_of(batch: Batch) -> list[str]:
    return [paper.id for paper in (*batch.papers, *batch.history)]


@pytest.mark.parametrize("fault", ODD)
async def test_a_fault_affects_only_its_entry_or_header(fault: str) -> None:
    odd = ODD[fault]
    batch = await fetched(sending(odd.body, headers=dict(odd.headers)))
    assert len(set(ids_of(batch))) == odd.readable
    assert sum((batch.skipped or {}).values()) == odd.entries - odd.readable
    again = await fetched(sending(odd.body, headers=dict(odd.headers)), batch.cursor)
    assert (ids_of(again), again.skipped) == ([], None), "the feed hasn't changed"


@pytest.mark.parametrize("fault", BROKEN)
async def test_a_truncated_feed_is_an_error_and_never_an_empty_day(fault: str) -> None:
    with pytest.raises(SourceError):
        await fetched(sending(BROKEN[fault].body, headers=dict(BROKEN[fault].headers)))


async def test_an_oversized_etag_is_not_sent_back() -> None:
    sent: list[str | None] = []

    async def respond(request: web.Request) -> web.StreamResponse:
        sent.append(request.headers.get("If-None-Match"))
        return web.Response(body=journal(Entry(guid=str(len(sent)))), headers={"ETag": "x" * 600})

    first = await fetched(respond)
    await fetched(respond, first.cursor)
    assert sent == [None, None]


SAME_PAPER = (
    Entry(guid="https://doi.org/10.48550/arXiv.2605.00001", link="https://j.example/1"),
    Entry(guid="a", link="https://arxiv.org/html/2605.00001v2#S1"),
    Entry(guid="b", link="https://export.arxiv.org/pdf/2605.00001.pdf?x=1"),
    Entry(guid="c", link="https://huggingface.co/papers/2605.00001/"),
    Entry(guid="d", link="https://www.alphaxiv.org/abs/2605.00001"),
    Entry("10.1234/published", guid="e", link="https://arxiv.org/abs/2605.00001"),
)


@pytest.mark.parametrize("entry", SAME_PAPER)
async def test_an_arxiv_paper_has_one_id_under_every_address(entry: Entry) -> None:
    assert ids_of(await fetched(sending(journal(entry)))) == ["2605.00001"]


async def test_an_entry_without_a_stable_id_is_recognised_by_title_and_authors() -> None:
    known = None
    for token in ("1", "2"):
        entries = (
            Entry(title="On  A", link=f"https://j.example/a?token={token}"),
            Entry(
                title="On B",
                guid=f"https://j.example/b;jsessionid={token}",
                link=f"https://j.example/b?sid={token}",
            ),
            Entry(title="On A", author="Emmy Noether", link=f"https://j.example/c?token={token}"),
        )
        found = ids_of(await fetched(sending(journal(*entries))))
        assert len(set(found)) == 3
        assert known in (None, found)
        known = found


async def test_entries_with_one_title_are_distinguished() -> None:
    two = (Entry(title="Editorial", author="", link=f"https://j.example/{n}?t=1") for n in range(2))
    assert len(set(ids_of(await fetched(sending(journal(*two)))))) == 2
    shared = (Entry(guid="same", link=f"https://j.example/{n}") for n in range(2))
    assert len(set(ids_of(await fetched(sending(journal(*shared)))))) == 2


async def test_entries_whose_ids_change_with_an_upgrade_are_not_posted_again() -> None:
    entries = (Entry(title="On A"), Entry(title="On B", guid="b"), Entry("10.1234/c", title="On C"))
    batch = await fetched(sending(journal(*entries)), json.dumps(["of version 1", "", ""]))
    assert [paper.title for paper in batch.papers] == ["On B", "On C"]
    assert [paper.title for paper in batch.history] == ["On A"]


@pytest.mark.parametrize(
    ("link", "url"),
    [
        ("/p/1", "http://{host}/p/1"),
        ("p/1", "http://{host}/p/1"),
        ("?p=1", "http://{host}/feed.xml?p=1"),
        ("//host.example/p", "http://host.example/p"),
        (" https://host.example/a b/\n1 ", "https://host.example/a%20b/1"),
    ],
)
async def test_links_are_resolved_against_the_feeds_address(link: str, url: str) -> None:
    async with serve(app_of(sending(journal(Entry(link=link, guid="a"))))) as server:
        feed = FeedSource("journal", f"{server}/feed.xml", Clock().now, private=ALLOWED)
        (paper,) = (await feed.fetch(SEEN)).papers
        assert paper.url == url.format(host=server.removeprefix("http://"))


async def test_old_entries_are_history() -> None:
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


async def test_an_unchanged_feed_is_not_read_again() -> None:
    validators: list[str | None] = []

    async def respond(request: web.Request) -> web.StreamResponse:
        validators.append(request.headers.get("If-None-Match"))
        if request.headers.get("If-None-Match") == '"1"':
            return web.Response(status=304)
        return web.Response(body=journal(Entry()), headers={"ETag": '"1"'})

    first = await fetched(respond)
    again = await fetched(respond, first.cursor)
    assert (len(first.papers), len(again.papers), again.cursor) == (1, 0, first.cursor)
    assert validators == [None, '"1"']
    unaware = Cursor.parse(first.cursor)
    same = await fetched(sending(journal(Entry())), str(Cursor(unaware.digest, scheme=SCHEME)))
    assert same.papers == ()


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (gzip.compress(journal(Entry())), "gzip"),
        (zlib.compress(journal(Entry())), "deflate"),
        (zlib.compress(journal(Entry()))[2:-4], "deflate"),
    ],
)
async def test_compressed_feeds_are_decompressed(body: bytes, encoding: str) -> None:
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
async def test_common_faults_are_tolerated(body: bytes) -> None:
    assert [paper.title for paper in (await fetched(sending(body))).papers] == ["Café"]


LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
BOMB = f'<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY l0 "ha">{LAUGHS}]><rss version="2.0"><channel>'
BOMB += "<item><title>&l11;</title><link>https://example.org</link></item></channel></rss>"
FILE = BOMB.replace("<!ENTITY l0", '<!ENTITY f SYSTEM "file:///etc/passwd"><!ENTITY l0').replace(
    "&l11;", "a&f;b"
)


async def test_declared_entities_are_not_expanded() -> None:
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
        (gzip.compress(journal(Entry()))[:-20], "gzip", "cut off"),
        (b"\x1f\x8b" + journal(Entry()), "gzip", "can't be decompressed"),
        (b"\x1b\x05\x00\xf8", "br", "not asked for"),
        (b"<" * (4 * 1024 * 1024 + 1), "", "more than 4 MB"),
        (journal(Entry())[:-30], "", "can't be read"),
        (b"<html>Bad gateway</html>", "", "can't be read"),
    ],
)
async def test_anything_but_a_feed_is_an_error(body: bytes, encoding: str, reason: str) -> None:
    with pytest.raises(SourceError, match=reason):
        await fetched(sending(body, headers={"Content-Encoding": encoding} if encoding else None))


async def test_private_addresses_are_not_read() -> None:
    async with serve(app_of(sending(journal(Entry())))) as url:
        feed = FeedSource("journal", url, Clock().now)
        with pytest.raises(SourceError, match=r"not a public address.*PAPERBOY_FEEDS_PRIVATE"):
            await feed.fetch(None)


async def test_a_body_that_trickles_in_times_out() -> None:
    over = asyncio.Event()

    async def drip(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while not over.is_set():
            await response.write(b" ")
            await asyncio.sleep(0.05)
        return response

    async with serve(app_of(drip)) as url:
        feed = FeedSource("journal", url, Clock().now, private=ALLOWED, timeout=0.5)
        with pytest.raises(SourceError, match="did not answer within"):
            await feed.fetch(None)
        over.set()


async def test_a_feed_that_takes_too_long_to_parse_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feeds, "PARSE_TIMEOUT", 0.01)
    with pytest.raises(SourceError, match=r"could not be read .* took longer"):
        await read_in_process(journal(Entry()), "", "it")


async def test_a_worker_that_crashes_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", "/bin/false")
    with pytest.raises(SourceError, match="needed too much"):
        await read_in_process(journal(Entry()), "", "it")


async def test_each_feed_is_a_source(redis: Redis) -> None:
    world: Any = a_context("https://example.org", None, redis)  # type: ignore[arg-type]  # unused
    assert [(source.name, source._url) for source in build(world)] == [
        ("journal", "https://example.org/feed.xml")
    ]


def configured(monkeypatch: pytest.MonkeyPatch, feeds: str) -> tuple[str, ...]:
    monkeypatch.setenv("PAPERBOY_FEEDS", feeds)
    return Settings.read((FeedSettings,)).of(FeedSettings).feeds


def test_feeds_are_listed_in_one_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    two = ("a=https://a.example/x?y=1,2", "b=http://b.example/feed")
    for listed in (", ".join(two), ",".join(two), "\n".join(two)):
        assert configured(monkeypatch, listed) == two


@pytest.mark.parametrize(
    "listed", ["https://a.example", "a=ftp://a.example", "arxiv=https://a.example", "A=https://a.example",
               "a=https://user:secret@a.example", "a=https://a.example a=https://b.example"],
)  # fmt: skip
def test_an_invalid_feed_setting_is_a_readable_error(monkeypatch: pytest.MonkeyPatch, listed: str) -> None:
    with pytest.raises(Exception, match="PAPERBOY_FEEDS") as raised:
        configured(monkeypatch, listed)
    assert "secret" not in str(raised.value)


def test_cursors_survive_storage() -> None:
    cursor = Cursor("d", '"e"', "m")
    assert Cursor.parse(str(cursor)) == cursor
    with pytest.raises(SourceError):
        Cursor.parse(json.dumps({"a": 1, "b": 2, "c": 3, "d": 4}))


def test_words_between_inequality_signs_are_kept() -> None:
    title = b"On $a<b$ then $c>d$ and a <b and c> d"
    found = read_feed(within(b"On A", title))["rows"]
    assert [row["title"] for row in found] == ["On a<b then c>d and a <b and c> d", "On B", "On C"]


def test_an_unescaped_ampersand_is_read() -> None:
    body = b"<rss version='2.0'><channel><title>x</title><item><title>AT&T and R&amp;D</title><link>https://a.example/1</link></item></channel></rss>"
    assert [row["title"] for row in read_feed(body)["rows"]] == ["AT&T and R&D"]


async def test_a_publishers_text_around_an_abstract_becomes_its_date_and_authors() -> None:
    record = "Publication date: 12 May 2026 Source: Journal of Stars, Volume 9 Author(s): Ada Poe, Niels Roe"
    entry = Entry(title="On stars", author="", published="", summary=record)
    batch = await fetched(sending(journal(entry)))
    [paper] = (*batch.papers, *batch.history)
    assert (paper.abstract, paper.authors) == ("", ("Ada Poe", "Niels Roe"))
    assert f"{paper.published:%Y-%m-%d}" == "2026-05-12"


def test_an_entry_without_a_title_gets_its_first_sentence_as_title() -> None:
    body = journal(Entry(title="", summary="We count stars, e.g. in M 31. There are many of them."))
    assert [row["title"] for row in read_feed(body)["rows"]] == ["We count stars, e.g. in M 31."]
    (row,) = read_feed(journal(Entry(title="", summary="many stars " * 100)))["rows"]
    assert len(row["title"]) <= LONGEST_TITLE
    assert row["title"].endswith("stars…")


async def test_links_are_resolved_against_the_base_of_a_feed() -> None:
    entries = "".join(
        f"<entry {base}><id>tag:lab.example,2026:{n}</id><title>On {n}</title><link href='{link}'/></entry>"
        for n, (base, link) in enumerate(
            (("xml:base='2026/'", "a.html"), ("", "b"), ("", "/c"), ("", "//d.example/d"))
        )
    )
    body = f"<feed xmlns='http://www.w3.org/2005/Atom' xml:base='https://lab.example/papers/'><title>Lab</title>{entries}</feed>"
    batch = await fetched(sending(body.encode()))
    assert [paper.url for paper in (*batch.papers, *batch.history)] == [
        "https://lab.example/papers/2026/a.html",
        "https://lab.example/papers/b",
        "https://lab.example/c",
        "https://d.example/d",
    ]

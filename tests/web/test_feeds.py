"""Feeds as a feed reader sees them: the posts in order, under addresses that can be revoked."""

import json
import re
from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime
from html import unescape
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import feedparser
import jsonschema_rs
import pytest
from redis.asyncio import Redis

from bot.cards import Card
from bot.domain.life import IMPORTANT, Watch
from bot.domain.models import ChannelRef, ChannelSettings, MessageRef, Paper, User
from bot.ports import Batch, Rate
from bot.sources.huggingface_papers import parse_list
from bot.store.papers import Papers
from bot.store.reactions import Annotation, PaperList, ReadingLists
from bot.store.tokens import SHARED_LIST, Grant, Tokens
from bot.web import feeds
from bot.web.list_reader import PAGE
from tests.papers import a_channel, a_paper
from tests.platform_harness import PUBLIC_URL
from tests.replay import HuggingFaceReplay
from tests.scenario import Board, Clock, House, set_clock
from tests.web.site import NOW, Client, site

SCHEMA = jsonschema_rs.validator_for(
    json.loads((Path(__file__).parent / "json_feed.schema.json").read_text("utf-8"))
)
NASTY = '<script>alert(1)</script> ]]> "quoted" & <b>bold</b> \x00\x1b\ufffe\u202e'
ATOM = "{http://www.w3.org/2005/Atom}"
RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


async def get(client: Client, path: str, status: int = 200, **headers: str) -> tuple[bytes, Any]:
    async with client.get(path.removeprefix(PUBLIC_URL), headers=headers) as response:
        assert response.status == status, await response.text()
        return await response.read(), response.headers


async def atom(client: Client, path: str) -> Any:
    """Return a page of a feed as feedparser reads it, after checking the rules of the specification that it ignores."""
    body, headers = await get(client, path)
    assert headers["Content-Type"] == "application/atom+xml; charset=utf-8"
    root = ET.fromstring(body)
    check_atom(root)
    check_atom_as_validators_do(root)
    read = feedparser.parse(body)
    assert not read.bozo, read.get("bozo_exception")
    assert read.version == "atom10"
    return read


def check_atom(root: ET.Element) -> None:
    """Check the requirements of RFC 4287."""
    assert root.tag == f"{ATOM}feed"
    for element in (root, *root.iter(f"{ATOM}entry")):
        for name in ("id", "title", "updated"):
            assert len(element.findall(f"{ATOM}{name}")) == 1
        assert element.findtext(f"{ATOM}id", "").startswith("tag:paperboy,2026:")
        for moment in (*element.findall(f"{ATOM}updated"), *element.findall(f"{ATOM}published")):
            assert RFC3339.fullmatch(moment.text or "")
        for link in element.findall(f"{ATOM}link"):
            assert re.fullmatch(r"https?://[^\s<>\"]+", link.get("href", "")), link.attrib
        assert len(element.findall(f"{ATOM}link[@rel='alternate']")) <= 1
        authors = element.findall(f"{ATOM}author")
        assert all(author.findtext(f"{ATOM}name") for author in authors)
    assert root.findall(f"{ATOM}author")
    assert len(root.findall(f"{ATOM}link[@rel='self']")) == 1
    ids = [entry.findtext(f"{ATOM}id") for entry in root.iter(f"{ATOM}entry")]
    assert len(ids) == len(set(ids))


def check_atom_as_validators_do(root: ET.Element) -> None:
    """Check for things that the W3C's validator warns of, although the RFC allows them."""
    times = [entry.findtext(f"{ATOM}updated") for entry in root.iter(f"{ATOM}entry")]
    assert len(times) == len({*times}), "two entries have the same time"
    assert (root.findtext(f"{ATOM}updated") or "") >= "2026", "implausible"
    for name in ("title", "summary", "subtitle"):
        for element in root.iter(f"{ATOM}{name}"):
            assert element.get("type") == "html" or "<" not in (element.text or ""), "undeclared HTML"


async def json_feed(client: Client, path: str) -> Any:
    body, headers = await get(client, path)
    assert headers["Content-Type"] == "application/feed+json; charset=utf-8"
    feed = json.loads(body)
    assert [str(error) for error in SCHEMA.iter_errors(feed)] == []
    ids = [item["id"] for item in feed["items"]]
    assert len(ids) == len(set(ids))
    return feed


async def atom_ids(client: Client, path: str) -> list[str]:
    """Return the ids of all pages, newest first."""
    found: list[str] = []
    while path:
        read = await atom(client, path)
        found += [entry.id for entry in read.entries]
        path = next((link.href for link in read.feed.links if link.rel == "next"), "")
    return found


async def json_ids(client: Client, path: str) -> list[str]:
    found: list[str] = []
    while path:
        feed = await json_feed(client, path)
        found += [item["id"] for item in feed["items"]]
        path = feed.get("next_url", "")
    return found


def tag(paper_id: str) -> str:
    return f"tag:paperboy,2026:{paper_id}"


async def address(redis: Redis, number: int = 0, channel: str = "C1") -> str:
    grant = Grant(channel=a_channel(channel, platform="board"), kind="feed", number=number, at=NOW)
    return f"/feeds/{await Tokens(redis).make(grant)}"


@pytest.fixture
async def clock(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = set_clock(monkeypatch, redis)
    await clock.set(NOW)
    return clock


class TickingBoard(Board):
    """A board whose clock advances with each post, so that no two are in the same millisecond."""

    async def send(self, to: ChannelRef, card: Card, key: str) -> MessageRef:
        await self.clock.set(self.clock.now + timedelta(milliseconds=1))
        return await super().send(to, card, key)


@pytest.fixture
def board(clock: Clock) -> Board:
    return TickingBoard(clock)


@pytest.fixture
def house(redis: Redis, board: Board) -> House:
    return House(redis, board)


HERE = a_channel(platform="board")


async def post(house: House, clock: Clock, *papers: Paper) -> None:
    """Find and post papers, a second after the previous post."""
    await clock.set(clock.now + timedelta(seconds=1))
    await house.poll(*papers, cursor=f"{clock.now}")
    await house.deliver()


@pytest.mark.timeout(180)
async def test_a_feed_has_all_posts_of_five_recorded_days_in_order(
    redis: Redis, clock: Clock, board: Board, house: House, shared_data: Path
) -> None:
    replay = HuggingFaceReplay(shared_data / "hf_daily")
    await house.settings.put(HERE, ChannelSettings())
    for query, every in (("diffusion", "now"), ('"language model" -survey', "daily"), ("agent", "now")):
        await house.subscriptions.add(HERE, query, every, "U")  # type: ignore[arg-type]
    for n in range(6):
        day = date(2026, 3, 16) + timedelta(days=n)
        await clock.set(datetime(day.year, day.month, day.day, 12, tzinfo=UTC))
        rows = replay.day(day) if n < 5 else []
        await house.poll(*parse_list(json.dumps(rows).encode()), cursor=str(day))
        await house.deliver()
    posted = [tag(paper) for sent in reversed(board.posts) for paper in sent.card.posting.papers]
    assert len(posted) > PAGE
    numbers: dict[str, set[int]] = {}
    every, each = await address(redis), {n: await address(redis, n) for n in (1, 2, 3)}
    async with site(redis) as client:
        assert await atom_ids(client, f"{every}.atom") == posted
        assert await json_ids(client, f"{every}.json") == posted
        for n, path in each.items():
            of_subscription = await atom_ids(client, f"{path}.atom")
            assert of_subscription == [entry for entry in posted if entry in set(of_subscription)]
            assert await json_ids(client, f"{path}.json") == of_subscription
            assert await atom_ids(client, f"{every}/{n}.atom") == of_subscription
            for entry in of_subscription:
                numbers.setdefault(entry, set()).add(n)
        feed = await json_feed(client, f"{every}.json")
    assert set(numbers) == set(posted)
    for item in feed["items"]:
        assert {reason["subscription"] for reason in item["_paperboy"]["reasons"]} == numbers[item["id"]]


async def test_an_unchanged_feed_is_answered_with_304(redis: Redis, clock: Clock, house: House) -> None:
    await clock.set(NOW - timedelta(hours=1))
    await house.subscribe(HERE, "now", ChannelSettings())
    await post(house, clock, a_paper("2603.1"))
    path = await address(redis)
    async with site(redis) as client:
        for form in ("atom", "json"):
            _, first = await get(client, f"{path}.{form}")
            assert first["Cache-Control"] == "private, no-cache"
            for condition in (
                {"If-None-Match": first["ETag"]},
                {"If-None-Match": f'"other", {first["ETag"]}'},
                {"If-Modified-Since": first["Last-Modified"]},
            ):
                body, headers = await get(client, f"{path}.{form}", 304, **condition)
                assert (body, headers["ETag"]) == (b"", first["ETag"])
            await get(client, f"{path}.{form}", 200, **{"If-None-Match": '"other"'})
        await post(house, clock, a_paper("2603.2"))
        await get(client, f"{path}.json", 200, **{"If-None-Match": first["ETag"]})
        await get(client, f"{path}.json", 200, **{"If-Modified-Since": first["Last-Modified"]})
        _, trending = await get(client, "/feeds/trending.atom")
        _, again = await get(client, "/feeds/trending.atom", 304, **{"If-None-Match": trending["ETag"]})
        assert again["Cache-Control"] == "public, max-age=300"


async def test_a_second_post_in_the_same_second_is_not_missed(
    redis: Redis, clock: Clock, house: House
) -> None:
    await house.subscribe(HERE, "now", ChannelSettings())
    await clock.set(NOW - timedelta(milliseconds=900))
    await house.poll(a_paper("2603.1"), cursor="1")
    await house.deliver()
    path = await address(redis)
    async with site(redis) as client:
        _, first = await get(client, f"{path}.atom")
        assert "Last-Modified" not in first
        await get(client, f"{path}.atom", 304, **{"If-None-Match": first["ETag"]})
        await clock.set(NOW - timedelta(milliseconds=100))
        await house.poll(a_paper("2603.2"), cursor="2")
        await house.deliver()
        since = format_datetime((NOW - timedelta(milliseconds=900)).replace(microsecond=0), usegmt=True)
        body, _ = await get(client, f"{path}.atom", 200, **{"If-Modified-Since": since})
        assert b"2603.2" in body


async def test_a_revoked_address_ends_at_once_in_every_process(
    redis: Redis, clock: Clock, house: House
) -> None:
    await house.subscribe(HERE, "now", ChannelSettings())
    await post(house, clock, a_paper("2603.1"))
    first, one = await address(redis), await address(redis, 1)
    paths = [f"{first}{end}" for end in (".atom", ".json", ".opml", "/1.atom", "/1.json")]
    async with site(redis) as client, site(redis) as other:
        for path in paths:
            await get(client, path)
            await get(other, path)
        second = await address(redis)
        for path in paths:
            await get(client, path, 404)
            await get(other, path, 404)
        await get(client, f"{second}.atom")
        await get(client, f"{one}.atom")
        await Tokens(redis).forget(HERE)
        for path in (f"{second}.atom", f"{one}.atom"):
            await get(other, path, 404)


async def test_an_address_shows_only_its_channel_and_subscription(
    redis: Redis, clock: Clock, house: House
) -> None:
    other = a_channel("C2", platform="board")
    await house.subscribe(HERE, "now", ChannelSettings())
    await house.subscriptions.add(HERE, "gecko", "now", "U")
    await house.subscriptions.add(other, "lizard", "now", "U")
    await post(
        house,
        clock,
        a_paper("2603.1"),
        a_paper("2603.2", title="A gecko"),
        a_paper("2603.3", title="A lizard"),
    )
    async with site(redis) as client:
        gecko = await address(redis, 2)
        assert await atom_ids(client, f"{gecko}.atom") == [tag("2603.2")]
        await get(client, f"{gecko}/1.atom", 404)
        assert b"gecko" in (await get(client, f"{gecko}.opml"))[0]
        assert b"paper" not in (await get(client, f"{gecko}.opml"))[0].replace(
            b"papers.example.org", b""
        ).replace(b"Paperboy", b"")
        assert await atom_ids(client, f"{await address(redis, channel='C2')}.atom") == [tag("2603.3")]
        token = await Tokens(redis).make(Grant(channel=HERE, kind="api", at=NOW))
        await get(client, f"/feeds/{token}.atom", 404)
        for guess in ("a" * 32, "trending", "../api", "%F0%9F%92%A9" * 8):
            await get(client, f"/feeds/{guess}.opml", 404)


async def test_a_long_feed_has_pages(redis: Redis, clock: Clock, house: House) -> None:
    await house.subscribe(HERE, "now", ChannelSettings(digest_size=1))
    for n in range(3):
        await clock.set(clock.now + timedelta(days=1))
        await post(house, clock, *(a_paper(f"2603.{n}{m:03}") for m in range(PAGE - 5)))
    path = await address(redis)
    async with site(redis) as client:
        ids = await atom_ids(client, f"{path}.atom")
        assert ids == await json_ids(client, f"{path}.json")
        second = await atom(client, f"{path}.atom?page=2")
        await get(client, f"{path}.atom?page=9", 404)
    assert len(ids) == len(set(ids)) == 3 * (PAGE - 5)
    links = {link.rel: link.href for link in second.feed.links}
    assert links["self"] == f"{PUBLIC_URL}{path}.atom?page=2"
    assert links["first"] == links["previous"] == f"{PUBLIC_URL}{path}.atom"
    assert links["next"] == f"{PUBLIC_URL}{path}.atom?page=3"


async def test_news_of_a_watched_paper_is_an_item(redis: Redis, clock: Clock, house: House) -> None:
    await house.subscribe(HERE, "now", ChannelSettings())
    paper = a_paper("2603.1", versions=1, comment="", sources=("arxiv",))
    await post(house, clock, paper)
    await house.watches.put(HERE, paper.id, Watch(IMPORTANT, User("U", "Ada").signature, clock.now))
    await post(house, clock, a_paper("2603.1", versions=2, withdrawn=True, sources=("arxiv",)))
    async with site(redis) as client:
        news, first = (await json_feed(client, f"{await address(redis)}.json"))["items"]
    assert first["id"] == tag("2603.1")
    assert news["id"].startswith(tag("life:withdrawn"))
    assert "ithdr" in news["title"]
    assert (first["url"], news["_paperboy"]["reasons"]) == (news["url"], [])


async def test_markup_in_a_paper_is_escaped_in_every_format(redis: Redis, clock: Clock, house: House) -> None:
    nasty = a_paper(
        title=f"paper {NASTY}", abstract=NASTY, authors=(NASTY, ""), organization=NASTY, categories=(NASTY, ""),
        url="javascript:alert(1)", pdf_url='https://example.org/"><script>', tldr=NASTY, code_url="data:x",
    )  # fmt: skip
    await house.subscribe(HERE, "now", ChannelSettings())
    await Papers(redis).ingest("trends", Batch((), "c", history=(nasty,), trending=(nasty.id,)), 0)
    await post(house, clock, a_paper("2603.2"))
    async with site(redis) as client:
        for path in ("/feeds/trending", "/feeds/search"):
            entry = (await atom(client, f"{path}.atom?q=paper")).entries[-1]
            assert entry.title_detail.type == "text/html"
            assert unescape(entry.title).startswith("paper <script>alert(1)</script> ]]>")
            assert "<" not in entry.title
            body, _ = await get(client, f"{path}.atom?q=paper")
            html = next(ET.fromstring(body).iter(f"{ATOM}content")).text or ""
            for item in (await json_feed(client, f"{path}.json?q=paper"))["items"]:
                assert "<script" not in item["content_html"]
            assert "<script" not in html
            assert "javascript:" not in body.decode()
            assert "\u202e" not in body.decode()


async def test_the_feed_of_a_query_has_its_matches_of_the_last_days(redis: Redis) -> None:
    papers = [
        a_paper("2603.1", title="Old diffusion", published=NOW - timedelta(days=30)),
        a_paper("2603.2", title="Diffusion", published=NOW - timedelta(days=2)),
        a_paper("2603.3", title="Diffusion again", published=NOW - timedelta(days=1)),
        a_paper("2603.4", title="Other", published=NOW - timedelta(days=1)),
    ]
    await Papers(redis).ingest("test", Batch((), "c", history=tuple(papers)), 0)
    async with site(redis) as client:
        feed = await json_feed(client, "/feeds/search.json?q=diffusion")
        assert await atom_ids(client, "/feeds/search.atom?q=diffusion") == [tag("2603.3"), tag("2603.2")]
        _, headers = await get(client, "/feeds/search.atom?q=diffusion")
        for wrong in ("", "-x", "(((", "a" * 400, "%00"):
            body, _ = await get(client, f"/feeds/search.atom?q={wrong}", 400)
            assert b"/paper help" not in body
    assert [item["id"] for item in feed["items"]] == [tag("2603.3"), tag("2603.2")]
    assert feed["home_page_url"] == f"{PUBLIC_URL}/?q=diffusion"
    assert feed["items"][0]["_paperboy"]["reasons"] == [{"subscription": None, "query": "diffusion"}]
    assert headers["Access-Control-Allow-Origin"] == "*"


async def test_trending_papers_are_in_their_trending_order(redis: Redis) -> None:
    papers = [a_paper(f"2603.{n}", published=NOW - timedelta(days=n), upvotes=n) for n in (1, 2, 3)]
    order = ("2603.2", "2603.1", "2603.3")
    await Papers(redis).ingest("test", Batch((), "c", history=tuple(papers), trending=order), 0)
    async with site(redis) as client:
        assert await atom_ids(client, "/feeds/trending.atom") == [tag(paper_id) for paper_id in order]
        week = await json_ids(client, "/feeds/trending.json?span=week")
        assert week == [tag(f"2603.{n}") for n in (3, 2, 1)]
        await get(client, "/feeds/trending.atom?span=year", 400)


async def test_subscriptions_can_be_imported_as_opml(redis: Redis, house: House) -> None:
    await house.subscribe(HERE, "now", ChannelSettings())
    await house.subscriptions.add(HERE, 'gecko OR "sticky <feet>"', "now", "U")
    path = await address(redis)
    async with site(redis) as client:
        body, headers = await get(client, f"{path}.opml")
        outlines = list(ET.fromstring(body).iter("outline"))
        for outline in outlines:
            await atom(client, outline.get("xmlUrl", ""))
    assert headers["Content-Type"].startswith("text/x-opml")
    assert [outline.get("text") for outline in outlines] == ["#1 paper", '#2 gecko OR "sticky ‹feet›"']
    assert outlines[0].get("xmlUrl") == f"{PUBLIC_URL}{path}/1.atom"


async def test_requests_of_feeds_are_rate_limited(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feeds, "READS_EACH", Rate(3, 60))
    async with site(redis) as client:
        for _ in range(3):
            await get(client, f"/feeds/{'a' * 32}.atom", 404)
        _, headers = await get(client, "/feeds/trending.atom", 429)
    assert int(headers["Retry-After"]) >= 1


async def test_a_shared_list_is_a_feed_with_its_notes(redis: Redis) -> None:
    papers = [a_paper(f"2603.{n:05}", title=f"Paper {n}") for n in range(PAGE + 2)]
    await Papers(redis).remember(papers)
    saved, shared = ReadingLists(redis), PaperList(a_channel(platform="board"), shared=True)
    for paper in papers:
        await saved.add(shared, paper.id)
    await saved.add(shared, papers[0].id, Annotation(f"for Monday {NASTY}", ("to-read",), "U-Grace"))
    await saved.add(PaperList(a_channel(platform="board")), "2603.00001")
    path = await address(redis, SHARED_LIST)
    async with site(redis) as client:
        ids = await atom_ids(client, f"{path}.atom")
        assert ids == [tag(paper_id) for paper_id in await saved.of(shared)]
        assert set(ids) == {tag(paper.id) for paper in papers}
        assert await json_ids(client, f"{path}.json") == ids
        page = b"".join([(await get(client, f"{path}.json?page={n}"))[0] for n in (1, 2)])
        assert b"for Monday &lt;script&gt;" in page
        assert b"#to-read" in page
        assert b"Grace" not in page
        await get(client, f"{path}/1.atom", 404)
        await saved.remove(shared, papers[3].id)
        assert tag(papers[3].id) not in await atom_ids(client, f"{path}.atom")
        await Tokens(redis).end(a_channel(platform="board"), "feed", SHARED_LIST)
        await get(client, f"{path}.atom", 404)


async def test_pages_link_to_the_feeds_of_their_papers(redis: Redis) -> None:
    await Papers(redis).ingest("test", Batch((), "c", history=(a_paper(title="Diffusion"),)), 0)
    async with site(redis) as client:
        for path, query in (("/", ""), ("/?q=diffusion+-survey", "diffusion -survey")):
            body, _ = await get(client, path)
            named = re.findall(
                r'<link rel="alternate" type="([^"]+)" title="([^"]+)" href="([^"]+)">', body.decode()
            )
            assert [kind for kind, _, _ in named] == ["application/atom+xml", "application/feed+json"]
            for _, title, address_ in named:
                assert query in title
                _, headers = await get(client, address_)
                assert headers["Content-Type"].partition(";")[0] in {kind for kind, _, _ in named}
        body, _ = await get(client, "/?q=%3Ccs.CL%3E(((")
        assert b"alternate" not in body

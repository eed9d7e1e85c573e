"""The page of a paper, and the time spans of the front page."""

from datetime import timedelta

import pytest
from redis.asyncio import Redis

from bot.domain.life import Event
from bot.ports import Batch, Rate
from bot.store.papers import Papers
from bot.text.bibliography import FORMATS, Listed, bibtex
from bot.web import paper_pages
from bot.web.paper_pages import address_of
from tests.papers import a_paper
from tests.web.site import NOW, site
from tests.web.test_browser import papers
from tests.web.test_pages import NASTY, page, seen, titles


async def test_a_page_shows_a_paper_its_events_and_similar_papers(redis: Redis) -> None:
    event = Event("accepted", "accepted-icml-2026", NOW - timedelta(days=1), "Accepted at ICML 2026.")
    paper = a_paper("2603.00001", title="Diffusion of geckos", events=(event,), comment="9 pages")
    like = a_paper("2603.00002", title="Geckos and their diffusion")
    await seen(redis, paper, like, a_paper("2603.00003", title="Something else"))
    async with site(redis) as client:
        text = await page(client, "/papers/2603.00001")
        assert await page(client, "/papers/2603.00001v3") == text
        assert await page(client, "/papers/https%3A%2F%2Farxiv.org%2Fabs%2F2603.00001") == text
    for part in (
        "Diffusion of geckos",
        "We look at it closely.",
        "Accepted at ICML 2026.",
        "9 Mar",
        "9 pages",
        "/paper watch 2603.00001",
    ):
        assert part in text
    assert 'href="/papers/2603.00002"' in text
    assert 'href="https://arxiv.org/abs/2603.00001"' in text
    assert 'href="/api/v1/papers/2603.00001"' in text


async def test_the_front_page_links_to_papers_with_any_id(redis: Redis) -> None:
    papers = [a_paper("doi:10.1101/2026.01.02"), a_paper("hep-th/9901001"), a_paper("feed:a b?c#d%/é")]
    await seen(redis, *papers)
    async with site(redis) as client:
        front = await page(client)
        for paper in papers:
            assert f'href="{address_of(paper)}"' in front
            assert f"On paper {paper.id}" in await page(client, address_of(paper))


async def test_a_paper_can_be_cited_and_followed(redis: Redis) -> None:
    paper = a_paper("2603.00001", title="Diffusion of geckos", categories=("cs.RO", "cs.LG"))
    biology = a_paper("doi:10.1101/2026.01.02", categories=("developmental biology",))
    await seen(redis, paper, biology)
    async with site(redis) as client:
        text = await page(client, "/papers/2603.00001")
        assert bibtex([Listed(paper)]).splitlines()[0] in text
        assert "/feeds/search.atom?q=cat%3Acs.RO" in text
        assert "/?sort=new&amp;cat=cs.RO" in text
        for name, form in FORMATS.items():
            assert f"/papers/2603.00001?as={name}" in text
            async with client.get(f"/papers/2603.00001?as={name}") as response:
                assert await response.text() == form.write([Listed(paper)])
                assert response.content_type == form.mime
                assert response.headers["Content-Disposition"].endswith(f'"2603-00001.{form.suffix}"')
        assert "/feeds/search.json?q=cat%3A" in await page(client, address_of(biology))


async def test_markup_in_a_paper_is_escaped_on_its_page(redis: Redis) -> None:
    nasty = a_paper(title=NASTY, abstract=NASTY, authors=(NASTY,), comment=NASTY, url="javascript:alert(1)")
    await seen(redis, nasty, a_paper("2603.2", title=NASTY, abstract=NASTY))
    async with site(redis) as client:
        text = await page(client, address_of(nasty))
    assert "<script" not in text
    assert "<b>" not in text
    assert "javascript:" not in text


async def test_an_unknown_paper_is_404_and_too_many_requests_are_429(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paper_pages, "VIEWS_EACH", Rate(1, 60))
    async with site(redis) as client:
        assert "known here" in await page(client, "/papers/%3Cscript%3E", 404)
        assert "reloads automatically" in await page(client, "/papers/1", 429)
        async with client.get("/papers/1") as response:
            assert response.headers["Refresh"] == response.headers["Retry-After"] == "60"


async def test_longer_spans_are_sorted_by_upvotes(redis: Redis) -> None:
    papers = [
        a_paper(f"2603.{n}", title=f"Paper {n}", published=NOW - timedelta(days=n), upvotes=n)
        for n in (1, 5, 20)
    ]
    batch = Batch((), "c", history=tuple(papers), trending=("2603.1", "2603.20", "2603.5"))
    await Papers(redis).ingest("test", batch, 0)
    async with site(redis) as client:
        shown = {span: await page(client, f"/?span={span}") for span in ("day", "week", "month", "x")}
    assert titles(shown["day"]) == titles(shown["x"]) == ["Paper 1", "Paper 20", "Paper 5"]
    assert titles(shown["week"]) == ["Paper 5", "Paper 1"]
    assert titles(shown["month"]) == ["Paper 20", "Paper 5", "Paper 1"]
    assert "/feeds/trending.atom?span=month" in shown["month"]
    assert '<a href="/?span=week" aria-current="page">Week</a>' in shown["week"]


async def test_pages_are_compressed_and_small(redis: Redis) -> None:
    await seen(redis, *papers())
    async with site(redis) as client:
        for path in ("/", "/?span=month", "/?q=diffuse", "/papers/2603.00001"):
            headers = {"Accept-Encoding": "gzip"}
            async with client.get(path, headers=headers, skip_auto_headers=("Accept-Encoding",)) as answer:
                assert answer.headers["Content-Encoding"] == "gzip"
                assert int(answer.headers["Content-Length"]) < 50_000

"""The upstreams' own search: all are queried concurrently, within a time limit."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest
from aiohttp import ClientSession
from redis.asyncio import Redis
from structlog.testing import capture_logs

from bot.domain.errors import SourceError
from bot.query import parse
from bot.sources import build_finders
from bot.sources.arxiv.abstract_page import parse_abstract_page
from bot.sources.semantic_scholar import parse_found
from bot.sources.upstream_search import UpstreamSearch
from tests.replay import serve
from tests.sources.context import a_context
from tests.sources.searchable import Searchable, abstract_page, scholarly
from tests.sources.upstreams import app_of

Open = Callable[[Searchable], Awaitable[UpstreamSearch]]


@pytest.fixture
async def opened(redis: Redis) -> AsyncIterator[Open]:
    """Return a function that opens the search of all upstreams, at the test's server."""
    async with AsyncExitStack() as stack:

        async def open_(upstreams: Searchable) -> UpstreamSearch:
            url = await stack.enter_async_context(serve(app_of(upstreams.respond)))
            session = await stack.enter_async_context(ClientSession())
            return UpstreamSearch(build_finders(a_context(url, session, redis, pace=0.01)))

        yield open_


async def test_all_upstreams_are_searched_and_each_keeps_its_order(opened: Open) -> None:
    search = await opened(
        Searchable(
            huggingface=("2605.00002", "2605.00001"),
            arxiv=("2605.00003",),
            semantic_scholar=(scholarly("On Engines", doi="10.1000/ABC"), scholarly("No id")),
        )
    )
    found = await search.search("counting numbers", parse("counting numbers"))
    assert {name: [paper.id for paper in papers] for name, papers in found} == {
        "Hugging Face": ["2605.00002", "2605.00001"],
        "arXiv": ["2605.00003"],
        "Semantic Scholar": ["doi:10.1000/abc"],
    }


async def test_a_late_or_failing_upstream_is_omitted(opened: Open) -> None:
    upstreams = Searchable(huggingface=("2605.00001",), late=("/api/query",), failing=("/graph",))
    search = UpstreamSearch((await opened(upstreams)).finders, timeout=0.5)
    with capture_logs() as logs:
        assert [name for name, _ in await search.search("x", None)] == ["Hugging Face"]
    reasons = [str(line["reason"]) for line in logs if line["event"] == "upstream_search_failed"]
    assert "no answer within 0.5 s" in reasons
    assert not any("Result is not set" in reason for reason in reasons)
    assert await UpstreamSearch().search("x", None) == []


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("diffusion policy", "all:diffusion AND all:policy"),
        ('"diffusion policy" -survey', 'all:"diffusion policy" ANDNOT all:survey'),
        ("author:hinton ti:capsule* cat:cs.LG", "au:hinton AND ti:capsule* AND cat:cs.LG"),
        ("text-to-image", 'all:"text-to-image"'),
        ("cats OR dogs", "all:cats AND all:dogs"),
        ("agents min:3", "all:cats AND all:dogs"),
    ],
)
async def test_arxiv_is_searched_in_its_own_query_language(opened: Open, query: str, expected: str) -> None:
    upstreams = Searchable()
    await (await opened(upstreams)).search("cats, dogs", parse(query))
    (request,) = [path for path in upstreams.asked if path.startswith("/api/query")]
    assert parse_qs(urlsplit(request).query)["search_query"] == [expected]


async def test_a_paper_is_fetched_by_its_id_from_any_upstream(opened: Open) -> None:
    search = await opened(Searchable(arxiv=("2605.00003",)))
    found = await search.paper("2605.00003")
    assert found is not None
    assert (found[0], found[1].authors) == ("arXiv", ("Ada Lovelace", "Emmy Noether"))


async def test_arxivs_search_api_is_the_fallback_for_one_paper(opened: Open) -> None:
    upstreams = Searchable(arxiv=("2605.00003",), failing=("/oai",))
    found = await (await opened(upstreams)).paper("2605.00003")
    assert found is not None
    assert (found[0], found[1].authors) == ("arXiv", ("Emmy Noether",))
    arxiv = [path.partition("?")[0] for path in upstreams.asked if path.startswith(("/oai", "/api/query"))]
    assert arxiv == ["/oai", "/api/query"]


async def test_the_abstract_page_is_the_last_fallback_for_a_paper(opened: Open) -> None:
    upstreams = Searchable(arxiv=("2605.00003",), failing=("/oai", "/api/query"))
    found = await (await opened(upstreams)).paper("2605.00003")
    assert found is not None
    name, paper = found
    assert (name, paper.id, paper.title) == ("arXiv", "2605.00003", "On the Number 2605.00003")
    assert paper.authors == ("Emmy Noether", "Bartel L. van der Waerden", "Martin King Jr.")
    assert paper.abstract == "We count n < 7 things."
    assert paper.categories == ("math.NT", "hep-th")
    assert (paper.comment, paper.journal_ref) == ("12 pages; see here & there", "Math. Ann. 7 (2026) 1")
    assert paper.published.date().isoformat() == "2026-05-19"
    assert await (await opened(replace(upstreams, arxiv=()))).paper("2605.00003") is None


@pytest.mark.parametrize(
    "page",
    [
        "",
        "<html><head><title>Maintenance</title></head></html>",
        abstract_page("2605.00003", date="soon", online_date=""),
        abstract_page("2605.00003", title=""),
        abstract_page("nothing"),
        abstract_page("2605.00003")[:200],
        "<meta " * 99_999,
    ],
)
def test_a_page_without_an_abstract_is_an_error(page: str) -> None:
    with pytest.raises(SourceError):
        parse_abstract_page(page)


async def test_the_first_answer_for_a_paper_is_enough(opened: Open) -> None:
    upstreams = Searchable(huggingface=("2605.00003",), late=("/oai", "/graph"))
    found = await (await opened(upstreams)).paper("2605.00003")
    assert found is not None
    assert found[0] == "Hugging Face"


async def test_an_unknown_paper_is_none(opened: Open) -> None:
    assert await (await opened(Searchable())).paper("doi:10.1000/nothing") is None


def test_a_row_of_semantic_scholar_becomes_a_paper() -> None:
    row = scholarly(
        "On $\\alpha$",
        doi="10.1000/x(1)",
        publicationDate="2020-05-06",
        abstract="We count.",
        tldr={"model": "v2", "text": "They count."},
        openAccessPdf={"url": "https://example.org/x.pdf"},
    )
    (paper,) = parse_found(json.dumps({"total": 1, "data": [row]}).encode())
    assert (paper.id, paper.title, paper.tldr) == ("doi:10.1000/x(1)", "On α", "They count.")
    assert (paper.url, paper.pdf_url) == ("https://doi.org/10.1000/x(1)", "https://example.org/x.pdf")
    assert paper.published.date().isoformat() == "2020-05-06"


@pytest.mark.parametrize("body", [b"", b"[]", b'{"message": "no"}', b'{"total": 3}', b"[" * 99_999])
def test_anything_but_an_answer_is_an_error(body: bytes) -> None:
    with pytest.raises(SourceError):
        parse_found(body)

"""A double of all upstreams' search on one server, as strict about requests as they are."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.sources.oai_answers import Stored, oai, oai_error
from tests.sources.upstreams import listed

KEY = "the key"


@dataclass
class Searchable:
    """Finds the papers that a test adds; `late` and `failing` are prefixes of paths."""

    huggingface: tuple[str, ...] = ()
    """Ids, best first."""
    arxiv: tuple[str, ...] = ()
    semantic_scholar: tuple[dict[str, Any], ...] = ()
    late: tuple[str, ...] = ()
    failing: tuple[str, ...] = ()
    released: asyncio.Event = field(default_factory=asyncio.Event)
    """Late paths answer once this is set."""
    asked: list[str] = field(default_factory=list)

    async def respond(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request.path_qs)
        if request.path.startswith(self.failing):
            return web.Response(status=500)
        if request.path.startswith(self.late):
            await self.released.wait()
        assert request.headers["User-Agent"].startswith("Paperboy/")
        if request.path == "/api/papers/search":
            assert 1 <= len(request.query["q"]) <= 250
            assert int(request.query["limit"]) <= 120
            return web.json_response([listed(paper_id) for paper_id in self.huggingface])
        if request.path.startswith("/api/papers/"):
            return self._huggingface_page(request.match_info["path"].removeprefix("api/papers/"))
        if request.path.startswith("/graph/"):
            return self._scholar(request)
        return self._arxiv(request)

    def _huggingface_page(self, paper_id: str) -> web.StreamResponse:
        if paper_id not in self.huggingface:
            return web.json_response({"error": "Paper not found"}, status=404)
        return web.json_response(listed(paper_id)["paper"])

    def _arxiv(self, request: web.Request) -> web.StreamResponse:
        if request.path == "/oai":
            return web.Response(body=self._record(request), content_type="text/xml")
        if request.path == "/api/query":
            return web.Response(text=self._feed(request), content_type="application/atom+xml")
        return self._page(request.path.removeprefix("/abs/"))

    def _feed(self, request: web.Request) -> str:
        ids = request.query.get("id_list")
        assert ids or request.query["search_query"]
        return feed_of([paper_id for paper_id in self.arxiv if ids in (None, paper_id)])

    def _record(self, request: web.Request) -> bytes:
        assert request.query["verb"] == "GetRecord"
        assert request.query["metadataPrefix"] == "arXivRaw"
        paper_id = request.query["identifier"].removeprefix("oai:arXiv.org:")
        if paper_id not in self.arxiv:
            return oai_error("idDoesNotExist")
        return oai(Stored(paper_id, title=f"On the Number {paper_id}"), verb="GetRecord")

    def _page(self, paper_id: str) -> web.StreamResponse:
        known = paper_id in self.arxiv
        text = abstract_page(paper_id) if known else "<html><head></head>Not found</html>"
        return web.Response(text=text, content_type="text/html", status=200 if known else 404)

    def _scholar(self, request: web.Request) -> web.StreamResponse:
        if request.headers.get("x-api-key") != KEY:
            return web.json_response({"message": "Forbidden"}, status=403)
        assert "externalIds" in request.query["fields"]
        if request.path == "/graph/v1/paper/search":
            rows = self.semantic_scholar
            return web.json_response({"total": len(rows), "offset": 0, **({"data": rows} if rows else {})})
        return web.json_response({"error": "Paper with id not found"}, status=404)


def feed_of(ids: Sequence[str]) -> str:
    """Return arXiv's answer with these papers."""
    rows = "".join(
        f"<entry><id>http://arxiv.org/abs/{paper_id}v1</id><title>On the Number {paper_id}</title>"
        "<summary>We count.</summary><published>2026-05-19T12:00:00Z</published>"
        "<author><name>Emmy Noether</name></author></entry>"
        for paper_id in ids
    )
    return (
        '<feed xmlns:opensearch="http://a9.com/-/spec/opensearch/1.1/" xmlns="http://www.w3.org/2005/Atom">'
        f"<title>q</title><opensearch:totalResults>{len(ids)}</opensearch:totalResults>"
        f"<opensearch:startIndex>0</opensearch:startIndex>{rows}</feed>"
    )


def abstract_page(paper_id: str, **changed: str) -> str:
    """Return the meta tags and the table of arXiv's page of a paper."""
    tags = {
        "title": f"On the Number {paper_id}", "date": "2026/05/19", "online_date": "2026/06/02",
        "arxiv_id": paper_id, "abstract": "We count $n &lt; 7$ things.",
    } | changed  # fmt: skip
    authors = ("Noether, Emmy", "van der Waerden, Bartel L.", "King Jr., Martin")
    metas = [*tags.items(), *(("author", author) for author in authors)]
    head = "".join(f'<meta name="citation_{name}" content="{content}"/>' for name, content in metas)
    return (
        f'<!DOCTYPE html><html><head><meta name="viewport" content="width"/>{head}</head><body><table>'
        '<tr><td class="tablecell comments mathjax">12 pages; see <a href="/x">here</a> &amp; there</td></tr>'
        '<tr><td class="tablecell subjects"><span class="primary-subject">Number Theory (math.NT)</span>; '
        "High Energy Physics - Theory (hep-th)</td></tr>"
        '<tr><td class="tablecell jref">Math. Ann. 7 (2026) 1</td></tr></table></body></html>'
    )


def scholarly(title: str, *, arxiv: str = "", doi: str = "", **more: Any) -> dict[str, Any]:
    """Return a row of Semantic Scholar's answer."""
    ids = {"CorpusId": 1} | ({"ArXiv": arxiv} if arxiv else {}) | ({"DOI": doi} if doi else {})
    defaults = {"abstract": None, "authors": [{"authorId": "1", "name": "Ada Lovelace"}], "year": 2020}
    return {"paperId": "f00", "externalIds": ids, "title": title, "publicationDate": None, **defaults, **more}

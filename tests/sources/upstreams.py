"""Upstreams for tests: made-up answers in the recorded formats."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from xml.sax.saxutils import escape

from aiohttp import web

WEDNESDAY = datetime(2026, 5, 20, 15, 0, tzinfo=UTC)
"""An ordinary workday, outside all busy hours."""

Respond = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Clock:
    """A clock that stands still until it is set."""

    at: datetime = WEDNESDAY

    def now(self) -> datetime:
        return self.at


def app_of(respond: Respond) -> web.Application:
    """Return an application that answers everything with `respond`."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", respond)
    return app


def listed(paper_id: str, *, upvotes: int = 3, **details: Any) -> dict[str, Any]:
    """Return a row of Hugging Face's list; `details` go into its `paper`."""
    paper = {
        "id": paper_id,
        "authors": [{"_id": "1", "name": "Ada Lovelace", "hidden": False}],
        "publishedAt": "2026-05-19T00:00:00.000Z",
        "submittedOnDailyAt": "2026-05-20T00:00:00.000Z",
        "title": f"On the Number {paper_id}",
        "summary": "We count. Then we count again.",
        "upvotes": upvotes,
        **details,
    }
    return {"paper": paper, "publishedAt": "2026-05-18T20:00:00.000Z", "title": paper["title"]}


@dataclass
class Lists:
    """A Hugging Face with the lists that a test provides, which records its requests."""

    days: dict[str, list[dict[str, Any]]]
    trending: list[dict[str, Any]] | int = 404
    """The rows of the trending list, or the status of a refusal."""
    failing: dict[str, int] | None = None
    """Date -> status of the refusal."""
    future_from: date | None = None
    page: int = 100
    """The server's maximum number of rows per page."""

    def __post_init__(self) -> None:
        self.asked: list[dict[str, str]] = []

    @property
    def dates(self) -> list[str]:
        return [query["date"] for query in self.asked if "date" in query]

    async def respond(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(dict(request.query))
        day = request.query.get("date", "trending")
        status = (self.failing or {}).get(day, 200)
        if day == "trending":
            if isinstance(self.trending, int):
                return web.Response(status=self.trending)
            return web.json_response(self.trending)
        if self.future_from and date.fromisoformat(day) >= self.future_from:
            status = 400
        if status != 200:
            return web.json_response({"error": "no"}, status=status)
        return self._page(request, self.days.get(day, []))

    def _page(self, request: web.Request, rows: list[dict[str, Any]]) -> web.Response:
        limit = min(int(request.query.get("limit", 50)), self.page)
        start = int(request.query.get("p", 0)) * limit
        response = web.json_response(rows[start : start + limit])
        if len(rows) > start + limit:
            response.headers["Link"] = f'<{request.url}>; rel="next"'
        return response


@dataclass(frozen=True)
class Announced:
    """A row of an arXiv feed."""

    paper_id: str
    kind: str = "new"
    authors: str = "Ada Lovelace, Emmy Noether"
    categories: tuple[str, ...] = ("cs.CL", "cs.AI")
    title: str = "On Counting"


def rss(
    *rows: Announced, title: str = "cs.CL updates on arXiv.org", dated: date = date(2026, 5, 20)
) -> bytes:
    """Return a feed of `/rss/<category>`. Its date is the day after the evening of its announcement."""
    moment = f"{dated:%a, %d %b %Y} 00:00:00 -0400"
    items = "".join(
        f"<item><title>{escape(row.title)}</title><link>https://arxiv.org/abs/{row.paper_id}</link>"
        f"<description>arXiv:{row.paper_id}v1 Announce Type: {row.kind} \nAbstract: We count.</description>"
        f'<guid isPermaLink="false">oai:arXiv.org:{row.paper_id}v1</guid>'
        + "".join(f"<category>{term}</category>" for term in row.categories)
        + f"<pubDate>{moment}</pubDate>"
        f"<arxiv:announce_type>{row.kind}</arxiv:announce_type>"
        f"<dc:creator>{escape(row.authors)}</dc:creator></item>"
        for row in rows
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?><rss xmlns:arxiv="http://arxiv.org/schemas/atom" '
        'xmlns:dc="http://purl.org/dc/elements/1.1/" version="2.0"><channel>'
        f"<title>{title}</title><link>http://rss.arxiv.org/rss/cs.CL</link>"
        f"<pubDate>{moment}</pubDate>{items}</channel></rss>"
    ).encode()


def sending(body: bytes, *, status: int = 200, headers: dict[str, str] | None = None) -> Respond:
    """Return a handler that answers everything with one body."""

    async def respond(_request: web.Request) -> web.StreamResponse:
        return web.Response(body=body, status=status, headers=headers)

    return respond

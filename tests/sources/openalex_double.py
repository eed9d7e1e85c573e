"""A double of OpenAlex, as strict as its documentation and the code of its API: https://developers.openalex.org."""

import json
import re
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field

from aiohttp import web

KEY = "the key"
PARAMETERS = frozenset(
    [
        "api_key",
        "filter",
        "sort",
        "per_page",
        "per-page",
        "page",
        "cursor",
        "select",
        "search",
        "sample",
        "seed",
    ]
)
FIELDS = frozenset(["id", "title", "doi", "publication_date", "cited_by_count", "display_name"])
Refusal = tuple[int, str, str]
"""Status, error and message."""


@dataclass
class OpenAlex:
    """Requires a key, known parameters and filters, at most 100 works a page, its own cursors, and no more lists a day
    than are free. A refused list counts, too."""

    citing: dict[str, list[str]] = field(default_factory=dict)
    """Work -> works that cite it, latest first."""
    merged: dict[str, str] = field(default_factory=dict)
    """Work -> the work into which it was merged."""
    lists: int = 0
    look_ups: int = 0
    fails_after: int = 10_000
    free: int = 10_000
    """Number of lists per day, after which each answer is 429."""
    has_budget_headers: bool = True
    """Whether answers have the headers about the budget."""
    slow_down: bool = False
    """Whether to answer 403, as for too many requests per second."""
    refused: set[str] = field(default_factory=set)
    """Works whose lists are refused."""
    requests: list[str] = field(default_factory=list)
    """The work and the cursor of each list."""

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/works", self._list)
        app.router.add_get("/works/{id:.+}", self._work)
        return app

    @staticmethod
    def name_of(number: str) -> str:
        return f"W{int(number)}"

    async def _work(self, request: web.Request) -> web.Response:
        if refused := _bad_request(request.query):
            return self._error(refused)
        self.look_ups += 1
        work = self.name_of(request.match_info["id"].rpartition(".")[2])
        work = self.merged.get(work, work)
        if work not in self.citing:
            return self._error((404, "Not found", f"Work {work} not found"))
        return web.json_response(
            {"id": f"https://openalex.org/{work}", "title": "A work"}, headers=self._limits(0)
        )

    async def _list(self, request: web.Request) -> web.Response:
        if self.slow_down:
            return self._error((403, "Forbidden", "Rate limit exceeded"))
        if refused := _bad_key(request.query):
            return self._error(refused)
        if self.lists >= self.free:
            return self._error((429, "Rate limit exceeded", "Insufficient budget. Resets at midnight UTC."))
        if self.lists >= self.fails_after:
            return web.Response(status=500)
        self.lists += 1
        work = request.query.get("filter", "").removeprefix("cites:")
        self.requests.append(f"{work} {request.query.get('cursor', '')}")
        refused = _bad_request(request.query) or _bad_list(request.query)
        if refused or work in self.refused:
            return self._error(refused or (400, "Invalid query parameters error.", "not a valid id"))
        return self._page(request.query, [] if work in self.merged else self.citing.get(work, []))

    def _page(self, query: Mapping[str, str], works: list[str]) -> web.Response:
        works = works if query["sort"].endswith(":desc") else works[::-1]
        most = int(query.get("per_page") or query.get("per-page") or 25)
        cursor = query.get("cursor")
        try:
            at = _place(cursor, works) if cursor else (int(query.get("page", "1")) - 1) * most
        except ValueError:
            return self._error((400, "Pagination error.", "Invalid cursor value"))
        rows = works[at : at + most]
        meta: dict[str, object] = {"count": len(works), "db_response_time_ms": 9, "per_page": most}
        if cursor:
            full = len(rows) == most
            meta |= {"page": None, "next_cursor": _cursor(at + most, rows[-1]) if full else None}
        else:
            meta["page"] = int(query.get("page", "1"))
        answer = {
            "meta": meta,
            "results": [{"id": f"https://openalex.org/{w}", "title": f"On {w}"} for w in rows],
            "group_by": [],
        }
        return web.json_response(answer, headers=self._limits(1))

    def _limits(self, cost: int) -> dict[str, str]:
        if not self.has_budget_headers:
            return {}
        return {
            "X-RateLimit-Limit": str(self.free),
            "X-RateLimit-Remaining": str(max(0, self.free - self.lists)),
            "X-RateLimit-Credits-Used": str(cost),
            "X-RateLimit-Reset": "3600",
        }

    def _error(self, refusal: Refusal) -> web.Response:
        status, error, message = refusal
        body = {"error": error, "message": message}
        after = {"Retry-After": "3600"} if status == 429 else {}
        return web.json_response(body, status=status, headers=self._limits(0) | after)


def _bad_key(query: Mapping[str, str]) -> Refusal | None:
    key = query.get("api_key")
    return None if key == KEY else (401, "Invalid or missing API key", "API key not found")


def _bad_request(query: Mapping[str, str]) -> Refusal | None:
    if bad := _bad_key(query):
        return bad
    if unknown := query.keys() - PARAMETERS:
        return 400, "Invalid query parameters error.", f"{min(unknown)} is not a valid parameter."
    if not set(query.get("select", "id").split(",")) <= FIELDS:
        return 400, "Invalid query parameters error.", "select has a field that isn't valid"
    return None


def _bad_list(query: Mapping[str, str]) -> Refusal | None:
    size = query.get("per_page") or query.get("per-page") or "25"
    page, cursor = query.get("page", "1"), query.get("cursor")
    numbers = size.isdecimal() and page.isdecimal()
    sorts = {"publication_date:desc", "publication_date", "publication_date:asc"}
    rules = {
        "per-page parameter must be between 1 and 100.": numbers and 1 <= int(size) <= 100,
        "Page parameter must be greater than 0.": numbers and int(page) > 0,
        "Maximum results size of 10,000 records is exceeded.": numbers and int(page) * int(size) <= 10_000,
        "Cannot use page parameter with cursor.": not cursor or page == "1",
        "Cursor is null. Likely reached end of results.": cursor not in {"null", "None", "none"},
        "Invalid filter.": re.fullmatch(r"cites:W[1-9]\d*", query.get("filter", "")),
        "Invalid sort.": query.get("sort") in sorts,
    }
    broken = (message for message, holds in rules.items() if not holds)
    return next(((400, "Invalid query parameters error.", message) for message in broken), None)


def _cursor(place: int, last: str) -> str:
    return b64encode(json.dumps([place, last]).encode()).decode()


def _place(cursor: str, works: list[str]) -> int:
    """Return the index at which the page after a cursor begins: after its last work, wherever that is now.

    Raises ValueError for an invalid cursor.
    """
    if cursor == "*":
        return 0
    place, last = json.loads(b64decode(cursor, validate=True))
    return works.index(last) + 1 if last in works else int(place) - 1

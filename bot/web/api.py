"""The read-only JSON API below `/api/v1`, which `static/openapi.json` describes.

Papers, search and trending are for everyone; a channel's posts and subscriptions need its token.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from importlib.resources import files
from typing import Any, TypeVar
from urllib.parse import urlencode

from aiohttp import web
from aiohttp.typedefs import Handler
from aiohttp.web_exceptions import HTTPBadRequest, HTTPNotFound, HTTPUnauthorized
from redis.exceptions import RedisError

from bot.cards.sanitize import plain
from bot.domain.errors import UserError
from bot.ports import Rate
from bot.search.ranking import Sort
from bot.store.limits import Limits
from bot.store.tokens import Grant, Tokens
from bot.text.identity import paper_id
from bot.web.api_documents import JSON, dumped, paper_values, post_values, problem, subscription_values
from bot.web.feeds import PRIVATE, conditional
from bot.web.limits import count_request
from bot.web.list_reader import SPANS, Items, ListReader
from bot.web.requests import query_of

ROOT = "/api/v1"
READS_EACH = Rate(60, 60)
"""Rate limit per client."""
READS_TOTAL = Rate(1200, 60)
"""Rate limit of all clients together."""
SECONDS = 5.0
"""Timeout of a request, in seconds."""
PUBLIC = "public, max-age=60"
PAGE = 10
"""Search results per page."""
CONCURRENT_SEARCHES = 2
"""Maximum number of concurrent searches for strangers, so that people in channels don't wait for them."""
MAX_QUERY, MAX_DAYS, MAX_PAGE, MAX_NUMBER = 256, 4_000, 999_999, 999_999_999
"""Characters of a query, and the largest values of parameters."""
SORTS: tuple[Sort, ...] = ("best", "new", "top")
MINE = "mine"
"""Stands for the token's own channel."""
POLICY = {"RateLimit-Policy": f'"api";q={READS_EACH.count};w={READS_EACH.per:.0f}'}
_NUMBER = re.compile("[0-9]{1,9}", re.ASCII)

_Name = TypeVar("_Name", bound=str)
Answer = Callable[[web.Request], Awaitable[web.Response]]


class Api:
    """The routes of the API."""

    def __init__(self, reader: ListReader, tokens: Tokens, limits: Limits, public_url: str = "") -> None:
        self._reader = reader
        self._tokens = tokens
        self._limits = limits
        self._public_url = public_url
        self._searches = asyncio.Semaphore(CONCURRENT_SEARCHES)
        self._description = files("bot.web").joinpath("static", "openapi.json").read_bytes()

    def routes(self) -> list[web.RouteDef]:
        """Return the routes of all operations in `openapi.json`."""
        public: dict[str, Answer] = {
            "/papers/{id:.+}": self._paper,
            "/search": self._search,
            "/matching": self._matching,
            "/trending": self._trending,
            "/openapi.json": self._openapi,
        }
        private: dict[str, Answer] = {
            "/channels/{channel}/posts": self._posts,
            "/channels/{channel}/subscriptions": self._subscriptions,
        }
        return [
            *(
                web.get(f"{ROOT}{path}", self._guarded(answer, public=True))
                for path, answer in public.items()
            ),
            *(
                web.get(f"{ROOT}{path}", self._guarded(answer, public=False))
                for path, answer in private.items()
            ),
        ]

    def _guarded(self, answer: Answer, *, public: bool) -> Answer:
        """Wrap a handler: add the headers for rate limits and, if `public`, for CORS."""

        async def guarded(request: web.Request) -> web.Response:
            response = await self._respond(request, answer)
            response.headers.extend(POLICY)
            if public:
                response.headers["Access-Control-Allow-Origin"] = "*"
                response.headers["Access-Control-Expose-Headers"] = (
                    "ETag, Link, RateLimit, RateLimit-Policy, Retry-After"
                )
            return response

        return guarded

    async def _respond(self, request: web.Request, answer: Answer) -> web.Response:
        """Apply the rate limits, then answer the request; errors become problems that say what to do."""
        try:
            async with asyncio.timeout(SECONDS):
                full = await count_request(self._limits, request, "api", each=READS_EACH, total=READS_TOTAL)
                if full is not None:
                    wait = max(1, round(full.seconds))
                    headers = {"Retry-After": str(wait), "RateLimit": f'"api";r=0;t={wait}'}
                    return problem(429, "Too many requests. Wait as Retry-After says.", headers)
                return await answer(request)
        except UserError as error:
            return problem(400, _message(error))
        except web.HTTPException as error:
            return problem(error.status, error.text or "", _without_type(error.headers))
        except (RedisError, OSError, TimeoutError):
            return problem(
                503, "That isn't available just now. Try again in a minute.", {"Retry-After": "60"}
            )

    async def _openapi(self, request: web.Request) -> web.Response:
        return conditional(request, self._description, JSON, PUBLIC)

    async def _paper(self, request: web.Request) -> web.Response:
        wanted = request.match_info["id"].strip()
        ids = [wanted, paper_id(wanted) or wanted]
        found = await self._reader.papers.get(ids)
        paper = next((found[one] for one in ids if one in found), None)
        if paper is None:
            raise HTTPNotFound(text="This paper isn't known here.")
        return conditional(request, dumped(paper_values(paper)), JSON, PUBLIC)

    async def _search(self, request: web.Request) -> web.Response:
        query, page = _query(request), _number(request, "page", MAX_PAGE) or 1
        days, sort = _number(request, "days", MAX_DAYS), _choice(request, "sort", SORTS)
        try:
            async with self._searches:
                found = await self._reader.search.find(query, days=days, sort=sort, page=page, size=PAGE)
        except UserError as error:  # the query has nothing to search for
            nothing = {"total": 0, "pages": 1, "loose": False, "spelling": None, "problem": _message(error)}
            return self._list(request, [], page, PUBLIC, has_next=False, **nothing)
        papers = found.papers if found.parts is None and page <= found.pages else ()
        more = {
            "total": found.total,
            "pages": found.pages,
            "loose": found.loose,
            "spelling": found.spelling or None,
            "problem": None,
        }
        values = [paper_values(paper) for paper in papers]
        return self._list(request, values, page, PUBLIC, has_next=page < found.pages, **more)

    async def _matching(self, request: web.Request) -> web.Response:
        query, page = _query(request), _number(request, "page", MAX_PAGE) or 1
        try:
            items = await self._reader.matching(query, page)
        except UserError as error:  # a subscription can't have this query, so nothing matches
            return self._list(request, [], page, PUBLIC, has_next=False, problem=_message(error))
        return self._papers(request, items, problem=None)

    async def _trending(self, request: web.Request) -> web.Response:
        span = _choice(request, "span", tuple(SPANS))
        return self._papers(
            request, await self._reader.trending(span, _number(request, "page", MAX_PAGE) or 1)
        )

    async def _posts(self, request: web.Request) -> web.Response:
        grant = await self._granted(request)
        number = _number(request, "subscription", MAX_NUMBER)
        items = await self._reader.posts(grant, _number(request, "page", MAX_PAGE) or 1, number)
        values = [post_values(item) for item in items.items]
        return self._list(request, values, items.page, PRIVATE, has_next=items.more)

    async def _subscriptions(self, request: web.Request) -> web.Response:
        grant = await self._granted(request)
        values = [subscription_values(one) for one in await self._reader.subscriptions(grant)]
        return conditional(request, dumped({"items": values}), JSON, PRIVATE)

    async def _granted(self, request: web.Request) -> Grant:
        """Return what the token grants. Raises 401 if it isn't valid, 404 for another channel, known or not."""
        scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
        grant = await self._tokens.find(secret.strip()) if scheme.lower() == "bearer" and secret else None
        if grant is None or grant.kind != "api":
            raise HTTPUnauthorized(
                text="This needs the channel's token: Authorization: Bearer … /paper api new makes one.",
                headers={"WWW-Authenticate": "Bearer"},
            )
        if request.match_info["channel"] not in {MINE, str(grant.channel)}:
            raise HTTPNotFound(text="This token is for another channel.")
        return grant

    def _papers(self, request: web.Request, items: Items, **more: object) -> web.Response:
        values = [paper_values(item.paper) for item in items.items]
        return self._list(request, values, items.page, PUBLIC, has_next=items.more, **more)

    def _list(
        self,
        request: web.Request,
        items: list[dict[str, Any]],
        page: int,
        cache: str,
        *,
        has_next: bool,
        **more: object,
    ) -> web.Response:
        """Return a page of a list, with the URL of the next page if there is one."""
        parameters = {**query_of(request), "page": str(page + 1)}
        origin = self._public_url or str(request.url.origin())
        address = f"{origin}{request.rel_url.raw_path}?{urlencode(parameters)}" if has_next else None
        response = conditional(
            request, dumped({"items": items, "page": page, "next": address, **more}), JSON, cache
        )
        if address:
            response.headers["Link"] = f'<{address}>; rel="next"'
        return response


@web.middleware
async def problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer errors below `/api/` and `/mcp` that no handler saw, such as a wrong method, as RFC 9457 problems."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        if not request.path.startswith(("/api/", "/mcp")) or error.status < 400:
            raise
        policy = POLICY if request.path.startswith("/api/") else {}
        return problem(error.status, error.text or "", _without_type(error.headers) | policy)


def _without_type(headers: Mapping[str, str]) -> dict[str, str]:
    return {
        name: value
        for name, value in headers.items()
        if name.lower() not in {"content-type", "content-length"}
    }


def _message(error: UserError) -> str:
    return plain(f"{error} {error.hint}")


def _query(request: web.Request) -> str:
    """Return the query. Its length is checked as it was sent, as `openapi.json` says."""
    sent = request.rel_url.query.get("q", "")
    if not sent:
        raise HTTPBadRequest(text="“q” is missing: what to look for.")
    if len(sent) > MAX_QUERY:
        raise HTTPBadRequest(text=f"“q” has {len(sent)} characters; at most {MAX_QUERY} are allowed.")
    return query_of(request)["q"].strip()


def _number(request: web.Request, name: str, most: int) -> int | None:
    """Return a parameter from 1 to `most`; None if it is missing."""
    value = query_of(request).get(name)
    if value is None:
        return None
    if not _NUMBER.fullmatch(value) or not 1 <= int(value) <= most:
        raise HTTPBadRequest(text=f"“{name}” is a number from 1 to {most}.")
    return int(value)


def _choice(request: web.Request, name: str, values: tuple[_Name, ...]) -> _Name:
    """Return a parameter that is one of `values`; the first of them if it is missing."""
    chosen = query_of(request).get(name, values[0])
    for value in values:
        if value == chosen:
            return value
    raise HTTPBadRequest(text=f"“{name}” is {', '.join(values[:-1])} or {values[-1]}.")

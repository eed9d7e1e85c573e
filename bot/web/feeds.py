"""Feeds: trending papers and queries for everyone, a channel's posts at a secret URL that can be revoked."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from email.utils import format_datetime
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode

from aiohttp import ETag, web
from aiohttp.web_exceptions import HTTPBadRequest, HTTPNotFound, HTTPServiceUnavailable, HTTPTooManyRequests
from redis.exceptions import RedisError

from bot.cards.sanitize import plain
from bot.domain.errors import UserError
from bot.ports import Rate
from bot.query import parse, spelled
from bot.store.limits import Limits
from bot.store.tokens import SECRET, SHARED_LIST, Grant, Tokens
from bot.text import shorten
from bot.web.feed_documents import ATOM, OPML, TYPES, FeedDocument, atom, json_feed, opml
from bot.web.limits import count_request, retry_after
from bot.web.list_reader import SPANS, ListReader
from bot.web.requests import query_of
from bot.web.search_form import page_number

READS_EACH = Rate(60, 60)
"""Rate limit per client."""
READS_TOTAL = Rate(1200, 60)
"""Rate limit of all clients together."""
SECONDS = 5.0
"""Timeout of a request, in seconds."""
PUBLIC = "public, max-age=300"
PRIVATE = "private, no-cache"
"""Caches revalidate on each request, so that a revoked URL stops working at once."""
SETTLES = timedelta(minutes=1)
"""Minimum age of the latest item for Last-Modified, which has a resolution of one second: another item could follow
within the same second. A minute also covers clocks that differ between machines."""
QUERY = 60
"""Maximum number of characters of a query in a feed's title."""


class Feeds:
    """Routes below `/feeds`."""

    def __init__(
        self,
        reader: ListReader,
        tokens: Tokens,
        limits: Limits,
        now: Callable[[], datetime],
        public_url: str = "",
    ) -> None:
        self._reader = reader
        self._now = now
        self._tokens = tokens
        self._limits = limits
        self._public_url = public_url

    def routes(self) -> list[web.RouteDef]:
        """Return the routes of the public feeds and of the channels' feeds."""
        secret = f"/feeds/{{secret:{SECRET}}}"
        return [
            web.get("/feeds/trending.{form:atom|json}", self._guarded(self._trending)),
            web.get("/feeds/search.{form:atom|json}", self._guarded(self._search)),
            web.get(f"{secret}.{{form:atom|json}}", self._guarded(self._posts)),
            web.get(f"{secret}/{{number:[0-9]{{1,9}}}}.{{form:atom|json}}", self._guarded(self._posts)),
            web.get(f"{secret}.opml", self._guarded(self._subscriptions)),
        ]

    def _guarded(self, handler: Callable[[web.Request], Awaitable[web.Response]]) -> Any:
        """Wrap a handler: apply the rate limits and the timeout, and turn errors into HTTP responses."""

        async def guarded(request: web.Request) -> web.Response:
            try:
                async with asyncio.timeout(SECONDS):
                    full = await count_request(
                        self._limits, request, "feeds", each=READS_EACH, total=READS_TOTAL
                    )
                    if full is not None:
                        raise HTTPTooManyRequests(
                            text="Too many requests. Try again in a minute.\n", headers=retry_after(full)
                        )
                    return await handler(request)
            except UserError as error:
                raise HTTPBadRequest(text=f"{plain(f'{error} {error.hint}')}\n") from error
            except (RedisError, OSError, TimeoutError) as error:
                raise HTTPServiceUnavailable(
                    text="The feed isn't available just now. Try again in a minute.\n",
                    headers={"Retry-After": "60"},
                ) from error

        return guarded

    async def _trending(self, request: web.Request) -> web.Response:
        span, page = query_of(request).get("span", "day"), page_of(request)
        if span not in SPANS:
            raise UserError(f"“{shorten(span, QUERY)}” isn't a span. Spans are {', '.join(SPANS)}.")
        items = await self._reader.trending(span, page)
        title = "Trending papers" if span == "day" else f"The most upvoted papers of the {span}"
        parameters = {} if span == "day" else {"span": span}
        feed = FeedDocument(
            f"trending/{span}", title, "As Hugging Face's community ranks them.", items, home="/"
        )
        return self._answer(request, feed, parameters)

    async def _search(self, request: web.Request) -> web.Response:
        parsed = parse(query_of(request).get("q", ""))
        query = spelled(parsed)
        items = await self._reader.matching(query, page_of(request))
        parameters = {"q": query}
        about = "What a subscription to this query would have posted in the last days."
        title, home = f"Papers on {shorten(query, QUERY)}", f"/?{urlencode(parameters)}"
        return self._answer(
            request, FeedDocument(f"query/{parsed}", title, about, items, home=home), parameters
        )

    async def _posts(self, request: web.Request) -> web.Response:
        grant = await self._granted(request)
        name = sha256(str(grant.channel).encode()).hexdigest()[:16]
        if grant.number == SHARED_LIST and "number" not in request.match_info:
            items = await self._reader.shared_list(grant, page_of(request))
            about = "The papers that people in the channel put on its shared list, the latest first."
            return self._answer(
                request, FeedDocument(f"list/{name}", "Paperboy · Shared list", about, items), {}
            )
        number = int(request.match_info.get("number", grant.number))
        if grant.number and number != grant.number:
            raise HTTPNotFound
        items = await self._reader.posts(grant, page_of(request), number)
        query = next(
            (one.query for one in await self._reader.subscriptions(grant) if one.number == number), ""
        )
        title = f"#{number}: {shorten(query, QUERY)}" if query else f"#{number}" if number else "All posts"
        about = "The papers that Paperboy posted, the latest first."
        return self._answer(
            request, FeedDocument(f"channel/{name}/{number}", f"Paperboy · {title}", about, items), {}
        )

    async def _subscriptions(self, request: web.Request) -> web.Response:
        grant = await self._granted(request)
        address = self._address(request).removesuffix(".opml")
        feeds = [
            (f"#{one.number} {one.query}", f"{address}/{one.number}.atom")
            for one in await self._reader.subscriptions(grant)
        ]
        return conditional(request, opml("Paperboy: a channel's subscriptions", feeds), TYPES[OPML], PRIVATE)

    async def _granted(self, request: web.Request) -> Grant:
        grant = await self._tokens.find(request.match_info["secret"])
        if grant is None or grant.kind != "feed":
            raise HTTPNotFound(text="This feed doesn't exist, or its address was replaced.\n")
        return grant

    def _answer(
        self, request: web.Request, feed: FeedDocument, parameters: Mapping[str, str]
    ) -> web.Response:
        """Return the feed in the requested format, with its URLs. Public feeds have a `home`, private ones don't."""
        items, home = feed.items, feed.home
        if items.page > 1 and not items.items:
            raise HTTPNotFound(text="This feed has no such page.\n")
        here = self._address(request)

        def page(number: int) -> str:
            values = {**parameters, **({"page": str(number)} if number > 1 else {})}
            return f"{here}?{urlencode(values)}" if values else here

        feed = replace(
            feed,
            address=page(items.page),
            first=page(1),
            next=page(items.page + 1) if items.more else "",
            previous=page(items.page - 1) if items.page > 1 else "",
            home=f"{self._origin(request)}{home}" if home else "",
        )
        form = request.match_info["form"]
        body = atom(feed) if form == ATOM else json_feed(feed)
        settled = items.updated if self._now() - items.updated >= SETTLES else None
        answer = conditional(request, body, TYPES[form], PUBLIC if home else PRIVATE, settled)
        if home:
            answer.headers["Access-Control-Allow-Origin"] = "*"
        return answer

    def _address(self, request: web.Request) -> str:
        return f"{self._origin(request)}{request.path}"

    def _origin(self, request: web.Request) -> str:
        """Return the installation's base URL."""
        return self._public_url or str(request.url.origin())


def page_of(request: web.Request) -> int:
    """Return the number of the requested page, from 1."""
    return page_number(query_of(request).get("page", ""))


def conditional(
    request: web.Request, body: bytes, content_type: str, cache: str, updated: datetime | None = None
) -> web.Response:
    """Return the document, or 304 if the client already has it."""
    etag = sha256(body).hexdigest()[:32]
    modified = updated.replace(microsecond=0) if updated else None
    if request.if_none_match is not None:
        unchanged = any(tag.value in {etag, "*"} for tag in request.if_none_match)
    else:  # a public list can change without a new item: its order, or an older paper that reappears
        since = request.if_modified_since
        unchanged = cache == PRIVATE and since is not None and modified is not None and modified <= since
    answer = web.Response(status=304) if unchanged else web.Response(body=body)
    if not unchanged:
        answer.content_type, answer.charset = content_type, "utf-8"
        answer.enable_compression()
    answer.headers["Vary"] = "Accept-Encoding"
    answer.etag = ETag(etag, is_weak=True)  # weak, since it is the same for each encoding
    if modified:
        answer.headers["Last-Modified"] = format_datetime(modified, usegmt=True)
    answer.headers["Cache-Control"] = cache
    if cache == PRIVATE:
        answer.headers["X-Robots-Tag"] = "noindex"
    return answer

"""The page of a paper: its abstract, its events, and similar papers."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from urllib.parse import quote

from aiohttp import web
from redis.exceptions import RedisError

from bot.cards.paper import paper_block, short_date
from bot.cards.sanitize import plain
from bot.domain.models import Paper
from bot.ports import Rate
from bot.store.limits import Limits
from bot.text import shorten
from bot.text.bibliography import FORMATS, Format, Listed
from bot.text.identity import paper_id
from bot.web.feed_links import feed_links
from bot.web.filters import filters_of
from bot.web.limits import count_request, reload_after
from bot.web.list_reader import ListReader
from bot.web.requests import query_of
from bot.web.templating import Templates

TOO_MANY_PAGES = "Too many requests right now. This page reloads automatically in a moment."
VIEWS_EACH = Rate(120, 60)
"""Rate limit per client."""
VIEWS_TOTAL = Rate(1200, 60)
"""Rate limit of all clients together."""
SECONDS = 3.0
"""Timeout of a page, in seconds."""
SIMILAR = 5
"""Number of similar papers."""
ABSTRACT = 4000
"""Maximum number of characters of an abstract."""
CONCURRENT = 2
"""Maximum number of concurrent searches for similar papers, so that people in channels don't wait for them."""
CACHE = "public, max-age=300"


class PaperPages:
    """`/papers/<id>`, also as a file for a reference manager (`?as=bibtex`)."""

    def __init__(self, reader: ListReader, limits: Limits, now: Callable[[], datetime]) -> None:
        self._reader = reader
        self._limits = limits
        self._now = now
        self._searches = asyncio.Semaphore(CONCURRENT)
        self._templates = Templates()

    def routes(self) -> list[web.RouteDef]:
        """Return the route for all papers."""
        return [web.get("/papers/{id:.+}", self._page)]

    async def _page(self, request: web.Request) -> web.Response:
        try:
            async with asyncio.timeout(SECONDS):
                full = await count_request(
                    self._limits, request, "papers", each=VIEWS_EACH, total=VIEWS_TOTAL
                )
                if full is not None:
                    return self._problem(429, TOO_MANY_PAGES, reload_after(full))
                wanted = request.match_info["id"].strip()
                ids = [wanted, paper_id(wanted) or wanted]
                found = await self._reader.papers.get(ids)
                paper = next((found[one] for one in ids if one in found), None)
                if paper is None:
                    return self._problem(404, "This paper isn't known here. Try a search by its title.")
                if (form := FORMATS.get(query_of(request).get("as", ""))) is not None:
                    return _file(paper, form)
                async with self._searches:
                    similar = await self._reader.search.similar(paper, SIMILAR)
        except (RedisError, OSError, TimeoutError):
            return self._problem(
                503, "This page isn't available just now. Try again in a minute.", {"Retry-After": "60"}
            )
        return self._shown(paper, similar)

    def _shown(self, paper: Paper, similar: list[Paper]) -> web.Response:
        now = self._now()
        newest = filters_of({"cat": paper.categories[0], "sort": "new"}) if paper.categories else None
        page = self._templates.page(
            "one_paper.html",
            block=paper_block(paper, (), now, "compact"),
            abstract=shorten(plain(paper.abstract), ABSTRACT),
            appeared=paper.published.date().isoformat(),
            published=short_date(paper.published, now),
            comment=plain(paper.comment or ""),
            events=[(event.at, short_date(event.at, now), plain(event.text)) for event in paper.events],
            similar=[
                (address_of(one), paper_block(one, (), now, "line")) for one in similar if one.id != paper.id
            ],
            api=f"/api/v1{address_of(paper)}",
            bibtex=FORMATS["bibtex"].write([Listed(replace(paper, abstract=""))]).strip(),
            files=[(form.name, f"{address_of(paper)}?as={name}") for name, form in FORMATS.items()],
            newest=newest,
            feeds=feed_links(newest.text) if newest else [],
        )
        page.enable_compression()
        page.headers["Cache-Control"] = CACHE
        return page

    def _problem(self, status: int, message: str, headers: dict[str, str] | None = None) -> web.Response:
        page = self._templates.page("problem.html", status=status, message=message)
        page.headers.update(headers or {})
        return page


def _file(paper: Paper, form: Format) -> web.Response:
    name = "".join(letter if letter.isalnum() else "-" for letter in paper.id if letter.isascii())
    response = web.Response(text=form.write([Listed(paper)]), content_type=form.mime)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.{form.suffix}"'
    response.headers["Cache-Control"] = CACHE
    return response


def address_of(paper: Paper) -> str:
    """Return the path of a paper's page."""
    return f"/papers/{quote(paper.id, safe='')}"

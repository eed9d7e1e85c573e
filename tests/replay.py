"""Replay recorded upstreams on loopback: a server that answers as Hugging Face does, from one file per day."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer


@asynccontextmanager
async def serve(app: web.Application) -> AsyncIterator[str]:
    """Serve `app` on a free loopback port, and yield its base URL."""
    async with TestServer(app) as server:
        yield str(server.make_url("")).rstrip("/")


class HuggingFaceReplay:
    """The daily list as Hugging Face serves it: ordered by upvotes, paged, 400 for a future date.

    `folder` contains an answer per date (`2026-05-20.json`). `until` is the newest date that isn't in the future;
    `shift` is added to every requested date, so that a program on the real clock gets recorded days.
    """

    def __init__(self, folder: Path, *, until: date | None = None, shift: timedelta = timedelta(0)) -> None:
        self.folder = folder
        self.until = until
        self.shift = shift
        self.asked: list[str] = []
        """Requested date of each request for a list, in order, or `trending`."""

    @property
    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/api/daily_papers", self._answer)
        return app

    def day(self, day: date) -> list[dict[str, Any]]:
        """Return the rows recorded for a date; empty if there is no recording."""
        path = self.folder / f"{day}.json"
        rows: list[dict[str, Any]] = json.loads(path.read_bytes()) if path.exists() else []
        return sorted(rows, key=lambda row: -int(row["paper"]["upvotes"]))

    async def _answer(self, request: web.Request) -> web.Response:
        if request.query.get("sort") == "trending":
            self.asked.append("trending")
            return _page(request, self._trending())
        self.asked.append(request.query["date"])
        day = date.fromisoformat(request.query["date"]) + self.shift
        if self.until and day > self.until:
            return web.json_response({"error": "date must not be in the future"}, status=400)
        return _page(request, self.day(day))

    def _trending(self) -> list[dict[str, Any]]:
        """Return the last week's papers by upvotes: an order that differs from that of every single day."""
        newest = self.until or max(date.fromisoformat(path.stem) for path in self.folder.glob("*.json"))
        rows = [row for n in range(7) for row in self.day(newest - timedelta(days=n))]
        unique = {row["paper"]["id"]: row for row in rows}
        return sorted(unique.values(), key=lambda row: -int(row["paper"]["upvotes"]))


def _page(request: web.Request, rows: list[dict[str, Any]]) -> web.Response:
    limit = min(int(request.query.get("limit", 50)), 100)
    page = int(request.query.get("p", 0))
    response = web.json_response(rows[page * limit : (page + 1) * limit])
    response.headers["RateLimit"] = '"api";r=499;t=300'
    if len(rows) > (page + 1) * limit:
        following = request.url.update_query(p=page + 1)
        response.headers["Link"] = f'<{following}>; rel="next"'
    return response

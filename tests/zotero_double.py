"""Zotero's Web API, version 3, as strict as its server (github.com/zotero/dataserver) in what Paperboy uses."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

KEY = re.compile(r"[23456789ABCDEFGHIJKLMNPQRSTUVWXYZ]{8}")
MOST = 50
"""Maximum number of objects in a request."""
LONGEST = 1000
"""Maximum length of a title in characters; the real server's limit depends on the size of a database row."""
FIELDS = frozenset(
    {
        *(
            "key",
            "version",
            "itemType",
            "title",
            "creators",
            "abstractNote",
            "genre",
            "repository",
            "archiveID",
        ),
        *("place", "date", "series", "seriesNumber", "DOI", "citationKey", "url", "accessDate", "archive"),
        *("archiveLocation", "shortTitle", "language", "libraryCatalog", "callNumber", "rights", "extra"),
        *("tags", "collections", "relations"),
    }
)
"""Fields of a preprint in Zotero's schema."""

Json = dict[str, Any]


class Failed(Exception):
    """The reason why an object isn't written."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass
class Zotero:
    """One person's library."""

    key: str = "P9NiFoyLeZu2bZNvvuQPDWsd"
    user: int = 475425
    may_write: bool = True
    version: int = 0
    items: dict[str, Json] = field(default_factory=dict)
    collections: dict[str, Json] = field(default_factory=dict)
    created: list[str] = field(default_factory=list)
    """Keys of items in the order of their creation; a key that was created twice is in it twice."""
    requests: list[str] = field(default_factory=list)
    busy: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    """Status and headers with which each of the next requests is refused."""
    full_after: int = 0
    """Number of requests after which it answers 429; 0 for never."""
    backoff: str = ""
    """Value of the Backoff header of every answer; "" for none."""
    largest: int = 1_000_000
    """Maximum size of a body in bytes."""
    stop_at: int = 0
    """Number of the request at which the caller dies: before it is carried out, or after it with `stop_after`."""
    stop_after: bool = False
    stopped: asyncio.Event = field(default_factory=asyncio.Event)

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/keys/current", self._key),
            web.post("/users/{user}/items", self._items),
            web.post("/users/{user}/collections", self._collections),
        ]

    @asynccontextmanager
    async def serve(self) -> AsyncIterator[str]:
        """Serve the double, and yield its address."""
        app = web.Application(middlewares=[self._checked], client_max_size=10_000_000)
        app.add_routes(self.routes())
        async with TestServer(app) as server:
            yield str(server.make_url("")).rstrip("/")

    @web.middleware
    async def _checked(self, request: web.Request, handler: Any) -> web.StreamResponse:
        self.requests.append(f"{request.method} {request.path}")
        if self.full_after and len(self.requests) > self.full_after:
            return web.Response(status=429, headers={"Retry-After": "10"})
        if self.busy:
            status, headers = self.busy.pop(0)
            return web.Response(status=status, headers=headers)
        if request.headers.get("Zotero-API-Version") != "3":
            return web.Response(status=400, text="an old version")
        if request.headers.get("Zotero-API-Key") != self.key:
            return web.Response(status=403, text="Invalid key")
        dies = len(self.requests) == self.stop_at
        if dies and not self.stop_after:
            await self._stop()
        answer: web.StreamResponse = await handler(request)
        if dies:
            await self._stop()
        answer.headers["Last-Modified-Version"] = str(self.version)
        if self.backoff:
            answer.headers["Backoff"] = self.backoff
        return answer

    async def _stop(self) -> None:
        self.stopped.set()
        await asyncio.Event().wait()

    async def _key(self, _request: web.Request) -> web.Response:
        access = {"user": {"library": True, "files": True, **({"write": True} if self.may_write else {})}}
        return web.json_response({"key": self.key, "userID": self.user, "username": "ada", "access": access})

    async def _items(self, request: web.Request) -> web.Response:
        return await self._write(request, self.items, self._check_item)

    async def _collections(self, request: web.Request) -> web.Response:
        return await self._write(request, self.collections, self._check_collection)

    async def _write(self, request: web.Request, stored: dict[str, Json], check: Any) -> web.Response:
        expected = request.headers.get("If-Unmodified-Since-Version")
        objects = json.loads(await request.read())
        if refusal := self._refusal(request, expected, objects, len(await request.read())):
            status, why = refusal
            return web.Response(status=status, text=why)
        report: Json = {"successful": {}, "success": {}, "unchanged": {}, "failed": {}}
        for number, one in enumerate(objects):
            try:
                self._put(one, stored, check, expected is not None)
            except Failed as error:
                report["failed"][str(number)] = {
                    "key": one.get("key"),
                    "code": error.code,
                    "message": str(error),
                }
            else:
                report["successful"][str(number)] = {"key": one["key"], "version": self.version, "data": one}
                report["success"][str(number)] = one["key"]
        return web.json_response(report)

    def _refusal(
        self, request: web.Request, expected: str | None, objects: object, size: int
    ) -> tuple[int, str] | None:
        """Return the status and reason with which the whole request is refused, if it is."""
        checks = (
            (request.match_info["user"] != str(self.user) or not self.may_write, 403, "Write access denied"),
            (
                request.headers.get("Content-Type")
                not in {"application/json", "application/json; charset=UTF-8"},
                400,
                "Content-Type must be application/json",
            ),
            (expected is not None and int(expected) < self.version, 412, "Library has been modified"),
            (not isinstance(objects, list), 400, "Uploaded data must be a JSON array"),
            (size > self.largest, 413, "Too large"),
            (
                isinstance(objects, list) and len(objects) > MOST,
                413,
                f"Cannot add more than {MOST} at a time",
            ),
        )
        return next(((status, why) for applies, status, why in checks if applies), None)

    def _put(self, one: Json, stored: dict[str, Json], check: Any, versioned: bool) -> None:
        key, version = one.get("key"), one.get("version")
        if not isinstance(key, str) or not KEY.fullmatch(key):
            raise Failed(400, f"'{key}' is not a valid key")
        existing = stored.get(key)
        if version is None and not versioned:
            raise Failed(428, "Either If-Unmodified-Since-Version or 'version' property must be provided")
        if version is not None and existing is not None and existing["version"] > version:
            raise Failed(412, f"It has been modified since specified version (found {existing['version']})")
        if version and existing is None:
            raise Failed(404, f"It doesn't exist (expected version {version}; use 0 instead)")
        check(one)
        self.version += 1
        stored[key] = one | {"version": self.version}
        if stored is self.items and existing is None:
            self.created.append(key)

    def _check_item(self, one: Json) -> None:
        if one.get("itemType") != "preprint":
            raise Failed(400, "no type that we use")
        for name in one.keys() - FIELDS:
            raise Failed(400, f"'{name}' is not a valid field for type 'preprint'")
        for creator in one.get("creators", []):
            if creator.keys() not in ({"creatorType", "name"}, {"creatorType", "firstName", "lastName"}):
                raise Failed(400, "a creator needs 'name', or 'firstName' and 'lastName'")
        if len(one.get("title", "")) > LONGEST:
            raise Failed(413, "Title is too long")
        for collection in one.get("collections", []):
            if collection not in self.collections:
                raise Failed(409, f"Collection {collection} not found")

    def _check_collection(self, one: Json) -> None:
        if not one.get("name"):
            raise Failed(400, "Collection name cannot be empty")
        for name in one.keys() - {"key", "version", "name", "parentCollection", "relations"}:
            raise Failed(400, f"Invalid property '{name}'")

"""Writes papers into a person's Zotero library. Nothing is ever written twice, however often it is tried.

Each paper is an item whose key is made of the paper's id, sent with version 0. Zotero creates it, or refuses it with 412 because it
exists; then it is left as the person has it. So a process may be killed at any moment, an answer may be lost, and the
same request is simply sent again.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from aiohttp import ClientSession

from bot.domain.errors import SourceError
from bot.sources.fields import bounded
from bot.sources.http import Answer, Upstream, user_agent
from bot.text.bibliography import Listed
from bot.text.zotero_items import item_of, key_for

COLLECTION = "Paperboy"
"""The collection's name as it is created; its owner may rename it."""
BATCH = 50
"""Objects in a request, Zotero's limit."""
ATTEMPTS = 5
"""Attempts of one request."""
PATIENCE = 60.0
"""Seconds to wait in all, before the rest is left for another time."""
REQUEST = 20.0
"""Seconds for one request."""
EXISTS, TOO_LARGE = 412, 413

Pause = Callable[[float], Awaitable[None]]


class KeyRefused(Exception):
    """Zotero doesn't know the key, or the key may not write."""


@dataclass(frozen=True, slots=True)
class Pushed:
    """How far it came."""

    new: int = 0
    there: int = 0
    """Papers that were in the library before."""
    refused: int = 0
    left: int = 0
    """Papers that weren't sent, because of `why`."""
    why: str = ""


class Zotero:
    """Zotero's Web API, version 3."""

    def __init__(
        self,
        session: ClientSession,
        url: str,
        *,
        contact: str,
        now: Callable[[], datetime],
        pause: Pause = asyncio.sleep,
    ) -> None:
        self._session = session
        self._url = url
        self._contact = contact
        self._now = now
        self._pause = pause

    async def name_of(self, key: str) -> str:
        """The name of the key's owner. Raises KeyRefused if it may not write, and SourceError."""
        _, name = await _Library(self._upstream(), self._url, key, self._pause).owner()
        return name

    async def push(self, key: str, papers: Sequence[Listed]) -> Pushed:
        """Write those papers that aren't in the library. Raises KeyRefused, and SourceError if none could be sent."""
        library = _Library(self._upstream(), self._url, key, self._pause)
        user, _ = await library.owner()
        collection = key_for("collection")
        await library.write(
            f"/users/{user}/collections", [{"key": collection, "version": 0, "name": COLLECTION}]
        )
        done = Pushed()
        for start in range(0, len(papers), BATCH):
            items = [item_of(one, collection) for one in papers[start : start + BATCH]]
            try:
                outcomes = await library.write(f"/users/{user}/items", items)
            except SourceError as error:
                return replace(done, left=len(papers) - start, why=str(error))
            there = outcomes.count(EXISTS)
            new = outcomes.count(None)
            done = replace(
                done,
                new=done.new + new,
                there=done.there + there,
                refused=done.refused + len(outcomes) - new - there,
            )
        return done

    def _upstream(self) -> Upstream:
        """One for each library: Zotero's limits count for one key."""
        agent = user_agent(self._contact)
        return Upstream("Zotero", self._session, user_agent=agent, now=self._now, timeout=REQUEST)


class _Library:
    """The requests of one push."""

    def __init__(self, upstream: Upstream, url: str, key: str, pause: Pause) -> None:
        self._upstream = upstream
        self._url = url
        self._headers = {"Zotero-API-Key": key, "Zotero-API-Version": "3"}
        self._pause = pause
        self._waited = 0.0

    async def owner(self) -> tuple[int, str]:
        """The id and name of the key's owner."""
        answer = await self._patiently(
            lambda: self._upstream.get(
                f"{self._url}/keys/current", accept=(200, 403, 404), headers=self._headers
            )
        )
        known = _json(answer) if answer.status == 200 else {}
        library = (known.get("access") or {}).get("user") or {}
        if not (library.get("library") and library.get("write")) or not isinstance(known.get("userID"), int):
            raise KeyRefused
        return known["userID"], str(known.get("username") or "")

    async def write(self, path: str, objects: Sequence[dict[str, Any]]) -> list[int | None]:
        """Create objects. Returns for each why it wasn't: a status such as 412 if it exists; None if it was."""
        answer = await self._patiently(
            lambda: self._upstream.post(
                self._url + path, {}, objects, accept=(200, 403, TOO_LARGE), headers=self._headers
            )
        )
        if answer.status == 403:
            raise KeyRefused
        if answer.status == TOO_LARGE:
            if len(objects) == 1:
                return [TOO_LARGE]
            half = len(objects) // 2
            return [*await self.write(path, objects[:half]), *await self.write(path, objects[half:])]
        failed = _json(answer).get("failed") or {}
        return [_code(failed.get(str(number))) for number in range(len(objects))]

    async def _patiently(self, request: Callable[[], Awaitable[Answer]]) -> Answer:
        """Send a request, as slowly as Zotero demands it, and again after what may pass."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                answer = await request()
            except SourceError as error:
                wait = 2.0**attempt if error.retry_after is None else error.retry_after
                if attempt == ATTEMPTS or self._waited + wait > PATIENCE:
                    raise
                await self._wait(wait)
            else:
                if asked := bounded(answer.headers.get("Backoff", ""), int(PATIENCE)):
                    await self._wait(min(asked, max(0.0, PATIENCE - self._waited)))
                return answer
        raise SourceError("Zotero didn't answer")  # never reached: the last attempt raises

    async def _wait(self, seconds: float) -> None:
        self._waited += seconds
        await self._pause(seconds)


def _json(answer: Answer) -> dict[str, Any]:
    try:
        found = json.loads(answer.body)
    except ValueError as error:
        raise SourceError("Zotero sent an answer that can't be read") from error
    if not isinstance(found, dict):
        raise SourceError("Zotero sent an answer that can't be read")
    return found


def _code(failure: object) -> int | None:
    if failure is None:
        return None
    code = failure.get("code") if isinstance(failure, dict) else None
    return code if isinstance(code, int) else 0

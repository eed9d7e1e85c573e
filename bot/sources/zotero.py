"""Writes papers to a person's Zotero library. Retries never write a paper twice.

Each paper is an item whose key is derived from the paper's id, sent with version 0. Zotero creates it, or refuses it
with 412 because it exists; then the person's item stays unchanged. So if the process is killed or an answer is lost,
the same request is simply sent again.
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
"""Initial name of the collection; its owner can rename it."""
BATCH = 50
"""Maximum number of objects in a request: Zotero's limit."""
ATTEMPTS = 5
"""Maximum number of attempts per request."""
MAX_WAIT = 60.0
"""Maximum seconds that a push waits in all, before it leaves the rest for another time."""
REQUEST_TIMEOUT = 20.0
"""Timeout of one request, in seconds."""
EXISTS, TOO_LARGE = 412, 413

Pause = Callable[[float], Awaitable[None]]


class KeyRefused(Exception):
    """Zotero doesn't know the key, or the key can't write."""


@dataclass(frozen=True, slots=True)
class Pushed:
    """The result of a push, in numbers of papers."""

    new: int = 0
    there: int = 0
    """Papers that were in the library already."""
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
        """Return the name of the key's owner. Raises KeyRefused if the key can't write, and SourceError."""
        _, name = await _Library(self._upstream(), self._url, key, self._pause).owner()
        return name

    async def push(self, key: str, papers: Sequence[Listed]) -> Pushed:
        """Write the papers that aren't in the library. Raises KeyRefused, and SourceError if none could be sent."""
        library = _Library(self._upstream(), self._url, key, self._pause)
        user, _ = await library.owner()
        collection = key_for("collection")
        await library.write(
            f"/users/{user}/collections", [{"key": collection, "version": 0, "name": COLLECTION}]
        )
        done = Pushed()
        for start in range(0, len(papers), BATCH):
            items = [item_of(paper, collection) for paper in papers[start : start + BATCH]]
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
        """Build the access to one library: Zotero limits requests per key."""
        agent = user_agent(self._contact)
        return Upstream("Zotero", self._session, user_agent=agent, now=self._now, timeout=REQUEST_TIMEOUT)


class _Library:
    """The requests of one push."""

    def __init__(self, upstream: Upstream, url: str, key: str, pause: Pause) -> None:
        self._upstream = upstream
        self._url = url
        self._headers = {"Zotero-API-Key": key, "Zotero-API-Version": "3"}
        self._pause = pause
        self._waited = 0.0

    async def owner(self) -> tuple[int, str]:
        """Return the id and name of the key's owner."""
        answer = await self._with_retries(
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
        """Create objects. Returns None for each that was created, else its status, such as 412 if it exists."""
        answer = await self._with_retries(
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

    async def _with_retries(self, request: Callable[[], Awaitable[Answer]]) -> Answer:
        """Send a request, retry it after transient errors, and wait as long as Zotero asks for."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                answer = await request()
            except SourceError as error:
                wait = 2.0**attempt if error.retry_after is None else error.retry_after
                if attempt == ATTEMPTS or self._waited + wait > MAX_WAIT:
                    raise
                await self._wait(wait)
            else:
                if backoff := bounded(answer.headers.get("Backoff", ""), int(MAX_WAIT)):
                    await self._wait(min(backoff, max(0.0, MAX_WAIT - self._waited)))
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

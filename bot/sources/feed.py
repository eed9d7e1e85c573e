"""Any RSS or Atom feed that an operator lists: a journal's, a lab's, a blog's. Nothing about it is trusted."""

import json
import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Self

from bot.domain.errors import SourceError
from bot.domain.models import Paper
from bot.limited_process import LimitExceeded, run_limited
from bot.ports import Batch
from bot.sources import arxiv
from bot.sources.authors import read_authors
from bot.sources.fields import moment, read_rows, text, web_url
from bot.sources.guarded import guarded_session
from bot.sources.http import TIMEOUT, Upstream, user_agent
from bot.sources.wiring import Network, Wiring
from bot.text.identity import is_arxiv, paper_id

EVERY = timedelta(minutes=30)
MOST = 4 * 1024 * 1024
"""Bytes, packed or not."""
PATIENCE = 60.0
"""Seconds for reading a feed, on a machine that is busy with better things."""
NEW = timedelta(days=1)
"""Of what a feed holds at the very first fetch, the last day is announced."""
OLD = timedelta(days=30)
"""What is dated before is history: a feed that names its entries anew must not bring its archive."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """What was there at the last fetch, for the server and for us to recognise."""

    digest: str
    etag: str = ""
    modified: str = ""

    def __str__(self) -> str:
        return json.dumps([self.digest, self.etag, self.modified])

    @classmethod
    def parse(cls, written: str) -> Self:
        """The inverse of `str`. Raises SourceError for anything else."""
        try:
            return cls(*map(str, json.loads(written)))
        except (ValueError, TypeError) as error:
            raise SourceError(f"the cursor of a feed in Redis can't be read: {written!r}") from error

    def conditions(self) -> dict[str, str]:
        """Headers by which the server can say that nothing has changed."""
        named = {"If-None-Match": self.etag, "If-Modified-Since": self.modified}
        return {name: value for name, value in named.items() if value}


class Feed:
    """One feed. Announces what it has not had before."""

    def __init__(
        self,
        name: str,
        url: str,
        now: Callable[[], datetime],
        *,
        contact: str = "",
        private: Collection[Network] = (),
        timeout: float = TIMEOUT,
    ) -> None:
        self.name = name
        self._url = url
        self._now = now
        self._contact = contact
        self._private = private
        self._timeout = timeout

    async def fetch(self, cursor: str | None) -> Batch:
        """All that the feed holds, or nothing where it is the same as at the last fetch."""
        reached = Cursor.parse(cursor) if cursor else None
        headers = {"Accept-Encoding": "gzip, deflate", **(reached.conditions() if reached else {})}
        async with guarded_session(self._private) as session:
            upstream = Upstream(
                f"the feed {self.name!r}",
                session,
                user_agent=user_agent(self._contact),
                now=self._now,
                timeout=self._timeout,
                max_body=MOST,
            )
            answer = await upstream.get(self._url, accept=(200, 304), headers=headers)
        if answer.status == 304 and reached:
            return Batch(papers=(), cursor=str(reached))
        digest = sha256(answer.body).hexdigest()
        following = Cursor(digest, answer.headers.get("ETag", ""), answer.headers.get("Last-Modified", ""))
        if reached and reached.digest == digest:
            return Batch(papers=(), cursor=str(following))
        rows = await read_apart(answer.body, answer.headers.get("Content-Encoding", ""), upstream.name)
        found = read_rows(upstream.name, rows, self._paper)
        news = self._now() - (OLD if reached else NEW)
        return Batch(
            papers=tuple(paper for paper in found if paper.published >= news),
            cursor=str(following),
            history=tuple(paper for paper in found if paper.published < news),
        )

    def next_poll(self, now: datetime) -> datetime:
        return now + EVERY

    def _paper(self, row: dict[str, Any]) -> Paper:
        url = web_url(row["link"]) or web_url(row["id"])
        if url is None:
            raise ValueError("it has no address")
        now = self._now()
        published = moment(row["published"]) if row["published"] else now
        topics = (_topic(text(topic)) for topic in row["topics"])
        return Paper(
            id=_identity(row, url),
            title=row["title"],
            abstract=row["abstract"],
            authors=read_authors(row["authors"]),
            url=url,
            published=min(published, now),
            categories=tuple(dict.fromkeys(topic for topic in topics if topic)),
            sources=(self.name,),
        )


def build(wiring: Wiring) -> Iterator[Feed]:
    settings = wiring.settings
    for listed in dict.fromkeys(settings.feeds):
        name, _, url = listed.partition("=")
        yield Feed(
            name,
            url,
            wiring.now,
            contact=settings.contact,
            private=settings.feeds_private,
            timeout=wiring.timeout,
        )


async def read_apart(body: bytes, encoding: str, upstream: str) -> list[dict[str, Any]]:
    """The entries of a feed, read by a process that can be stopped. Raises SourceError."""
    packed = " ".join(encoding.split())[:80].encode("ascii", "replace")
    try:
        out = await run_limited("bot.sources.feed_worker", packed + b"\n" + body, seconds=PATIENCE)
    except LimitExceeded as error:
        raise SourceError(f"{upstream} could not be read ({len(body)} bytes): {error}") from error
    answer = json.loads(out)
    if "error" in answer:
        raise SourceError(f"{upstream} can't be read: {answer['error']}")
    return list(answer["rows"])


def _identity(row: dict[str, Any], url: str) -> str:
    """The canonical id of the paper; else one that holds within this feed."""
    found = [known for name in (*row["names"], url) if (known := paper_id(name))]
    if found:
        return min(found, key=_rank)
    return f"feed:{sha256((row['id'] or url).encode()).hexdigest()[:20]}"


def _rank(canonical: str) -> int:
    """Sources agree on arXiv's ids most often, then on DOIs."""
    return 0 if is_arxiv(canonical) else 1 if canonical.startswith("doi:") else 2


def _topic(name: str) -> str:
    """A category as `cat:` can name it: `machine-learning`; arXiv's as they are."""
    if arxiv.categories([name]) and "." in name:
        return name
    return re.sub(r"[^a-z]+", "-", name.casefold()).strip("-")

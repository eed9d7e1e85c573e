"""Any RSS or Atom feed that an operator lists: a journal's, a lab's, a blog's. Nothing about it is trusted."""

import json
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Annotated, Any, Self

from pydantic import IPvAnyNetwork, field_validator
from pydantic_settings import NoDecode

from bot.domain.errors import SourceError
from bot.domain.models import Paper
from bot.limited_process import LimitExceeded, run_limited
from bot.ports import Batch
from bot.settings import CommaSeparated, SettingsGroup, matching
from bot.sources import REGISTRY
from bot.sources.arxiv.papers import categories
from bot.sources.context import Network, SourceContext
from bot.sources.feed_identity import address_of, identify
from bot.sources.feed_repair import MAX_BODY
from bot.sources.fields import moment, read_rows, text
from bot.sources.http import TIMEOUT, Answer, Upstream, user_agent
from bot.sources.ssrf_guard import guarded_session
from bot.text.identity import is_arxiv

EVERY = timedelta(minutes=30)
PARSE_TIMEOUT = 60.0
"""Wall-clock timeout for parsing a feed, in seconds; long enough for a busy machine."""
NEW = timedelta(days=1)
"""Maximum age of entries that the very first fetch announces."""
OLD = timedelta(days=30)
"""Age from which an unseen entry counts as history: a feed that renames its entries must not post its archive."""
SCHEME = "2"
"""Version of the ids of entries that don't name a paper. Cursors of version 1 don't contain it."""
RESERVED = frozenset({"hf", "medrxiv", "sample"})
"""Names that `source:` accepts in addition to those in the registry."""
MAX_VALIDATOR = 500
"""Maximum length of an `ETag` or `Last-Modified` header that is sent back; a longer one is ignored."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """Digest and HTTP validators of the last answer, by which we and the server recognise an unchanged feed."""

    digest: str
    etag: str = ""
    modified: str = ""
    scheme: str = ""

    def __str__(self) -> str:
        return json.dumps([self.digest, self.etag, self.modified, self.scheme])

    @classmethod
    def parse(cls, value: str) -> Self:
        """Parse what `str` returned. Raises SourceError for anything else."""
        try:
            return cls(*map(str, json.loads(value)[:4]))  # slicing fails if it isn't a list
        except (ValueError, TypeError, KeyError) as error:
            raise SourceError(f"the cursor of a feed in Redis can't be read: {value!r}") from error

    def conditions(self) -> dict[str, str]:
        """Return headers that let the server answer that nothing has changed."""
        headers = {"If-None-Match": self.etag, "If-Modified-Since": self.modified}
        return {name: value for name, value in headers.items() if value}


class FeedSource:
    """One feed. Announces unseen entries."""

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
        """Fetch all entries of the feed; none if it hasn't changed since the last fetch."""
        reached = Cursor.parse(cursor) if cursor else None
        answer = await self._get(reached)
        if answer.status == 304 and reached:
            return Batch(papers=(), cursor=str(reached))
        digest = sha256(answer.body).hexdigest()
        etag, modified = (_validator(answer.headers, name) for name in ("ETag", "Last-Modified"))
        if reached and reached.digest == digest:
            return Batch(papers=(), cursor=str(Cursor(digest, etag, modified, reached.scheme)))
        read = await read_in_process(answer.body, answer.headers.get("Content-Encoding", ""), answer.upstream)
        skipped = Counter(read["skipped"])
        rows = list(zip(read["rows"], identify(read["rows"], self._url), strict=True))
        found = read_rows(answer.upstream, rows, self._paper, skipped)
        following = str(Cursor(digest, etag, modified, SCHEME))
        # Version 1 posted these entries under other ids.
        renamed = {known for row, known in rows if not known.startswith("doi:") and not is_arxiv(known)}
        renamed -= {known for row, known in rows if known.startswith("feed:") and row["id"]}
        is_upgrade = reached is not None and reached.scheme != SCHEME
        since = self._now() - (OLD if reached else NEW)
        papers: list[Paper] = []
        history: list[Paper] = []
        for paper in found:
            is_history = paper.published < since or (is_upgrade and paper.id in renamed)
            (history if is_history else papers).append(paper)
        return Batch(papers=tuple(papers), cursor=following, history=tuple(history), skipped=skipped)

    def next_poll(self, now: datetime) -> datetime:
        return now + EVERY

    async def _get(self, reached: Cursor | None) -> Answer:
        headers = {"Accept-Encoding": "gzip, deflate", **(reached.conditions() if reached else {})}
        async with guarded_session(self._private) as session:
            upstream = Upstream(
                f"the feed {self.name!r}",
                session,
                user_agent=user_agent(self._contact),
                now=self._now,
                timeout=self._timeout,
                max_body=MAX_BODY,
            )
            return await upstream.get(self._url, accept=(200, 304), headers=headers)

    def _paper(self, pair: tuple[Mapping[str, Any], str]) -> Paper:
        row, paper_id = pair
        url = address_of(row, self._url)
        if url is None:
            raise ValueError("it has no address")
        now = self._now()
        published = moment(row["published"]) if row["published"] else now
        topics = (_topic(text(topic)) for topic in row["topics"])
        return Paper(
            id=paper_id,
            title=row["title"],
            abstract=row["abstract"],
            authors=tuple(row["authors"]),
            url=url,
            published=min(published, now),
            categories=tuple(dict.fromkeys(topic for topic in topics if topic)),
            sources=(self.name,),
        )


FeedAddress = Annotated[
    str,
    matching(
        r"^[a-z0-9][a-z0-9_-]{0,30}=https?://[^\s/@]+(/\S*)?$",
        "feeds with a short name each, such as nature=https://www.nature.com/nature.rss",
    ),
]


class FeedSettings(SettingsGroup):
    """Feeds to follow."""

    feeds: Annotated[tuple[FeedAddress, ...], NoDecode] = ()
    """RSS or Atom feeds, each with its name in `source:`: `nature=https://…`."""
    feeds_private: CommaSeparated[IPvAnyNetwork] = ()
    """Private networks whose feeds may be read: `10.1.0.0/16`."""

    @field_validator("feeds", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        """Split feeds. Addresses can contain commas: a comma separates two feeds only if a name follows."""
        if isinstance(value, str):
            return tuple(
                part for part in re.split(r"\s++(?:,\s++)?|,\s++|,(?=[a-z0-9_-]++=http)", value) if part
            )
        return value

    @field_validator("feeds")
    @classmethod
    def _check_names(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        names = [feed.partition("=")[0] for feed in value]
        for name in names:
            if name in RESERVED or name in REGISTRY or names.count(name) > 1:
                raise ValueError(f"the name {name} is taken; give the feed another one")
        return value


SETTINGS = FeedSettings


def build(context: SourceContext) -> Iterator[FeedSource]:
    """Build a source for each feed in the settings."""
    settings = context.settings.of(FeedSettings)
    for listed in dict.fromkeys(settings.feeds):
        name, _, url = listed.partition("=")
        yield FeedSource(
            name,
            url,
            context.now,
            contact=context.settings.contact,
            private=settings.feeds_private,
            timeout=context.timeout,
        )


async def read_in_process(body: bytes, encoding: str, upstream: str) -> dict[str, Any]:
    """Run `bot.sources.feed_worker` in a process that can be killed. Raises SourceError."""
    header = " ".join(encoding.split())[:80].encode("ascii", "replace")
    try:
        out = await run_limited("bot.sources.feed_worker", header + b"\n" + body, seconds=PARSE_TIMEOUT)
    except LimitExceeded as error:
        raise SourceError(f"{upstream} could not be read ({len(body)} bytes): {error}") from error
    answer: dict[str, Any] = json.loads(out)
    if "error" in answer:
        raise SourceError(f"{upstream} can't be read: {answer['error']}")
    if answer["skipped"] and not answer["rows"]:
        raise SourceError(f"{upstream} has no entry that can be read: {next(iter(answer['skipped']))}")
    return answer


def _validator(headers: Mapping[str, str], name: str) -> str:
    """Return a header if it can be sent back unchanged; empty for any other."""
    value = headers.get(name, "")
    return value if len(value) <= MAX_VALIDATOR and value.isascii() and value.isprintable() else ""


def _topic(name: str) -> str:
    """Return a category as written in `cat:`: `machine-learning`. arXiv's stay unchanged."""
    if categories([name]) and "." in name:
        return name
    return re.sub(r"[^a-z]+", "-", name.casefold()).strip("-")

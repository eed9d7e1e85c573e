"""The values that all packages use: papers, channels, subscriptions. All are frozen."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Literal, Self
from urllib.parse import quote, unquote

from bot.domain.life import Event

SAMPLE_SOURCE = "sample"
"""The name of the bundled sample papers' source in `Paper.sources`."""

Frequency = Literal["now", "daily", "weekly"]
Every = Literal["now", "daily", "weekly", "channel"]
"""A subscription's schedule; `channel` means the channel's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """A paper as its sources describe it, in plain text: no LaTeX, no markup, no line breaks.

    `id` is the arXiv identifier without its version if there is one, so that the same paper from two
    sources is one paper; otherwise `doi:…` or `feed:…`. Times are aware, in UTC.
    """

    id: str
    title: str
    abstract: str
    authors: tuple[str, ...]
    url: str
    published: datetime
    categories: tuple[str, ...] = ()
    """arXiv's categories, the primary one first; from other sources their own, in lower case with hyphens."""
    sources: tuple[str, ...] = ()
    """The sources that listed it, in order: `huggingface`, `arxiv`, …"""
    pdf_url: str | None = None
    tldr: str | None = None
    """The source's own one-sentence summary."""
    code_url: str | None = None
    code_stars: int | None = None
    project_url: str | None = None
    thumbnail_url: str | None = None
    organization: str | None = None
    keywords: tuple[str, ...] = ()
    """Topics, in the source's words."""
    upvotes: int | None = None
    comments: int | None = None
    """Number of comments in the discussion on its source's page."""
    upvotes_over_time: tuple[str, ...] = field(default=(), compare=False)
    """`2026-11-23T07:30Z 12`: upvotes when it was first listed, and when it was first seen at least 6 hours, a day and
    a week later. Recorded for later analysis only, so it is ignored when papers are compared."""
    rank: int | None = None
    """Rank among the trending papers, from 1."""
    withdrawn: bool | None = None
    """True if its authors have withdrawn it, False if they reinstated it."""
    versions: int | None = None
    """Number of its versions on arXiv; None if unknown."""
    comment: str | None = None
    """Its authors' comment on arXiv; "" if they wrote none, None if unknown."""
    journal_ref: str | None = None
    doi: str | None = None
    """The DOI of the published paper."""
    openalex: tuple[str, ...] = ()
    """Its OpenAlex id, then the ids of works known to cite it; empty until OpenAlex was queried."""
    events: tuple[Event, ...] = ()
    """Events since it appeared, the oldest first."""
    backfilled: bool | None = None
    """True if it was only read as history, when a category was added to the sources: if another source lists it, it is
    announced then."""


@lru_cache(maxsize=100_000)
def _joined(*parts: str) -> str:
    return ":".join(quote(part, safe="@.-_") for part in parts)


@dataclass(frozen=True, slots=True, order=True)
class ChannelRef:
    """A place for cards: one channel of one workspace (or server) of one platform.

    Its text form, `slack:T024BE7LD:C061EG9SL`, is its identity in Redis.
    """

    platform: str
    workspace: str
    channel: str

    def __str__(self) -> str:
        return _joined(self.platform, self.workspace, self.channel)

    @classmethod
    def of_person(cls, platform: str, workspace: str, user: str) -> Self:
        """Return the channel of a person's direct messages, whose id is `@` and the person's id."""
        return cls(platform, workspace, f"@{user}")

    @property
    def person(self) -> str:
        """The person's id if these are direct messages; "" for every other channel."""
        return self.channel[1:] if self.channel.startswith("@") else ""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse the output of `str`. Raises ValueError for anything else."""
        platform, workspace, channel = (unquote(part) for part in text.split(":"))
        return cls(platform, workspace, channel)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """A channel wants new papers that match `query`, spelled as its author typed it."""

    channel: ChannelRef
    number: int
    """Counts up within the channel; a number is never reused."""
    query: str
    every: Every = "channel"
    created_by: str = ""
    """The `signature` of the person who made it."""
    created_at: datetime
    was: str = ""
    """The query before the last change."""

    @property
    def creator(self) -> str:
        """The name of the person who made it, as it was then."""
        return self.created_by.partition(" ")[2] or self.created_by


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelSettings:
    """A channel's settings, with their defaults."""

    every: Frequency = "now"
    """The schedule of subscriptions that set none."""
    hour: int = 9
    """The hour of digests, 0–23, in `zone`. If it is quiet, they are due when the quiet hours end."""
    weekday: int = 0
    """The day of weekly digests; 0 is Monday."""
    zone: str = "UTC"
    """The IANA name of the time zone of hours and days."""
    quiet: tuple[int, int] | None = None
    """Quiet hours, from the first hour until the second; they can span midnight."""
    weekends: bool = True
    """Whether to post on Saturdays and Sundays."""
    detail: Literal["compact", "full"] = "compact"
    threads: bool = False
    """Whether to open a thread for each card."""
    embeds: bool = False
    """Whether to use the platform's classic card layout."""
    publish: bool = False
    """Whether to publish posts of an announcement channel to its followers."""
    editors: Literal["default", "everyone", "managers"] = "default"
    """Who can edit: the people that the platform's permissions allow, everyone, or only managers."""
    ping: str = ""
    """Platform id of a role to mention in each post; "" for none."""
    digest_size: int = 5
    """Flood limit: more messages than this in a few hours become one message."""
    most: int = 0
    """The budget: only the best papers, at most this many a day, are posted or named in a digest; 0 for no limit."""
    always: tuple[int, ...] = ()
    """Numbers of subscriptions whose papers are posted regardless of the budget."""
    links: bool = True
    """Whether to show a card below a link to a paper that someone posts."""
    edits: bool = False
    """Whether to update posted cards when upvotes or code change a lot."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mute:
    """Something that a channel doesn't want to see."""

    text: str
    """A query, spelled as its author typed it, or a subscription as `#3`."""
    created_by: str = ""
    """The `signature` of the person who made it."""
    until: datetime | None = None

    @property
    def number(self) -> int | None:
        """The number of the muted subscription; None if a query is muted."""
        return int(self.text[1:]) if self.text.startswith("#") else None

    def is_active(self, now: datetime) -> bool:
        """Whether the mute is still in force."""
        return self.until is None or now < self.until


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules that decide what is posted in a channel."""

    settings: ChannelSettings = ChannelSettings()
    mutes: tuple[Mute, ...] = ()
    taste: str = ""
    """The channel's taste, as JSON for `policy.channel_taste`."""
    fits: tuple[tuple[float, float], ...] = ()
    """Recent matches: when each paper matched (in ms) and how well it fitted; only with a budget."""
    left: int | None = None
    """Number of papers of the current delivery that the budget allows; None without a budget."""
    folds: bool = False
    """Whether the budget allows none of them, so that they join the papers that were folded before."""


@dataclass(frozen=True, slots=True)
class Reason:
    """The reason for a paper on a card: the subscription's number and its query."""

    number: int
    query: str
    note: str = ""
    """The change that made an older paper match: `reached ▲ 50`."""


@dataclass(frozen=True, slots=True)
class User:
    """A person, as named in the platform's verified payload."""

    id: str
    name: str
    may_manage: bool = True
    """Whether the platform lets them manage this channel."""

    @property
    def signature(self) -> str:
        """Their id and, after a space, their name."""
        return f"{self.id} {self.name}".rstrip()


@dataclass(frozen=True, slots=True)
class Command:
    """A command by its canonical name, with its options as text."""

    name: str
    user: User
    channel: ChannelRef
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class MessageRef:
    """A posted message; `url` is None if the platform has no links to messages."""

    id: str
    url: str | None = None

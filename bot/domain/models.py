"""The values that every part uses: papers, channels, subscriptions. All frozen."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Literal, Self
from urllib.parse import quote, unquote

from bot.domain.life import Event

SAMPLE_SOURCE = "sample"
"""The name that bundled sample papers have among a paper's `sources`."""

Frequency = Literal["now", "daily", "weekly"]
Every = Literal["now", "daily", "weekly", "channel"]
"""A subscription's schedule; `channel` means the channel's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """A paper as its sources describe it, in plain text: no LaTeX, no markup, no line breaks.

    `id` is the arXiv identifier without its version where there is one, so that the same paper from two
    sources is one paper; elsewhere `doi:…` or `feed:…`. Times are aware, in UTC.
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
    """What it is about, in its source's words."""
    upvotes: int | None = None
    comments: int | None = None
    """Of the discussion on its source's page."""
    upvotes_over_time: tuple[str, ...] = field(default=(), compare=False)
    """`2026-11-23T07:30Z 12`: upvotes when it was first listed and, at the first sight after that, 6 hours, a day and a
    week later. A record for later measurements, so that it doesn't make two papers differ."""
    rank: int | None = None
    """Rank among the trending papers, from 1."""
    withdrawn: bool | None = None
    """True once its authors have withdrawn it, False if they took that back."""
    versions: int | None = None
    """How many versions it has on arXiv; None if that isn't known."""
    comment: str | None = None
    """Its authors' comment on arXiv; "" if they wrote none, None if that isn't known."""
    journal_ref: str | None = None
    doi: str | None = None
    """The DOI of the published paper."""
    openalex: tuple[str, ...] = ()
    """Its id at OpenAlex, then those of works that are known to cite it; empty until it was asked about."""
    events: tuple[Event, ...] = ()
    """What happened to it since it appeared, the oldest first."""
    backfilled: bool | None = None
    """True if it was only read as the history of a category that was followed later: another source that lists it
    announces it."""


@lru_cache(maxsize=100_000)
def _joined(*parts: str) -> str:
    return ":".join(quote(part, safe="@.-_") for part in parts)


@dataclass(frozen=True, slots=True, order=True)
class ChannelRef:
    """Where cards go: one channel of one workspace (or server) of one platform.

    Its text form, `slack:T024BE7LD:C061EG9SL`, is its identity in Redis.
    """

    platform: str
    workspace: str
    channel: str

    def __str__(self) -> str:
        return _joined(self.platform, self.workspace, self.channel)

    @classmethod
    def of_person(cls, platform: str, workspace: str, user: str) -> Self:
        """A person's direct messages: a channel whose name is the person's id after an `@`."""
        return cls(platform, workspace, f"@{user}")

    @property
    def person(self) -> str:
        """The id of the person whose direct messages these are; "" for every other channel."""
        return self.channel[1:] if self.channel.startswith("@") else ""

    @classmethod
    def parse(cls, text: str) -> Self:
        """The inverse of `str`. Raises ValueError for anything else."""
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
    """How a channel wants its cards. These are the defaults."""

    every: Frequency = "now"
    """The schedule of subscriptions that set none."""
    hour: int = 9
    """The hour of digests, 0–23, in `zone`. During quiet hours they are due when those end."""
    weekday: int = 0
    """The day of weekly digests; 0 is Monday."""
    zone: str = "UTC"
    """The IANA name of the time zone of hours and days."""
    quiet: tuple[int, int] | None = None
    """Nothing is posted from the first hour until the second; may span midnight."""
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
    """Who may edit: those whom the platform's permissions allow, everyone, or only managers."""
    ping: str = ""
    """The platform's id of a role to notify of each post; "" for none."""
    digest_size: int = 5
    """More messages than this in a few hours become one message."""
    most: int = 0
    """The budget: papers a day that are posted or named in a digest, the best ones; 0 for no limit."""
    always: tuple[int, ...] = ()
    """Numbers of subscriptions whose papers are posted whatever the budget."""
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
    """A channel's rules about what is posted there."""

    settings: ChannelSettings = ChannelSettings()
    mutes: tuple[Mute, ...] = ()
    taste: str = ""
    """The channel's taste, as `policy.channel_taste` reads it."""
    fits: tuple[tuple[float, float], ...] = ()
    """When papers matched lately (in ms), and how well each fitted; only with a budget."""
    left: int | None = None
    """Papers of the delivery that is to be posted that the budget lets out; None without a budget."""
    folds: bool = False
    """Whether it lets out none of them, so that they wait with those that were folded before."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a paper is on a card: the subscription's number and its query."""

    number: int
    query: str
    note: str = ""
    """What made an older paper match: `reached ▲ 50`."""


@dataclass(frozen=True, slots=True)
class User:
    """A person, as the platform's verified payload names them."""

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
    """A command by its canonical name, with the given options as text."""

    name: str
    user: User
    channel: ChannelRef
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class MessageRef:
    """A posted message; `url` is None if the platform has no links to messages."""

    id: str
    url: str | None = None

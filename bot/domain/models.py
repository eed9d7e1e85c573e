"""The values that everything speaks of: papers, channels, subscriptions. All frozen."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Literal, Self
from urllib.parse import quote, unquote

SAMPLE_SOURCE = "sample"
"""The name that bundled sample papers have among a paper's `sources`."""

Frequency = Literal["now", "daily", "weekly"]
Every = Literal["now", "daily", "weekly", "channel"]
"""A subscription's rhythm; `channel` is whatever the channel's settings say."""


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
    """arXiv's, the primary one first; elsewhere the source's own, in small letters and hyphens."""
    sources: tuple[str, ...] = ()
    """Which sources listed it, first one first: `huggingface`, `arxiv`, …"""
    pdf_url: str | None = None
    tldr: str | None = None
    """One sentence that the source itself offers."""
    code_url: str | None = None
    code_stars: int | None = None
    project_url: str | None = None
    thumbnail_url: str | None = None
    organization: str | None = None
    upvotes: int | None = None
    rank: int | None = None
    """Place among the trending papers, from 1."""
    withdrawn: bool | None = None
    """True once its authors have withdrawn it."""


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
    def parse(cls, text: str) -> Self:
        """The inverse of `str`. Raises ValueError for anything else."""
        platform, workspace, channel = (unquote(part) for part in text.split(":"))
        return cls(platform, workspace, channel)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """A channel's standing wish to hear of papers that match `query` (in canonical form)."""

    channel: ChannelRef
    number: int
    """Counts up within the channel and is never given twice."""
    query: str
    every: Every = "channel"
    created_by: str = ""
    """The `signature` of whoever made it."""
    created_at: datetime
    was: str = ""
    """Its query before it was last changed."""

    @property
    def creator(self) -> str:
        """The name that they went by then."""
        return self.created_by.partition(" ")[2] or self.created_by


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelSettings:
    """How a channel wants its cards. A channel that never said anything has these defaults."""

    every: Frequency = "now"
    """The rhythm of subscriptions that name none."""
    hour: int = 9
    """When digests are due, in `zone`; where that is quiet, they are due when quiet ends."""
    weekday: int = 0
    """When weekly digests are due; 0 is Monday."""
    zone: str = "UTC"
    """IANA name of the time zone that hours and days are meant in."""
    quiet: tuple[int, int] | None = None
    """From this hour until before that one nothing is posted; it may span midnight."""
    weekends: bool = True
    """Whether anything is posted on Saturdays and Sundays."""
    detail: Literal["compact", "full"] = "compact"
    threads: bool = False
    """A thread for each card, where the platform opens them by itself."""
    embeds: bool = False
    """Discord's classic embeds in the place of components."""
    publish: bool = False
    """Whether posts in an announcement channel are sent on to the channels that follow it."""
    editors: Literal["default", "everyone", "managers"] = "default"
    """Who may change what is posted: whoever the platform's own custom lets, everyone, or only managers."""
    ping: str = ""
    """The platform's id of a role to notify with each post."""
    digest_size: int = 5
    """More new papers than that in one poll become one message."""
    edits: bool = False
    """Whether a card that was posted is brought up to date when upvotes or code change much."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mute:
    """Something that a channel does not want to see."""

    text: str
    """A canonical query, or a subscription as `#3`."""
    created_by: str = ""
    """The `signature` of whoever made it."""
    until: datetime | None = None

    @property
    def number(self) -> int | None:
        """The subscription that is muted, where it is one."""
        return int(self.text[1:]) if self.text.startswith("#") else None

    def is_active(self, now: datetime) -> bool:
        """Whether it still holds."""
        return self.until is None or now < self.until


@dataclass(frozen=True, slots=True)
class Rules:
    """What a channel has laid down about what is posted there."""

    settings: ChannelSettings = ChannelSettings()
    mutes: tuple[Mute, ...] = ()


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a paper is on a card: the subscription's number and its query."""

    number: int
    query: str
    note: str = ""
    """What has happened to a paper that did not qualify at first: `reached ▲ 50`."""


@dataclass(frozen=True, slots=True)
class User:
    """Who typed a command, as the platform's verified payload says."""

    id: str
    name: str
    may_manage: bool = True
    """Whether the platform lets them manage this channel."""

    @property
    def signature(self) -> str:
        """Their id and, after a space, their name: who it was, and how to call them."""
        return f"{self.id} {self.name}".rstrip()


@dataclass(frozen=True, slots=True)
class Command:
    """A command as its table knows it: the canonical name and the options given, as text."""

    name: str
    user: User
    channel: ChannelRef
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class MessageRef:
    """Where the platform put a message; `url` where it can be linked to."""

    id: str
    url: str | None = None

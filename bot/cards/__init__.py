"""What a message says, for no platform in particular. Adapters render these values, and only these.

All text is text: an adapter escapes it for its platform, after truncating. Bold, code and links are
said by `Span`, never by markup inside a string.
"""

from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["paper", "digest", "reply", "list", "help", "error"]


@dataclass(frozen=True, slots=True)
class Span:
    """A run of text in one style. Code with a line break in it is a block of its own, in a fixed pitch."""

    text: str
    style: Literal["plain", "bold", "italic", "code", "dim"] = "plain"
    url: str | None = None


Text = tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Button:
    """Opens `url`, or runs `command`: a line as it would be typed after `/paper`."""

    label: str
    command: str = ""
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A line or more of running text."""

    text: Text


@dataclass(frozen=True, slots=True)
class Bullets:
    """A list, a line each."""

    items: tuple[Text, ...]


@dataclass(frozen=True, slots=True)
class Actions:
    """A row of buttons."""

    buttons: tuple[Button, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperBlock:
    """One paper. `line` is a digest's or a list's one line, `compact` the usual card, `full` adds more."""

    paper_id: str
    title: str
    url: str
    byline: tuple[str, ...]
    """Authors, category, date, upvotes, code: shown in a row, with dots between."""
    summary: str = ""
    """One sentence."""
    reasons: tuple[str, ...] = ()
    """`matched "diffusion policy" (#3)`, one for each subscription."""
    detail: Literal["line", "compact", "full"] = "compact"
    abstract: str = ""
    thumbnail_url: str | None = None
    buttons: tuple[Button, ...] = ()
    """Links."""
    actions: tuple[Button, ...] = ()
    """What can be done with the paper: commands."""


Block = Paragraph | Bullets | Actions | PaperBlock


@dataclass(frozen=True, slots=True)
class Posting:
    """What a posted card asks of the platform beyond its words. A platform leaves out what it has not."""

    ping: str = ""
    """The platform's id of a role to notify."""
    threads: bool = False
    """Open a thread for talking about it."""
    embeds: bool = False
    """The platform's classic card layout."""
    publish: bool = False
    """Send the post on to the channels that follow an announcement channel."""
    topics: tuple[str, ...] = ()
    """The arXiv categories of its papers, most frequent first: for a forum's tags."""
    papers: tuple[str, ...] = ()
    """Ids of all that it tells of, those behind a digest's button included."""


@dataclass(frozen=True, slots=True)
class Card:
    """A message. `notice` is all of it in a short plain line, for notifications and for what can't show more."""

    kind: Kind
    notice: str
    heading: str = ""
    blocks: tuple[Block, ...] = ()
    posting: Posting = field(default=Posting())


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several values: what is meant, and how people read it."""

    value: str
    label: str


@dataclass(frozen=True, slots=True)
class Field:
    """One thing that a form asks for: one of `choices`, or a line of text where there are none."""

    name: str
    label: str
    value: str
    """What it is now."""
    help: str = ""
    choices: tuple[Choice, ...] = ()


@dataclass(frozen=True, slots=True)
class Form:
    """Asks for several things at once. Sent in, it runs `command` with an option for each field."""

    title: str
    """At most 24 characters: the smallest limit of a platform."""
    command: str
    fields: tuple[Field, ...]

"""The content of messages, independent of platforms. Adapters render only these values.

All strings are plain text: an adapter truncates them and then escapes them for its platform. Bold, code and links are
expressed by `Span`, never by markup inside a string.
"""

from dataclasses import dataclass, field
from typing import Literal

from bot.domain.models import Paper, Reason

Kind = Literal["paper", "digest", "reply", "list", "help", "error"]


@dataclass(frozen=True, slots=True)
class Span:
    """A run of text in one style. Code that contains a line break is a separate block in a monospaced font."""

    text: str
    style: Literal["plain", "bold", "italic", "code", "dim"] = "plain"
    url: str | None = None


Text = tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Button:
    """A button that opens `url` or runs `command`, a line as typed after `/paper`."""

    label: str
    command: str = ""
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Running text."""

    text: Text


@dataclass(frozen=True, slots=True)
class Bullets:
    """A bulleted list."""

    items: tuple[Text, ...]


@dataclass(frozen=True, slots=True)
class Actions:
    """A row of buttons."""

    buttons: tuple[Button, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperBlock:
    """A paper: as a `line` of a digest or list, as a `compact` card, or as a `full` one with abstract and thumbnail."""

    paper_id: str
    title: str
    url: str
    byline: tuple[str, ...]
    """Authors, organization, category, date, upvotes, comments, code: shown in one row, separated by dots."""
    summary: str = ""
    """One sentence that says what is new."""
    reasons: tuple[str, ...] = ()
    """Reasons for the paper, one string per subscription: `matched "diffusion policy" (#3)`."""
    detail: Literal["line", "compact", "full"] = "compact"
    abstract: str = ""
    keywords: tuple[str, ...] = ()
    """Topics, shown on a full card."""
    thumbnail_url: str | None = None
    buttons: tuple[Button, ...] = ()
    """Links to the paper."""
    actions: tuple[Button, ...] = ()
    """Commands for the paper."""


@dataclass(frozen=True, slots=True)
class Figure:
    """Text, with a picture of it on platforms that load pictures."""

    text: Text
    url: str
    """The picture's address, which is public."""
    alt: str
    """Description of the picture, for people who can't see it."""


Block = Paragraph | Bullets | Actions | PaperBlock | Figure


@dataclass(frozen=True, slots=True)
class Posting:
    """Options for posting a card. A platform ignores those that it doesn't support."""

    ping: str = ""
    """Platform id of a role or group to notify."""
    threads: bool = False
    """Open a thread for discussion."""
    embeds: bool = False
    """Use the older card layout, on platforms that have two."""
    publish: bool = False
    """Publish the post to the channels that follow an announcement channel."""
    topics: tuple[str, ...] = ()
    """The arXiv categories of its papers, most frequent first, for the tags of a forum post."""
    papers: tuple[str, ...] = ()
    """Ids of all papers of the card, including those on further pages of a digest."""


@dataclass(frozen=True, slots=True)
class Card:
    """A message. `notice` is a one-line summary in plain text, for notifications and screen readers."""

    kind: Kind
    notice: str
    heading: str = ""
    blocks: tuple[Block, ...] = ()
    posting: Posting = field(default=Posting())
    entries: tuple[tuple[Paper, tuple[Reason, ...]], ...] = field(default=(), repr=False, compare=False)
    """The card's papers as data, for platforms that pass them to a program: first those that are shown, in order, then
    those that are only counted. A card of events has an entry for each event: the reason's query is its kind, the
    note its text."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A possible value of a form's field, with the label that people see."""

    value: str
    label: str


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a form: one of `choices`, or a line of text if there are none."""

    name: str
    label: str
    value: str
    """The current value."""
    help: str = ""
    choices: tuple[Choice, ...] = ()


@dataclass(frozen=True, slots=True)
class Form:
    """A form. When it is submitted, `command` runs with an option for each field."""

    title: str
    """At most 24 characters, the smallest limit of the supported platforms."""
    command: str
    fields: tuple[Field, ...]

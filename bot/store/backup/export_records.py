"""The format of `paperboy export` and `paperboy import`: one fact per line, each independent of the others."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    field_validator,
)

from bot.domain.errors import PaperboyError, UserError
from bot.domain.models import ChannelRef, Every
from bot.query import parse, spelled
from bot.store import reactions, records, watches
from bot.store.copies import Copy
from bot.store.tokens import Kind


class BadLine(PaperboyError):
    """A line that can't be read; the message says what is wrong with it."""


class _Fact(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Head(_Fact):
    """The first line."""

    kind: Literal["paperboy"] = "paperboy"
    format: Literal[1] = 1


class Cursor(_Fact):
    """The cursor up to which a source was read."""

    kind: Literal["cursor"] = "cursor"
    source: str
    cursor: str


class Trending(_Fact):
    """The ids of the trending papers, in order."""

    kind: Literal["trending"] = "trending"
    papers: tuple[str, ...]


class PaperSeen(_Fact):
    """A paper, and when it was first seen."""

    kind: Literal["paper"] = "paper"
    id: str
    seen: AwareDatetime | None
    """None if it was never listed: a source that lists it later announces it as new."""
    record: dict[str, Any] | None
    """None if its record has expired."""

    @field_validator("record")
    @classmethod
    def _can_be_read(cls, record: dict[str, Any] | None) -> dict[str, Any] | None:
        if record is not None:
            try:
                records.load(records.as_line(record))
            except (KeyError, TypeError):
                raise ValueError("it doesn't describe a paper: fields are missing or can't be read") from None
        return record


class Sealed(_Fact):
    """Data that a platform stores about a workspace or a person, encrypted with PAPERBOY_SECRET_KEY."""

    kind: Literal["sealed"] = "sealed"
    platform: str
    name: str
    text: str


class Saved(_Fact):
    """A paper that a person has saved; `person` has the form of a channel."""

    kind: Literal["saved"] = "saved"
    person: str
    paper: str
    at: AwareDatetime
    record: str = ""
    """The person's annotation, as it is stored."""

    @field_validator("record")
    @classmethod
    def _can_be_read(cls, record: str) -> str:
        return _annotation(record)


def _annotation(record: str) -> str:
    if record:
        try:
            reactions.load_annotation(record)
        except (KeyError, TypeError):
            raise ValueError("it isn't a note: fields are missing or can't be read") from None
    return record


class _OfChannel(_Fact):
    channel: str

    @field_validator("channel")
    @classmethod
    def _is_a_channel(cls, text: str) -> str:
        try:
            return str(ChannelRef.parse(text))
        except ValueError:
            raise ValueError("a channel has the form platform:workspace:channel") from None

    @property
    def ref(self) -> ChannelRef:
        return ChannelRef.parse(self.channel)


class Channel(_OfChannel):
    """What people set up in a channel: fields of its hash, such as its settings; its mutes and its votes."""

    kind: Literal["channel"] = "channel"
    about: dict[str, str]
    mutes: dict[str, str] = {}
    votes: dict[str, str] = {}


class Subscribed(_OfChannel):
    """A subscription."""

    kind: Literal["subscription"] = "subscription"
    number: int = Field(ge=1)
    query: str
    every: Every
    by: str
    at: AwareDatetime
    was: str = ""

    @field_validator("query")
    @classmethod
    def _can_be_read(cls, query: str) -> str:
        try:
            return spelled(parse(query))
        except UserError as error:
            raise ValueError(f"its query can't be read: {error}") from None


class Watched(_OfChannel):
    """A paper watched by a channel or person; if `paper` is empty, which events of saved papers the person wants."""

    kind: Literal["watch"] = "watch"
    paper: str = ""
    record: str
    """As it is stored."""

    @field_validator("record")
    @classmethod
    def _can_be_read(cls, record: str) -> str:
        if record.startswith("{"):
            try:
                watches.load(record)
            except (KeyError, TypeError):
                raise ValueError("it isn't a watch: fields are missing or can't be read") from None
        return record


class Shared(_OfChannel):
    """A paper on a channel's shared list."""

    kind: Literal["shared"] = "shared"
    paper: str
    at: AwareDatetime
    record: str = ""
    """Its annotation, with the person who put it there, as it is stored."""

    @field_validator("record")
    @classmethod
    def _can_be_read(cls, record: str) -> str:
        return _annotation(record)


class Sent(_OfChannel):
    """A paper that was posted, and its message."""

    kind: Literal["sent"] = "sent"
    paper: str
    at: AwareDatetime
    message: str
    url: str = ""
    more: str = ""
    """The rest of the record: the digest, the place in the message, the reasons."""


class ChannelToken(_OfChannel):
    """A feed's address, or an API token, of which only the hash is known."""

    kind: Literal["token"] = "token"
    purpose: Kind
    number: int
    at: AwareDatetime
    digest: str
    secret: str = ""


class CopyOf(_OfChannel):
    """A channel that gets a copy of each post, such as an address outside; encrypted with PAPERBOY_SECRET_KEY."""

    kind: Literal["copy"] = "copy"
    to: str
    number: int = Field(ge=1)
    by: str
    at: AwareDatetime
    sealed: str

    @property
    def copy_(self) -> Copy:
        """The copy as `Copies` takes it."""
        return Copy(
            to=ChannelRef.parse(self.to), number=self.number, by=self.by, at=self.at, sealed=self.sealed
        )


class OpenDelivery(_OfChannel):
    """A message that wasn't posted yet."""

    kind: Literal["owed"] = "owed"
    label: str
    papers: tuple[tuple[str, tuple[tuple[int, str] | tuple[int, str, str], ...]], ...]
    """Each with its reasons: number, query and, if there is one, a note."""
    due: AwareDatetime
    since: AwareDatetime | None
    """The earliest time when it may have been posted; None if it certainly wasn't."""


OfChannel: TypeAlias = Channel | Subscribed | Watched | Shared | Sent | ChannelToken | CopyOf | OpenDelivery
Fact: TypeAlias = Head | Cursor | Trending | PaperSeen | Sealed | Saved | OfChannel

_facts: TypeAdapter[Fact] = TypeAdapter(Annotated[Fact, Field(discriminator="kind")])


def read(line: str) -> Fact:
    """Parse a line. Raises BadLine."""
    try:
        return _facts.validate_json(line)
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]
        location = ".".join(str(part) for part in problem["loc"])
        reason = problem["msg"].removeprefix("Value error, ")
        raise BadLine(f"{location}: {reason}" if location else reason) from None


def moment(ms: float) -> datetime:
    """Convert milliseconds of the server's clock to a time."""
    return datetime.fromtimestamp(ms / 1000, UTC)


def ms(at: datetime) -> int:
    """The inverse of `moment`."""
    return round(at.timestamp() * 1000)

"""What `paperboy export` writes and `paperboy import` reads: one fact a line, each standing for itself."""

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
from bot.query import parse
from bot.store import records


class BadLine(PaperboyError):
    """A line that is no fact; what it says is what is wrong with it."""


class _Fact(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Head(_Fact):
    """The first line."""

    kind: Literal["paperboy"] = "paperboy"
    format: Literal[1] = 1


class Cursor(_Fact):
    """Where a source was read up to."""

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
    """None where it is only known: if it is listed one day, it is new."""
    record: dict[str, Any] | None
    """None where it is older than records are kept."""

    @field_validator("record")
    @classmethod
    def _can_be_read(cls, record: dict[str, Any] | None) -> dict[str, Any] | None:
        if record is not None:
            try:
                records.load(records.as_line(record))
            except (KeyError, TypeError) as error:
                raise ValueError(f"it describes no paper: {error}") from None
        return record


class Sealed(_Fact):
    """What a platform keeps of a workspace or a person, as it lies in Redis: PAPERBOY_SECRET_KEY opens it."""

    kind: Literal["sealed"] = "sealed"
    platform: str
    name: str
    text: str


class Saved(_Fact):
    """A paper that a person has put aside; `person` is written as a channel is."""

    kind: Literal["saved"] = "saved"
    person: str
    paper: str
    at: AwareDatetime


class _OfChannel(_Fact):
    channel: str

    @field_validator("channel")
    @classmethod
    def _is_a_channel(cls, text: str) -> str:
        try:
            return str(ChannelRef.parse(text))
        except ValueError:
            raise ValueError("a channel is written platform:workspace:channel") from None

    @property
    def ref(self) -> ChannelRef:
        return ChannelRef.parse(self.channel)


class Channel(_OfChannel):
    """What people made of a channel: fields of its hash, its settings above all, of its mutes and of
    its votes."""

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
            return str(parse(query))
        except UserError as error:
            raise ValueError(f"its query can't be read: {error}") from None


class Sent(_OfChannel):
    """A paper was posted, and as which message."""

    kind: Literal["sent"] = "sent"
    paper: str
    at: AwareDatetime
    message: str
    url: str = ""


class OpenDelivery(_OfChannel):
    """A message that was still to be posted."""

    kind: Literal["owed"] = "owed"
    label: str
    papers: tuple[tuple[str, tuple[tuple[int, str], ...]], ...]
    """Each with its reasons: number and query."""
    due: AwareDatetime
    since: AwareDatetime | None
    """It may have been posted, then at the earliest."""


OfChannel: TypeAlias = Channel | Subscribed | Sent | OpenDelivery
Fact: TypeAlias = Head | Cursor | Trending | PaperSeen | Sealed | Saved | OfChannel

_facts: TypeAdapter[Fact] = TypeAdapter(Annotated[Fact, Field(discriminator="kind")])


def read(line: str) -> Fact:
    """The fact of a line. Raises BadLine."""
    try:
        return _facts.validate_json(line)
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in problem["loc"])
        raise BadLine(f"{where}: {problem['msg']}" if where else problem["msg"]) from None


def moment(ms: float) -> datetime:
    """A time of the server's clock."""
    return datetime.fromtimestamp(ms / 1000, UTC)


def ms(at: datetime) -> int:
    """The inverse of `moment`."""
    return round(at.timestamp() * 1000)

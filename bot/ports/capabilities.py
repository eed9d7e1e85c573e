"""What only some platforms can do: a protocol for each capability."""

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol, runtime_checkable

from aiohttp.web import RouteDef

from bot.cards import Card
from bot.domain.models import ChannelRef, MessageRef, User
from bot.ports.core import Core, File
from bot.ports.platforms import Platform


@runtime_checkable
class Editing(Protocol):
    """A platform whose posted cards can be changed."""

    async def edit(self, to: ChannelRef, message: MessageRef, card: Card) -> None:
        """Replace the content of `message` by `card`. Raises a SendError."""


@runtime_checkable
class Threaded(Protocol):
    """A platform whose messages have threads: a paper's news are posted in the thread of its card."""

    async def reply(self, to: ChannelRef, message: MessageRef, card: Card, key: str) -> MessageRef:
        """Post `card` in the thread of `message`, or in the channel if that is gone. Like `Platform.send` otherwise."""

    async def find_reply(
        self, to: ChannelRef, message: MessageRef, key: str, since: datetime
    ) -> MessageRef | None:
        """The reply in that thread that delivery `key` became; like `Platform.find`, which is asked next."""


@runtime_checkable
class Joining(Protocol):
    """A platform on which Paperboy can become a member of a channel by itself."""

    async def join(self, channel: ChannelRef) -> str | None:
        """Become a member of `channel`. Called once someone subscribed there; joining twice changes nothing.

        Returns None if Paperboy is a member now, else a sentence that says what it means that it isn't.
        """


@runtime_checkable
class Named(Protocol):
    """A platform whose channels have names that say what they are about."""

    async def channel_name(self, channel: ChannelRef) -> str:
        """The channel's name, without a leading #; "" if the platform doesn't say."""


@runtime_checkable
class Notifying(Protocol):
    """A platform that can reach a person who can help when a channel can't be posted to."""

    async def notify(self, channel: ChannelRef, problem: str) -> bool:
        """Send `problem`, a sentence that says what to do, to one person: the subscriber, the installer or a manager.

        The core calls it once per problem, not per attempt. Returns whether anyone was reached.
        """


@dataclass(frozen=True, slots=True)
class Access:
    """What a person may do in a channel at the moment, as the platform itself says."""

    member: bool
    """They can read the channel: they are in it, or it is open to them."""
    may_manage: bool
    """The platform lets them manage the channel."""
    may_edit: bool = False
    """By the platform's custom they may change subscriptions, as long as the channel's settings name no editors."""


@runtime_checkable
class AccessChecked(Protocol):
    """A platform that can say who may read and manage a channel.

    The core asks before each action that reads or changes a channel's state, and remembers the answer for a
    minute at most: a button or a form can be pressed long after a person has left.
    """

    async def access(self, user: User, channel: ChannelRef) -> Access:
        """What `user` may do in `channel` now. Raises AccessUnknown if the platform doesn't answer."""


@runtime_checkable
class Connected(Protocol):
    """A platform to which `run` holds a connection, such as a gateway or a socket."""

    def connected(self) -> bool:
        """Whether the connection is up now; `/readyz` shows it."""


@runtime_checkable
class Mounted(Protocol):
    """A platform that is also reached over HTTP, by the role `web`."""

    def routes(self, core: Core) -> Iterable[RouteDef]:
        """Its routes; paths begin with the platform's name."""


@runtime_checkable
class Invitable(Protocol):
    """A platform that anyone can add to their workspace by a link on the front page."""

    @property
    def title(self) -> str:
        """The platform's name as people write it."""

    def invitation(self) -> str | None:
        """The address that adds it; None if this installation isn't open to everyone."""


@runtime_checkable
class Joinable(Protocol):
    """A platform that people join on the front page itself, by a form that leads to its routes."""

    def form(self) -> str:
        """The form, as HTML in which everything is escaped."""


CHECK_NETWORK = "check this machine's network (DNS, proxy, firewall); Paperboy keeps trying"
"""What to do about a server that doesn't answer. Findings that say so have one cause and are shown as one."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One check of `paperboy doctor` and its result."""

    name: str
    ok: bool
    message: str
    todo: str = ""
    """What to do about it; for a finding that is `ok`, a recommendation."""

    @property
    def level(self) -> Literal["ok", "warn", "fail"]:
        """`warn` works, but the operator could do better."""
        if not self.ok:
            return "fail"
        return "warn" if self.todo else "ok"


@runtime_checkable
class Diagnosable(Protocol):
    """A platform that can check its own connection, for `paperboy doctor`."""

    def diagnose(self) -> AsyncIterator[Finding]:
        """Each check's result as soon as it is there, without changing anything. They contain no secrets.

        There are a few seconds for it: the channels come last, as many as can be asked about in that time.
        """


@dataclass(frozen=True, slots=True)
class Destination:
    """An address to which a channel's posts are copied."""

    workspace: str
    """The workspace of its channel, as in `ChannelRef`."""
    sealed: str
    """What the platform has to remember of it, encrypted."""
    secret: str
    """What proves to the one who listens there that a post comes from us; shown once."""


@runtime_checkable
class Copying(Platform, Protocol):
    """A platform that has no people: its channels are addresses that get a copy of each post of another channel."""

    @property
    def formats(self) -> Sequence[str]:
        """How a post can be written; the first one is the default."""

    async def destination(self, address: str, form: str, *, existing: Sequence[str]) -> Destination:
        """What to store about `address`. Raises UserError if nothing can be sent there.

        `existing` is what was stored about the other addresses of the same channel.
        """

    def describe(self, sealed: str) -> str:
        """An address and its format, in words that a person recognises and that give no secret away."""


class Screen(Protocol):
    """Where an interactive platform shows cards."""

    def post(self, card: Card) -> None:
        """A card for the channel."""

    def reply(self, card: Card) -> None:
        """The answer to a command."""

    def note(self, card: Card) -> None:
        """Something about the program itself, such as how to begin."""

    def file(self, file: File) -> None:
        """A file that a command made."""

    def typed(self, line: str) -> None:
        """A line that was read, as if the person had typed it here."""


@runtime_checkable
class Interactive(Platform, Protocol):
    """A platform with one channel and one person, who sits in front of this process."""

    screen: Screen
    channel: ChannelRef
    user: User

    async def answer_input(self, core: Core) -> None:
        """Carry out every line of standard input, to its end."""

    def working(self, what: str) -> None:
        """Show the person at a prompt what goes on meanwhile, "" once it is over."""

"""Optional capabilities of platforms, one protocol each."""

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
    """A platform whose messages have threads: a paper's events are posted in the thread of its card."""

    async def reply(self, to: ChannelRef, message: MessageRef, card: Card, key: str) -> MessageRef:
        """Post `card` in the thread of `message`, or in the channel if that is gone. Else like `Platform.send`."""

    async def find_reply(
        self, to: ChannelRef, message: MessageRef, key: str, since: datetime
    ) -> MessageRef | None:
        """Find the reply in that thread for delivery `key`, as `Platform.find` does; that is tried next."""


@runtime_checkable
class Joining(Protocol):
    """A platform on which Paperboy can join a channel without an invitation."""

    async def join(self, channel: ChannelRef) -> str | None:
        """Join `channel`. Called once someone has subscribed there; idempotent.

        Returns None if Paperboy is a member now, else a sentence that explains the consequence.
        """


@runtime_checkable
class Named(Protocol):
    """A platform whose channels have descriptive names."""

    async def channel_name(self, channel: ChannelRef) -> str:
        """Return the channel's name without a leading #, or "" if the platform doesn't report it."""


@runtime_checkable
class Notifying(Protocol):
    """A platform that can notify a person who can fix it when posting in a channel fails."""

    async def notify(self, channel: ChannelRef, problem: str) -> bool:
        """Send `problem`, a sentence that says what to do, to one person: the subscriber, the installer or a manager.

        The core calls it once per problem, not per attempt. Returns whether anyone was reached.
        """


@dataclass(frozen=True, slots=True)
class Access:
    """A person's current permissions in a channel, as reported by the platform."""

    member: bool
    """They can read the channel: they are in it, or it is open to them."""
    may_manage: bool
    """The platform lets them manage the channel."""
    may_edit: bool = False
    """They can change subscriptions by the platform's conventions; the setting `editors` can override this."""


@runtime_checkable
class AccessChecked(Protocol):
    """A platform that reports who can read and manage a channel.

    The core checks before each action that reads or changes a channel's state, and caches the answer for at most a
    minute: people can press a button or submit a form long after they have left the channel.
    """

    async def access(self, user: User, channel: ChannelRef) -> Access:
        """Return what `user` can currently do in `channel`. Raises AccessUnknown if the platform doesn't answer."""


@runtime_checkable
class Connected(Protocol):
    """A platform whose `run` holds a connection open, such as a gateway or a socket."""

    def connected(self) -> bool:
        """Whether the connection is up now; `/readyz` shows it."""


@runtime_checkable
class Mounted(Protocol):
    """A platform with HTTP routes, served by the role `web`."""

    def routes(self, core: Core) -> Iterable[RouteDef]:
        """Return the platform's routes. Their paths begin with its name."""


@runtime_checkable
class Invitable(Protocol):
    """A platform that anyone can add to their workspace through a link on the front page."""

    @property
    def title(self) -> str:
        """The platform's name as people write it."""

    def invitation(self) -> str | None:
        """Return the URL that adds it; None if this installation isn't open to everyone."""


@runtime_checkable
class Joinable(Protocol):
    """A platform that people join on the front page itself, through a form that posts to its routes."""

    def form(self) -> str:
        """Return the form as HTML, with all values escaped."""


CHECK_NETWORK = "check this machine's network (DNS, proxy, firewall); Paperboy keeps trying"
"""Advice if a server doesn't answer. Findings with this advice have a common cause and are shown as one."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One check of `paperboy doctor` and its result."""

    name: str
    ok: bool
    message: str
    todo: str = ""
    """How to fix the problem; a recommendation if the finding is `ok`."""

    @property
    def level(self) -> Literal["ok", "warn", "fail"]:
        """`fail`, `warn` if it works but could be improved, or `ok`."""
        if not self.ok:
            return "fail"
        return "warn" if self.todo else "ok"


@runtime_checkable
class Diagnosable(Protocol):
    """A platform that can check its own connection, for `paperboy doctor`."""

    def diagnose(self) -> AsyncIterator[Finding]:
        """Yield each check's result as soon as it is known, without changing anything. Results contain no secrets.

        The time limit is a few seconds: check channels last, as many as fit.
        """


@dataclass(frozen=True, slots=True)
class Destination:
    """An address to which a channel's posts are copied."""

    workspace: str
    """The workspace of its channel, as in `ChannelRef`."""
    sealed: str
    """The data that the platform needs to send there, encrypted."""
    secret: str
    """Proves to the receiver that a post comes from us; shown once."""


@runtime_checkable
class Copying(Platform, Protocol):
    """A platform without users: its channels are addresses that get a copy of each post of another channel."""

    @property
    def formats(self) -> Sequence[str]:
        """The formats in which it can send a post; the first one is the default."""

    async def destination(self, address: str, form: str, *, existing: Sequence[str]) -> Destination:
        """Return what to store about `address`. Raises UserError if nothing can be sent there.

        `existing` holds the `sealed` data of the channel's other addresses.
        """

    def describe(self, sealed: str) -> str:
        """Describe an address and its format so that a person recognises it, without secrets."""


class Screen(Protocol):
    """The display of an interactive platform."""

    def post(self, card: Card) -> None:
        """Show a card that was posted in the channel."""

    def reply(self, card: Card) -> None:
        """Show the reply to a command."""

    def note(self, card: Card) -> None:
        """Show information about the program itself, such as how to begin."""

    def file(self, file: File) -> None:
        """Show a file that a command made."""

    def typed(self, line: str) -> None:
        """Show a line of input as if the person had typed it here."""


@runtime_checkable
class Interactive(Platform, Protocol):
    """A platform with one channel and one person, who sits in front of this process."""

    screen: Screen
    channel: ChannelRef
    user: User

    async def answer_input(self, core: Core) -> None:
        """Run every line of standard input as a command, until its end."""

    def working(self, what: str) -> None:
        """Show at the prompt what runs in the background; "" once it is done."""

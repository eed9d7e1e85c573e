"""The two ports: where papers come from and where cards go."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal, Protocol, runtime_checkable

from aiohttp.web import RouteDef

from bot.cards import Card, Choice, Form
from bot.domain.models import ChannelRef, ChannelSettings, Command, MessageRef, Paper, Subscription, User


@dataclass(frozen=True, slots=True)
class Batch:
    """What one fetch of a source returned."""

    papers: tuple[Paper, ...]
    """Papers that are listed now; those that are new to us are matched and posted."""
    cursor: str
    """Passed to the next `fetch`; stored together with the papers or not at all."""
    history: tuple[Paper, ...] = ()
    """Older papers: stored for search and back-tests, never posted."""
    trending: tuple[str, ...] | None = None
    """Ids in the source's trending order; None if it has none or could not be asked."""
    updates: tuple[Paper, ...] = ()
    """New facts about papers that we know already; those about other papers are ignored."""
    more: bool = False
    """There is another page to fetch at once. Its cursor differs from this one's."""
    alarm: str | None = None
    """A warning for the operator, although the fetch succeeded."""
    skipped: Mapping[str, int] | None = None
    """How many rows of the answer could not be read, by reason; None if the answer is the same as before."""
    announced: Mapping[str, date] = field(default_factory=dict)
    """The days (UTC) on which papers of it were announced, by their ids; empty if the source doesn't say."""


class Source(Protocol):
    """An upstream that lists papers."""

    @property
    def name(self) -> str:
        """Unique among sources. `source:` matches the part before a colon (`arxiv:cs.CL`)."""

    async def fetch(self, cursor: str | None) -> Batch:
        """The papers that are listed now or since `cursor`, which is None at the first poll.

        Raises SourceError. A body that can't be read is an error, never "no papers".
        """

    def next_poll(self, now: datetime) -> datetime:
        """When to ask again after a poll that succeeded at `now`."""


@dataclass(frozen=True, slots=True)
class File:
    """A text file for the person who asked."""

    name: str
    mime: str
    text: str


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to a command."""

    card: Card
    private: bool = True
    """Shown only to the person who asked, if the platform can do that."""
    thread: bool = False
    """Posted in the thread of the message whose button was pressed, if the platform has threads."""
    form: Form | None = None
    """Opened instead of the card, if the platform can do that."""
    later: Callable[[], Awaitable[Card | None]] | None = None
    """Returns a better card that replaces the first one, or None. It may take seconds."""
    file: File | None = None
    """Handed over with the card."""


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


class Core(Protocol):
    """What a platform calls."""

    async def handle(self, command: Command) -> Reply:
        """Carry out a command. Never raises because of what a person typed: the reply says what is wrong."""

    async def handle_text(self, line: str, user: User, channel: ChannelRef) -> Reply:
        """The same for a line as typed, with or without its `/paper`."""

    async def complete(
        self, command: str, option: str, typed: str, user: User, channel: ChannelRef
    ) -> Sequence[Choice]:
        """Suggestions for an option while it is typed; the likeliest first, at most 25."""

    async def settings(self, channel: ChannelRef) -> ChannelSettings:
        """The channel's settings."""

    async def subscriptions(
        self, channels: Iterable[ChannelRef]
    ) -> Mapping[ChannelRef, Sequence[Subscription]]:
        """The subscriptions of each channel, by number; channels without any are left out."""

    async def saved(self, user: User, channel: ChannelRef) -> Sequence[Paper]:
        """The papers that the person has saved in the channel's workspace, the latest first."""

    async def show_links(
        self,
        links: Sequence[str],
        channel: ChannelRef,
        show: Callable[[Mapping[str, Card]], Awaitable[None]],
    ) -> None:
        """Call `show` once, within about a second, with a card for each of the links in a message that lead to a paper.

        There are none where the channel doesn't want cards. A paper that no upstream names in time gets none; it is stored
        for the next time. If something doesn't answer, `show` isn't called.
        """

    async def greeting(self, channel: ChannelRef, everywhere: str = "") -> Card:
        """What to say in a channel that Paperboy was just added to.

        If it was added to a whole server or workspace, `everywhere` is that one's name.
        """

    async def pause(self, channel: ChannelRef, reason: str) -> None:
        """Stop posting in the channel: the platform reported that it is impossible for now. Subscriptions stay."""

    async def resume(self, channel: ChannelRef) -> None:
        """Post in the channel again: the platform reported a change there."""

    async def pause_workspace(self, platform: str, workspace: str, reason: str) -> None:
        """Stop posting in a whole workspace, for example because the app was uninstalled."""

    async def resume_workspace(self, platform: str, workspace: str) -> None:
        """Post in the workspace again: the app is back."""

    async def move(self, old: ChannelRef, new: ChannelRef) -> None:
        """The platform gave a channel another id: its subscriptions, settings and sent records go with it."""

    async def forget(self, channel: ChannelRef) -> None:
        """Delete everything stored about a channel: subscriptions, settings, waiting posts and sent records."""


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `count` posts in any `per` seconds."""

    count: int
    per: float


@dataclass(frozen=True, slots=True)
class Rates:
    """A platform's rate limits, None for no limit. All replicas share them."""

    platform: Rate | None = None
    """For the whole bot."""
    workspace: Rate | None = None
    channel: Rate | None = None


class Platform(Protocol):
    """A chat platform."""

    @property
    def name(self) -> str:
        """The value of `ChannelRef.platform`."""

    @property
    def rates(self) -> Rates:
        """How fast we may post."""

    @property
    def on_uncertain(self) -> Literal["resend", "hold"]:
        """The default for a post that can't be confirmed: post it again, or hold it for the operator."""

    async def run(self, core: Core) -> None:
        """Listen until cancelled. Raises ConfigurationError if it can never work."""

    async def send(self, to: ChannelRef, card: Card, key: str) -> MessageRef:
        """Post `card` once; `key` names this delivery and travels with the message.

        Raises a SendError, whose class says what is to be done.
        """

    async def find(self, to: ChannelRef, key: str, since: datetime) -> MessageRef | None:
        """The message that delivery `key` became, or None if it was certainly not posted.

        Raises Unknowable where the platform can't say.
        """

    async def close(self) -> None:
        """Close connections. Nothing is called afterwards."""


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
class Mounted(Protocol):
    """A platform that is also reached over HTTP, by the role `web`."""

    def routes(self, core: Core) -> Iterable[RouteDef]:
        """Its routes; paths begin with the platform's name."""


@runtime_checkable
class Connected(Protocol):
    """A platform to which `run` holds a connection, such as a gateway or a socket."""

    def connected(self) -> bool:
        """Whether the connection is up now; `/readyz` shows it."""


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


@runtime_checkable
class Diagnosable(Protocol):
    """A platform that can check its own connection, for `paperboy doctor`."""

    def diagnose(self) -> AsyncIterator[Finding]:
        """Each check's result as soon as it is there, without changing anything. They contain no secrets.

        There are a few seconds for it: the channels come last, as many as can be asked about in that time.
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
class Notifying(Protocol):
    """A platform that can reach a person who can help when a channel can't be posted to."""

    async def notify(self, channel: ChannelRef, problem: str) -> bool:
        """Send `problem`, a sentence that says what to do, to one person: the subscriber, the installer or a manager.

        The core calls it once per problem, not per attempt. Returns whether anyone was reached.
        """

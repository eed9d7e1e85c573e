"""The dependencies of commands. They are passed in, so that a test or the tour can bring its own clock and server."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from bot.commands.access import AccessGate
from bot.domain.errors import ChannelGone, WorkspaceGone
from bot.domain.models import ChannelRef
from bot.domain.polls import PollResult
from bot.ports import Copying
from bot.search.recent_papers import RecentPapers
from bot.search.search import Search
from bot.settings import PlatformSettings
from bot.sources.on_demand import CategoryCatalog
from bot.sources.upstream_search import UpstreamSearch
from bot.sources.zotero import Zotero
from bot.store.button_payloads import ButtonPayloads
from bot.store.channel_rules import ChannelRules, ChannelSettingsStore
from bot.store.copies import Copies
from bot.store.data_deletion import DataDeletion
from bot.store.outbox.outbox import Outbox
from bot.store.papers import Papers
from bot.store.reactions import ReadingLists, Votes
from bot.store.subscriptions import Subscriptions
from bot.store.tokens import Tokens
from bot.store.watches import Watches
from bot.store.zotero_keys import ZoteroKeys


class AnyPlatform(PlatformSettings):
    """A platform that declares nothing: it is assumed to support everything that the core offers."""

    title = "This platform"
    channel_settings = frozenset({"edits", "links", "threads", "embeds", "publish", "ping", "editors"})
    message_menus = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Everything that a command can use."""

    access: AccessGate
    subscriptions: Subscriptions
    papers: Papers
    recent: RecentPapers
    search: Search
    upstream_search: UpstreamSearch
    """The upstreams' own search."""
    settings: ChannelSettingsStore
    rules: ChannelRules
    saved: ReadingLists
    outbox: Outbox
    button_payloads: ButtonPayloads
    votes: Votes
    watches: Watches
    tokens: Tokens
    copies: Copies
    catalog: CategoryCatalog
    """The categories that are read, or could be."""
    platforms: Mapping[str, type[PlatformSettings]]
    """The declarations of each platform, by its name in `ChannelRef`."""
    polls: Callable[[], Awaitable[Mapping[str, PollResult]]]
    """The last poll result of each source, by its name."""
    now: Callable[[], datetime]
    join: Callable[[ChannelRef], Awaitable[str | None]]
    """Makes Paperboy a member of a channel. Returns a sentence if that matters and the platform refuses."""
    forgetting: DataDeletion
    pause: Callable[[ChannelRef, ChannelGone | WorkspaceGone], Awaitable[None]]
    """Stops posting in a channel, or its workspace, for now, and notifies one person who can help."""
    move: Callable[[ChannelRef, ChannelRef], Awaitable[None]]
    """Moves everything stored about a channel to its new id."""
    channel_name: Callable[[ChannelRef], Awaitable[str]]
    """Returns a channel's name, without a leading #; "" if it isn't known."""
    zotero: Zotero
    zotero_keys: ZoteroKeys
    copying: Copying | None = None
    """The platform whose addresses get copies of posts; None if this installation has none."""
    cites: bool = False
    """Whether a source knows who cites a paper."""
    public_url: str = ""
    """Base URL of the pages and feeds; "" if the operator hasn't set it."""
    database_problem: Callable[[], str | None] = lambda: None
    """Returns why the embedded database has stopped, such as `its disk is full`; None while it runs."""

    def platform(self, channel: ChannelRef) -> type[PlatformSettings]:
        """Return the declarations of the channel's platform."""
        return self.platforms.get(channel.platform, AnyPlatform)

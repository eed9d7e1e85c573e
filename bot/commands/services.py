"""What commands work with. Passed in, so that a test or the tour can bring its own clock and server."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from bot.commands.access import AccessGate
from bot.domain.errors import ChannelGone, WorkspaceGone
from bot.domain.models import ChannelRef
from bot.domain.polls import PollResult
from bot.search.recent_papers import RecentPapers
from bot.search.search import Search
from bot.settings import PlatformSettings
from bot.sources.on_demand import CategoryCatalog
from bot.sources.upstream_search import UpstreamSearch
from bot.sources.zotero import Zotero
from bot.store.button_payloads import ButtonPayloads
from bot.store.channel_rules import ChannelRules, ChannelSettingsStore
from bot.store.forget import Forgetting
from bot.store.outbox.outbox import Outbox
from bot.store.papers import Papers
from bot.store.reactions import Saved, Votes
from bot.store.subscriptions import Subscriptions
from bot.store.tokens import Tokens
from bot.store.watches import Watches
from bot.store.zotero_keys import ZoteroKeys


class AnyPlatform(PlatformSettings):
    """A platform that declares nothing: it is taken to have all that the core offers."""

    title = "This platform"
    channel_settings = frozenset({"edits", "links", "threads", "embeds", "publish", "ping", "editors"})
    message_menus = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """What a command may use."""

    access: AccessGate
    subscriptions: Subscriptions
    papers: Papers
    recent: RecentPapers
    search: Search
    upstream_search: UpstreamSearch
    """The upstreams' own search."""
    settings: ChannelSettingsStore
    rules: ChannelRules
    saved: Saved
    outbox: Outbox
    kept: ButtonPayloads
    votes: Votes
    watches: Watches
    tokens: Tokens
    catalog: CategoryCatalog
    """Which categories are read, or could be."""
    platforms: Mapping[str, type[PlatformSettings]]
    """What each platform declares, by its name in `ChannelRef`."""
    polls: Callable[[], Awaitable[Mapping[str, PollResult]]]
    """The last poll result of each source, by its name."""
    now: Callable[[], datetime]
    join: Callable[[ChannelRef], Awaitable[str | None]]
    """Makes Paperboy a member of a channel; a sentence if that matters and the platform refuses."""
    forgetting: Forgetting
    pause: Callable[[ChannelRef, ChannelGone | WorkspaceGone], Awaitable[None]]
    """Posts nothing in a channel, or its workspace, for now, and notifies one person who can help."""
    move: Callable[[ChannelRef, ChannelRef], Awaitable[None]]
    """Gives a channel's new id everything that is stored of its old one."""
    channel_name: Callable[[ChannelRef], Awaitable[str]]
    """A channel's name, without a leading #; "" if it isn't known."""
    zotero: Zotero
    zotero_keys: ZoteroKeys
    cites: bool = False
    """Whether a source says who cites a paper."""
    public_url: str = ""
    """Where people reach the pages and feeds; "" if the operator hasn't said."""
    database_problem: Callable[[], str | None] = lambda: None
    """Why the embedded database has stopped, such as `its disk is full`; None while it runs."""

    def platform(self, channel: ChannelRef) -> type[PlatformSettings]:
        """What the channel's platform declares."""
        return self.platforms.get(channel.platform, AnyPlatform)

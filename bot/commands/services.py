"""What the commands work with. Passed in, so that a test or the tour can bring its own clock and server."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from bot.domain.polls import PollResult
from bot.search import Search
from bot.search.recent_papers import RecentPapers
from bot.sources.elsewhere import Elsewhere
from bot.store.button_payloads import ButtonPayloads
from bot.store.outbox.outbox import Outbox
from bot.store.papers import Papers
from bot.store.rules import ChannelRules
from bot.store.saved import Saved
from bot.store.settings import ChannelSettingsStore
from bot.store.subscriptions import Subscriptions
from bot.store.votes import Votes


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """What a command may use."""

    subscriptions: Subscriptions
    papers: Papers
    recent: RecentPapers
    search: Search
    elsewhere: Elsewhere
    """The upstreams' own search."""
    settings: ChannelSettingsStore
    rules: ChannelRules
    saved: Saved
    outbox: Outbox
    kept: ButtonPayloads
    votes: Votes
    polls: Callable[[], Awaitable[Mapping[str, PollResult]]]
    """How the last poll of each source went."""
    now: Callable[[], datetime]

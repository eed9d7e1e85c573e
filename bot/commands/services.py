"""What the commands work with. Passed in, so that a test or the tour can bring its own clock and server."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from bot.search import Search
from bot.store.outbox import Outbox
from bot.store.papers import Papers
from bot.store.saved import Saved
from bot.store.settings import SettingsOfChannels
from bot.store.subscriptions import Subscriptions


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """What a command may use."""

    subscriptions: Subscriptions
    papers: Papers
    search: Search
    settings: SettingsOfChannels
    saved: Saved
    outbox: Outbox
    now: Callable[[], datetime]

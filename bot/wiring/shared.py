"""Objects that several roles share."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

import aiohttp
from redis.asyncio import Redis

from bot.clock import Clock
from bot.ports import Platform
from bot.search.recent_papers import RecentPapers
from bot.search.search import Search
from bot.settings import PlatformSettings, Settings
from bot.store.card_updates import CardUpdateQueue
from bot.store.channel_rules import ChannelRules, ChannelSettingsStore
from bot.store.outbox.outbox import Outbox
from bot.store.papers import Papers
from bot.store.poll_stream import PollReader
from bot.store.subscriptions import Subscriptions
from bot.terminal.sample import PapersOrSample


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """Objects that several roles share, over one connection."""

    settings: Settings
    redis: Redis
    session: aiohttp.ClientSession
    platforms: tuple[Platform, ...]
    platform_settings: Mapping[str, type[PlatformSettings]]
    """Settings group of every registered platform, by name, whether this process runs it or not."""
    now: Clock
    papers: Papers
    shown_papers: PapersOrSample
    """The papers that people see: the bundled sample until there are real ones."""
    recent: RecentPapers
    search: Search
    subscriptions: Subscriptions
    channel_settings: ChannelSettingsStore
    rules: ChannelRules
    outbox: Outbox
    polls: PollReader
    card_updates: CardUpdateQueue
    reached: asyncio.Event

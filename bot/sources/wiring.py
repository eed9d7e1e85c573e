"""What a source is built from."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from ipaddress import IPv4Network, IPv6Network
from typing import Protocol

from aiohttp import ClientSession
from pydantic import SecretStr
from redis.asyncio import Redis

from bot.sources.http import TIMEOUT

Network = IPv4Network | IPv6Network
Progress = Callable[[str, int, int], None]
"""Told the source's name, how many days it has read, and of how many."""


class SourceSettings(Protocol):
    """The settings that sources read: `PAPERBOY_HUGGINGFACE_URL` and so on."""

    @property
    def huggingface_url(self) -> str: ...

    @property
    def arxiv_rss_url(self) -> str: ...

    @property
    def arxiv_oai_url(self) -> str: ...

    @property
    def arxiv_cross_lists(self) -> bool: ...

    @property
    def arxiv_holidays(self) -> Collection[date]: ...

    @property
    def arxiv_categories(self) -> Sequence[str]: ...

    @property
    def biorxiv_url(self) -> str: ...

    @property
    def biorxiv_categories(self) -> Collection[str]: ...

    @property
    def medrxiv_categories(self) -> Collection[str]: ...

    @property
    def feeds(self) -> Collection[str]: ...

    @property
    def feeds_private(self) -> Collection[Network]: ...

    @property
    def enrich(self) -> Collection[str]: ...

    @property
    def contact(self) -> str: ...

    @property
    def arxiv_api_url(self) -> str: ...

    @property
    def semantic_scholar_url(self) -> str: ...

    @property
    def semantic_scholar_key(self) -> SecretStr | None: ...


def silent(_source: str, _done: int, _total: int) -> None:
    """Progress that nobody watches."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wiring:
    """The outside world, as the composition root hands it to every source."""

    settings: SourceSettings
    session: ClientSession
    redis: Redis
    now: Callable[[], datetime]
    """Aware."""
    progress: Progress = silent
    timeout: float = TIMEOUT
    """Seconds for one request."""
    pace: float = 1.0
    """By what the pauses between requests are multiplied; less than 1 only in a simulation."""

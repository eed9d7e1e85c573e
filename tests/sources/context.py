"""The context that sources are built from in tests: one server plays every upstream."""

from aiohttp import ClientSession
from pydantic import SecretStr
from redis.asyncio import Redis

from bot.settings import Settings, SettingsGroup
from bot.sources.context import Progress, SourceContext, silent
from bot.sources.semantic_scholar import SemanticScholarSettings
from tests.sources.recordings import SOURCES, settings_of
from tests.sources.upstreams import Clock


def settings_for(url: str, *groups: SettingsGroup) -> Settings:
    """Return settings in which every upstream is the server at `url`; `groups` replace the defaults of their types."""
    scholar = SemanticScholarSettings.model_construct(
        semantic_scholar_url=url, semantic_scholar_key=SecretStr("the key")
    )
    core = Settings.model_construct(contact="ops@example.org")
    return core.with_groups(*(settings_of(name, url) for name in SOURCES), scholar, *groups)


def a_context(
    url: str,
    session: ClientSession,
    redis: Redis,
    *groups: SettingsGroup,
    clock: Clock | None = None,
    timeout: float = 5.0,
    progress: Progress = silent,
    pace: float = 1.0,
) -> SourceContext:
    """Return the context of sources whose upstreams are the server at `url`."""
    return SourceContext(
        settings=settings_for(url, *groups),
        session=session,
        redis=redis,
        now=(clock or Clock()).now,
        progress=progress,
        timeout=timeout,
        pace=pace,
    )

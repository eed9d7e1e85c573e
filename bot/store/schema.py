"""The layout of keys has a version: an older layout is migrated, a newer one is refused."""

from collections.abc import Awaitable, Callable, Sequence

from redis.asyncio import Redis
from redis.exceptions import LockError
from structlog import get_logger

from bot.domain.errors import ConfigurationError
from bot.store import keys
from bot.store.migrations import merge_paper_ids, schedule_probes

Migration = Callable[[Redis], Awaitable[None]]
"""Changes the layout from one version to the next. It is run again if a process died in it."""

MIGRATIONS: tuple[Migration, ...] = (merge_paper_ids, schedule_probes)
"""The first leads from version 1 to 2, and so on. A migration is never changed or removed after its release."""
MIGRATION_TIMEOUT = 600.0
"""Seconds that a migration may take before another process tries it, too."""

_log = get_logger()


async def bring_up_to_date(redis: Redis, migrations: Sequence[Migration] = MIGRATIONS) -> None:
    """Migrate the layout to the version that this program knows. One process does it, and the others wait for it.

    Raises ConfigurationError if a newer program has written here.
    """
    known = 1 + len(migrations)
    if await _found(redis, known) == known:
        return
    try:
        async with redis.lock(keys.MIGRATING, timeout=MIGRATION_TIMEOUT, blocking_timeout=MIGRATION_TIMEOUT):
            while (version := await _found(redis, known)) < known:
                _log.info("migration_started", schema=version + 1)
                await migrations[version - 1](redis)
                await redis.set(keys.SCHEMA, version + 1)
    except LockError:
        raise ConfigurationError(
            f"Another process has been bringing Redis up to date for {MIGRATION_TIMEOUT / 60:.0f} minutes. Start again later."
        ) from None


async def _found(redis: Redis, known: int) -> int:
    """The layout's version; an empty server gets this program's."""
    if not await redis.exists(
        keys.SCHEMA
    ):  # else don't write: a full server refuses that, and we can start all the same
        await redis.set(keys.SCHEMA, known, nx=True)
    version = int(await redis.get(keys.SCHEMA) or known)
    if version > known:
        raise ConfigurationError(
            f"This Redis was used by a newer Paperboy (schema {version}, this one knows {known}): update Paperboy."
        )
    return version

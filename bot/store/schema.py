"""How keys are laid out has a version: an older layout is brought up to date, a newer one is not touched."""

from collections.abc import Awaitable, Callable, Sequence

from redis.asyncio import Redis
from redis.exceptions import LockError
from structlog import get_logger

from bot.domain.errors import ConfigurationError
from bot.store import keys
from bot.store.migrations import merge_paper_ids

Migration = Callable[[Redis], Awaitable[None]]
"""Changes the layout from one version to the next. It is run again where a process died in it."""

MIGRATIONS: tuple[Migration, ...] = (merge_paper_ids,)
"""The first leads from version 1 to 2, and so on. One is never changed or removed after its release."""
LONGEST = 600.0
"""Seconds that a migration may take before another process tries it, too."""

_log = get_logger()


async def bring_up_to_date(redis: Redis, migrations: Sequence[Migration] = MIGRATIONS) -> None:
    """Make the layout the one that this program knows. One process does it, the others wait for it.

    Raises ConfigurationError where a newer program has been here.
    """
    known = 1 + len(migrations)
    if await _found(redis, known) == known:
        return
    try:
        async with redis.lock(keys.MIGRATING, timeout=LONGEST, blocking_timeout=LONGEST):
            while (version := await _found(redis, known)) < known:
                _log.info("bringing what is kept up to date", schema=version + 1)
                await migrations[version - 1](redis)
                await redis.set(keys.SCHEMA, version + 1)
    except LockError:
        raise ConfigurationError(
            f"Another process has been bringing Redis up to date for {LONGEST / 60:.0f} minutes. Start again later."
        ) from None


async def _found(redis: Redis, known: int) -> int:
    """The version that is there; an empty server has this program's."""
    if not await redis.exists(
        keys.SCHEMA
    ):  # a full server refuses to be written to, and is no reason not to start
        await redis.set(keys.SCHEMA, known, nx=True)
    version = int(await redis.get(keys.SCHEMA) or known)
    if version > known:
        raise ConfigurationError(
            f"This Redis was used by a newer Paperboy (schema {version}, this one knows {known}): update Paperboy."
        )
    return version

"""Forgets workspaces that removed the app and did not return, so that no data is stored without a purpose."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta

from structlog import get_logger

from bot.store.data_deletion import DataDeletion
from bot.store.outbox.outbox import Outbox
from bot.store.worker_loop import CONNECTION_ERRORS

CHECK_EVERY = timedelta(hours=6)
MAX_PAUSES = 10_000
"""Maximum number of paused channels and workspaces checked per run, longest paused first."""

_log = get_logger()


class Retention:
    """Forgets workspaces that removed the app at least `after` ago.

    `removed` is platform -> the reason of a pause that means that a workspace removed the app.
    """

    def __init__(
        self,
        outbox: Outbox,
        forgetting: DataDeletion,
        removed: Mapping[str, str],
        after: timedelta,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._outbox = outbox
        self._forgetting = forgetting
        self._removed = removed
        self._after = after
        self._sleep = sleep

    async def run(self) -> None:
        """Check regularly until cancelled."""
        while True:
            try:
                await self.once()
            except CONNECTION_ERRORS as error:
                _log.warning("retention_failed", reason=str(error))
            await self._sleep(CHECK_EVERY.total_seconds())

    async def once(self) -> None:
        """Forget the workspaces that are due. Raises RedisError."""
        now = await self._outbox.now()
        for pause in await self._outbox.pauses(MAX_PAUSES):
            platform, _, workspace = pause.name.partition(":")
            if (
                pause.scope == "workspace"
                and pause.why == self._removed.get(platform)
                and pause.since is not None
                and now - pause.since >= self._after
            ):
                await self._forgetting.workspace(platform, workspace)
                _log.info("workspace_forgotten", platform=platform, workspace=workspace)

"""Forgets workspaces that removed the app and did not return: nothing of strangers is stored without a purpose."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta

from structlog import get_logger

from bot.store.forget import Forgetting
from bot.store.outbox.outbox import Outbox
from bot.store.worker_loop import CONNECTION_ERRORS

LOOK_EVERY = timedelta(hours=6)
MOST = 10_000
"""Paused channels and workspaces that one look considers, those that have been paused longest."""

_log = get_logger()


class Retention:
    """`removed` is platform -> the reason of a pause that means that a workspace removed the app."""

    def __init__(
        self,
        outbox: Outbox,
        forgetting: Forgetting,
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
        """Look again and again, until cancelled."""
        while True:
            try:
                await self.once()
            except CONNECTION_ERRORS as error:
                _log.warning("retention_failed", reason=str(error))
            await self._sleep(LOOK_EVERY.total_seconds())

    async def once(self) -> None:
        """Forget the workspaces that are due. Raises RedisError."""
        now = await self._outbox.now()
        for pause in await self._outbox.pauses(MOST):
            platform, _, workspace = pause.name.partition(":")
            if (
                pause.scope == "workspace"
                and pause.why == self._removed.get(platform)
                and pause.since is not None
                and now - pause.since >= self._after
            ):
                await self._forgetting.workspace(platform, workspace)
                _log.info("workspace_forgotten", platform=platform, workspace=workspace)

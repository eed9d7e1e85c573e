"""Pauses channels and workspaces in which nothing can be posted, and notifies one person who can help."""

import asyncio

from structlog import get_logger

from bot.domain.deliveries import Scope
from bot.domain.errors import ChannelGone, WorkspaceGone
from bot.domain.models import ChannelRef
from bot.observability import metrics
from bot.ports import Notifying, Platform
from bot.store.outbox.outbox import Outbox

NOTIFY_TIMEOUT = 15.0
"""Seconds that a platform may take to notify a person."""

_log = get_logger()


class Pauses:
    """Pauses that follow from a platform's answers and events. `platform` is None if this process doesn't run it."""

    def __init__(self, platform: Platform | None, outbox: Outbox) -> None:
        self._platform = platform
        self._outbox = outbox

    async def pause(self, channel: ChannelRef, error: ChannelGone | WorkspaceGone) -> None:
        """Pause what the error names. Raises RedisError.

        One person is notified once for each problem, however often a probe fails. If that fails, it is tried again
        after the next probe.
        """
        why = str(error)
        if isinstance(error, WorkspaceGone):
            scope: Scope = "workspace"
            notify = await self._outbox.pause_workspace(channel.platform, channel.workspace, why)
        else:
            scope = "channel"
            notify = await self._outbox.pause(channel, why)
        _log.warning("paused", scope=scope, channel=str(channel), reason=why, notify=notify)
        if notify and not channel.person:  # someone who takes no direct messages wants no word about it
            await self._notify(channel, scope, why)

    async def _notify(self, channel: ChannelRef, scope: Scope, why: str) -> None:
        reached = False
        if isinstance(self._platform, Notifying):
            try:
                async with asyncio.timeout(NOTIFY_TIMEOUT):
                    reached = await self._platform.notify(channel, why)
            except Exception as error:  # noqa: BLE001  # the edge: the delivery must be given back all the same
                _log.error("pause_notification_failed", channel=str(channel), exc_info=error)
                metrics.pause_notifications.labels(channel.platform, "failed").inc()
                return
        outcome = "reached" if reached else "no one reached"
        _log.info("pause_notified", channel=str(channel), scope=scope, outcome=outcome)
        metrics.pause_notifications.labels(channel.platform, outcome).inc()
        await self._outbox.mark_notified(channel, scope, why)

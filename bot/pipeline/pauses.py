"""Pauses channels and workspaces in which nothing can be posted, and notifies one person who can help."""

import asyncio
from collections.abc import Callable, Iterable
from secrets import token_hex

from structlog import get_logger

from bot.cards import Card
from bot.cards.build import paragraph
from bot.domain.deliveries import Scope
from bot.domain.errors import ChannelEnded, ChannelGone, SendError, WorkspaceGone
from bot.domain.models import ChannelRef
from bot.observability import metrics
from bot.ports import Notifying, Platform
from bot.store.copies import Copies
from bot.store.outbox.outbox import Outbox

NOTIFY_TIMEOUT = 15.0
"""Timeout for notifying a person on a platform, in seconds."""

_log = get_logger()


class CopyOwners:
    """Notifies the owners of copies. `writes_to_people` says whether a platform can write to one person."""

    def __init__(
        self, platforms: Iterable[Platform], copies: Copies, writes_to_people: Callable[[str], bool]
    ) -> None:
        self._platforms = {platform.name: platform for platform in platforms}
        self._copies = copies
        self._writes_to_people = writes_to_people

    async def notify(self, copy: ChannelRef, problem: str) -> bool:
        """Send `problem` to the person who added the copy, or to someone in the channel. Returns whether it worked."""
        found = await self._copies.find(copy)
        if found is None:
            return False
        channel, record = found
        platform = self._platforms.get(channel.platform)
        if platform is None:
            return False
        message = f"{problem} It is #{record.number} of /paper webhook list."
        if await self._write_to(platform, channel, record.by.partition(" ")[0], message):
            return True
        return await platform.notify(channel, message) if isinstance(platform, Notifying) else False

    async def _write_to(self, platform: Platform, channel: ChannelRef, user: str, message: str) -> bool:
        """Write to one person, if the platform can. Returns whether it went through."""
        if not user or not self._writes_to_people(channel.platform):
            return False
        person = ChannelRef.of_person(channel.platform, channel.workspace, user)
        card = Card("reply", message, blocks=(paragraph(message),))
        try:
            await platform.send(person, card, f"{person}/copy@{token_hex(8)}")
        except SendError as error:
            _log.info("copy_owner_not_reached", channel=str(channel), reason=str(error))
            return False
        return True

    async def end(self, copy: ChannelRef) -> None:
        """Stop copying posts to the channel."""
        found = await self._copies.find(copy)
        if found is not None:
            await self._copies.remove(*found)


class Pauses:
    """Pauses channels and workspaces after a platform's answers and events.

    `platform` is None if this process doesn't run it. `owners` notifies the owners of copies.
    """

    def __init__(self, platform: Platform | None, outbox: Outbox, owners: CopyOwners | None = None) -> None:
        self._platform = platform
        self._outbox = outbox
        self._owners = owners

    async def pause(self, channel: ChannelRef, error: ChannelGone | WorkspaceGone) -> None:
        """Pause the channel or workspace that the error names. Raises RedisError.

        One person is notified once for each problem, however often a probe fails. If notifying fails, it is tried again
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
        if notify and not channel.person:  # don't write to people who accept no direct messages
            await self._notify(channel, scope, why)
        if isinstance(error, ChannelEnded) and self._owners is not None:
            await self._owners.end(channel)
            _log.warning("copy_ended", channel=str(channel), reason=why)

    async def _notify(self, channel: ChannelRef, scope: Scope, why: str) -> None:
        try:
            async with asyncio.timeout(NOTIFY_TIMEOUT):
                reached = await self._reach(channel, why)
        except Exception as error:  # noqa: BLE001  # the edge: the delivery's outcome must be recorded anyway
            _log.error("pause_notification_failed", channel=str(channel), exc_info=error)
            metrics.pause_notifications.labels(channel.platform, "failed").inc()
            return
        outcome = "reached" if reached else "no one reached"
        _log.info("pause_notified", channel=str(channel), scope=scope, outcome=outcome)
        metrics.pause_notifications.labels(channel.platform, outcome).inc()
        await self._outbox.mark_notified(channel, scope, why)

    async def _reach(self, channel: ChannelRef, why: str) -> bool:
        """Notify one person. Returns whether anyone was reached."""
        if isinstance(self._platform, Notifying):
            return await self._platform.notify(channel, why)
        return await self._owners.notify(channel, why) if self._owners is not None else False


_log = get_logger()

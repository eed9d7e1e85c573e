"""Events about channels and workspaces.

An event that stops the posts of a subscribed channel pauses it, and someone who can help is notified. A channel is
stored and shown by its id, so a new name changes nothing.
"""

from collections.abc import Mapping
from typing import Any

from structlog import get_logger

from adapters.slack.calls import Calls
from adapters.slack.channels import Channels
from adapters.slack.notices import Notices, back_card, installed_card
from adapters.slack.outcomes import PERMANENT
from adapters.slack.posting import REMOVED
from adapters.slack.settings import SlackSettings
from adapters.slack.tokens import WorkspaceAccess, WorkspaceTokens
from bot.domain.errors import ChannelGone, SendError
from bot.domain.models import ChannelRef
from bot.ports import Core

ARCHIVES = frozenset({"channel_archive", "group_archive"})
LEAVES = frozenset({"channel_left", "group_left"})
DELETES = frozenset({"channel_deleted", "group_deleted"})
RESUMES = frozenset({"channel_unarchive", "group_unarchive"})
LINK_SHARED = "link_shared"
EVENTS = (
    "app_home_opened",
    "app_uninstalled",
    "channel_id_changed",
    LINK_SHARED,
    "member_joined_channel",
    "tokens_revoked",
    *sorted(ARCHIVES | LEAVES | DELETES | RESUMES),
)
"""Every event that the manifests ask Slack for."""

_log = get_logger()


class Lifecycle:
    """Keeps the core's view of channels and workspaces up to date."""

    def __init__(
        self, core: Core, calls: Calls, tokens: WorkspaceTokens, channels: Channels, notices: Notices
    ) -> None:
        self._core = core
        self._calls = calls
        self._tokens = tokens
        self._channels = channels
        self._notices = notices

    async def handle(self, event: Mapping[str, Any], workspace: str, at: float) -> None:
        """Handle an event from a verified request; `at` is its time, in seconds since 1970."""
        kind = event["type"]
        if kind == "app_uninstalled" or (kind == "tokens_revoked" and (event.get("tokens") or {}).get("bot")):
            await self._uninstalled(workspace, at)
        elif kind == "member_joined_channel":
            await self._joined(event, ChannelRef("slack", workspace, event["channel"]))
        elif kind == "channel_id_changed":
            await self._moved(event, workspace)
        elif kind in LEAVES:
            await self._left(ChannelRef("slack", workspace, _channel(event)))
        elif kind in ARCHIVES:
            await self._pause(ChannelRef("slack", workspace, _channel(event)), PERMANENT["is_archived"].why)
        elif kind in DELETES:
            await self._deleted(ChannelRef("slack", workspace, _channel(event)))
        elif kind in RESUMES:
            await self._core.resume(ChannelRef("slack", workspace, _channel(event)))

    async def installed(self, access: WorkspaceAccess) -> None:
        """Handle an installation, perhaps a repeated one: resume what was paused meanwhile, and greet the installer."""
        await self._core.resume_workspace("slack", access.workspace)
        _log.info("installed", platform="slack", workspace=access.workspace)
        if access.installer:
            await self._notices.post(access, access.installer, installed_card())

    async def _uninstalled(self, workspace: str, at: float) -> None:
        if await self._tokens.forget(workspace, at):
            await self._core.pause_workspace("slack", workspace, SlackSettings.removed)
            _log.warning("uninstalled", platform="slack", workspace=workspace)

    async def _pause(self, channel: ChannelRef, why: str) -> None:
        """Pause the channel if it has subscriptions."""
        if channel in await self._core.subscriptions([channel]):
            await self._core.pause(channel, why)

    async def _left(self, channel: ChannelRef) -> None:
        """Handle the app's removal, unless it was invited again before this event arrived."""
        await self._channels.mark_left(channel)
        try:
            access = await self._calls.access(channel.workspace)
            left = await self._channels.has_left(access, channel)
        except ChannelGone:  # a private channel, which the app can't see any more
            left = True
        except SendError as error:  # the next post will find out
            _log.info("removal_not_checked", platform="slack", channel=str(channel), why=str(error))
            return
        if left:
            await self._pause(channel, REMOVED)

    async def _deleted(self, channel: ChannelRef) -> None:
        subscriptions = (await self._core.subscriptions([channel])).get(channel, ())
        await self._core.forget(channel)
        if subscriptions:
            await self._notices.deleted(channel, subscriptions)

    async def _joined(self, event: Mapping[str, Any], channel: ChannelRef) -> None:
        try:
            access = await self._calls.access(channel.workspace)
        except SendError as error:
            _log.info("join_ignored", platform="slack", channel=str(channel), why=str(error))
            return
        if event.get("user") != access.bot_user:
            return
        await self._channels.mark_back(channel)
        await self._core.resume(channel)
        if event.get("inviter") in {None, "", access.bot_user}:
            return  # the app joined because of a subscription, which was answered already
        subscriptions = (await self._core.subscriptions([channel])).get(channel, ())
        card = back_card(len(subscriptions)) if subscriptions else await self._core.greeting(channel)
        await self._notices.post(access, channel.channel, card)

    async def _moved(self, event: Mapping[str, Any], workspace: str) -> None:
        """Move a channel that has a new id, such as a private channel that became shared."""
        old = ChannelRef("slack", workspace, str(event["old_channel_id"]))
        new = ChannelRef("slack", workspace, str(event["new_channel_id"]))
        await self._core.move(old, new)
        _log.info("channel_moved", platform="slack", channel=str(old), to=str(new))


def _channel(event: Mapping[str, Any]) -> str:
    """Return the channel's id, which some events put into an object."""
    channel = event["channel"]
    return str(channel["id"] if isinstance(channel, Mapping) else channel)

"""Channels and people as Slack knows them: where Paperboy can post, and who may read and manage a channel."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from time import monotonic
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import LockError
from structlog import get_logger

from adapters.slack.calls import Answer, Calls
from adapters.slack.outcomes import code_of
from adapters.slack.tokens import WorkspaceAccess
from bot.domain.errors import AccessUnknown, RetryLater, SendError, UserError, WorkspaceGone
from bot.domain.models import ChannelRef, User
from bot.ports import Access, Core
from bot.store import keys

INVITE = "/invite @Paperboy"
JOIN_REFUSALS = frozenset(
    {"method_not_supported_for_channel_type", "too_many_members", "channel_is_limited_access"}
)
"""Codes that only `conversations.join` has."""
CLAIM_LIFE, CLAIM_WAIT = 60.0, 10.0
"""Seconds that one workspace's command can lock a shared channel, and that another waits for the lock."""
PRESENCE_LIFE = 10.0
"""Seconds for which a slash command proves that its author is in the channel: as long as handling it can take."""
PRESENCES = 10_000
"""Maximum number of authors of recent slash commands that are remembered."""
MEMBERS_PAGE, MEMBERS_PAGES = 1000, 20
"""Members requested per call, and maximum number of calls per check. Slack allows 100 such calls a minute."""

_log = get_logger()


class Channels:
    """Looks channels and people up in Slack."""

    def __init__(self, calls: Calls, redis: Redis) -> None:
        self._calls = calls
        self._redis = redis
        self._present: dict[tuple[str, ChannelRef], float] = {}

    @asynccontextmanager
    async def reserved(self, channel: ChannelRef, core: Core) -> AsyncIterator[None]:
        """Lock the channel, so that no other workspace subscribes there meanwhile.

        Raises UserError, which says what to do, if Paperboy can't post there or already posts there for another
        workspace.
        """
        others = await self._other_workspaces(channel)
        await self.mark_back(channel)
        if not others:
            yield
            return
        claim = self._redis.lock(
            keys.shared_channel("slack", channel.channel), timeout=CLAIM_LIFE, blocking_timeout=CLAIM_WAIT
        )
        if not await claim.acquire():
            raise UserError("Someone is subscribing this shared channel right now. Try again in a minute.")
        try:
            await self._refuse_second(channel, others, core)
            yield
        finally:
            with suppress(LockError):  # it has expired
                await claim.release()

    async def join(self, channel: ChannelRef) -> str | None:
        """Join a public channel. Returns None if the app is in the channel now, else a warning for the user."""
        if channel.person:
            return None
        try:
            access = await self._calls.access(channel.workspace)
            if await self.enter(access, channel.channel):
                return None
            if (await self._info(access, channel.channel)).get("is_member"):
                return None
        except SendError as error:
            _log.info("channel_not_joined", platform="slack", channel=str(channel), why=str(error))
        return (
            "I couldn't join this channel. I can post here, but after an outage I can't check whether a post arrived: "
            f"type {INVITE}."
        )

    async def enter(self, access: WorkspaceAccess, channel: str) -> bool:
        """Join a public channel. Returns False if Slack refuses. Raises RetryLater."""
        try:
            await self._calls.ask(access, lambda client: client.conversations_join(channel=channel))
        except SendError as error:
            if isinstance(error, RetryLater) and code_of(error) not in JOIN_REFUSALS:
                raise
            _log.info("channel_not_joined", platform="slack", channel=channel, why=code_of(error))
            return False
        return True

    async def mark_left(self, channel: ChannelRef) -> None:
        """Remember that the app was removed: in a public channel Slack would still accept its posts."""
        await self._redis.sadd(keys.channels_left("slack", channel.workspace), channel.channel)

    async def mark_back(self, channel: ChannelRef) -> None:
        """Forget that the app was removed: it was invited again, or someone is subscribing the channel."""
        await self._redis.srem(keys.channels_left("slack", channel.workspace), channel.channel)

    async def has_left(self, access: WorkspaceAccess, channel: ChannelRef) -> bool:
        """Whether the app was removed from the channel and isn't back. Raises a SendError."""
        if not await self._redis.sismember(keys.channels_left("slack", channel.workspace), channel.channel):
            return False
        if not (await self._info(access, channel.channel)).get("is_member"):
            return True
        await self.mark_back(channel)  # the events came in the wrong order
        return False

    def seen(self, user_id: str, channel: ChannelRef) -> None:
        """Remember that a person typed a slash command there, which Slack lets only members do."""
        now = monotonic()
        self._present.pop((user_id, channel), None)
        self._present[user_id, channel] = now + PRESENCE_LIFE
        while self._present and (len(self._present) > PRESENCES or next(iter(self._present.values())) < now):
            del self._present[next(iter(self._present))]

    async def access(self, user: User, channel: ChannelRef) -> Access:
        """Return the person's permissions in the channel now. Raises AccessUnknown if Slack doesn't say.

        People of another workspace (Slack Connect) act through the Paperboy of their own workspace, not this one.
        On Slack everyone in a channel may change its subscriptions, unless a setting says otherwise. Managers are the
        workspace's admins and the channel's creator, as long as they can read the channel.
        """
        try:
            access = await self._calls.access(channel.workspace)
            present = self._present.get((user.id, channel), 0.0) >= monotonic()
            person, room = await asyncio.gather(
                self._person(access, user.id), self._room(access, channel.channel, present=present)
            )
            if _is_foreign(person, channel.workspace) or person.get("deleted"):
                return Access(member=False, may_manage=False)
            member = present or await self._can_read(access, person, user.id, room)
        except SendError as error:
            code = code_of(error)
            if code in {"channel_not_found", "user_not_found"}:  # gone, or private and without Paperboy
                return Access(member=False, may_manage=False)
            _log.warning("access_unknown", platform="slack", channel=str(channel), why=code or str(error))
            raise AccessUnknown("Slack doesn't say who may use Paperboy in this channel") from error
        manages = bool(person.get("is_admin") or person.get("is_owner") or room.get("creator") == user.id)
        return Access(member=member, may_manage=member and manages, may_edit=member)

    async def _person(self, access: WorkspaceAccess, user_id: str) -> Answer:
        answer = await self._calls.ask(access, lambda client: client.users_info(user=user_id))
        return answer.get("user") or {}

    async def _room(self, access: WorkspaceAccess, channel: str, *, present: bool) -> Answer:
        """Return the channel; only a stub if it is a private channel that the user is in, but the app can't see."""
        try:
            return await self._info(access, channel)
        except SendError as error:
            if present and code_of(error) in {"channel_not_found", "missing_scope"}:
                return {"id": channel, "is_private": True}
            raise

    async def _can_read(self, access: WorkspaceAccess, person: Answer, user_id: str, room: Answer) -> bool:
        if room.get("is_im"):
            return bool(room.get("user") == user_id)
        guest = person.get("is_restricted") or person.get("is_ultra_restricted")
        if not guest and not room.get("is_private") and not room.get("is_mpim"):
            return True
        cursor = ""
        for _ in range(MEMBERS_PAGES):
            page = await self._members(access, str(room["id"]), cursor)
            if user_id in (page.get("members") or ()):
                return True
            cursor = (page.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                return False
        raise AccessUnknown("The channel has too many members to look through")

    async def _members(self, access: WorkspaceAccess, channel: str, cursor: str) -> Answer:
        def call(client: Any) -> Any:
            return client.conversations_members(channel=channel, limit=MEMBERS_PAGE, cursor=cursor or None)

        return await self._calls.ask(access, call)

    async def _info(self, access: WorkspaceAccess, channel: str) -> Answer:
        answer = await self._calls.ask(access, lambda client: client.conversations_info(channel=channel))
        return answer.get("channel") or {}

    async def name(self, channel: ChannelRef) -> str:
        """Return the channel's name; "" if Slack doesn't say."""
        try:
            room = await self._info(await self._calls.access(channel.workspace), channel.channel)
        except SendError:
            return ""
        return str(room.get("name") or "")

    async def _other_workspaces(self, channel: ChannelRef) -> set[str]:
        """Return the other workspaces in the channel. Raises UserError if Paperboy can't post there."""
        try:
            access = await self._calls.access(channel.workspace)
            room = await self._info(access, channel.channel)
        except SendError as error:
            raise _unreachable(error) from error
        if room.get("is_archived"):
            raise UserError("This channel is archived, so nothing can be posted here.")
        workspaces = {*(room.get("connected_team_ids") or ()), *(room.get("shared_team_ids") or ())}
        return workspaces - {channel.workspace}

    async def _refuse_second(self, channel: ChannelRef, others: set[str], core: Core) -> None:
        """Raise UserError if Paperboy already posts in the channel for another workspace."""
        elsewhere = [ChannelRef("slack", other, channel.channel) for other in sorted(others)]
        for ref in await core.subscriptions(elsewhere):
            try:
                await self._calls.access(ref.workspace)
            except WorkspaceGone:
                continue  # it isn't installed there any more
            except SendError as error:
                raise _unreachable(error) from error
            raise UserError(
                "This channel is shared with another workspace, whose Paperboy already posts here. Subscribe from "
                "that workspace, so that no paper appears twice."
            )


def _unreachable(error: SendError) -> UserError:
    """Return an error that says why Paperboy can't post in a channel, and what to do about it."""
    code = code_of(error)
    if code in {"channel_not_found", "not_in_channel"}:
        return UserError(
            "I'm not in this channel, so I can't post here. Add me, then try again.", hint=INVITE
        )
    if code == "missing_scope":
        return UserError(
            "I can't post in this kind of conversation. Subscribe in a channel that I'm in.", hint=INVITE
        )
    if code:
        return UserError("Slack doesn't answer about this channel right now. Try again in a minute.")
    return UserError("I can't reach Slack right now. Try again in a minute.")


def _is_foreign(person: Answer, workspace: str) -> bool:
    """Whether a person belongs to another workspace, seen through a shared channel."""
    teams = {person.get("team_id"), *((person.get("enterprise_user") or {}).get("teams") or ())} - {None}
    return bool(person.get("is_stranger")) or (bool(teams) and workspace not in teams)

"""Channels and people as Slack knows them: whether Paperboy can post there, and who may say what is posted."""

from aiohttp import ClientError
from slack_sdk.errors import SlackApiError
from structlog import get_logger

from adapters.slack.api import Api
from adapters.slack.errors import code_of
from adapters.slack.tokens import Tokens
from bot.domain.errors import SendError, UserError
from bot.domain.models import ChannelRef
from bot.ports import Core

INVITE = "/invite @Paperboy"

_log = get_logger()


class Places:
    """Asks Slack about channels and people."""

    def __init__(self, api: Api, tokens: Tokens) -> None:
        self._api = api
        self._tokens = tokens

    async def reach(self, channel: ChannelRef, core: Core) -> None:
        """Raises UserError, which says what to do, where Paperboy could not post in the channel, or should not."""
        try:
            access = await self._tokens.of(channel.workspace)
            answer = await self._api.asking(access.token).conversations_info(channel=channel.channel)
        except SlackApiError as error:
            if code_of(error) in {"channel_not_found", "not_in_channel"}:
                raise UserError(
                    "Paperboy is not in this channel, so it could not post here. Add it, then say that again.",
                    hint=INVITE,
                ) from None
            if code_of(error) == "missing_scope":
                raise UserError(
                    "Paperboy can't post in this kind of conversation. Subscribe in a channel that it is in.",
                    hint=INVITE,
                ) from None
            raise UserError("Slack doesn't say what channel this is. Try again in a minute.") from error
        except (SendError, ClientError, TimeoutError) as error:
            raise UserError("Slack can't be reached. Try again in a minute.") from error
        room = answer["channel"]
        if room.get("is_archived"):
            raise UserError("This channel is archived: nothing can be posted here.")
        sharing = {*room.get("connected_team_ids", ()), *room.get("shared_team_ids", ())}
        await self._once_in(channel, sharing - {channel.workspace}, core)

    async def _once_in(self, channel: ChannelRef, others: set[str], core: Core) -> None:
        """Raises UserError where another workspace that shares the channel has Paperboy post there already."""
        there = [ChannelRef("slack", other, channel.channel) for other in sorted(others)]
        for ref in await core.subscriptions(there) if there else ():
            try:
                await self._tokens.of(ref.workspace)
            except SendError:
                continue  # it is not there any more
            raise UserError(
                "This channel is shared with another workspace, whose Paperboy posts here already. Subscribe from "
                "there, so that no paper comes twice.",
            )

    async def may_manage(self, user_id: str, channel: ChannelRef, core: Core) -> bool:
        """Whether the person may change the channel's subscriptions: everyone, but where a setting says otherwise.

        Managers are the channel's creator and the workspace's admins.
        """
        if (await core.settings(channel)).editors != "managers":
            return True
        try:
            client = self._api.asking((await self._tokens.of(channel.workspace)).token)
            person = (await client.users_info(user=user_id))["user"]
            if person.get("is_admin") or person.get("is_owner"):
                return True
            room = (await client.conversations_info(channel=channel.channel))["channel"]
        except (SlackApiError, SendError, ClientError, TimeoutError) as error:
            _log.warning("managers_unknown", platform="slack", channel=str(channel), why=code_of(error))
            return False
        return bool(room.get("creator") == user_id)

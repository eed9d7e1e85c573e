"""Posts cards, finds them again, and changes them."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from datetime import datetime
from typing import Any

from aiohttp import ClientError
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse
from structlog import get_logger

from adapters.slack.api import Api
from adapters.slack.errors import EXPIRED, NOT_ALLOWED, code_of, send_error
from adapters.slack.once import Once
from adapters.slack.render import Message, as_text, render, without_pictures
from adapters.slack.tokens import Access, Tokens, certain
from bot.cards import Card
from bot.cards.say import paragraph
from bot.domain.errors import CardRefused, LookupUnsupported, RetryLater, SendError, WorkspaceGone
from bot.domain.models import ChannelRef, MessageRef

EVENT = "paperboy_delivery"
"""The type of our messages' metadata."""
PAGE = 100
"""Messages asked for at once; commercially distributed apps outside Slack's marketplace get 15."""
A_DAY = 86_400
PLAIN = {"unfurl_links": False, "unfurl_media": False, "mrkdwn": False}

_Call = Callable[[AsyncWebClient], Awaitable[AsyncSlackResponse]]

_log = get_logger()


class Posting:
    """What `Platform.send`, `find` and `Editing.edit` do on Slack."""

    def __init__(self, api: Api, tokens: Tokens, once: Once) -> None:
        self._api = api
        self._tokens = tokens
        self._once = once
        self._reached: dict[str, str] = {}
        """How far back a search has come that Slack interrupted: some apps may read one page a minute."""

    async def send(self, to: ChannelRef, card: Card, key: str) -> MessageRef:
        """Post `card` with its key in the metadata. A layout that Slack refuses is tried once more as plain text."""
        metadata = {"event_type": EVENT, "event_payload": {"key": key}}
        access = await self._tokens.of(to.workspace)
        refused: SendError | None = None
        for message in _ways(card):
            try:
                return await self.post(access, to.channel, message, metadata=metadata)
            except CardRefused as error:
                _log.error("card_refused", platform="slack", delivery=key, why=str(error))
                refused = error
            except WorkspaceGone as error:
                await self._complain(access, error)
                raise
        raise refused or CardRefused("there is nothing to post")

    async def post(self, access: Access, channel: str, message: Message, **options: Any) -> MessageRef:
        """Post a message, once. Raises a SendError."""
        body = {"text": message.text, **PLAIN, **options}
        if message.blocks:
            body["blocks"] = list(message.blocks)
        answer = await self._call(
            access, lambda client: client.chat_postMessage(channel=channel, **body), posts=True
        )
        return _reference(access, answer["channel"], answer["ts"])

    async def find(self, to: ChannelRef, key: str, since: datetime) -> MessageRef | None:
        """The message whose metadata holds `key`. Raises Unknowable where the app may not read the channel."""
        access = await self._tokens.of(to.workspace)
        cursor = self._reached.pop(key, "")
        while True:
            try:
                page = await self._history(access, to.channel, since, cursor)
            except RetryLater:
                if cursor:
                    self._reached[key] = cursor
                raise
            for message in page["messages"] or ():
                if (message.get("metadata") or {}).get("event_payload", {}).get("key") == key:
                    return _reference(access, to.channel, message["ts"])
            cursor = (page.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                return None

    async def edit(self, to: ChannelRef, message: MessageRef, card: Card) -> None:
        """Show `card` in the message's place; its metadata stays."""
        access = await self._tokens.of(to.workspace)
        shown = render(card)
        await self._call(
            access,
            lambda client: client.chat_update(
                channel=to.channel, ts=message.id, text=shown.text, blocks=list(shown.blocks)
            ),
            posts=False,
        )

    async def _complain(self, access: Access, error: WorkspaceGone) -> None:
        """Tell whoever installed the app what it may not do; the workspace is paused until that is mended."""
        if code_of(error.__cause__ or error) not in NOT_ALLOWED:
            return
        _log.error("not_allowed", platform="slack", workspace=access.workspace, why=str(error))
        if access.installer and await self._once.first(f"complaint:{access.workspace}", A_DAY):
            message = f"Nothing is posted in this workspace for now: {error}. Its subscriptions are kept."
            card = Card("error", message, blocks=(paragraph(message),))
            with suppress(SendError):
                await self.post(access, access.installer, render(card))

    async def _history(
        self, access: Access, channel: str, since: datetime, cursor: str
    ) -> AsyncSlackResponse:
        def call(client: AsyncWebClient) -> Awaitable[AsyncSlackResponse]:
            return client.conversations_history(
                channel=channel,
                oldest=f"{since.timestamp():.6f}",
                limit=PAGE,
                include_all_metadata=True,
                cursor=cursor or None,
            )

        try:
            return await self._call(access, call, posts=False)
        except SendError as error:
            code = code_of(error.__cause__) if error.__cause__ else ""
            if code in NOT_ALLOWED or code == "not_in_channel":
                raise LookupUnsupported(f"Paperboy may not read the history of {channel} ({code})") from error
            raise

    async def _call(self, access: Access, call: _Call, *, posts: bool) -> AsyncSlackResponse:
        """Raises a SendError. A token that has just expired is exchanged: such a call did nothing."""
        client = self._api.posting if posts else self._api.asking
        try:
            try:
                return await call(client(access.token))
            except SlackApiError as error:
                if code_of(error) != EXPIRED:
                    raise
            access = await self._tokens.renewed(access)
            return await call(client(access.token))
        except (SlackApiError, ClientError, TimeoutError) as error:
            meant = send_error(error)
            raise (meant if posts else certain(meant)) from error


def _ways(card: Card) -> Iterator[Message]:
    """How a card may be said: as it is; without pictures, which Slack loads itself; in words alone."""
    whole = render(card)
    yield whole
    if any("accessory" in block for block in whole.blocks):
        yield Message(whole.text, without_pictures(whole.blocks))
    yield Message(as_text(card), ())


def _reference(access: Access, channel: str, ts: str) -> MessageRef:
    link = f"{access.url}archives/{channel}/p{ts.replace('.', '')}" if access.url else None
    return MessageRef(ts, link)

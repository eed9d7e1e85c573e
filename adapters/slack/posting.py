"""Posts cards, finds them again after an uncertain answer, and edits them."""

from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime
from functools import partial
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient
from structlog import get_logger

from adapters.slack.calls import Answer, Calls
from adapters.slack.channels import Channels
from adapters.slack.outcomes import code_of, is_about_layout
from adapters.slack.render import Message, layouts
from adapters.slack.tokens import WorkspaceAccess
from bot.cards import Card
from bot.domain.errors import (
    CardRefused,
    ChannelGone,
    DeliveryUncertain,
    LookupUnsupported,
    RetryLater,
    WorkspaceGone,
)
from bot.domain.models import ChannelRef, MessageRef
from bot.ports import File

EVENT_TYPE = "paperboy_delivery"
"""The type of our messages' metadata."""
PAGE = 100
"""Messages requested per call; commercially distributed apps outside Slack's marketplace get 15."""
MAX_CURSORS = 1000
"""Maximum number of interrupted searches that can be continued; an older one begins again."""
PLAIN = {"unfurl_links": False, "unfurl_media": False, "mrkdwn": False}
"""Options of every message: nothing unfurls, and the text isn't read as markup."""

REMOVED = "Paperboy was removed from this channel: type /invite @Paperboy there"

_log = get_logger()


class Poster:
    """Implements `Platform.send`, `Platform.find` and `Editing.edit` for Slack."""

    def __init__(self, calls: Calls, channels: Channels) -> None:
        self._calls = calls
        self._channels = channels
        self._cursors: dict[str, str] = {}
        """Delivery and thread -> the page at which to continue a search that Slack's rate limit interrupted."""

    async def send(self, to: ChannelRef, card: Card, key: str) -> MessageRef:
        """Post `card` with its key in the metadata, in the fullest layout that Slack accepts. Raises a SendError."""
        access = await self._calls.access(to.workspace)
        if await self._channels.has_left(access, to):  # Slack would accept the post in a public channel
            raise ChannelGone(REMOVED)
        # Slack opens the direct messages of a person whose id is passed as a channel.
        posted = await self._post_answer(
            access, to.person or to.channel, layouts(card), metadata=_metadata(key)
        )
        return _reference(access, posted["channel"], posted["ts"], direct=bool(to.person))

    async def reply(self, to: ChannelRef, card: Card, thread: str, key: str = "") -> MessageRef:
        """Post `card` in the thread of a message, with its key if it is a delivery. Raises a SendError."""
        access = await self._calls.access(to.workspace)
        if key and await self._channels.has_left(access, to):
            raise ChannelGone(REMOVED)
        options = {"metadata": _metadata(key)} if key else {}
        room, ts = _room_of(to, thread)
        posted = await self._post_answer(access, room, layouts(card), thread_ts=ts, **options)
        return _reference(access, posted["channel"], posted["ts"], direct=bool(to.person))

    async def direct(self, access: WorkspaceAccess, to: str, card: Card) -> None:
        """Post `card` to a person or a channel, without a key. Raises a SendError."""
        await self._post_answer(access, to, layouts(card))

    async def send_export(self, access: WorkspaceAccess, to: str, card: Card, file: File) -> None:
        """Post `card` to a person, then `file` below it. Raises a SendError."""
        # Without the scope this call fails, so that no message is posted without its file.
        await self._calls.ask(
            access,
            lambda client: client.files_getUploadURLExternal(
                filename=file.name, length=len(file.text.encode())
            ),
        )
        posted = await self._post_answer(access, to, layouts(card))
        await self._calls.post(
            access,
            lambda client: client.files_upload_v2(
                channel=str(posted["channel"]),
                content=file.text,
                filename=file.name,
                title=file.name,
                thread_ts=str(posted["ts"]),
            ),
        )

    async def find(self, to: ChannelRef, key: str, since: datetime, thread: str = "") -> MessageRef | None:
        """Return the message whose metadata names the delivery `key`, or None if it isn't in the channel.

        With `thread`, search the replies to that message instead. Raises LookupUnsupported if the app isn't allowed to
        read the channel.
        """
        access = await self._calls.access(to.workspace)
        room, thread = _room_of(to, thread)
        if to.person and room == to.channel:
            room = await self._conversation(access, to.person)
        cursor = self._cursors.pop(f"{key} {thread}", "")
        while True:
            try:
                page = await self._history(access, room, since, cursor, thread)
            except RetryLater:
                if cursor:
                    self._cursors[f"{key} {thread}"] = cursor
                    while len(self._cursors) > MAX_CURSORS:
                        del self._cursors[next(iter(self._cursors))]
                raise
            for message in page.get("messages") or ():
                if _is_delivery(message, key):
                    return _reference(access, room, message["ts"], direct=bool(to.person))
            cursor = (page.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                return None

    async def edit(self, to: ChannelRef, message: MessageRef, card: Card) -> None:
        """Show `card` in place of the message's content; its metadata stays. Raises a SendError."""
        access = await self._calls.access(to.workspace)

        room, ts = _room_of(to, message.id)

        async def update(layout: Message) -> Answer:
            def call(client: AsyncWebClient) -> Any:
                return client.chat_update(channel=room, ts=ts, text=layout.text, blocks=list(layout.blocks))

            return await self._calls.ask(access, call)

        await _first_accepted(layouts(card), update)

    async def _post_answer(
        self, access: WorkspaceAccess, channel: str, messages: Iterable[Message], **options: Any
    ) -> Answer:
        async def post(message: Message) -> Answer:
            body = {"text": message.text, **PLAIN, **options}
            if message.blocks:
                body["blocks"] = list(message.blocks)
            return await self._calls.post(
                access, lambda client: client.chat_postMessage(channel=channel, **body)
            )

        answer = await _first_accepted(messages, post)
        if not (isinstance(answer.get("ts"), str) and isinstance(answer.get("channel"), str)):
            raise DeliveryUncertain("Slack's answer names no message")
        return answer

    async def _conversation(self, access: WorkspaceAccess, person: str) -> str:
        """Return the id of the direct messages with a person. Raises LookupUnsupported if the app lacks the scope."""
        try:
            answer = await self._calls.ask(access, lambda client: client.conversations_open(users=person))
        except (ChannelGone, WorkspaceGone) as error:
            if code_of(error) != "missing_scope":
                raise
            raise LookupUnsupported("Paperboy may not read direct messages") from error
        return str((answer.get("channel") or {}).get("id") or "")

    async def _history(
        self, access: WorkspaceAccess, room: str, since: datetime, cursor: str, thread: str
    ) -> Answer:
        """Return a page of messages of a channel or a thread. Joins a public channel if the app isn't in it."""

        def call(client: AsyncWebClient) -> Any:
            method = client.conversations_history
            if thread:
                method = partial(client.conversations_replies, ts=thread)
            return method(
                channel=room,
                oldest=f"{since.timestamp():.6f}",
                limit=PAGE,
                include_all_metadata=True,
                cursor=cursor or None,
            )

        try:
            try:
                return await self._calls.ask(access, call)
            except ChannelGone as error:
                if code_of(error) != "not_in_channel" or not await self._channels.enter(access, room):
                    raise
                return await self._calls.ask(access, call)
        except (ChannelGone, WorkspaceGone) as error:
            code = code_of(error)
            if code in {"not_in_channel", "missing_scope", "no_permission"}:
                raise LookupUnsupported(f"Paperboy may not read the messages of {room} ({code})") from error
            raise


async def _first_accepted(
    messages: Iterable[Message], attempt: Callable[[Message], Awaitable[Answer]]
) -> Answer:
    """Return the answer to the first layout that Slack accepts. Raises the last refusal."""
    refusal = CardRefused("there is nothing to post")
    for message in messages:
        try:
            return await attempt(message)
        except CardRefused as error:
            if not is_about_layout(error):
                raise
            _log.error("card_refused", platform="slack", why=str(error), blocks=len(message.blocks))
            refusal = error
    raise refusal


def _metadata(key: str) -> dict[str, Any]:
    return {"event_type": EVENT_TYPE, "event_payload": {"key": key}}


def _is_delivery(message: Any, key: str) -> bool:
    """Whether a message is the delivery's. The channel, before the “/”, may have had another id at that time."""
    payload = (message.get("metadata") or {}).get("event_payload") or {}
    found = str(payload.get("key") or "")
    return found != "" and (found.partition("/")[2] or found) == (key.partition("/")[2] or key)


def _reference(access: WorkspaceAccess, channel: str, ts: str, *, direct: bool = False) -> MessageRef:
    link = f"{access.url}archives/{channel}/p{ts.replace('.', '')}" if access.url else None
    return MessageRef(in_room(channel, ts) if direct else ts, link)


def in_room(room: str, ts: str) -> str:
    """Return a direct message's id with its conversation: Slack accepts a person's id as a channel only for posting."""
    return f"{room}/{ts}"


def _room_of(to: ChannelRef, message: str) -> tuple[str, str]:
    """Return the conversation of a message, and its timestamp in it."""
    room, _, ts = message.rpartition("/")
    return room or to.channel, ts

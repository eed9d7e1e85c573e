"""Delivers replies to the person who asked: as a message, in a thread, or in a modal."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient
from structlog import get_logger

from adapters.slack.api import Api
from adapters.slack.block_kit import Json
from adapters.slack.calls import Calls
from adapters.slack.forms import card_views, form_view
from adapters.slack.outcomes import code_of
from adapters.slack.posting import Poster
from adapters.slack.render import layouts
from bot.cards import Card
from bot.cards.build import paragraph
from bot.cards.errors import error_card
from bot.domain.errors import CardRefused, SendError, UserError
from bot.domain.models import ChannelRef, User
from bot.ports import File, Reply

LATER_WAIT = 3.0
"""Seconds to wait for a fuller answer: the answer to a command can't be replaced, only followed by another one."""

SENT = "I've sent you the file in a direct message."
NEEDS_FILES = error_card(
    UserError(
        "I'm not allowed to send files here yet. Ask the people who manage this app to add the permission files:write."
    )
)
NOT_SENT = error_card(UserError("Slack didn't take the file. Try again in a minute."))

_log = get_logger()


@dataclass(frozen=True, slots=True)
class Interaction:
    """An action of a person, and where its answer can go."""

    user: User
    channel: ChannelRef
    trigger: str
    """Id with which one modal can be opened, within 3 seconds."""
    response_url: str = ""
    message: str = ""
    """The message whose button was pressed."""
    is_ephemeral: bool = False
    """Whether only this person sees that message."""
    modal: str = ""
    """The modal whose button was pressed."""
    turns_page: bool = False
    """Whether the answer replaces that message."""


class Replies:
    """Delivers replies."""

    def __init__(self, api: Api, calls: Calls, posting: Poster) -> None:
        self._api = api
        self._calls = calls
        self._posting = posting

    async def deliver(self, interaction: Interaction, reply: Reply) -> None:
        """Show a reply where it belongs."""
        if reply.form is not None and await self._open(
            interaction, [form_view(reply.form, interaction.channel.channel)]
        ):
            return
        if reply.file is not None:
            await self.show(interaction, await self._send_file(interaction, reply.card, reply.file))
            return
        if reply.thread and await self._in_thread(interaction, reply.card):
            return
        # Without a thread, the whole channel would get what one person asked for.
        private = reply.private or reply.thread
        if reply.later is None:
            await self.show(interaction, reply.card, private=private)
            return
        later = asyncio.ensure_future(reply.later())
        done, _ = await asyncio.wait({later}, timeout=LATER_WAIT)
        if not done:
            await self.show(interaction, reply.card, private=private)
        fuller = await later
        if fuller is not None or done:
            await self.show(interaction, fuller or reply.card, private=private)

    async def show(self, interaction: Interaction, card: Card, *, private: bool = True) -> None:
        """Show a card to the person alone, or to everyone in the channel."""
        if not interaction.response_url:
            await self._open(interaction, card_views(card, interaction.channel.channel))
            return
        replace = interaction.turns_page and interaction.is_ephemeral and private
        for layout in layouts(card):
            if await self._api.respond(interaction.response_url, layout, private=private, replace=replace):
                return

    async def _send_file(self, interaction: Interaction, card: Card, file: File) -> Card:
        """Send the file as a direct message, because ephemeral messages can't have files. Returns the card to show."""
        try:
            access = await self._calls.access(interaction.channel.workspace)
            await self._posting.send_export(access, interaction.user.id, card, file)
        except SendError as error:
            _log.warning("file_not_sent", platform="slack", why=code_of(error) or str(error))
            return NEEDS_FILES if code_of(error) == "missing_scope" else NOT_SENT
        return Card("reply", SENT, blocks=(paragraph(SENT),))

    async def _in_thread(self, interaction: Interaction, card: Card) -> bool:
        """Reply in the message's thread. Returns False if it can't have one."""
        if not interaction.message or interaction.is_ephemeral:
            return False
        try:
            await self._posting.reply(interaction.channel, card, interaction.message)
        except SendError as error:
            _log.info(
                "thread_reply_failed", platform="slack", channel=str(interaction.channel), why=str(error)
            )
            return False
        return True

    async def _open(self, interaction: Interaction, views: list[Json]) -> bool:
        """Show the first view that Slack accepts, in place of an open modal. Returns False if Slack accepts none."""
        if not interaction.trigger:
            return False
        for view in views:
            try:
                access = await self._calls.access(interaction.channel.workspace)
                await self._calls.post(access, _view_call(interaction, view))
            except CardRefused as error:
                _log.error("view_refused", platform="slack", why=str(error))
            except SendError as error:
                _log.warning("modal_not_opened", platform="slack", why=code_of(error) or str(error))
                return False
            else:
                return True
        return False


def _view_call(interaction: Interaction, view: Json) -> Callable[[AsyncWebClient], Any]:
    def call(client: AsyncWebClient) -> Any:
        if interaction.modal:
            return client.views_update(view_id=interaction.modal, view=view)
        return client.views_open(trigger_id=interaction.trigger, view=view)

    return call

"""How an answer reaches whoever asked."""

import asyncio
from dataclasses import dataclass

from aiohttp import ClientError
from slack_sdk.errors import SlackApiError
from structlog import get_logger

from adapters.slack.api import Api
from adapters.slack.elements import Json
from adapters.slack.errors import code_of
from adapters.slack.forms import card_view, form_view
from adapters.slack.posting import Posting
from adapters.slack.render import render
from adapters.slack.tokens import Tokens
from bot.cards import Card
from bot.domain.errors import SendError
from bot.domain.models import ChannelRef, User
from bot.ports import Reply

PATIENCE = 3.0
"""Seconds that a fuller card is waited for: what a command answered can't be replaced, only followed."""

_log = get_logger()


@dataclass(frozen=True, slots=True)
class Asked:
    """Something that a person did, and where the answer may go."""

    user: User
    channel: ChannelRef
    trigger: str
    """Opens a modal, for 3 seconds and once."""
    response_url: str = ""
    message: str = ""
    """The message whose button was pressed."""
    only_theirs: bool = False
    """Nobody else sees that message."""
    modal: str = ""
    """The modal whose button was pressed."""
    turns_page: bool = False
    """The answer belongs in the place of that message."""


class Answers:
    """Brings replies to people."""

    def __init__(self, api: Api, tokens: Tokens, posting: Posting) -> None:
        self._api = api
        self._tokens = tokens
        self._posting = posting

    async def give(self, asked: Asked, reply: Reply) -> None:
        """Show a reply where it belongs."""
        if reply.form is not None and await self._open(asked, form_view(reply.form, asked.channel.channel)):
            return
        if reply.thread and await self._in_thread(asked, reply.card):
            return
        if reply.later is None:
            await self.show(asked, reply.card, private=reply.private)
            return
        fuller = asyncio.ensure_future(reply.later())
        done, _ = await asyncio.wait({fuller}, timeout=PATIENCE)
        if not done:
            await self.show(asked, reply.card, private=reply.private)
        better = await fuller
        if better is not None or done:
            await self.show(asked, better or reply.card, private=reply.private)

    async def show(self, asked: Asked, card: Card, *, private: bool = True) -> None:
        """Show a card: to the person alone, or to everyone in the channel."""
        if not asked.response_url:
            await self._open(asked, card_view(card, asked.channel.channel))
            return
        replace = asked.turns_page and asked.only_theirs and private
        await self._api.respond(asked.response_url, render(card), private=private, replace=replace)

    async def _in_thread(self, asked: Asked, card: Card) -> bool:
        """Below the message; False where that can't be."""
        if not asked.message or asked.only_theirs:
            return False
        try:
            access = await self._tokens.of(asked.channel.workspace)
            await self._posting.post(access, asked.channel.channel, render(card), thread_ts=asked.message)
        except SendError as error:
            _log.info("no_thread", platform="slack", channel=str(asked.channel), why=str(error))
            return False
        return True

    async def _open(self, asked: Asked, view: Json) -> bool:
        """As a modal, in the place of one that is open; False where Slack doesn't open it (any more)."""
        if not asked.trigger:
            return False
        try:
            access = await self._tokens.of(asked.channel.workspace)
            client = self._api.posting(access.token)
            if asked.modal:
                await client.views_update(view_id=asked.modal, view=view)
            else:
                await client.views_open(trigger_id=asked.trigger, view=view)
        except (SlackApiError, SendError, ClientError, TimeoutError) as error:
            _log.warning("no_modal", platform="slack", why=code_of(error) or str(error))
            return False
        return True

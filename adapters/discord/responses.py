"""Answers interactions: the first answer within three seconds, later ones within fifteen minutes."""

import asyncio
import io
import logging
import re
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress

import aiohttp
import discord
import structlog

from adapters.discord import errors
from adapters.discord.buttons import mark, marks_of
from adapters.discord.follow_ups import MAX_NAME
from adapters.discord.forms import chooser, modal, pages
from adapters.discord.rendering import layout
from bot.cards import Button, Card, Form
from bot.cards.build import actions, paragraph
from bot.cards.errors import sorry_card
from bot.cards.sanitize import plain
from bot.ports import Reply
from bot.text import shorten

PATIENCE = 0.02
"""Seconds to wait for the core before the answer is deferred. A quick answer then needs one request, not two."""
LOOK_BACK = 50
"""Maximum number of a thread's messages that are searched for an earlier copy of the same answer."""
PAGE = re.compile(r"\bpage:\d+")
"""Matches in a command that turns a page."""

log = structlog.get_logger(__name__)

Interaction = discord.Interaction[discord.AutoShardedClient]
Ask = Callable[[], Awaitable[Reply]]
"""Gets the core's reply."""


@contextmanager
def until_over() -> Iterator[None]:
    """Within this block, only log an interaction that expired, or whose connection broke."""
    try:
        yield
    except discord.HTTPException as error:
        if error.code not in errors.INTERACTION_OVER:
            raise
        log.debug("interaction_over", code=error.code)
    except (aiohttp.ClientError, OSError) as error:
        log.warning("answer_lost", error=repr(error))


def is_not_expired_autocomplete(record: logging.LogRecord) -> bool:
    """Filter discord.py's log: no traceback for choices that arrive after the person has continued to type."""
    error = record.exc_info[1] if record.exc_info else None
    if isinstance(error, discord.HTTPException) and error.code in errors.INTERACTION_OVER:
        log.debug("interaction_over", code=error.code)
        return False
    return True


class Responder:
    """Shows the core's replies. `patience` in seconds, as PATIENCE."""

    def __init__(self, patience: float = PATIENCE) -> None:
        self._patience = patience

    async def give(self, interaction: Interaction, ask: Ask, *, line: str = "") -> None:
        """Get the reply and show it. `line` is the command as it would be typed."""
        with until_over():
            await self._give(interaction, ask, line)

    async def _give(self, interaction: Interaction, ask: Ask, line: str) -> None:
        reply = await self._reply(interaction, ask)
        if reply.thread and await self._in_thread(interaction, reply, line):
            return
        if reply.form:
            await self._show_form(interaction, reply.card, reply.form, line)
        else:
            await self._show(interaction, reply, turning=bool(PAGE.search(line)))
        if reply.file:
            content = io.BytesIO(reply.file.text.encode())
            await interaction.followup.send(
                file=discord.File(content, filename=reply.file.name), ephemeral=reply.private
            )
        if reply.later and (fuller := await reply.later()):
            await interaction.edit_original_response(view=layout(fuller))

    async def _reply(self, interaction: Interaction, ask: Ask) -> Reply:
        """Get the reply, and defer the answer if that takes long."""
        asking = asyncio.ensure_future(ask())
        try:
            await asyncio.wait({asking}, timeout=self._patience)
            if not asking.done():
                await interaction.response.defer(ephemeral=True, thinking=True)
            return await asking
        finally:
            asking.cancel()

    async def _show_form(self, interaction: Interaction, card: Card, form: Form, line: str) -> None:
        """Open the form; show buttons for its parts if it is too long, or if it is too late to open one."""
        whole = modal(form, 0, line) if len(pages(form)) == 1 else None
        if interaction.response.is_done():
            await interaction.edit_original_response(view=chooser(card, form, line))
        elif whole and interaction.type is not discord.InteractionType.modal_submit:
            await interaction.response.send_modal(whole)
        else:
            await interaction.response.send_message(view=chooser(card, form, line), ephemeral=True)

    async def open(self, interaction: Interaction, ask: Ask, page: int, line: str) -> None:
        """Open a part of the form that a command shows. It can't be deferred."""
        reply = await ask()
        part = modal(reply.form, page, line) if reply.form else None
        with until_over():
            if part:
                await interaction.response.send_modal(part)
            else:
                await self._show(interaction, reply, turning=False)

    async def _show(self, interaction: Interaction, reply: Reply, *, turning: bool) -> None:
        view = layout(reply.card)
        if interaction.response.is_done():
            await self._follow(interaction, reply)
        elif turning and reply.private and interaction.message and interaction.message.flags.ephemeral:
            await interaction.response.edit_message(view=view)
        else:
            await interaction.response.send_message(view=view, ephemeral=reply.private)

    async def _follow(self, interaction: Interaction, reply: Reply) -> None:
        """Answer after a deferral. The deferred answer is private, so a public reply follows it as another message."""
        if reply.private:
            await interaction.edit_original_response(view=layout(reply.card))
            return
        await interaction.edit_original_response(view=layout(_note("Here it is for everyone:")))
        await interaction.followup.send(view=layout(reply.card))

    async def _in_thread(self, interaction: Interaction, reply: Reply, line: str) -> bool:
        """Answer once in the thread of the message whose button was pressed. Returns False if it can't have one."""
        message = interaction.message
        if message is None or interaction.guild is None or message.flags.ephemeral:
            return False
        if not interaction.response.is_done():
            await interaction.response.defer(ephemeral=True, thinking=True)
        try:
            url = await _post_below(interaction, message, reply.card, mark(f"{message.id} {line}"))
        except discord.HTTPException as error:
            log.info("thread_not_opened", code=error.code)
            return False
        await interaction.edit_original_response(view=layout(_note("Posted in the thread below.", url)))
        return True


async def _post_below(interaction: Interaction, message: discord.Message, card: Card, marked: str) -> str:
    """Post a card in the message's thread unless it was posted already. Returns its link."""
    thread = await _thread(interaction, message, card)
    async for earlier in thread.history(limit=LOOK_BACK):
        if marked in marks_of(earlier.components):
            return earlier.jump_url
    return (await thread.send(view=layout(card, marked), nonce=marked)).jump_url


async def _thread(interaction: Interaction, message: discord.Message, card: Card) -> discord.abc.Messageable:
    """Return the message's own thread, opened if needed; or the thread that the message is in."""
    if isinstance(interaction.channel, discord.Thread):
        return interaction.channel
    if interaction.guild and (opened := interaction.guild.get_thread(message.id)):
        return opened
    try:
        return await message.create_thread(name=shorten(plain(card.notice), MAX_NAME))
    except discord.HTTPException as error:
        if error.code != errors.THREAD_EXISTS:
            raise
        return interaction.client.get_partial_messageable(message.id, guild_id=interaction.guild_id)


def _note(message: str, url: str = "") -> Card:
    """Build a card with a short line, perhaps with a link."""
    look = actions(Button("Show it", url=url)) if url else ()
    return Card("reply", message, blocks=(paragraph(message), *look))


async def apologize(interaction: Interaction) -> None:
    """Say that something went wrong on our side, if the interaction can still be answered."""
    view = layout(sorry_card())
    with suppress(discord.HTTPException, aiohttp.ClientError, OSError):
        if interaction.response.is_done():
            await interaction.edit_original_response(view=view)
        else:
            await interaction.response.send_message(view=view, ephemeral=True)

"""Cards as Discord messages: of components ("Components V2"), or as an embed with buttons.

Announcement channels get embeds, and so do channels that chose `embeds:on`.
"""

from dataclasses import dataclass
from typing import Any

import discord

from adapters.discord.buttons import FALLBACK, CustomIds, Menu, component, menu
from adapters.discord.layout_plan import (
    Gallery,
    Picture,
    Piece,
    Separator,
    block_text,
    button_rows,
    new_buttons,
    paper_text,
    plan_layout,
)
from adapters.discord.markup import address, fitted, width
from bot.cards import Button, Card, PaperBlock

ACCENT = discord.Colour(0xF2B632)
"""The colour of the bar at a card's left edge."""

Row = discord.ui.ActionRow[discord.ui.LayoutView]
MAX_TITLE = 256
"""Characters of an embed's title. See https://docs.discord.com/developers/resources/message#embed-object."""
MAX_DESCRIPTION = 4096
"""Characters of an embed's description."""
MAX_ROWS = 4
"""Rows of buttons out of Discord's five: the last is reserved for a button that carries the mark."""
_SQUEEZES = (1.0, 0.7, 0.5, 0.35, 0.25, 0.15, 0.08)
"""Shares of each text's usual length: the first with which all fits is used."""


def layout(card: Card, marked: str = "") -> discord.ui.LayoutView:
    """Render the whole card; one of its buttons carries the mark `marked`. Needs a running event loop."""
    ids = CustomIds(marked)
    container: discord.ui.Container[discord.ui.LayoutView] = discord.ui.Container(accent_colour=ACCENT)
    for piece in plan_layout(card):
        container.add_item(_item(piece, ids))
    if ids.is_mark_pending:
        container.add_item(row((FALLBACK,), ids))
    view = discord.ui.LayoutView(timeout=None)
    view.add_item(container)
    view.stop()  # discord.py must not store it: its buttons need no state
    return view


def row(buttons: tuple[Button, ...], ids: CustomIds) -> Row:
    """Build a row of buttons."""
    return discord.ui.ActionRow(*(component(button, ids(button)) for button in buttons))


def _item(piece: Piece, ids: CustomIds) -> discord.ui.Item[discord.ui.LayoutView]:
    match piece:
        case str():
            return discord.ui.TextDisplay(piece)
        case Picture(text, url):
            return discord.ui.Section(text, accessory=discord.ui.Thumbnail(url))
        case Gallery(url, alt):
            return discord.ui.MediaGallery(discord.MediaGalleryItem(url, description=alt or None))
        case Separator():
            return discord.ui.Separator()
        case Menu(options):
            return discord.ui.ActionRow(menu(options, ids.next_menu()))
        case buttons:
            return row(buttons, ids)


@dataclass(frozen=True, slots=True)
class EmbedMessage:
    """The parts of a message with an embed."""

    embed: discord.Embed
    view: discord.ui.View


def embed_message(card: Card, marked: str = "") -> EmbedMessage:
    """Render the whole card as an embed; one of its buttons carries the mark `marked`. Needs a running event loop."""
    ids = CustomIds(marked)
    seen: set[str] = set()
    found = (new_buttons(row, seen) for block in card.blocks for row in button_rows(block, 10))
    view = discord.ui.View(timeout=None)
    rows: list[tuple[Button, ...] | Menu] = [row for row in found if row]
    for number, buttons in enumerate(rows[:MAX_ROWS]):
        for part in _parts(buttons, ids):
            part.row = number
            view.add_item(part)
    if ids.is_mark_pending:
        view.add_item(component(FALLBACK, ids(FALLBACK)))
    view.stop()
    return EmbedMessage(_embed(card), view)


def _parts(row: tuple[Button, ...] | Menu, ids: CustomIds) -> list[discord.ui.Item[Any]]:
    if isinstance(row, Menu):
        return [menu(row.options, ids.next_menu())]
    return [component(button, ids(button)) for button in row]


def _embed(card: Card) -> discord.Embed:
    alone = card.blocks[0] if not card.heading and len(card.blocks) == 1 else None
    if isinstance(alone, PaperBlock):
        embed = discord.Embed(
            colour=ACCENT,
            title=fitted(alone.title, MAX_TITLE),
            url=address(alone.url),
            description=next(
                text for room in _SQUEEZES if width(text := paper_text(alone, room)) <= MAX_DESCRIPTION
            ),
        )
        return embed.set_thumbnail(url=address(alone.thumbnail_url))
    texts = [_full_text(card, room) for room in _SQUEEZES]
    description = next((text for text in texts if width(text) <= MAX_DESCRIPTION), texts[-1][:2000])
    title = fitted(card.heading, MAX_TITLE)
    if not title and not description:
        description = fitted(card.notice, MAX_TITLE) or "…"
    return discord.Embed(colour=ACCENT, title=title or None, description=description)


def _full_text(card: Card, room: float) -> str:
    return "\n".join(filter(None, (block_text(block, room) for block in card.blocks)))

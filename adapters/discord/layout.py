"""A card as a message of components ("Components V2")."""

import discord

from adapters.discord.buttons import FALLBACK, CustomIds, component
from adapters.discord.layout_plan import Line, Picture, Piece, plan_layout
from bot.cards import Button, Card

ACCENT = discord.Colour(0xF2B632)
"""The colour of the bar at a card's left edge."""

Row = discord.ui.ActionRow[discord.ui.LayoutView]


def layout(card: Card, marked: str = "") -> discord.ui.LayoutView:
    """The whole card; one of its buttons carries the mark `marked`. Needs a running event loop."""
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
    """A row of buttons."""
    return discord.ui.ActionRow(*(component(button, ids(button)) for button in buttons))


def _item(piece: Piece, ids: CustomIds) -> discord.ui.Item[discord.ui.LayoutView]:
    match piece:
        case str():
            return discord.ui.TextDisplay(piece)
        case Picture(text, url):
            return discord.ui.Section(text, accessory=discord.ui.Thumbnail(url))
        case Line():
            return discord.ui.Separator()
        case buttons:
            return row(buttons, ids)

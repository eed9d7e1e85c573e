"""A card as a message of components ("Components V2")."""

import discord

from adapters.discord.buttons import FALLBACK, Ids, component
from adapters.discord.layout_plan import Line, Picture, Piece, plan
from bot.cards import Button, Card

ACCENT = discord.Colour(0xF2B632)

Row = discord.ui.ActionRow[discord.ui.LayoutView]


def layout(card: Card, marked: str = "") -> discord.ui.LayoutView:
    """The whole card; `marked` is what it will be found by. Needs a running event loop.

    discord.py must not keep it: its buttons say all that they do by themselves.
    """
    ids = Ids(marked)
    container: discord.ui.Container[discord.ui.LayoutView] = discord.ui.Container(accent_colour=ACCENT)
    for piece in plan(card):
        container.add_item(_item(piece, ids))
    if ids.owed:
        container.add_item(row((FALLBACK,), ids))
    view = discord.ui.LayoutView(timeout=None)
    view.add_item(container)
    view.stop()
    return view


def row(buttons: tuple[Button, ...], ids: Ids) -> Row:
    """A row of buttons."""
    return discord.ui.ActionRow(*(component(button, ids(button)) for button in buttons))


def _item(piece: Piece, ids: Ids) -> discord.ui.Item[discord.ui.LayoutView]:
    match piece:
        case str():
            return discord.ui.TextDisplay(piece)
        case Picture(text, url):
            return discord.ui.Section(text, accessory=discord.ui.Thumbnail(url))
        case Line():
            return discord.ui.Separator()
        case buttons:
            return row(buttons, ids)

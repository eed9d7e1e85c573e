"""A card as a classic embed with buttons below: in announcement channels, and where a channel wants it so."""

from dataclasses import dataclass

import discord

from adapters.discord.buttons import FALLBACK, Ids, component
from adapters.discord.layout import ACCENT
from adapters.discord.layout_plan import pressed, said, unseen, words
from adapters.discord.markup import address, fitted, width
from bot.cards import Card, PaperBlock

MAX_TITLE = 256
MAX_DESCRIPTION = 4096
MAX_ROWS = 4
"""Of five: one is kept free for the button that a post is found by."""
_SQUEEZES = (1.0, 0.7, 0.5, 0.35, 0.25, 0.15, 0.08)


@dataclass(frozen=True, slots=True)
class Classic:
    """What a message without the new components consists of."""

    embed: discord.Embed
    view: discord.ui.View


def classic(card: Card, marked: str = "") -> Classic:
    """The whole card; `marked` is what it will be found by. Needs a running event loop."""
    ids = Ids(marked)
    seen: set[str] = set()
    found = (unseen(row, seen) for block in card.blocks for row in pressed(block, 10))
    view = discord.ui.View(timeout=None)
    for number, row in enumerate(list(filter(None, found))[:MAX_ROWS]):
        for button in row:
            part = component(button, ids(button))
            part.row = number
            view.add_item(part)
    if ids.owed:
        view.add_item(component(FALLBACK, ids(FALLBACK)))
    view.stop()
    return Classic(_embed(card), view)


def _embed(card: Card) -> discord.Embed:
    alone = card.blocks[0] if not card.heading and len(card.blocks) == 1 else None
    if isinstance(alone, PaperBlock):
        embed = discord.Embed(
            colour=ACCENT,
            title=fitted(alone.title, MAX_TITLE),
            url=address(alone.url),
            description=next(
                text for room in _SQUEEZES if width(text := words(alone, room)) <= MAX_DESCRIPTION
            ),
        )
        return embed.set_thumbnail(url=address(alone.thumbnail_url))
    texts = [_all(card, room) for room in _SQUEEZES]
    description = next((text for text in texts if width(text) <= MAX_DESCRIPTION), texts[-1][:2000])
    title = fitted(card.heading, MAX_TITLE)
    if not title and not description:
        description = fitted(card.notice, MAX_TITLE) or "…"
    return discord.Embed(colour=ACCENT, title=title or None, description=description)


def _all(card: Card, room: float) -> str:
    return "\n".join(filter(None, (said(block, room) for block in card.blocks)))

"""A post for Discord's webhooks and compatible chats: one message with embeds. Pure.

Mentions are disabled, and every character that could be markup is escaped.
"""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from bot.cards import Bullets, Card, PaperBlock, Paragraph
from bot.domain.models import ChannelRef
from bot.text import shorten

MAX_EMBEDS = 10
"""Discord's maximum number of embeds in a message."""
MAX_CHARACTERS = 5600
"""Maximum number of characters of all embeds together; Discord's limit is 6,000."""
TITLE, DESCRIPTION, FOOTER, CONTENT = 240, 1800, 300, 1900
"""Maximum numbers of characters; Discord's limits are 256, 4,096, 2,048 and 2,000."""

_MARKUP = re.compile(r"[\\*_~`|<>\[\]()#@:-]")

Embed = dict[str, Any]


def render(card: Card, _channel: ChannelRef, _label: str, _at: datetime) -> dict[str, Any]:
    """Return the card as a message."""
    embeds, rest = _fit(card)
    lines = [_escaped(card.heading, CONTENT // 2)] if card.heading else []
    lines += [f"and {rest} more"] if rest else []
    content = "\n".join(lines) or (_escaped(card.notice, CONTENT) if not embeds else "")
    return {
        **({"content": content} if content else {}),
        **({"embeds": embeds} if embeds else {}),
        "allowed_mentions": {"parse": []},
    }


def _fit(card: Card) -> tuple[list[Embed], int]:
    """Return the embeds that fit into a message, and the number of those that don't."""
    all_embeds, embeds, room = list(_embeds(card)), [], MAX_CHARACTERS
    for embed in all_embeds[:MAX_EMBEDS]:
        size = sum(
            map(
                len,
                (
                    embed.get("title", ""),
                    embed.get("description", ""),
                    embed.get("footer", {}).get("text", ""),
                ),
            )
        )
        if size > room:
            break
        embeds.append(embed)
        room -= size
    return embeds, len(all_embeds) - len(embeds)


def _embeds(card: Card) -> Iterator[Embed]:
    for block in card.blocks:
        match block:
            case PaperBlock():
                yield _paper(block)
            case Paragraph():
                yield {"description": _escaped("".join(span.text for span in block.text), DESCRIPTION)}
            case Bullets():
                lines = ("".join(span.text for span in item) for item in block.items)
                yield {
                    "description": "\n".join(f"• {_escaped(line, FOOTER)}" for line in lines)[:DESCRIPTION]
                }
            case _:  # buttons: nothing would handle a click
                continue


def _paper(block: PaperBlock) -> Embed:
    lines = (" · ".join(block.byline), block.summary, block.abstract)
    short = block.detail == "line"
    embed: Embed = {
        "title": _escaped(block.title, TITLE),
        "description": "\n".join(
            _escaped(line, FOOTER if short else DESCRIPTION // 2) for line in lines if line
        ),
    }
    if block.url:
        embed["url"] = block.url
    if block.reasons:
        embed["footer"] = {"text": shorten("; ".join(block.reasons), FOOTER)}
    return embed


def _escaped(text: str, limit: int) -> str:
    """Return `text` with markup escaped, in at most `limit` characters."""
    shortened = shorten(text, limit)
    escaped = _MARKUP.sub(lambda found: f"\\{found[0]}", shortened)
    while len(escaped) > limit:
        shortened = shorten(shortened, max(1, len(shortened) - (len(escaped) - limit)))
        escaped = _MARKUP.sub(lambda found: f"\\{found[0]}", shortened)
    return escaped

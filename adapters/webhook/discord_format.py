"""A post for Discord's webhooks, and for chats that take the same: one message of embeds. Pure.

No one is mentioned, whatever the text says, and every character that could be markup is escaped.
"""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from bot.cards import Bullets, Card, PaperBlock, Paragraph
from bot.domain.models import ChannelRef
from bot.text import shorten

MAX_EMBEDS = 10
"""Discord's limit for a message."""
MAX_CHARACTERS = 5600
"""Characters of all embeds together; Discord's limit is 6,000."""
TITLE, DESCRIPTION, FOOTER, CONTENT = 240, 1800, 300, 1900
"""Characters; Discord's limits are 256, 4,096, 2,048 and 2,000."""

_MARKUP = re.compile(r"[\\*_~`|<>\[\]()#@:-]")

Embed = dict[str, Any]


def render(card: Card, _channel: ChannelRef, _label: str, _at: datetime) -> dict[str, Any]:
    """The card as a message."""
    embeds, rest = _fitting(card)
    said = [_escaped(card.heading, CONTENT // 2)] if card.heading else []
    said += [f"and {rest} more"] if rest else []
    content = "\n".join(said) or (_escaped(card.notice, CONTENT) if not embeds else "")
    return {
        **({"content": content} if content else {}),
        **({"embeds": embeds} if embeds else {}),
        "allowed_mentions": {"parse": []},
    }


def _fitting(card: Card) -> tuple[list[Embed], int]:
    """As many embeds as a message holds, and how many are left out."""
    wanted, embeds, room = list(_embeds(card)), [], MAX_CHARACTERS
    for embed in wanted[:MAX_EMBEDS]:
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
    return embeds, len(wanted) - len(embeds)


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
            case _:  # buttons: no one answers them there
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
    """At most `limit` characters, in which nothing is markup."""
    kept = shorten(text, limit)
    escaped = _MARKUP.sub(lambda found: f"\\{found[0]}", kept)
    while len(escaped) > limit:
        kept = shorten(kept, max(1, len(kept) - (len(escaped) - limit)))
        escaped = _MARKUP.sub(lambda found: f"\\{found[0]}", kept)
    return escaped

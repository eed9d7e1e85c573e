"""A post for Slack's incoming webhooks and compatible chats. Pure.

Slack and Zulip show `blocks`: sections of plain text, since Zulip doesn't know other blocks. Mattermost and Rocket.Chat
show `text`, so it contains everything, too. Neither can mention anyone or link to anything but the paper.
"""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from bot.cards import Bullets, Card, PaperBlock, Paragraph, Span
from bot.cards.sanitize import link
from bot.domain.models import ChannelRef
from bot.text import shorten

MAX_BLOCKS = 50
"""Slack's maximum number of blocks in a message."""
MAX_TEXT = 3800
"""Maximum number of characters of `text`. Rocket.Chat accepts 5,000, Mattermost 16,383; Slack truncates at 40,000."""
MAX_SECTION, MAX_HEADING = 2800, 140
"""Maximum numbers of characters; Slack's limits are 3,000 and 150."""

_ACTIVE = re.compile(r"@|\](?=\()|:(?=//)")
"""Characters after which the rest of a mention, a labelled link or a bare URL follows."""
_JOINER = "\u2060"
"""Invisible character (word joiner) that breaks these up."""
_ENTITIES = {ord("&"): "&amp;", ord("<"): "&lt;", ord(">"): "&gt;", ord("|"): "¦"}

Block = dict[str, Any]


def render(card: Card, _channel: ChannelRef, _label: str, _at: datetime) -> dict[str, Any]:
    """Return the card as a message."""
    blocks = list(_blocks(card))[:MAX_BLOCKS]
    return {"text": _text(card), "blocks": blocks, "unfurl_links": False, "unfurl_media": False}


def _blocks(card: Card) -> Iterator[Block]:
    if card.heading:
        yield {"type": "header", "text": _plain(card.heading, MAX_HEADING)}
    for block in card.blocks:
        match block:
            case PaperBlock():
                yield _section("\n".join((block.title, *_facts(block))))
                if links := _links(block):
                    yield {"type": "context", "elements": [{"type": "mrkdwn", "text": links}]}
            case Paragraph():
                yield _section(_joined(block.text))
            case Bullets():
                yield _section("\n".join(f"• {_joined(item)}" for item in block.items))
            case _:  # buttons: nothing would handle a click
                continue


def _section(text: str) -> Block:
    return {"type": "section", "text": _plain(text, MAX_SECTION)}


def _plain(text: str, limit: int) -> Block:
    return {"type": "plain_text", "text": _harmless(text)[:limit] or " ", "emoji": False}


def _facts(block: PaperBlock) -> list[str]:
    return [
        part
        for part in (" · ".join(block.byline), block.summary, block.abstract, "; ".join(block.reasons))
        if part
    ]


def _joined(spans: tuple[Span, ...]) -> str:
    return "".join(span.text for span in spans)


def _links(block: PaperBlock) -> str:
    """Return links with our own labels, the only markup in `blocks`."""
    labelled = {button.label: button.url for button in block.buttons if button.url} or {"Abstract": block.url}
    return " · ".join(f"<{_address(safe)}|{label}>" for label, url in labelled.items() if (safe := link(url)))


def _text(card: Card) -> str:
    """Return the card as lines, without those at the end that don't fit."""
    lines: list[str] = []
    room = MAX_TEXT
    for line in _lines(card):
        room -= len(line) + 1
        if room < 0:
            break
        lines.append(line)
    return "\n".join(lines) or _escaped(shorten(card.notice, MAX_HEADING))


def _lines(card: Card) -> Iterator[str]:
    if card.heading:
        yield _escaped(card.heading)
    for block in card.blocks:
        match block:
            case PaperBlock():
                title = _escaped(block.title)
                yield f"<{_address(safe)}|{title}>" if (safe := link(block.url)) else title
                yield from map(_escaped, _facts(block))
            case Paragraph():
                yield _escaped(_joined(block.text))
            case Bullets():
                yield from (f"• {_escaped(_joined(item))}" for item in block.items)
            case _:
                continue


def _harmless(text: str) -> str:
    return _ACTIVE.sub(lambda found: f"{found[0]}{_JOINER}", text)


def _escaped(text: str) -> str:
    return _harmless(text).translate(_ENTITIES)


def _address(url: str) -> str:
    """Escape the characters of a URL that would end the link early."""
    return url.replace("|", "%7C").replace("&", "&amp;")

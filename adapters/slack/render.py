"""A card as Block Kit. Pure: nothing is sent here."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from adapters.slack import limits
from adapters.slack.block_kit import (
    Json,
    bullets,
    buttons,
    context,
    escaped,
    header,
    image,
    line,
    preformatted,
    rich_text,
    section,
)
from bot.cards import Actions, Block, Bullets, Card, Figure, PaperBlock, Paragraph, Span
from bot.cards.build import divided
from bot.cards.sanitize import link, plain
from bot.text import shorten

NOTICE = 700
"""Maximum number of characters in a message's top-level text; escaping can make it five times as long."""
BUDGET = limits.MESSAGE - 700
"""Maximum number of characters in a message's blocks, with a margin because Slack doesn't document how it counts."""
_BROADCASTS = frozenset({"here", "channel", "everyone"})
_ID = re.compile("[SUW][A-Z0-9]{2,20}")


@dataclass(frozen=True, slots=True)
class Message:
    """The content of a message or view."""

    text: str
    """One line of markup, for notifications and for clients that can't show blocks."""
    blocks: Sequence[Json]


def render(card: Card, *, most: int = limits.BLOCKS) -> Message:
    """Render the card within all of Slack's limits, in at most `most` blocks."""
    mention = _mention(card.posting.ping)
    notice = escaped(shorten(plain(card.notice), NOTICE)) or "Paperboy"
    blocks = [*([rich_text(mention[1])] if mention else []), *_blocks(card)]
    return Message(
        f"{mention[0]} {notice}" if mention else notice, fit(blocks or [section(plain(card.notice))], most)
    )


def as_text(card: Card) -> str:
    """Render the card as markup without blocks: its notice, and its papers' titles and links."""
    text = escaped(shorten(plain(card.notice), NOTICE)) or "Paperboy"
    for block in card.blocks:
        if isinstance(block, PaperBlock):
            more = f"\n{escaped(shorten(plain(block.title), 120))} – {link(block.url) or ''}"
            text += more if len(text) + len(more) <= limits.TEXT else ""
    return text


def layouts(card: Card) -> Iterator[Message]:
    """Yield the card in ever simpler layouts: in full; without pictures, which Slack loads itself; as text alone.

    Slack refuses the whole message if it can't load a picture.
    """
    full = render(card)
    yield full
    if any("accessory" in block or block["type"] == "image" for block in full.blocks):
        yield Message(full.text, without_pictures(full.blocks))
    yield Message(as_text(card), ())


def without_pictures(blocks: Iterable[Json]) -> list[Json]:
    """Return the blocks without their pictures."""
    remaining = [block for block in blocks if block["type"] != "image"]
    return [{name: value for name, value in block.items() if name != "accessory"} for block in remaining]


def fit(blocks: Sequence[Json], most: int) -> list[Json]:
    """Return as many of the blocks as fit into a message, with a note if some are left out."""
    fitting: list[Json] = []
    room = BUDGET
    for block in blocks:
        room -= weight(block)
        if room < 0 or (len(fitting) == most - 1 and len(blocks) > most):
            return [*fitting, context("… and more than a Slack message can hold")]
        fitting.append(block)
    return fitting


def weight(value: Any) -> int:
    """Return the number of characters in a block, links and values included."""
    if isinstance(value, dict):
        return sum(weight(part) for name, part in value.items() if name not in {"type", "action_id"})
    if isinstance(value, list):
        return sum(map(weight, value))
    return len(value) if isinstance(value, str) else 0


def _blocks(card: Card) -> Iterator[Json]:
    if card.heading:
        yield header(card.heading)
    for lines, group in groupby(card.blocks, _is_line):
        if lines:
            yield rich_text(bullets(_paper_line(block) for block in group if isinstance(block, PaperBlock)))
        else:
            for block in group:
                yield from _block(block)


def _is_line(block: Block) -> bool:
    return isinstance(block, PaperBlock) and block.detail == "line"


def _block(block: Block) -> Iterable[Json]:
    match block:
        case Paragraph(text):
            return _paragraph(text)
        case Figure(text, url, alt):
            return (*_paragraph(text), *([image(safe, alt)] if (safe := link(url)) else ()))
        case Bullets(items):
            return (rich_text(bullets(line(item) for item in items)),)
        case Actions(row):
            return buttons(row)
        case PaperBlock():
            return _paper(block)


def _paragraph(text: Sequence[Span]) -> Iterable[Json]:
    if text and all(span.style == "dim" and not span.url for span in text):
        return (context("".join(span.text for span in text)),)
    parts: list[Json] = []
    for preformat, spans in groupby(text, lambda span: span.style == "code" and "\n" in span.text):
        if preformat:
            parts += (preformatted(span.text) for span in spans)
        else:
            parts.append(line(spans))
    return (rich_text(*parts),) if parts else ()


def _paper(block: PaperBlock) -> Iterator[Json]:
    yield rich_text(line((Span(block.title, "bold", block.url),)))
    if block.byline:
        yield context(" · ".join(block.byline))
    picture = link(block.thumbnail_url)
    if block.summary:
        yield section(block.summary, None if block.abstract else picture, block.title)
    if block.abstract:
        yield section(block.abstract, picture, block.title)
    if block.keywords:
        yield context(" · ".join(block.keywords))
    if block.reasons:
        yield context(" · ".join(block.reasons))
    first, more = divided(block.actions)
    room = max(0, len(more) - limits.OVERFLOW)
    yield from buttons((*block.buttons, *first, *more[:room]), more[room:])


def _paper_line(block: PaperBlock) -> Json:
    facts = (" · ".join(block.byline), block.summary, " · ".join(block.reasons))
    below = "".join(f"\n{fact}" for fact in facts if fact)
    return line((Span(block.title, "bold", block.url), Span(below)))


def _mention(role: str) -> tuple[str, Json] | None:
    """Return the mention of `role`, as markup and as rich text; None if it isn't an id of Slack's."""
    if role in _BROADCASTS:
        mark, element = f"<!{role}>", {"type": "broadcast", "range": role}
    elif not _ID.fullmatch(role):
        return None
    elif role.startswith("S"):
        mark, element = f"<!subteam^{role}>", {"type": "usergroup", "usergroup_id": role}
    else:
        mark, element = f"<@{role}>", {"type": "user", "user_id": role}
    return mark, {"type": "rich_text_section", "elements": [element]}

"""A card as Block Kit. Pure: nothing is sent here."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from adapters.slack import limits
from adapters.slack.elements import (
    Json,
    bullets,
    buttons,
    context,
    escaped,
    header,
    line,
    preformatted,
    rich_text,
    section,
)
from bot.cards import Actions, Block, Bullets, Button, Card, PaperBlock, Paragraph, Span
from bot.cards.plain import link, plain
from bot.text import shorten

NOTICE = 700
"""Characters of a message's top-level text, before escaping makes it up to five times as long."""
ROOM = limits.MESSAGE - 700
"""Characters of a message's blocks, with a margin: how Slack counts is not documented."""
SIGN = 2
"""Characters of a label that is no word, such as 👍."""
_EVERYONE = frozenset({"here", "channel", "everyone"})
_ID = re.compile("[SUW][A-Z0-9]{2,20}")


@dataclass(frozen=True, slots=True)
class Message:
    """What a message or view is made of."""

    text: str
    """All of it in a line, as markup: for notifications, and for what can't show blocks."""
    blocks: Sequence[Json]


def render(card: Card, *, most: int = limits.BLOCKS) -> Message:
    """The card, within every limit; `most` is how many blocks it may have."""
    ping = _ping(card.posting.ping)
    notice = escaped(shorten(plain(card.notice), NOTICE)) or "Paperboy"
    blocks = [*([rich_text(ping[1])] if ping else []), *_blocks(card)]
    return Message(
        f"{ping[0]} {notice}" if ping else notice, fit(blocks or [section(plain(card.notice))], most)
    )


def as_text(card: Card) -> str:
    """The card without blocks: its notice and its papers' addresses. As markup."""
    text = escaped(shorten(plain(card.notice), NOTICE)) or "Paperboy"
    for block in card.blocks:
        if isinstance(block, PaperBlock):
            more = f"\n{escaped(shorten(plain(block.title), 120))} – {link(block.url) or ''}"
            text += more if len(text) + len(more) <= limits.TEXT else ""
    return text


def without_pictures(blocks: Iterable[Json]) -> list[Json]:
    """The same, for when Slack could not load one: it refuses the whole message then."""
    return [{name: value for name, value in block.items() if name != "accessory"} for block in blocks]


def fit(blocks: Sequence[Json], most: int) -> list[Json]:
    """As many of the blocks as a message holds, and a sign where some are left out."""
    kept: list[Json] = []
    room = ROOM
    for block in blocks:
        room -= weight(block)
        if room < 0 or (len(kept) == most - 1 and len(blocks) > most):
            return [*kept, context("… and more than fits into a message")]
        kept.append(block)
    return kept


def weight(value: Any) -> int:
    """Characters of all that a block says, links and values included."""
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
    for of_its_own, spans in groupby(text, lambda span: span.style == "code" and "\n" in span.text):
        if of_its_own:
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
    if block.reasons:
        yield context(" · ".join(block.reasons))
    first, more = _divided(block.actions)
    yield from buttons((*block.buttons, *first), more)


def _divided(actions: Sequence[Button]) -> tuple[list[Button], list[Button]]:
    """What is a button of its own, and what is behind the menu: all but the first one and those that are a sign."""
    alone = [n == 0 or len(button.label) <= SIGN for n, button in enumerate(actions)]
    first = [button for button, shown in zip(actions, alone, strict=True) if shown]
    more = [button for button, shown in zip(actions, alone, strict=True) if not shown]
    room = max(0, len(more) - limits.OVERFLOW)
    return [*first, *more[:room]], more[room:]


def _paper_line(block: PaperBlock) -> Json:
    facts = (" · ".join(block.byline), block.summary, " · ".join(block.reasons))
    below = "".join(f"\n{fact}" for fact in facts if fact)
    return line((Span(block.title, "bold", block.url), Span(below)))


def _ping(role: str) -> tuple[str, Json] | None:
    """Whoever is to be notified, as markup and as rich text."""
    if role in _EVERYONE:
        mark, element = f"<!{role}>", {"type": "broadcast", "range": role}
    elif not _ID.fullmatch(role):
        return None
    elif role.startswith("S"):
        mark, element = f"<!subteam^{role}>", {"type": "usergroup", "usergroup_id": role}
    else:
        mark, element = f"<@{role}>", {"type": "user", "user_id": role}
    return mark, {"type": "rich_text_section", "elements": [element]}

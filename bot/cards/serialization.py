"""Cards as JSON, for scripts that read the terminal's output."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from bot.cards import Actions, Block, Bullets, Card, Figure, PaperBlock, Paragraph

_TYPE_OF: Mapping[type[Block], str] = {
    Paragraph: "paragraph",
    Bullets: "bullets",
    Actions: "actions",
    PaperBlock: "paper",
    Figure: "figure",
}


def to_json(card: Card) -> dict[str, Any]:
    """Convert `card` to JSON values: fields by their names, and each block with its `type`."""
    blocks = [{"type": _TYPE_OF[type(block)], **asdict(block)} for block in card.blocks]
    return {"kind": card.kind, "notice": card.notice, "heading": card.heading, "blocks": blocks}

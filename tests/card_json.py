"""Build cards from their JSON, as a script would that reads it."""

from collections.abc import Iterable, Mapping
from typing import Any

from bot.cards import Actions, Block, Bullets, Button, Card, Figure, PaperBlock, Paragraph, Span, Text


def from_json(data: Mapping[str, Any]) -> Card:
    """Return the card; the inverse of `to_json`. Raises KeyError, TypeError or ValueError for anything else."""
    return Card(data["kind"], data["notice"], data["heading"], tuple(map(_block, data["blocks"])))


def _block(data: Mapping[str, Any]) -> Block:
    fields = {name: value for name, value in data.items() if name != "type"}
    match data["type"]:
        case "paragraph":
            return Paragraph(_text(fields["text"]))
        case "figure":
            return Figure(_text(fields["text"]), fields["url"], fields["alt"])
        case "bullets":
            return Bullets(tuple(map(_text, fields["items"])))
        case "actions":
            return Actions(_buttons(fields["buttons"]))
        case "paper":
            rows: dict[str, Any] = {name: tuple(fields[name]) for name in ("byline", "keywords", "reasons")}
            rows |= {name: _buttons(fields[name]) for name in ("buttons", "actions")}
            return PaperBlock(**{**fields, **rows})
        case other:
            raise ValueError(f"no block is of type {other!r}")


def _text(spans: Iterable[Mapping[str, Any]]) -> Text:
    return tuple(Span(**span) for span in spans)


def _buttons(buttons: Iterable[Mapping[str, Any]]) -> tuple[Button, ...]:
    return tuple(Button(**button) for button in buttons)

"""Shorthands for building cards. Text of people and upstreams is sanitized here."""

from bot.cards import Actions, Button, Paragraph, Span, Text
from bot.cards.sanitize import visible

MAX_BUTTON = 100
"""Characters of a button's command, the smallest limit of the supported platforms."""


def text(*parts: str | Span) -> Text:
    """Running text; a plain string has no style."""
    return tuple(Span(visible(part)) if isinstance(part, str) else part for part in parts)


def paragraph(*parts: str | Span) -> Paragraph:
    return Paragraph(text(*parts))


def bold(words: str) -> Span:
    return Span(visible(words), "bold")


def dim(words: str) -> Span:
    return Span(visible(words), "dim")


def code(words: str) -> Span:
    """Something that can be typed, or was."""
    return Span(visible(words), "code")


def actions(*buttons: Button) -> tuple[Actions, ...]:
    """A row of those buttons that fit every platform, or nothing if none does."""
    carried = tuple(button for button in buttons if len(button.command) <= MAX_BUTTON)
    return (Actions(carried),) if carried else ()


def count(number: int, noun: str, plural: str = "") -> str:
    """`1 paper`, `1,312 papers`; `plural` for nouns that take more than an s."""
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"

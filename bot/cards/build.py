"""Shorthands for building cards. Text of people and upstreams is sanitized here."""

from collections.abc import Sequence

from bot.cards import Actions, Button, Paragraph, Span, Text
from bot.cards.sanitize import visible

MAX_BUTTON = 100
"""Characters of a button's command, the smallest limit of the supported platforms."""

EMOJI_LABEL = 2
"""Characters of a button's label, at most, that is an emoji such as 👍 rather than a word."""


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


def divided(actions: Sequence[Button]) -> tuple[tuple[Button, ...], tuple[Button, ...]]:
    """A paper's actions that get a button, and those for a menu: all but the first one and the emojis."""
    first = tuple(button for n, button in enumerate(actions) if n == 0 or len(button.label) <= EMOJI_LABEL)
    return first, tuple(button for button in actions if button not in first)


def count(number: int, noun: str, plural: str = "") -> str:
    """`1 paper`, `1,312 papers`; `plural` for nouns that take more than an s."""
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"

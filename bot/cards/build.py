"""Shorthands for building cards. They sanitize text from people and upstreams."""

from collections.abc import Sequence

from bot.cards import Actions, Button, Paragraph, Span, Text
from bot.cards.sanitize import visible

MAX_BUTTON = 100
"""Maximum length of a button's command, the smallest limit of the supported platforms."""

EMOJI_LABEL = 2
"""Maximum length of a button's label that counts as an emoji such as 👍, not as a word."""


def text(*parts: str | Span) -> Text:
    """Build running text; a plain string has no style."""
    return tuple(Span(visible(part)) if isinstance(part, str) else part for part in parts)


def paragraph(*parts: str | Span) -> Paragraph:
    return Paragraph(text(*parts))


def bold(words: str) -> Span:
    return Span(visible(words), "bold")


def dim(words: str) -> Span:
    return Span(visible(words), "dim")


def code(words: str) -> Span:
    """Format text that a person can type, or has typed."""
    return Span(visible(words), "code")


def actions(*buttons: Button) -> tuple[Actions, ...]:
    """Build a row of the buttons that fit every platform; nothing if none does."""
    fitting = tuple(button for button in buttons if len(button.command) <= MAX_BUTTON)
    return (Actions(fitting),) if fitting else ()


def divided(actions: Sequence[Button]) -> tuple[tuple[Button, ...], tuple[Button, ...]]:
    """Split a paper's actions into buttons, which are the first one and the emojis, and the rest for a menu."""
    first = tuple(button for n, button in enumerate(actions) if n == 0 or len(button.label) <= EMOJI_LABEL)
    return first, tuple(button for button in actions if button not in first)


def count(number: int, noun: str, plural: str = "") -> str:
    """Format a number with a noun: `1 paper`, `1,312 papers`; `plural` for nouns whose plural isn't just an added s."""
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"

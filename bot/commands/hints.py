"""Turns a hint into a button, but only if pressing it does what the person meant. Pure."""

import re
from collections.abc import Mapping
from difflib import SequenceMatcher
from itertools import permutations
from types import MappingProxyType

from bot.cards import Button
from bot.cards.errors import SLASH
from bot.commands.option_forms import usual_form
from bot.commands.specs import CommandSpec
from bot.commands.table import find
from bot.text import shorten

MIN_SIMILARITY = 0.78
"""Minimum similarity of a word to its correction, 0 to 1: `dayly` and `daily` have 0.8, `CEST` and `west` 0.75."""
MIN_BEGINNING = 3
"""Minimum number of letters with which a word's beginning stands for the word."""
MAX_SHOWN = 40
"""Maximum number of characters of the person's words on a button."""
EXACT = frozenset({"unsubscribe", "unmute"})
"""Commands that take something away: a button can send them only with exactly the words that were typed."""

_OPERATORS = frozenset({"or", "and", "not"})
_WORD = re.compile(r"[^\W_]+")
_LABELS: Mapping[str, str] = MappingProxyType(
    {
        "subscribe": "Subscribe to {}",
        "unsubscribe": "Unsubscribe from {}",
        "search": "Search for {}",
        "preview": "Preview {}",
        "mute": "Mute {}",
        "unmute": "Unmute {}",
        "settings": "Set {}",
        "explain": "Explain {}",
        "similar": "Papers like {}",
        "help": "Help on {}",
    }
)


def button_for(hint: str, typed: str) -> Button | None:
    """Return a button that runs `hint`, a whole line, after `typed` failed; None if that isn't safe.

    It is safe if it sends the command that was typed, with all words of the query and no others. A mistyped
    command, option or value can be corrected, unless the command takes something away.
    """
    verb, _, rest = hint.removeprefix(SLASH).partition(" ")
    spec = find(verb)
    if not hint.startswith(SLASH) or spec is None or "<" in hint:
        return None
    if rest and spec.name not in EXACT and _bare(hint.removeprefix(SLASH)) == _bare(typed):
        return Button(label_of(spec.name, rest), f"{spec.name} {rest}")  # only a space was missing
    typed_verb, _, typed_rest = usual_form(typed).removeprefix(SLASH).strip().partition(" ")
    meant = find(typed_verb)
    if meant is not spec and (meant is not None or not _is_like(typed_verb, verb)):
        return None
    if not rest or not _has_same_meaning(typed_rest, rest, spec):
        return None
    return Button(label_of(spec.name, rest), f"{spec.name} {rest}")


def _bare(line: str) -> str:
    """Return a line without spaces and the signs that people put after a command."""
    return re.sub(r"\A/?(?:paper)?|[\s:;,=]+", "", line.casefold())


def label_of(name: str, rest: str) -> str:
    """Return what a command does, in words: `Subscribe to diffusion`."""
    return _LABELS.get(name, f"{name.capitalize()} {{}}").format(shorten(rest, MAX_SHOWN))


def _has_same_meaning(typed: str, hint: str, spec: CommandSpec) -> bool:
    typed_query, typed_options = _parts(typed, spec)
    query, options = _parts(hint, spec)
    if spec.name in EXACT:
        return (typed_query, typed_options) == (query, options)
    return typed_query == query and _are_corrections(typed_options, options)


def _parts(text: str, spec: CommandSpec) -> tuple[list[str], list[str]]:
    """Return the words of the query, and the options as typed; both casefolded and sorted."""
    names = {option.name for option in spec.named}
    query: list[str] = []
    options: list[str] = []
    for token in text.casefold().split():
        name, colon, _ = token.partition(":")
        if colon and (name in names or any(_is_like(name, known) for known in names)):
            options.append(token)
        else:
            query += (word for word in _WORD.findall(token) if word not in _OPERATORS)
    return sorted(query), sorted(options)


def _are_corrections(typed: list[str], options: list[str]) -> bool:
    """Whether each option of one list is, or corrects, one of the other."""
    if len(typed) != len(options) or len(typed) > 4:
        return typed == options
    return any(all(map(_corrects, order, options)) for order in permutations(typed))


def _corrects(typed: str, option: str) -> bool:
    name, _, value = typed.partition(":")
    right_name, _, right_value = option.partition(":")
    value_is_like = _is_like(value, right_value) or _is_like(value, right_value.rpartition("/")[2])
    return _is_like(name, right_name) and value_is_like


def _is_like(typed: str, right: str) -> bool:
    typed, right = typed.casefold(), right.casefold()
    begins = len(typed) >= MIN_BEGINNING and right.startswith(typed)  # day for daily
    return typed == right or begins or SequenceMatcher(None, typed, right).ratio() >= MIN_SIMILARITY

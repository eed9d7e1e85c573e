"""Guesses the meaning of a line that doesn't begin with a command's name, as a hint for the person. Pure."""

import re
from collections.abc import Iterable
from difflib import get_close_matches
from itertools import chain

from bot.commands.clarification import meant_by_unknown, with_rest, without_preposition
from bot.commands.other_names import other_name, setting_named
from bot.commands.setting_specs import SETTING_SPECS
from bot.commands.table import find, shown
from bot.domain.errors import UserError
from bot.text.identity import paper_id

MIN_NAME_SIMILARITY = 0.75
"""Minimum similarity of a name to the suggestion, 0 to 1: `zonne` and `zone` have 0.89, `colour` and `hour` 0.6."""
MIN_GLUED_NAME, MIN_GLUED_WORD = 4, 3
"""Minimum number of letters of a command's name, and of the word that is stuck to it."""

_ANSWERS = frozenset(
    {
        "yes",
        "no",
        "confirm",
        "ok",
        "okay",
        "sure",
        "undo",
        "oops",
        "nevermind",
        "ja",
        "nein",
        "oui",
        "sí",
        "はい",
    }
)
"""Words that answer a question or take something back: Paperboy has buttons for both."""
_PLEASE = frozenset({"", "please", "bitte", "it", "that"})
_GLUE = re.compile(r"[:;,.=!/-]+")


def unknown(name: str, rest: str) -> UserError:
    """Return the error for a line that begins with `name`; its hint is the line that was probably meant."""
    if name.casefold() in _ANSWERS and rest.casefold() in _PLEASE:
        return UserError(
            "There is no question to answer here. Use the buttons below a message.", hint="/paper help"
        )
    near = get_close_matches(name.casefold(), _names(), n=1, cutoff=MIN_NAME_SIMILARITY)
    glued = _unglued(name, near)
    if glued:
        return UserError(
            f"Unknown command “{name}”. Did you mean “{glued[0]}”?",
            hint=f"/paper {' '.join((*glued, rest)).strip()}",
        )
    head, _, tail = name.partition(":")
    if tail and other_name(head):  # 検索:拡散
        name, rest = head, f"{tail} {rest}".strip()
    foreign = other_name(name)
    meant = foreign or (near[0] if near else "")
    if (spec := find(meant) if meant else None) is not None:
        if name.casefold() == "preset" and rest:
            return UserError("A preset is part of a subscription.", hint=f"/paper subscribe preset:{rest}")
        subject = without_preposition(rest) if foreign else rest
        return UserError(
            f"Unknown command “{name}”. Did you mean “{spec.name}”?",
            hint=f"/paper {with_rest(spec, subject)}",
        )
    if not rest and paper_id(name):
        return UserError("To see a paper, search for it.", hint=f"/paper search {name}")
    return _setting(name, rest) or UserError(
        f"Unknown command “{name}”.", hint=meant_by_unknown(name, rest) or "/paper help"
    )


def _setting(name: str, rest: str) -> UserError | None:
    """Return the error for a setting that was typed as a command: `hour 9`, `limit 5 per day`."""
    setting = setting_named(name.strip(":=").casefold())
    if setting is None:
        return None
    spec = next(one for one in SETTING_SPECS if one.name == setting)
    value = next(iter(rest.strip(":= ").split()), spec.example)
    try:
        spec.read(value)
    except UserError:  # `digest weekly` is another setting's value
        owner = next(
            (one for one in SETTING_SPECS if value.casefold() in {c.value for c in one.choices}), None
        )
        setting, value = (owner.name, value) if owner else (setting, spec.example)
    return UserError(f"“{name}” is a setting, not a command.", hint=f"/paper settings {setting}:{value}")


def _unglued(name: str, near: list[str]) -> tuple[str, str] | None:
    """Split a command from what is stuck to it: `search:diffusion`, `unsubscribe#3`, `subscribediffusion`."""
    bare = name.lstrip("/!.")
    for known in sorted(_names(), key=len, reverse=True):
        if not bare.casefold().startswith(known) or len(bare) == len(known):
            continue
        remainder = bare[len(known) :]
        subject = _GLUE.sub("", remainder, count=1) if _GLUE.match(remainder) else remainder
        if not any(map(str.isalnum, subject)) or find(subject) is not None:
            continue  # `subscribe;list` is two commands
        is_mistyped = bool(near) and near[0] != known
        long_enough = len(known) >= MIN_GLUED_NAME and len(remainder) >= MIN_GLUED_WORD
        by_letters = long_enough and not is_mistyped and remainder.casefold() != "ing"
        is_glued = by_letters or not remainder[0].isalnum()
        spec = find(known)
        takes = spec is not None and (spec.free is not None or ":" in subject)
        return (spec.name, subject) if is_glued and takes and spec is not None else None
    return None


def _names() -> Iterable[str]:
    return chain.from_iterable((spec.name, *spec.aliases) for spec in shown())

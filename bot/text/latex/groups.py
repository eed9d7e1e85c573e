"""Braces: where a group ends, and whether its author wrote the braces to be seen."""

import re

_BRACE = re.compile(r"\\.|[{}]", re.DOTALL)
_SET = re.compile(r"(?!(?:i\.?e|e\.?g)\.|\d{1,3}(?:,\d{3})+$) ?[\w.+/-]{1,20}+(?:, ?[\w.+/…-]{1,20}+)++ ?")
"""`-1, 0, 1`, but not `10,000` nor `i.e., this`."""
_PLACEHOLDER = re.compile(r"[A-Za-z_ ]{1,30}")
_NAME = re.compile(r"[\w+-]{1,60}")


def ends_of_groups(text: str) -> dict[int, int]:
    """The place of each opening brace that is closed -> the place of the brace that closes it."""
    ends: dict[int, int] = {}
    opened: list[int] = []
    for found in _BRACE.finditer(text):
        if found[0] == "{":
            opened.append(found.start())
        elif found[0] == "}" and opened:
            ends[opened.pop()] = found.start()
    return ends


def is_visible(content: str, before: str, after: str, *, in_latex: bool) -> bool:
    """Whether a group in running text is a set or a placeholder: `{0, 1}`, `a photo of a {class}`."""
    if before.isalnum() or before in ("}", "^", "_") or after.isalnum() or after == "{":
        return False
    if _SET.fullmatch(content):
        return True
    if in_latex or not content.strip():
        return False
    if _NAME.fullmatch(content) and not content.islower():
        return False  # braces that keep the capitals of a title
    return _PLACEHOLDER.fullmatch(content) is not None

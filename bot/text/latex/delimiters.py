"""Braces and dollars: where groups and formulas begin and end, and which ones are part of the visible text."""

import re
from typing import Literal

_BRACE = re.compile(r"\\.|[{}]", re.DOTALL)
_SET = re.compile(r"(?!(?:i\.?e|e\.?g)\.|\d{1,3}(?:,\d{3})+$) ?[\w.+/-]{1,20}+(?:, ?[\w.+/…-]{1,20}+)++ ?")
"""`-1, 0, 1`, but neither `10,000` nor `i.e., this`."""
_PLACEHOLDER = re.compile(r"[A-Za-z_ ]{1,30}")
_NAME = re.compile(r"[\w+-]{1,60}")


def ends_of_groups(text: str) -> dict[int, int]:
    """Return the position of each opening brace that is closed -> the position of its closing brace."""
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


Role = Literal["open", "close", "nothing", "money"]

_DOLLAR = re.compile(r"\\.|\$", re.DOTALL)
_MARKUP = re.compile(r"[\\^_{}]")
_LETTERS = re.compile(r"[^\W\d_]{3}")
_CURRENCY = re.compile(r"\b(?:US|CA|AU|A|C|NZ|HK|R|S)\Z")
_BEFORE_AMOUNT = re.compile(r"[0-9]\Z|" + _CURRENCY.pattern)


def roles(text: str) -> dict[int, Role]:
    """Return the role of each unescaped `$` by its position. Two prices in one sentence aren't a formula."""
    places = [dollar.start() for dollar in _DOLLAR.finditer(text) if dollar[0] == "$"]
    found: dict[int, Role] = {}
    at = 0
    while at < len(places):
        place = places[at]
        if places[at + 1 : at + 2] == [place + 1]:
            at += _display(places, at, found)
        elif at + 1 < len(places) and _is_formula(text, place, places[at + 1]):
            found[place], found[places[at + 1]] = "open", "close"
            at += 2
        else:
            found[place] = "money" if _is_money(text, place) else "nothing"
            at += 1
    return found


def _display(places: list[int], at: int, found: dict[int, Role]) -> int:
    """Assign roles to two dollars in a row: the start of a displayed formula, or an empty one. -> dollars assigned"""
    first, second, *others = places[at : at + 4]
    found[first] = found[second] = "nothing"
    if len(others) == 2 and others[1] == others[0] + 1:
        found[second], found[others[0]], found[others[1]] = "open", "close", "nothing"
        return 4
    return 2


def _is_formula(text: str, begin: int, end: int) -> bool:
    content, after = text[begin + 1 : end], text[end + 1 : end + 2]
    amount = content.lstrip()[:1].isdigit()
    if amount and not content.isdigit() and _CURRENCY.search(text, max(0, begin - 3), begin):
        return False
    if amount and after.isdigit() and (" " in content or not content[-1:].isalnum()):
        return False
    if _MARKUP.search(content) or not any(map(str.isalnum, content)):
        return True
    if content == content.strip():
        return True
    return not _LETTERS.search(content) and not (amount and re.search(r"[^\W\d_]", content))


def _is_money(text: str, place: int) -> bool:
    """Whether a dollar without a partner is money: next to a number, after a currency's letters, or alone."""
    before, after = text[max(0, place - 3) : place], text[place + 1 : place + 3]
    if after.lstrip()[:1].isdigit() or _BEFORE_AMOUNT.search(before):
        return True
    return (not before or not before[-1].isalnum()) and (
        not after or not (after[0].isalnum() or after[0] == "\\")
    )

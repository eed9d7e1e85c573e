"""Titles and abstracts as upstreams send them, made into one line of plain text."""

import re

from bot.text.markup import unescaped, without_formatting, without_tags

_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f"
    "\ufeff\ufff9-\ufffb\ufffe\uffff\ud800-\udfff\U000e0000-\U000e0fff]"
)
"""Controls, bidirectional overrides, zero-width marks, tags, half surrogates. Joiners stay: emoji need them."""
_TIE = re.compile(r"((?:https?://|www\.)\S++)|(?<=[A-Za-z.)])~(?=[A-Za-z0-9(])|(?<=\d)~(?=[A-Za-z(])")
"""LaTeX's tie between words, `Fig.~3`, also where there is no other LaTeX; between numbers it is a range."""


def clean(raw: str) -> str:
    """One line of plain text: LaTeX spelled in Unicode, entities resolved, nothing invisible. Never raises."""
    text = " ".join(_INVISIBLE.sub("", unescaped(raw)).split())
    if "<" in text:
        text = without_formatting(text)
    if "\\" in text or "$" in text or "{" in text or "}" in text:
        # Most papers have no LaTeX, and a process that meets none should not pay for the tables.
        from bot.text.latex import spelled  # noqa: PLC0415

        text = _INVISIBLE.sub("", spelled(text))
    if "~" in text:
        text = _TIE.sub(lambda tie: tie[1] or " ", text)
    return " ".join(text.split())


def clean_html(page: str) -> str:
    """The same for a piece of HTML: what its reader sees. Never raises."""
    return clean(without_tags(page))

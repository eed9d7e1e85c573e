"""Whatever an upstream calls a title or an abstract, made into one line of plain text."""

import html
import re

_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f"
    "\ufeff\ufff9-\ufffb\ufffe\uffff\ud800-\udfff\U000e0000-\U000e0fff]"
)
"""Controls, bidirectional overrides, zero-width marks, tags, half surrogates. Joiners stay: emoji need them."""

_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_BREAK_TAG = re.compile(r"</?(?:p|br|div|li|ul|ol|jats:p|jats:title|jats:sec)\s*/?>", re.IGNORECASE)
_STYLE_TAG = re.compile(r"</?(?:i|b|u|em|strong|sub|sup|span|jats:\w{1,20})\s*/?>", re.IGNORECASE)


def clean(raw: str) -> str:
    """One line of plain text: LaTeX spelled in Unicode, entities resolved, nothing invisible. Never raises."""
    text = raw
    if "&" in text:
        text = _ENTITY.sub(lambda entity: html.unescape(entity[0]), text)
    text = _INVISIBLE.sub("", text)
    if "<" in text:
        text = _STYLE_TAG.sub("", _BREAK_TAG.sub(" ", text))
    if "\\" in text or "$" in text:
        # Most papers have no LaTeX, and a process that meets none should not pay for the parser.
        from bot.text.latex import spelled  # noqa: PLC0415

        text = _INVISIBLE.sub("", spelled(text))
    return " ".join(text.split())

"""Undoes Slack's changes to a typed line: links and names in angle brackets, escapes, a mention of the bot."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from bot.text.mentions import MAX_TEXT

_TEXT_FIELDS = frozenset({"text", "url", "from_url", "original_url", "title_link"})
"""Fields of a message, its blocks and its attachments that hold text or addresses."""
_MARK = re.compile(r"<([^<>]*)>")
"""A link or a name: `<https://arxiv.org|arxiv.org>`, `<@U123|ada>`, `<#C123|papers>`, `<!here>`."""
_TO_THE_BOT = re.compile(r"(?:^@paperboy(?=\s|$))|(?:(?<=\s)@paperboy$)", re.IGNORECASE)


def as_typed(text: str, bot_user: str, longest: int) -> str:
    """Return the line as a person typed it, without a mention of the bot before or after it.

    A line of more than `longest` characters is returned as it is: it will be refused.
    """
    if len(text) > longest:
        return text
    plain = _MARK.sub(lambda mark: _plain(mark[1], bot_user), text)
    plain = plain.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    return _TO_THE_BOT.sub("", plain.strip()).strip()


def _plain(mark: str, bot_user: str) -> str:
    target, _, label = mark.partition("|")
    if bot_user and target == f"@{bot_user}":
        return ""
    if target.startswith(("@", "#", "!")):
        return label
    scheme, colon, address = target.partition(":")
    if not colon:
        return f"<{mark}>"
    # Slack makes links of addresses that were typed without a scheme: `cs.CL` arrives as `<http://cs.CL|cs.CL>`.
    typed = label and label == (address.removeprefix("//") if scheme in {"http", "https"} else address)
    return label if typed else target


def text_of(message: Mapping[str, Any]) -> str:
    """Return the text of a message, its blocks and its attachments, with the addresses of their links."""
    texts = [as_typed(part, "", MAX_TEXT) for part in _strings(message, _TEXT_FIELDS)]
    return " ".join(texts)[:MAX_TEXT]


def _strings(value: Any, names: frozenset[str]) -> Iterator[str]:
    """Yield the texts of these fields, nested ones too, in the order of the message."""
    if isinstance(value, list):
        for part in value:
            yield from _strings(part, names)
    elif isinstance(value, Mapping):
        for name, part in value.items():
            if isinstance(part, str) and name in names:
                yield part
            elif isinstance(part, list | Mapping):
                yield from _strings(part, names)

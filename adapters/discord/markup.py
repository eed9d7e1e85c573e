"""Text as Discord's Markdown, in which nothing that a paper or a person wrote is markup.

discord.py's `escape_markdown` doesn't escape links and `<…>`, and its `escape_mentions` misses `<#…>`.
"""

import re

from bot.cards import Span, Text
from bot.cards.sanitize import link, visible
from bot.text import shorten

_SPECIAL = re.compile(r"([\\*_~`|<>\[\]])")
_AT_LINE_START = re.compile(r"^([^\S\n]*+)([#>+-]|\d++(?=\.))", re.MULTILINE)
_AUTOLINK = re.compile(r"(https?|discord)(?=:/)", re.IGNORECASE)
_MENTION = re.compile("@(?=everyone|here)", re.IGNORECASE)
_BREAK = "\u200b"
"""Zero-width space: it breaks up a mention or a link invisibly."""
_BACKTICK = "\u02cb"
"""Looks like a backtick, but doesn't end code."""


def escape(text: str) -> str:
    """Escape `text`, so that Discord shows it as it is: without mentions, links, headings, lists or emphasis."""
    text = _SPECIAL.sub(r"\\\1", visible(text))
    text = _AT_LINE_START.sub(lambda m: f"{m[1]}\\{m[2]}" if not m[2].isdigit() else f"{m[0]}\\", text)
    return _MENTION.sub("@" + _BREAK, _AUTOLINK.sub(r"\1" + _BREAK, text))


def fitted(text: str, most: int) -> str:
    """Escape `text`, shortened first so that the result has at most `most` characters."""
    room = most
    while width(escaped := escape(shorten(visible(text), room))) > most:
        room -= max(1, (width(escaped) - most) // 2)
    return escaped


def width(text: str) -> int:
    """Return the number of UTF-16 characters, as Discord's clients count them; never fewer than its servers count."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def code(text: str) -> str:
    """Format `text` as code; as a block if it has several lines."""
    text = visible(text).replace("`", _BACKTICK)
    if "\n" in text:
        return f"```\n{text}\n```"
    return f"`{text}`" if text.strip() else text


def address(url: str | None) -> str | None:
    """Return a web address, safe within a link's parentheses; None if `url` isn't one."""
    safe = link(url)
    return safe.replace("(", "%28").replace(")", "%29") if safe else None


def running(text: Text, most: int) -> str:
    """Format spans as Markdown, in at most `most` characters: the longest are shortened until all fit."""
    room = most
    while width(markdown := _line([(span, shorten(span.text, room)) for span in text])) > most and room > 8:
        room = room * 3 // 4
    return markdown if width(markdown) <= most else fitted("".join(span.text for span in text), most)


def _line(spans: list[tuple[Span, str]]) -> str:
    dim = any(span.style == "dim" for span, _ in spans)
    small = dim and all(span.style in {"dim", "code"} for span, _ in spans)
    line = "".join(_span(span, text) for span, text in spans)
    return f"-# {line}" if small and "\n" not in line else line


def _span(span: Span, text: str) -> str:
    match span.style:
        case "code":
            markdown = code(text)
        case "bold":
            markdown = _surrounded(text, "**")
        case "italic":
            markdown = _surrounded(text, "*")
        case _:
            markdown = escape(text)
    url = address(span.url)
    return f"{markdown} ([open](<{url}>))" if url else markdown


def _surrounded(text: str, mark: str) -> str:
    """Put text between marks. Marks next to a space have no effect, so outer spaces stay outside."""
    inner = text.strip()
    before, _, after = text.partition(inner) if inner else (text, "", "")
    return f"{before}{mark}{escape(inner)}{mark}{after}" if inner else text

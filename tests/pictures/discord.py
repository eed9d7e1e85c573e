"""Render a Discord message's payload as Discord shows it, closely enough to judge whether a card reads well."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from markupsafe import Markup, escape

_ESCAPED = re.compile(r"\\([^\w\s])")
_INLINE = (
    (re.compile(r"\[([^\]\n]+)\]\(&lt;(https?:[^&\s]+)&gt;\)"), r'<a href="\2">\1</a>'),
    (re.compile(r"\*\*(.+?)\*\*"), r"<b>\1</b>"),
    (re.compile(r"\*(.+?)\*"), r"<i>\1</i>"),
)


def body(payload: Mapping[str, Any]) -> Markup:
    """Return the HTML of the message's content."""
    return Markup("").join(map(_component, payload["components"]))


def _component(part: Mapping[str, Any]) -> Markup:
    match part["type"]:
        case 17:
            return Markup('<div class="container">{}</div>').format(_all(part["components"]))
        case 10:
            return markdown(part["content"])
        case 9:
            picture = Markup('<div class="picture">picture</div>')
            return Markup('<div class="accessory"><div>{}</div>{}</div>').format(
                _all(part["components"]), picture
            )
        case 1:
            return Markup('<div class="row">{}</div>').format(_all(part["components"]))
        case 14:
            return Markup("<hr>")
        case 2 | 3:
            return _button(part)
        case other:
            raise ValueError(f"can't render a component of type {other}")


def _button(part: Mapping[str, Any]) -> Markup:
    if part["type"] == 3:
        return Markup('<span class="menu">{}<span>⌄</span></span>').format(part["placeholder"])
    kind = "button primary" if part["style"] == 1 else "button"
    arrow = " ↗" if "url" in part else ""
    return Markup('<span class="{}">{}{}</span>').format(kind, part["label"], arrow)


def _all(parts: Iterable[Mapping[str, Any]]) -> Markup:
    return Markup("").join(map(_component, parts))


def markdown(text: str) -> Markup:
    """Render the parts of Discord's Markdown that cards use."""
    shown: list[Markup] = []
    for block in re.split(r"(```.*?```)", text, flags=re.DOTALL):
        if block.startswith("```"):
            shown.append(Markup("<pre>{}</pre>").format(block.strip("`").strip("\n")))
        else:
            shown += _lines(block)
    return Markup("").join(shown)


def _lines(text: str) -> Iterable[Markup]:
    items: list[Markup] = []
    for line in [*text.strip("\n").split("\n"), ""]:
        if line.startswith("- "):
            items.append(Markup("<li>{}</li>").format(_inline(line[2:])))
            continue
        if items:
            yield Markup("<ul>{}</ul>").format(Markup("").join(items))
            items = []
        if line.startswith("### "):
            yield Markup("<h3>{}</h3>").format(_inline(line[4:]))
        elif line.startswith("-# "):
            yield Markup('<div class="subtext">{}</div>').format(_inline(line[3:]))
        elif line:
            yield Markup("<p>{}</p>").format(_inline(line))


def _inline(text: str) -> Markup:
    """Render inline markup. Escaped characters are extracted first, then code, so that they aren't read as markup."""
    escaped: list[str] = []

    def keep(html: str) -> str:
        escaped.append(html)
        return f"\x00{len(escaped) - 1}\x00"

    text = re.sub(r"(?<!\\)`([^`]+)`", lambda m: keep(f"<code>{escape(m[1])}</code>"), text)
    text = _ESCAPED.sub(lambda m: keep(str(escape(m[1]))), text)
    html = str(escape(text))
    for pattern, shown in _INLINE:
        html = pattern.sub(shown, html)
    while "\x00" in html:
        html = re.sub(r"\x00(\d+)\x00", lambda m: escaped[int(m[1])], html)
    return Markup(html)  # noqa: S704  # every part of it was escaped above

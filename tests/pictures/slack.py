"""Render a Slack message's blocks as Slack shows them, closely enough to judge whether a card reads well."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from markupsafe import Markup

_STYLES = {"bold": "b", "italic": "i", "code": "code", "strike": "s"}


def body(payload: Mapping[str, Any]) -> Markup:
    """Return the HTML of the message's content."""
    return Markup("").join(map(_block, payload["blocks"]))


def _block(block: Mapping[str, Any]) -> Markup:
    return _LOOKS[block["type"]](block)


def _section(block: Mapping[str, Any]) -> Markup:
    text = Markup("<p>{}</p>").format(_text(block["text"]["text"]))
    if "accessory" not in block:
        return text
    return Markup('<div class="accessory"><div>{}</div><div class="picture">picture</div></div>').format(text)


def _rich(element: Mapping[str, Any]) -> Markup:
    match element["type"]:
        case "rich_text_section":
            return Markup("<p>{}</p>").format(_runs(element))
        case "rich_text_preformatted":
            return Markup("<pre>{}</pre>").format(_runs(element))
        case "rich_text_list":
            items = _join(Markup("<li>{}</li>").format(_runs(item)) for item in element["elements"])
            return Markup("<ul>{}</ul>").format(items)
        case other:
            raise ValueError(f"can't render a rich text of type {other}")


def _runs(element: Mapping[str, Any]) -> Markup:
    return _join(map(_run, element["elements"]))


def _run(run: Mapping[str, Any]) -> Markup:
    if run["type"] not in {"text", "link"}:
        return Markup("<b>@{}</b>").format(run["type"])
    html = _text(run.get("text") or run.get("url", ""))
    for style, tag in _STYLES.items():
        if run.get("style", {}).get(style):
            html = Markup("<{0}>{1}</{0}>").format(tag, html)
    return Markup('<a href="{}">{}</a>').format(run["url"], html) if run["type"] == "link" else html


def _button(element: Mapping[str, Any]) -> Markup:
    if element["type"] == "overflow":
        return Markup('<span class="button">⋯</span>')
    kind = "button primary" if element.get("style") == "primary" else "button"
    return Markup('<span class="{}">{}</span>').format(kind, element["text"]["text"])


def _text(text: str) -> Markup:
    return Markup("<br>").join(text.split("\n"))


def _join(parts: Iterable[Markup | str]) -> Markup:
    return Markup("").join(parts)


_LOOKS: Mapping[str, Callable[[Mapping[str, Any]], Markup]] = {
    "header": lambda block: Markup("<h3>{}</h3>").format(block["text"]["text"]),
    "section": _section,
    "context": lambda block: Markup('<div class="subtext">{}</div>').format(
        _join(element.get("text", "") for element in block["elements"])
    ),
    "divider": lambda _block: Markup("<hr>"),
    "actions": lambda block: Markup('<div class="row">{}</div>').format(
        _join(map(_button, block["elements"]))
    ),
    "rich_text": lambda block: _join(map(_rich, block["elements"])),
}

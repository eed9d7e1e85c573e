"""Builders of Block Kit objects. All text is literal: none of it is read as markup.

Slack's markup can escape only `&`, `<` and `>`. So text goes into plain text and rich text objects, where `*` and `_`
mean nothing; nor does `:smile:`, as `emoji` is off.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from adapters.slack import limits
from bot.cards import Button, Span
from bot.cards.sanitize import link, visible
from bot.text import shorten

Json = dict[str, Any]


def escaped(text: str) -> str:
    """Escape `text` for a message's top-level text, the one place with markup. Truncate before escaping, not after."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def plain_text(text: str, limit: int = limits.PLAIN_TEXT) -> Json:
    return {"type": "plain_text", "text": shorten(visible(text), limit) or " ", "emoji": False}


def header(text: str) -> Json:
    return {"type": "header", "text": plain_text(text, limits.HEADER)}


def section(text: str, image_url: str | None = None, alt: str = "") -> Json:
    """Build a paragraph, with a picture next to it if `image_url` is set."""
    block: Json = {"type": "section", "text": plain_text(text)}
    if image_url:
        block["accessory"] = image(image_url, alt)
    return block


def image(url: str, alt: str) -> Json:
    """Build a picture."""
    return {
        "type": "image",
        "image_url": url,
        "alt_text": shorten(visible(alt), limits.ALT_TEXT) or "picture",
    }


def context(text: str) -> Json:
    """Build a small grey line."""
    return {"type": "context", "elements": [plain_text(text)]}


def rich_text(*elements: Json) -> Json:
    return {"type": "rich_text", "elements": list(elements)}


def line(spans: Iterable[Span]) -> Json:
    """Build a run of text for `rich_text` or `bullets`."""
    return {"type": "rich_text_section", "elements": _runs(spans)}


def preformatted(text: str) -> Json:
    return {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": visible(text) or " "}]}


def bullets(lines: Iterable[Json]) -> Json:
    return {"type": "rich_text_list", "style": "bullet", "elements": list(lines)}


def _runs(spans: Iterable[Span]) -> list[Json]:
    runs = [_run(span) for span in spans if visible(span.text)]
    return runs or [{"type": "text", "text": " "}]


def _run(span: Span) -> Json:
    url = link(span.url)
    run: Json = {"type": "link", "url": url} if url else {"type": "text"}
    run["text"] = visible(span.text)
    if span.style in {"bold", "italic", "code"}:
        run["style"] = {span.style: True}
    return run


def buttons(first: Iterable[Button], more: Sequence[Button] = ()) -> list[Json]:
    """Build a row of buttons, with `more` in a menu. Empty if Slack can show none of them."""
    shown = [button for button in first if _fits(button, limits.BUTTON_VALUE)][: limits.ACTIONS - 1]
    unique = {
        button.command: button for button in more if button.url is None and _fits(button, limits.OPTION_VALUE)
    }
    hidden = list(unique.values())[: limits.OVERFLOW]
    if len(hidden) == 1:
        shown, hidden = [*shown, *hidden], []
    elements = [_button(number, button) for number, button in enumerate(shown)]
    if hidden:
        options = [
            {"text": plain_text(button.label, limits.OPTION), "value": button.command} for button in hidden
        ]
        elements.append({"type": "overflow", "action_id": "more", "options": options})
    return [{"type": "actions", "elements": elements}] if elements else []


def _fits(button: Button, longest: int) -> bool:
    return bool(link(button.url)) if button.url is not None else 0 < len(button.command) <= longest


def _button(number: int, button: Button) -> Json:
    element: Json = {"type": "button", "text": plain_text(button.label, limits.BUTTON)}
    if button.url is not None:
        return element | {"action_id": f"open.{number}", "url": link(button.url)}
    return element | {"action_id": f"run.{number}", "value": button.command}

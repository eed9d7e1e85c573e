"""Checks of Block Kit, with Slack's error codes. Stricter than slack_sdk's models."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

Json = Mapping[str, Any]

MESSAGE = 13_200
SURFACES = {"message": 50, "modal": 100, "home": 100}
STYLES = {"bold", "italic", "strike", "code", "underline"}
RANGES = {"here", "channel", "everyone"}


class Refused(Exception):
    """A refusal, with its place, its reason and Slack's code."""

    def __init__(self, where: str, why: str, code: str = "invalid_blocks") -> None:
        super().__init__(f"{code}: {where}: {why}")
        self.code = code


def check(blocks: Any, surface: str) -> None:
    """Raise Refused if Slack would not show these blocks in a `message`, `modal` or `home`."""
    _need(isinstance(blocks, list), "blocks", "must be a list")
    _need(len(blocks) <= SURFACES[surface], "blocks", f"no more than {SURFACES[surface]} items allowed")
    ids = [block.get("block_id") for block in blocks if block.get("block_id")]
    _need(len(ids) == len(set(ids)), "blocks", "duplicate block_id")
    for number, block in enumerate(blocks):
        _block(block, surface, f"blocks/{number}")
    if surface == "message" and size(blocks) > MESSAGE:
        raise Refused("blocks", f"{size(blocks)} characters", "msg_blocks_too_long")


def size(value: Any) -> int:
    """Return the number of characters of all text."""
    if isinstance(value, Mapping):
        return sum(size(part) for name, part in value.items() if name not in {"type", "action_id"})
    if isinstance(value, list):
        return sum(map(size, value))
    return len(value) if isinstance(value, str) else 0


def _need(condition: object, where: str, why: str) -> None:
    if not condition:
        raise Refused(where, why)


def _block(block: Any, surface: str, where: str) -> None:
    _need(isinstance(block, Mapping), where, "must be an object")
    kind = block.get("type")
    _need(kind in BLOCKS, where, f"unsupported type: {kind}")
    _need(kind != "input" or surface != "message", where, "input blocks are not allowed in messages")
    known = BLOCKS[str(kind)][1] | {"type", "block_id"}
    _need(set(block) <= known, where, f"unknown fields {sorted(set(block) - known)}")
    _need(1 <= len(block.get("block_id", "x")) <= 255, where, "block_id")
    BLOCKS[str(kind)][0](block, where)


def _header(block: Json, where: str) -> None:
    _text(block.get("text"), 150, where, plain=True)


def _section(block: Json, where: str) -> None:
    _need("text" in block or block.get("fields"), where, "needs text or fields")
    if "text" in block:
        _text(block["text"], 3000, where)
    _need(len(block.get("fields", ())) <= 10, where, "fields")
    for field in block.get("fields", ()):
        _text(field, 2000, where)
    if "accessory" in block:
        _element(block["accessory"], where + "/accessory", {"image", "button", "overflow", "static_select"})


def _context(block: Json, where: str) -> None:
    elements = block.get("elements")
    _need(isinstance(elements, list) and 1 <= len(elements) <= 10, where, "1 to 10 elements")
    for element in elements or ():
        if element.get("type") == "image":
            _image(element, where)
        else:
            _text(element, 3000, where)


def _actions(block: Json, where: str) -> None:
    elements = block.get("elements")
    _need(isinstance(elements, list) and 1 <= len(elements) <= 25, where, "1 to 25 elements")
    ids = [element.get("action_id") for element in elements or ()]
    _need(len(ids) == len(set(ids)), where, "duplicate action_id")
    for element in elements or ():
        _element(element, where, {"button", "overflow", "static_select"})


def _input(block: Json, where: str) -> None:
    _text(block.get("label"), 2000, where, plain=True)
    if "hint" in block:
        _text(block["hint"], 2000, where, plain=True)
    _element(block.get("element"), where, {"static_select", "plain_text_input"})


def _divider(_block: Json, _where: str) -> None:
    """A divider has no content."""


def _rich_text(block: Json, where: str) -> None:
    elements = block.get("elements")
    _need(isinstance(elements, list) and elements, where, "needs elements")
    for element in elements or ():
        _rich(element, where)


def _rich(element: Json, where: str) -> None:
    kind = element.get("type")
    parts = element.get("elements")
    _need(isinstance(parts, list) and parts, where, f"{kind} needs elements")
    if kind == "rich_text_list":
        _need(element.get("style") in {"bullet", "ordered"}, where, "style")
        for part in parts or ():
            _need(part.get("type") == "rich_text_section", where, "a list holds sections")
            _rich(part, where)
        return
    _need(kind in {"rich_text_section", "rich_text_preformatted", "rich_text_quote"}, where, f"type {kind}")
    for part in parts or ():
        _run(part, where)


def _run(part: Json, where: str) -> None:
    kind = part.get("type")
    _need(set(part.get("style", ())) <= STYLES, where, "style")
    if kind == "text":
        _need(isinstance(part.get("text"), str) and part["text"], where, "must be more than 0 characters")
    elif kind == "link":
        _url(part.get("url"), 3000, where)
        _need(part.get("text", "x"), where, "a link's text is empty")
    elif kind == "user":
        _need(str(part.get("user_id", ""))[:1] in {"U", "W"}, where, "user_id")
    elif kind == "usergroup":
        _need(str(part.get("usergroup_id", "")).startswith("S"), where, "usergroup_id")
    elif kind == "channel":
        _need(str(part.get("channel_id", ""))[:1] in {"C", "G", "D"}, where, "channel_id")
    else:
        _need(kind == "broadcast" and part.get("range") in RANGES, where, f"type {kind}")


def _text(text: Any, limit: int, where: str, *, plain: bool = False) -> None:
    _need(isinstance(text, Mapping), where, "needs a text object")
    kinds = {"plain_text"} if plain else {"plain_text", "mrkdwn"}
    _need(text.get("type") in kinds, where, f"text type {text.get('type')}")
    value = text.get("text")
    _need(isinstance(value, str) and value, where, "must be more than 0 characters")
    _need(len(value or "") <= limit, where, f"must be less than {limit + 1} characters")
    _need("emoji" not in text or text["type"] == "plain_text", where, "emoji is for plain_text")


def _element(element: Any, where: str, allowed: Iterable[str]) -> None:
    _need(isinstance(element, Mapping) and element.get("type") in set(allowed), where, "unsupported element")
    kind = element["type"]
    if kind == "image":
        _image(element, where)
        return
    _need(1 <= len(element.get("action_id", "x")) <= 255, where, "action_id")
    ELEMENTS[kind](element, where)


def _button(element: Json, where: str) -> None:
    _text(element.get("text"), 75, where, plain=True)
    _need(1 <= len(element.get("value", "x")) <= 2000, where, "value")
    if "url" in element:
        _url(element["url"], 3000, where)


def _overflow(element: Json, where: str) -> None:
    _options(element.get("options"), 5, where)


def _select(element: Json, where: str) -> None:
    _options(element.get("options"), 100, where)
    initial = element.get("initial_option")
    _need(initial is None or initial in element["options"], where, "initial_option isn't one of the options")
    if "placeholder" in element:
        _text(element["placeholder"], 150, where, plain=True)


def _entry(element: Json, where: str) -> None:
    longest = element.get("max_length", 3000)
    _need(1 <= longest <= 3000, where, "max_length")
    _need(len(element.get("initial_value", "")) <= longest, where, "initial_value")


def _options(options: Any, limit: int, where: str) -> None:
    _need(isinstance(options, list) and 1 <= len(options) <= limit, where, f"1 to {limit} options")
    for option in options:
        _text(option.get("text"), 75, where, plain=True)
        _need(1 <= len(option.get("value", "")) <= 150, where, "option value")
    values = [option["value"] for option in options]
    _need(len(values) == len(set(values)), where, "duplicate option values")


def _image(element: Json, where: str) -> None:
    _url(element.get("image_url"), 3000, where)
    _need(1 <= len(element.get("alt_text") or "") <= 2000, where, "alt_text")


def _url(url: Any, limit: int, where: str) -> None:
    _need(isinstance(url, str) and 0 < len(url) <= limit, where, "url")
    parts = urlsplit(url)
    _need(parts.scheme in {"http", "https"} and parts.hostname, where, f"invalid url {url}")
    _need(not any(c.isspace() for c in url), where, f"invalid url {url}")


BLOCKS: dict[str, tuple[Callable[[Json, str], None], set[str]]] = {
    "header": (_header, {"text"}),
    "section": (_section, {"text", "fields", "accessory", "expand"}),
    "image": (_image, {"image_url", "alt_text"}),
    "context": (_context, {"elements"}),
    "actions": (_actions, {"elements"}),
    "divider": (_divider, set()),
    "rich_text": (_rich_text, {"elements"}),
    "input": (_input, {"label", "hint", "element", "optional", "dispatch_action"}),
}
ELEMENTS: dict[str, Callable[[Json, str], None]] = {
    "button": _button,
    "overflow": _overflow,
    "static_select": _select,
    "plain_text_input": _entry,
}

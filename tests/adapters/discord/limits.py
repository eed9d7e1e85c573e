"""Checks of a message's payload against Discord's limits, and for markup from a paper's text."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

import discord
from discord.http import handle_message_parameters

from adapters.discord.rendering import embed_message, layout
from bot.cards import Card

BUTTON, SELECT, TEXT, SECTION, THUMBNAIL, ROW, CONTAINER, SEPARATOR = 2, 3, 10, 9, 11, 1, 17, 14
GALLERY = 12
INERT = re.compile(r"\\[^\w\s]|```.*?```|`[^`\n]*`", re.DOTALL)
"""Escaped characters and code. In code, a backslash escapes nothing."""
OUR_LINK = re.compile(r"\[(?:[^\\\[\]]|\\.)+\]\(<https?://[^\s<>()]+>\)")


def v2_body(card: Card, mark: str = "") -> dict[str, Any]:
    """Return the body of a request that posts the card as a layout."""
    return _body(view=layout(card, mark))


def embed_body(card: Card, mark: str = "") -> dict[str, Any]:
    """Return the body of a request that posts the card as an embed."""
    form = embed_message(card, mark)
    return _body(view=form.view, embed=form.embed)


def walk(components: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """Yield every component, including nested ones."""
    for part in components:
        yield part
        yield from walk(part.get("components", ()))
        if "accessory" in part:
            yield from walk([part["accessory"]])


def check(body: Mapping[str, Any]) -> None:
    """Fail if Discord would refuse the message or show a paper's text as markup."""
    parts = list(walk(body["components"]))
    if body.get("flags", 0) & 1 << 15:
        assert not body.get("content"), "a layout can't have content or embeds"
        assert not body.get("embeds"), "a layout can't have content or embeds"
        assert len(parts) <= 40, f"{len(parts)} components"
        texts = [part["content"] for part in parts if part["type"] == TEXT]
        assert 1 <= sum(map(utf16, texts)) <= 4000, f"{sum(map(utf16, texts))} characters"
        assert all(text.strip() for text in texts), "an empty text"
        assert [part["type"] for part in body["components"] if part["type"] not in {CONTAINER, ROW}] == []
    else:
        assert len(body["components"]) <= 5, "at most five rows"
        assert {part["type"] for part in parts} <= {ROW, BUTTON, SELECT}
        texts = list(_embed(body["embeds"]))
    for text in texts:
        check_text(text)
    ids = [part["custom_id"] for part in parts if "custom_id" in part]
    assert len(ids) == len(set(ids)), f"duplicate custom_id: {ids}"
    for part in parts:
        _part(part)


def check_text(text: str) -> None:
    """Fail if the text has any markup other than our own links."""
    bare = INERT.sub("", OUR_LINK.sub("", text))
    assert not re.search(r"<(?:[@#:/]|t:|a:|id:)", bare), text
    assert not re.search(r"@everyone|@here", bare, re.IGNORECASE), text
    assert not re.search(r"\]\(", bare), text
    assert not re.search(r"https?://", bare), text


def utf16(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def _part(part: Mapping[str, Any]) -> None:
    match part["type"]:
        case 2:
            assert 1 <= utf16(part["label"]) <= 80
            assert ("url" in part) != ("custom_id" in part)
            if "url" in part:
                assert len(part["url"]) <= 512
                assert urlsplit(part["url"]).scheme in {"http", "https"}
            else:
                assert 1 <= utf16(part["custom_id"]) <= 100
        case 3:
            _menu(part)
        case 1:
            kinds = [child["type"] for child in part["components"]]
            assert kinds == [SELECT] or (set(kinds) == {BUTTON} and len(kinds) <= 5)
        case 9:
            assert 1 <= len(part["components"]) <= 3
            assert part["accessory"]["type"] in {BUTTON, THUMBNAIL}
        case 11:
            assert urlsplit(part["media"]["url"]).scheme in {"http", "https"}
        case 12:
            assert 1 <= len(part["items"]) <= 10
            assert all(urlsplit(item["media"]["url"]).scheme == "https" for item in part["items"])
            assert all(
                1 <= utf16(item["description"]) <= 1024 for item in part["items"] if item.get("description")
            )
        case 17:
            children = {child["type"] for child in part["components"]}
            assert children <= {ROW, TEXT, SECTION, SEPARATOR, GALLERY}
        case other:
            assert other in {TEXT, SEPARATOR}


def _menu(part: Mapping[str, Any]) -> None:
    values = [option["value"] for option in part["options"]]
    assert 1 <= len(values) == len(set(values)) <= 25
    assert all(1 <= utf16(option[name]) <= 100 for option in part["options"] for name in ("label", "value"))
    assert utf16(part["placeholder"]) <= 150
    assert 1 <= utf16(part["custom_id"]) <= 100


def _embed(embeds: list[Mapping[str, Any]]) -> Iterator[str]:
    (embed,) = embeds
    title, description = embed.get("title", ""), embed.get("description", "")
    assert utf16(title) <= 256
    assert utf16(description) <= 4096
    assert utf16(title) + utf16(description) <= 6000
    assert title or description
    if "url" in embed:
        assert urlsplit(embed["url"]).scheme in {"http", "https"}
    yield from filter(None, (title, description))


def _body(**parts: Any) -> dict[str, Any]:
    with handle_message_parameters(
        **parts, previous_allowed_mentions=discord.AllowedMentions.none()
    ) as parameters:
        assert parameters.payload is not None
        return dict(parameters.payload)

"""Forms as Discord's modals. A modal has five fields, so a longer form is opened in parts, by buttons.

Nothing is stored in between. Modals and buttons carry the part's number and the command that showed the form
(`?1 settings`). When a part is submitted, that command is run again to get the other fields' current values.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import discord

from adapters.discord.buttons import MAX_ID, MAX_LABEL
from adapters.discord.layout_plan import MAX_COMPONENTS
from adapters.discord.rendering import Row, layout
from bot.cards import Card, Field, Form
from bot.cards.sanitize import plain
from bot.text import shorten

ON_A_PAGE = 5
"""Max fields of a modal. For this and the limits below, see
https://docs.discord.com/developers/components/reference."""
MAX_TITLE = 45
"""Characters of a modal's title."""
MAX_NAME = 45
"""Characters of a field's label."""
MAX_HELP = 100
"""Characters of a field's description."""
MAX_VALUE = 400
"""Characters of a text field: our own limit, more than any setting needs."""
MAX_CHOICES = 25
"""Choices of a select."""
MAX_CHOICE = 100
"""Characters of a choice."""
CUSTOM_ID = re.compile(r"\?(?P<page>\d{1,2}) (?P<line>.+)", re.DOTALL)


def pages(form: Form) -> list[tuple[Field, ...]]:
    """Return the fields, in parts that fit a modal."""
    return [form.fields[at : at + ON_A_PAGE] for at in range(0, len(form.fields), ON_A_PAGE)]


def modal(form: Form, page: int, line: str) -> discord.ui.Modal | None:
    """Build a part of the form that the command `line` shows; None if it doesn't exist. Needs a running event loop."""
    custom_id = f"?{page} {line}"
    if page >= len(pages(form)) or len(custom_id) > MAX_ID:
        return None
    view = discord.ui.Modal(title=shorten(plain(form.title), MAX_TITLE), custom_id=custom_id, timeout=None)
    for field in pages(form)[page]:
        view.add_item(_label(field))
    view.stop()  # discord.py must not store it
    return view


def chooser(card: Card, form: Form, line: str) -> discord.ui.LayoutView:
    """Render a card with a button for each part of its form."""
    view = layout(card)
    buttons = [_open(fields, page, line) for page, fields in enumerate(pages(form))][:ON_A_PAGE]
    if view.total_children_count + len(buttons) + 1 <= MAX_COMPONENTS and len(f"?9 {line}") <= MAX_ID:
        row: Row = discord.ui.ActionRow(*buttons)
        view.add_item(row)
    return view


def sent_in(components: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Return field -> value of a submitted modal."""
    submitted: dict[str, str] = {}
    for label in components:
        field = label.get("component") or {}
        if name := field.get("custom_id"):
            values = field.get("values")
            submitted[name] = str(field.get("value") or "") if values is None else "".join(values[:1])
    return submitted


def _open(fields: tuple[Field, ...], page: int, line: str) -> discord.ui.Button[discord.ui.LayoutView]:
    label = shorten(f"Change {', '.join(plain(field.label) for field in fields)}", MAX_LABEL)
    return discord.ui.Button(label=label, custom_id=f"?{page} {line}", style=discord.ButtonStyle.primary)


def _label(field: Field) -> discord.ui.Label[discord.ui.Modal]:
    return discord.ui.Label(
        text=shorten(plain(field.label), MAX_NAME),
        description=shorten(plain(field.help), MAX_HELP) or None,
        component=_component(field),
    )


def _component(field: Field) -> discord.ui.Item[discord.ui.Modal]:
    usable = [choice for choice in field.choices if 0 < len(choice.value) <= MAX_CHOICE]
    if 0 < len(usable) <= MAX_CHOICES:
        options = [
            discord.SelectOption(
                label=shorten(plain(choice.label or choice.value), MAX_CHOICE),
                value=choice.value,
                default=choice.value == field.value,
            )
            for choice in usable
        ]
        return discord.ui.Select(custom_id=field.name, options=options, required=True)
    return discord.ui.TextInput(
        custom_id=field.name, default=field.value[:MAX_VALUE] or None, required=False, max_length=MAX_VALUE
    )

"""Modals: forms to fill in, cards shown if a message isn't possible, and the submitted values. Pure."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from adapters.slack import limits
from adapters.slack.block_kit import Json, plain_text
from adapters.slack.render import render, without_pictures
from bot.cards import Card, Field, Form, Paragraph, Span

FORM, CARD = "form", "card"
"""Callback ids of our modals."""
PREFIX = "="
"""Prefix of an option's value, which must not be empty in Slack."""


def form_view(form: Form, channel: str) -> Json:
    """Render a form as a modal. It remembers its command and channel."""
    return {
        "type": "modal",
        "callback_id": FORM,
        "title": plain_text(form.title, limits.VIEW_TITLE),
        "submit": plain_text("Save", limits.VIEW_TITLE),
        "close": plain_text("Cancel", limits.VIEW_TITLE),
        "private_metadata": json.dumps({"command": form.command, "channel": channel}),
        "blocks": [_input(field) for field in form.fields[: limits.VIEW_BLOCKS]],
    }


def card_views(card: Card, channel: str, title: str = "Paperboy") -> list[Json]:
    """Render a card as a modal, in ever simpler layouts. It remembers which channel its buttons act on.

    Pictures are left out: Slack would load them during the 3 seconds within which a modal can be opened.
    """
    simple = Card(card.kind, card.notice, card.heading, (Paragraph((Span(card.notice),)),))
    return [card_view(card, channel, title), card_view(simple, channel, title)]


def card_view(card: Card, channel: str, title: str = "Paperboy") -> Json:
    """Render a card as a modal, in full except for pictures."""
    return {
        "type": "modal",
        "callback_id": CARD,
        "private_metadata": json.dumps({"channel": channel}),
        "title": plain_text(title, limits.VIEW_TITLE),
        "close": plain_text("Close", limits.VIEW_TITLE),
        "blocks": without_pictures(render(card, most=limits.VIEW_BLOCKS).blocks),
    }


def corrected_view(view: Mapping[str, Any], problem: Card) -> Json:
    """Return the form as it was submitted, below a card that says what is wrong."""
    submitted = filled_in(view)
    inputs = [_refilled(block, submitted) for block in view["blocks"] if block["type"] == "input"]
    unchanged = {
        name: view[name] for name in ("type", "callback_id", "title", "submit", "close", "private_metadata")
    }
    return unchanged | {"blocks": [*without_pictures(render(problem, most=10).blocks), *inputs]}


def filled_in(view: Mapping[str, Any]) -> dict[str, str]:
    """Return field name -> submitted value."""
    values: Mapping[str, Mapping[str, Mapping[str, Any]]] = view["state"]["values"]
    return {name: _value(next(iter(of_block.values()))) for name, of_block in values.items()}


def target_of(view: Mapping[str, Any]) -> tuple[str, str]:
    """Return the form's command, and the id of its channel."""
    metadata = json.loads(view["private_metadata"])
    return metadata["command"], metadata["channel"]


def channel_in(view: Mapping[str, Any]) -> str:
    """Return the id of the channel that a modal's buttons act on; empty if the modal isn't ours."""
    return str(json.loads(view.get("private_metadata") or "{}").get("channel", ""))


def _input(field: Field) -> Json:
    block: Json = {
        "type": "input",
        "block_id": field.name,
        "optional": not field.choices,
        "label": plain_text(field.label, limits.LABEL),
        "element": _select(field) if field.choices else _text(field.value),
    }
    return block | ({"hint": plain_text(field.help, limits.LABEL)} if field.help else {})


def _text(value: str) -> Json:
    element: Json = {"type": "plain_text_input", "action_id": "value", "max_length": limits.PLAIN_TEXT}
    return element | ({"initial_value": value[: limits.PLAIN_TEXT]} if value else {})


def _select(field: Field) -> Json:
    values = {choice.value: choice for choice in field.choices}
    options = [_option(choice.label, choice.value) for choice in [*values.values()][: limits.OPTIONS]]
    element: Json = {"type": "static_select", "action_id": "value", "options": options}
    initial = _chosen(options, PREFIX + field.value)
    return element | ({"initial_option": initial} if initial else {})


def _option(label: str, value: str) -> Json:
    return {
        "text": plain_text(label or "–", limits.OPTION),
        "value": f"{PREFIX}{value}"[: limits.OPTION_VALUE],
    }


def _chosen(options: Sequence[Json], value: str) -> Json | None:
    return next((option for option in options if option["value"] == value), None)


def _refilled(block: Mapping[str, Any], submitted: Mapping[str, str]) -> Json:
    """Return an input with the submitted value as its initial value."""
    value = submitted.get(block["block_id"], "")
    old: Mapping[str, Any] = block["element"]
    element = {name: part for name, part in old.items() if name not in {"initial_value", "initial_option"}}
    if element["type"] == "static_select":
        initial = _chosen(element["options"], PREFIX + value)
        element |= {"initial_option": initial} if initial else {}
    elif value:
        element["initial_value"] = value
    return {**block, "element": element}


def _value(state: Mapping[str, Any]) -> str:
    if "selected_option" in state:
        return str((state["selected_option"] or {}).get("value", "")).removeprefix(PREFIX)
    return str(state.get("value") or "")

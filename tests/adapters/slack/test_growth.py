"""Hostile text from Slack takes time that is linear in its length."""

import importlib
import pkgutil
import re
from collections.abc import Callable, Iterator

import pytest

import adapters.slack
from adapters.slack.listeners import line_of, spec_of
from adapters.slack.render import as_text, render
from adapters.slack.settings import SlackSettings
from adapters.slack.typed_text import as_typed
from bot.cards import Card
from tests.text.test_growth import HOSTILE, grows

FROM_SLACK = (
    "<@",
    "<#C|",
    "<@U1|x> ",
    "<!",
    "&amp;",
    "&amp",
    "@paperboy ",
    "page:1 ",
    "<http:",
    "xoxb-",
    "?ticket=",
)
LONGEST = 10**6
FUNCTIONS: list[Callable[[str], object]] = [
    lambda text: as_typed(text, "UBOT", LONGEST),
    spec_of,
    lambda text: line_of({"value": text}),
    lambda text: render(Card("reply", text)),
    lambda text: as_text(Card("reply", text)),
]


def patterns() -> Iterator[tuple[str, re.Pattern[str]]]:
    """Yield the regular expressions of all modules, and those that redact logs."""
    for module in pkgutil.iter_modules(adapters.slack.__path__, "adapters.slack."):
        for name, value in vars(importlib.import_module(module.name)).items():
            if isinstance(value, re.Pattern):
                yield f"{module.name}.{name}", value
    for pattern in SlackSettings.secret_patterns:
        yield pattern, re.compile(pattern)


@pytest.mark.parametrize("number", range(len(FUNCTIONS)))
def test_functions_handle_hostile_text_in_linear_time(number: int) -> None:
    pieces = (*HOSTILE, *FROM_SLACK)
    assert [slow for piece in pieces if (slow := grows(FUNCTIONS[number], piece))] == []


@pytest.mark.parametrize(("name", "pattern"), list(patterns()))
def test_patterns_handle_hostile_text_in_linear_time(name: str, pattern: re.Pattern[str]) -> None:
    def match_count(text: str) -> int:
        return sum(1 for _ in pattern.finditer(text))

    assert [slow for piece in (*HOSTILE, *FROM_SLACK) if (slow := grows(match_count, piece))] == [], name

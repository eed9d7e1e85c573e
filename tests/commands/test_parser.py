"""Parsing lines as people type them, also on phones."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.commands.parser import MAX_LINE, check_options, number_in, parse_line, resolve_command
from bot.commands.table import COMMANDS, find
from bot.domain.errors import UserError
from bot.domain.models import Command, User
from tests.papers import a_channel

ADA = User("U1", "Ada")


def read(line: str) -> tuple[str, dict[str, str]]:
    command = parse_line(line, ADA, a_channel()).command
    return command.name, dict(command.options)


def hint_for(line: str) -> str:
    with pytest.raises(UserError) as caught:
        _parse_and_check(line)
    return caught.value.hint


def _parse_and_check(line: str) -> None:
    parsed = parse_line(line, ADA, a_channel())
    check_options(parsed.spec, parsed.command)


@pytest.mark.parametrize(
    ("line", "name", "options"),
    [
        ("/paper subscribe rag", "subscribe", {"query": "rag"}),
        ("subscribe rag", "subscribe", {"query": "rag"}),
        ("subscribe position paper", "subscribe", {"query": "position paper"}),
        ("/PAPER Sub  rag  agents ", "subscribe", {"query": "rag  agents"}),
        ("paper follow rag", "subscribe", {"query": "rag"}),
        ("/paper\tlist", "list", {}),
        ("/paper", "help", {}),
        ("", "help", {}),
        ("/paper help subscribe", "help", {"command": "subscribe"}),
        ("subscribe paper folding", "subscribe", {"query": "paper folding"}),
        ("/paper sub rag every:daily", "subscribe", {"query": "rag", "every": "daily"}),
        ("/paper sub every: Daily rag", "subscribe", {"query": "rag", "every": "daily"}),
        ("/paper sub rag EVERY:weekly agents", "subscribe", {"query": "rag  agents", "every": "weekly"}),
        ('/paper sub "tested every:daily"', "subscribe", {"query": '"tested every:daily"'}),
        ("/paper sub “tested every:daily”", "subscribe", {"query": "“tested every:daily”"}),
        ("/paper sub „tested every:daily“ x", "subscribe", {"query": "„tested every:daily“ x"}),
        ('/paper sub "open every:daily', "subscribe", {"query": '"open', "every": "daily"}),
        ("/paper sub author:every cat:cs.LG", "subscribe", {"query": "author:every cat:cs.LG"}),
        ("/paper remove #3", "unsubscribe", {"subscription": "#3"}),
        ("list page:2", "list", {"page": "2"}),
    ],
)
def test_a_line_becomes_a_command(line: str, name: str, options: dict[str, str]) -> None:
    assert read(line) == (name, options)


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("/paper subscrbe rag", "/paper subscribe rag"),
        ("/paper subscribe", '/paper subscribe "language model" -survey'),
        ("/paper unfolow #3", "/paper unsubscribe #3"),
        ("/paper lst", "/paper list"),
        ("/paper diffusion models", "/paper help"),
        ("/paper list all", "/paper list"),
        ("/paper list page:two", "/paper list"),
        ("/paper sub rag every:dayly", "/paper subscribe rag every:daily"),
        ("/paper sub rag every:often", "/paper subscribe rag"),
        ("/paper sub rag " + "x" * MAX_LINE, "/paper help"),
    ],
)
def test_a_bad_line_gets_the_nearest_valid_one_as_a_hint(line: str, hint: str) -> None:
    assert hint_for(line) == hint


def test_an_option_with_two_values_is_an_error() -> None:
    with pytest.raises(UserError, match="twice"):
        read("sub rag every:daily every:weekly")
    assert read("sub rag every:daily every:daily") == ("subscribe", {"query": "rag", "every": "daily"})


@pytest.mark.parametrize(
    ("text", "number"), [("#3", 3), ("3", 3), (" # 12 ", 12), ("three", None), ("3d", None), ("٣", None)]
)
def test_a_subscription_is_named_by_its_number(text: str, number: int | None) -> None:
    assert number_in(text) == number


@given(st.text())
def test_any_line_is_a_command_or_a_friendly_error(line: str) -> None:
    try:
        command = parse_line(line, ADA, a_channel()).command
    except UserError as error:
        assert str(error)  # noqa: PT017  # a property: both outcomes are right
    else:
        assert find(command.name) is not None


@given(
    st.sampled_from([spec.name for spec in COMMANDS] + ["sbscribe"]), st.dictionaries(st.text(), st.text())
)
def test_a_structured_command_is_valid_or_an_error_with_a_hint(name: str, options: dict[str, str]) -> None:
    try:
        parsed = resolve_command(Command(name, ADA, a_channel(), options))
        check_options(parsed.spec, parsed.command)
    except UserError as error:
        assert error.hint  # noqa: PT017  # a property: both outcomes are right
    else:
        assert parsed.spec.name == parsed.command.name

"""No text can stall the program: the time of every pattern and function grows linearly with hostile input."""

import re

import pytest

from tests.growth import PATTERN, all_calls, interleaved, slowest, survey
from tests.growth_inputs import UNITS

PARTS = 6


@pytest.mark.timeout(300)
@pytest.mark.parametrize("part", range(PARTS))
def test_time_grows_linearly(part: int) -> None:
    names = sorted(all_calls())[part::PARTS]
    found = [one for one in survey(names) if one.is_offender]
    assert found == []


@pytest.mark.timeout(180)
def test_time_grows_linearly_with_alternating_units() -> None:
    assert [one for one in interleaved() if one.is_offender] == []


def test_the_measurement_covers_the_code() -> None:
    names = all_calls()
    assert len(names) > 200
    for name in (
        "a command line",
        "a log line",
        "adapters.email.address.Address.parse",
        "adapters.email.bounces.recipient",
        "bot.cards.sanitize.plain",
        "bot.query.parser.parse",
        "bot.text.plain.clean",
        "pattern bot.observability.logs.LOOKS_SECRET",
    ):
        assert name in names


@pytest.mark.parametrize("planted", [r"\s+$", "<[^>]*>", "(?:a|a )*b", "<.*>.*</", r"(?:\d+)+x", r"\\*\)"])
def test_a_planted_slow_pattern_is_found(planted: str) -> None:
    pattern = re.compile(planted)

    def search(text: str) -> object:
        return sum(1 for _ in pattern.finditer(text))

    assert any(slowest(f"{PATTERN}{planted}", search).is_offender for _ in range(2))


def test_linear_patterns_are_not_suspected() -> None:
    for linear in (r"\w+", "<[^<>]*+>", r"\s"):
        assert not slowest(f"{PATTERN}{linear}", re.compile(linear).findall).is_offender
    assert len(set(UNITS)) == len(UNITS)

"""Fields of answers: wrong types and impossible values become empty values."""

from datetime import UTC, datetime

import pytest
from structlog.testing import capture_logs

from bot.domain.errors import SourceError
from bot.sources.fields import count, moment, read_rows, web_url


@pytest.mark.parametrize(
    "url", ["https://example.org", "http://example.org/a?b=c#d", " https://example.org "]
)
def test_web_addresses_are_accepted(url: str) -> None:
    assert web_url(url) == url.strip()


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "data:text/html,hi",
        "file:///etc/passwd",
        "ftp://example.org",
        "//example.org",
        "example.org/code",
        "https://",
        "https://[broken",
        "https://example.org/a b",
        "https://example.org/\u202egpj",
        "https://example.org/\n",
        "https://example.org/" + "x" * 3000,
        "",
        None,
        7,
        ["https://example.org"],
    ],
)
def test_anything_but_a_web_address_is_none(url: object) -> None:
    assert web_url(url) in (None, "https://example.org/")  # only a final line break is stripped


@pytest.mark.parametrize(
    ("value", "number"),
    [(0, 0), (42, 42), (-1, None), (True, None), ("5", None), (1.5, None), (10**30, None)],
)
def test_counts_are_whole_numbers(value: object, number: int | None) -> None:
    assert count(value) == number


@pytest.mark.parametrize("text", ["2026-05-19T22:00:00Z", "2026-05-19T18:00:00-04:00", "2026-05-19T22:00:00"])
def test_moments_are_in_utc(text: str) -> None:
    assert moment(text) == datetime(2026, 5, 19, 22, tzinfo=UTC)
    assert moment(text).tzinfo is UTC


def test_an_unreadable_row_is_skipped_and_logged() -> None:
    with capture_logs() as logs:
        assert read_rows("Someone", ["1", "x", "2"], int) == [1, 2]
    assert [entry["event"] for entry in logs] == ["row_skipped"]


def test_a_list_without_any_readable_row_is_an_error() -> None:
    with capture_logs(), pytest.raises(SourceError, match="format has changed"):
        read_rows("Someone", ["x", "y"], int)
    assert read_rows("Someone", [], int) == []

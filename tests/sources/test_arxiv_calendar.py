"""The evenings on which arXiv announces papers."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest

from bot.sources.arxiv.calendar import Calendar

YEAR = [date(2025, 1, 1) + timedelta(days=n) for n in range(365)]


def test_arxiv_announces_from_sunday_to_thursday() -> None:
    calendar = Calendar()
    week = [date(2026, 5, 17) + timedelta(days=n) for n in range(7)]
    assert [calendar.announces(day) for day in week] == [True] * 5 + [False] * 2


@pytest.mark.parametrize(
    "silent",
    # Evenings without an announcement in the recorded listings.
    [
        "2025-06-19",
        "2025-07-06",
        "2025-11-27",
        "2025-12-25",
        "2025-12-30",
        "2026-01-01",
        "2026-01-19",
        "2026-06-21",
    ],
)
def test_nothing_is_announced_on_holidays(silent: str) -> None:
    assert not Calendar().announces(date.fromisoformat(silent))


@pytest.mark.parametrize("silent", ["2028-01-17", "2028-07-04", "2028-09-04", "2028-11-23", "2028-12-25"])
def test_holidays_of_future_years_are_assumed(silent: str) -> None:
    assert not Calendar().announces(date.fromisoformat(silent))


def test_an_operator_can_add_holidays() -> None:
    assert Calendar().announces(date(2026, 5, 20))
    assert not Calendar([date(2026, 5, 20)]).announces(date(2026, 5, 20))


def test_the_last_announcement_is_in_the_past() -> None:
    calendar = Calendar()
    monday = datetime(2026, 5, 19, 0, tzinfo=UTC)  # 20:00 in New York
    assert calendar.last(monday) == monday
    assert calendar.last(monday - timedelta(seconds=1)) == monday - timedelta(days=1)
    assert calendar.last(datetime(2026, 5, 24, 12, tzinfo=UTC)) == datetime(2026, 5, 22, 0, tzinfo=UTC)


def test_no_gap_is_longer_than_five_days() -> None:
    evenings = [day for day in YEAR if Calendar().announces(day)]
    assert max(b - a for a, b in pairwise(evenings)) <= timedelta(days=5)

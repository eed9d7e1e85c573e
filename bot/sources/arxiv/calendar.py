"""arXiv's announcement times: 20:00 in New York from Sunday to Thursday, except on holidays."""

from calendar import FRIDAY, MONDAY, SATURDAY, THURSDAY
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

NEW_YORK = ZoneInfo("America/New_York")
ANNOUNCED = time(20, 0)
"""Time of an announcement in New York: https://info.arxiv.org/help/availability.html"""
DAY = timedelta(days=1)

_PUBLISHED = {
    2025: ("01-01", "01-20", "06-19", "07-06", "09-01", "11-27", "12-25", "12-30"),
    2026: ("01-01", "01-19", "06-19", "07-03", "09-07", "11-26", "12-25", "12-29", "12-31"),
}
"""Holidays by year, as arXiv publishes them on the same page. For later years, US holidays are assumed. If one is
assumed wrongly, the feeds are just polled less often that evening."""


class Calendar:
    """The evenings on which arXiv announces. `closed` are holidays in addition to the known ones."""

    def __init__(self, closed: Iterable[date] = ()) -> None:
        self._closed = frozenset(closed)

    def announces(self, evening: date) -> bool:
        """Whether papers are announced on the evening of this date, in New York.

        There is no announcement on a holiday, nor on the Sunday after a Friday's holiday, since Sunday announces
        Friday's papers.
        """
        if evening.weekday() in (FRIDAY, SATURDAY) or self._is_holiday(evening):
            return False
        friday = evening - 2 * DAY
        return not (friday.weekday() == FRIDAY and self._is_holiday(friday))

    def last(self, now: datetime) -> datetime:
        """Return when the latest announcement up to `now` began."""
        evening = now.astimezone(NEW_YORK).date()
        while not self.announces(evening) or new_york_time(evening, ANNOUNCED) > now:
            evening -= DAY
        return new_york_time(evening, ANNOUNCED)

    def following(self, now: datetime) -> datetime:
        """Return when the next announcement after `now` begins."""
        evening = now.astimezone(NEW_YORK).date()
        while not self.announces(evening) or new_york_time(evening, ANNOUNCED) <= now:
            evening += DAY
        return new_york_time(evening, ANNOUNCED)

    def _is_holiday(self, day: date) -> bool:
        return day in self._closed or f"{day:%m-%d}" in _PUBLISHED.get(day.year, ()) or _is_expected(day)


def new_york_time(day: date, hour: time) -> datetime:
    """Return a time of day in New York."""
    return datetime.combine(day, hour, NEW_YORK)


def _is_expected(day: date) -> bool:
    return day.year not in _PUBLISHED and day in (
        date(day.year, 1, 1),
        _nth(day.year, 1, MONDAY, 3),
        date(day.year, 6, 19),
        date(day.year, 7, 4),
        _nth(day.year, 9, MONDAY, 1),
        _nth(day.year, 11, THURSDAY, 4),
        date(day.year, 12, 25),
    )


def _nth(year: int, month: int, weekday: int, number: int) -> date:
    first = date(year, month, 1)
    return first + ((weekday - first.weekday()) % 7 + 7 * (number - 1)) * DAY

"""Reads dates in the forms that feeds use.

>>> read_date("2026年11月27日")
datetime.datetime(2026, 11, 27, 0, 0, tzinfo=datetime.timezone.utc)
"""

import re
from datetime import UTC, date, datetime, timedelta, timezone
from functools import lru_cache

MAX_LENGTH = 100
"""Maximum length of a date in characters."""
EARLIEST = 1991
"""The year in which arXiv began. Servers write 0001-01-01 or 1970-01-01 if they don't know a date."""

_NAMES = """
jan january januar januari января janvier enero ene gennaio gen janeiro
feb february februar februari февраля février fevrier févr fevr febrero febbraio fevereiro fev
mar march märz maerz mär mrz mars marzo março marco maart marts марта
apr april avril avr abril abr aprile апреля
may mai mayo maggio mag maio mei maj мая
jun june juni juin junio giugno giu junho июня
jul july juli juillet juil julio luglio lug julho июля
aug august août aout agosto ago augustus августа
sep sept september septembre septiembre settembre set setembro сентября
oct october okt oktober octobre octubre ottobre ott outubro out октября
nov november novembre noviembre novembro ноября
dec december dez dezember décembre decembre déc diciembre dic dicembre dezembro декабря
"""
_MONTHS = {name: n for n, line in enumerate(_NAMES.strip().splitlines(), 1) for name in line.split()}
_ZONES = {
    "est": -5,
    "edt": -4,
    "cst": -6,
    "cdt": -5,
    "mst": -7,
    "mdt": -6,
    "pst": -8,
    "pdt": -7,
    "cet": 1,
    "cest": 2,
}
"""Hours from UTC of the zones that RFC 822 names, and of central Europe; any other name counts as UTC."""

_YEAR_FIRST = re.compile(
    r"(?<![0-9])(?P<year>[0-9]{4}) ?[-/.年년] ?(?P<month>[0-9]{1,2}) ?[-/.月월] ?(?P<day>[0-9]{1,2})(?![0-9])"
)
_WEEK = re.compile(r"(?<![0-9A-Za-z])(?P<year>[0-9]{4})-?W(?P<week>[0-9]{2})(?:-?(?P<day>[1-7]))?(?![0-9])")
"""ISO 8601: 2026-W48-5 is the Friday of the 48th week. Without its day, the Monday."""
_COMPACT = re.compile(r"(?P<year>[0-9]{4})(?P<month>[0-9]{2})(?P<day>[0-9]{2})(?=T|\Z)")
_DAY_FIRST = re.compile(
    r"(?<![0-9])(?P<day>[0-9]{1,2})(?:st|nd|rd|th|\.)?[ -/]{1,2}(?:de |of )?(?P<name>[^\W\d_]{3,10})\.?,?(?: de)?[ -/]{1,2}(?P<year>[0-9]{4}|[0-9]{2})(?![0-9])"
)
_NAME_FIRST = re.compile(
    r"(?P<name>[^\W\d_]{3,10})\.?[ -](?P<day>[0-9]{1,2})(?:st|nd|rd|th)?,? (?P<year>[0-9]{4})(?![0-9])"
)
_YEAR_AND_NAME_FIRST = re.compile(
    r"(?<![0-9])(?P<year>[0-9]{4})[ -](?P<name>[^\W\d_]{3,10})\.?[ -](?P<day>[0-9]{1,2})(?![0-9])"
)
_NAME_FIRST_TIME = re.compile(
    r"(?P<name>[^\W\d_]{3}) {1,2}(?P<day>[0-9]{1,2}) (?=[0-9:]{5,8} )(?:[0-9:]{5,8} (?:[A-Z]{3,4} )?)(?P<year>[0-9]{4})"
)
_NUMBERS = re.compile(
    r"(?<![0-9])(?P<first>[0-9]{1,2})[/.-](?P<second>[0-9]{1,2})[/.-](?P<year>[0-9]{4})(?![0-9])"
)
_TIME = re.compile(
    r"(?<![0-9])(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2}))?(?:[.,][0-9]{1,9})? ?(?P<half>[ap]\.?m\b\.?)?",
    re.IGNORECASE,
)
_COMPACT_TIME = re.compile(
    r"(?<=[0-9]T)(?P<hour>[0-9]{2})(?P<minute>[0-9]{2})(?P<second>[0-9]{2})?(?:[.,][0-9]{1,9})?(?P<half>)(?![0-9:])"
)
_ZONE = re.compile(
    r"(?:gmt|utc)? ?(?P<sign>[+-])(?P<hours>[0-9]{2})(?::?(?P<minutes>[0-9]{2}))?|(?P<name>[a-z]{1,5})\b",
    re.IGNORECASE,
)


@lru_cache(maxsize=1000)
def read_date(value: str) -> datetime | None:
    """Parse a date to UTC; None if it isn't a date, is impossible, or is before 1991.

    A date without a time is midnight. Ambiguous dates such as 5/11/2026, in May or November, are not read.
    """
    text = " ".join(value[: MAX_LENGTH + 1].split())
    if len(text) > MAX_LENGTH:
        return None
    day = _day(text)
    if day is None:
        return None
    try:
        moment = _with_time(datetime(*day, tzinfo=UTC), text)
    except (ValueError, OverflowError):
        return None
    return moment if moment.year >= EARLIEST else None


def _day(text: str) -> tuple[int, int, int] | None:
    if found := _YEAR_FIRST.search(text) or _COMPACT.match(text):
        return int(found["year"]), int(found["month"]), int(found["day"])
    if found := _WEEK.search(text):
        return _of_week(int(found["year"]), int(found["week"]), int(found["day"] or 1))
    for form in (_DAY_FIRST, _NAME_FIRST, _YEAR_AND_NAME_FIRST, _NAME_FIRST_TIME):
        for found in form.finditer(text):
            if month := _MONTHS.get(found["name"].lower()):
                return _full_year(int(found["year"])), month, int(found["day"])
    if found := _NUMBERS.search(text):
        first, second = int(found["first"]), int(found["second"])
        if first > 12:
            return int(found["year"]), second, first
        if second > 12 or first == second:
            return int(found["year"]), first, second
    return None


def _of_week(year: int, week: int, day: int) -> tuple[int, int, int] | None:
    try:
        found = date.fromisocalendar(year, week, day)
    except ValueError:
        return None
    return found.year, found.month, found.day


def _full_year(year: int) -> int:
    """Expand years of two digits to 1969 to 2068, as readers of RFC 822 do."""
    return year if year > 99 else year + (2000 if year < 69 else 1900)


def _with_time(day: datetime, text: str) -> datetime:
    found = _TIME.search(text) or _COMPACT_TIME.search(text)
    if not found:
        return day
    hour, half = int(found["hour"]), (found["half"] or "").lower()[:1]
    if half:
        hour = hour % 12 + (12 if half == "p" else 0)
    moment = day.replace(hour=hour, minute=int(found["minute"]), second=min(int(found["second"] or 0), 59))
    return (moment.replace(tzinfo=_zone(text[found.end() :].strip()))).astimezone(UTC)


def _zone(text: str) -> timezone:
    found = _ZONE.match(text)
    if found and found["sign"]:
        offset = timedelta(hours=int(found["hours"]), minutes=int(found["minutes"] or 0))
        return timezone(offset if found["sign"] == "+" else -offset)
    hours = _ZONES.get(found["name"].lower(), 0) if found else 0
    return timezone(timedelta(hours=hours))

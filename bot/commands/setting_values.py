"""Parses the values of settings as people type them. Each parser raises UserError that says what can be typed."""

import re
from collections.abc import Callable
from typing import cast

from bot.domain.errors import UserError
from bot.domain.models import Frequency
from bot.policy.schedule import find_zone, near_zones
from bot.store.subscriptions import LIMIT

MAX_PAPERS = 50
"""Maximum value of `digest` (papers) and `most` (papers per day)."""

_HOUR = re.compile(r"(\d{1,2})(?:[:.h]?00)?\s*(am|pm|h|uhr|o['’]clock)?", re.IGNORECASE)
_UNTIL = re.compile("-|–|—|to|until", re.IGNORECASE)
_OFFSET = re.compile(r"\A(?:utc|gmt)? *+[+-] *+[0-9:]++", re.IGNORECASE)
"""A time zone as an offset from UTC, which has no daylight saving time."""
_ROLE = re.compile(r"(?:<(?:@&|!subteam\^))?([a-z0-9]{1,32})(?:\|[^>]*)?>?", re.IGNORECASE | re.ASCII)
_NOTHING = {"", "off", "no", "none", "never"}
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def one_of(name: str, *values: str) -> Callable[[str], str]:
    """Return a parser of one of a few words; nothing means the first."""

    def read(typed: str) -> str:
        value = typed.lower() or values[0]
        if value not in values:
            *firsts, last = values
            raise UserError(f"“{name}:” is {', '.join(firsts)} or {last}, not “{typed}”.")
        return value

    return read


def on_off(name: str) -> Callable[[str], bool]:
    """Return a parser of on or off."""
    words = {"on": True, "yes": True, "off": False, "no": False}

    def read(typed: str) -> bool:
        if typed.lower() not in words:
            raise UserError(f"“{name}:” is on or off, not “{typed}”.", hint=f"/paper settings {name}:on")
        return words[typed.lower()]

    return read


def read_hour(typed: str) -> int:
    """Parse an hour of the day: `9`, `9:00`, `9 pm`."""
    match = _HOUR.fullmatch(typed)
    hour = int(match[1]) if match else 24
    if match and (match[2] or "").lower() in {"am", "pm"} and 1 <= hour <= 12:
        hour = hour % 12 + (12 if match[2].lower() == "pm" else 0)
    if hour > 23:
        raise UserError(f"“{typed}” isn't an hour. Use 0–23.", hint="/paper settings hour:9")
    return hour


def read_quiet(typed: str) -> tuple[int, int] | None:
    """Parse quiet hours: from one hour to another, `22-7`, or off."""
    if typed.lower() in _NOTHING:
        return None
    hours = [hour.strip() for hour in _UNTIL.split(typed, maxsplit=1)]
    if len(hours) != 2 or not all(hours):
        raise UserError(
            "Quiet hours go from one hour to another, like 22-7. Or type “off”.",
            hint="/paper settings quiet:22-7",
        )
    begin, end = read_hour(hours[0]), read_hour(hours[1]) if hours[1] != "24" else 0
    if begin == end:
        raise UserError(
            "Quiet hours need to begin and end at different hours.", hint="/paper settings quiet:22-7"
        )
    return begin, end


def read_weekday(typed: str) -> int:
    """Parse a day of the week by its first letters; 0 is Monday."""
    names = [day.lower() for day in WEEKDAYS]
    found = [n for n, name in enumerate(names) if len(typed) >= 2 and name.startswith(typed.lower())]
    if len(found) != 1:
        raise UserError(f"“{typed}” isn't a day of the week.", hint="/paper settings day:monday")
    return found[0]


def read_zone(typed: str) -> str:
    """Parse a time zone: its name, or a city in it."""
    if not typed:
        return "UTC"
    zone = find_zone(typed)
    if zone is None:
        near = () if _OFFSET.fullmatch(typed) else near_zones(typed)
        raise UserError(
            f"I don't know the time zone “{typed}”. Use a city, like Europe/Berlin.",
            hint=f"/paper settings zone:{near[0]}" if near else "/paper settings zone:Europe/Berlin",
        )
    return zone


def read_role(typed: str) -> str:
    """Parse a role's id, typed or mentioned; empty for none."""
    if typed.lower() in _NOTHING:
        return ""
    match = _ROLE.fullmatch(typed)
    if match is None:
        raise UserError(
            "“ping:” takes a role: mention it, type its id, or “none”.", hint="/paper settings ping:none"
        )
    return match[1].upper()


def read_size(typed: str) -> int:
    """Parse the maximum number of papers that are posted separately."""
    if not re.fullmatch("[0-9]{1,3}", typed) or not 1 <= int(typed) <= MAX_PAPERS:
        raise UserError(f"“digest:” takes a number from 1 to {MAX_PAPERS}.", hint="/paper settings digest:5")
    return int(typed)


def read_most(typed: str) -> int:
    """Parse a number of papers per day, or off (0)."""
    if typed.lower() in _NOTHING:
        return 0
    if not re.fullmatch("[0-9]{1,3}", typed) or not 1 <= int(typed) <= MAX_PAPERS:
        raise UserError(
            f"“most:” takes a number of papers a day from 1 to {MAX_PAPERS}, or off.",
            hint="/paper settings most:3",
        )
    return int(typed)


def read_always(typed: str) -> tuple[int, ...]:
    """Parse numbers of subscriptions: `#1,#3`, or none."""
    if typed.lower() in _NOTHING:
        return ()
    numbers = [number.lstrip("#") for number in re.split("[ ,]+", typed)]
    if len(numbers) > LIMIT or not all(re.fullmatch("[0-9]{1,9}", number) for number in numbers):
        raise UserError(
            "“always:” takes numbers of subscriptions, like #1,#3, or none.", hint="/paper settings always:#1"
        )
    return tuple(sorted({int(number) for number in numbers}))


def read_frequency(typed: str) -> Frequency:
    """Parse a schedule: now, daily or weekly."""
    return cast("Frequency", one_of("every", "now", "daily", "weekly")(typed))

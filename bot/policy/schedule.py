"""When something may be posted in a channel: its rhythm, time zone, quiet hours and weekends. Pure.

Hours are local. One that a daylight-saving change leaves out stands for the first moment after the gap, and one that
comes twice for the first of the two (PEP 495), so that every day has each hour once.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from difflib import get_close_matches
from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from bot.domain.models import ChannelSettings, Every, Frequency

SATURDAY = 5
WEEK = 7
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

_EAGER: tuple[Frequency, ...] = ("now", "daily", "weekly")


def frequency_of(every: Iterable[Every], settings: ChannelSettings) -> Frequency:
    """The most eager of these, those that name none having the channel's own."""
    return min((settings.every if one == "channel" else one for one in every), key=_EAGER.index)


def due(rhythm: Frequency, settings: ChannelSettings, now: datetime) -> datetime:
    """When a message of this rhythm that there is at `now` is due: at `now` or later, in UTC."""
    if rhythm == "now":
        return _opening(settings, now)
    zone = _zone(settings.zone)
    today = now.astimezone(zone).date()
    slots = (
        _local(day, digest_hour(settings), zone)
        for day in (today + timedelta(days=n) for n in range(-1, 2 * WEEK))
        if _has_digest(day, rhythm, settings)
    )
    return next(slot for slot in slots if slot > now)


def digest_hour(settings: ChannelSettings) -> int:
    """The hour of the channel's digests; where that is quiet, the hour when quiet ends."""
    return settings.quiet[1] if settings.quiet and is_quiet(settings.hour, settings) else settings.hour


def digest_weekday(settings: ChannelSettings) -> int:
    """The day of weekly digests; where weekends are off, Monday stands for them."""
    return 0 if settings.weekday >= SATURDAY and not settings.weekends else settings.weekday


def is_quiet(hour: int, settings: ChannelSettings) -> bool:
    """Whether nothing is posted in this local hour."""
    if settings.quiet is None:
        return False
    begin, end = settings.quiet
    return begin <= hour < end if begin < end else not end <= hour < begin


def is_open(settings: ChannelSettings, moment: datetime) -> bool:
    """Whether anything may be posted then."""
    if settings.weekends and settings.quiet is None:
        return True
    local = moment.astimezone(_zone(settings.zone))
    return (settings.weekends or local.weekday() < SATURDAY) and not is_quiet(local.hour, settings)


def in_words(moment: datetime, zone: str) -> str:
    """`Mon 24 Nov 09:00 Berlin`."""
    local = moment.astimezone(_zone(zone))
    day = f"{DAYS[local.weekday()]} {local.day} {MONTHS[local.month - 1]}"
    return f"{day} {local:%H:%M} {city(zone)}"


def city(zone: str) -> str:
    """How people call a zone: `Berlin`, `New York`, `UTC`."""
    return zone.rpartition("/")[2].replace("_", " ")


def find_zone(typed: str) -> str | None:
    """The IANA name that is meant: in any case, with spaces, or only its city."""
    wanted = _folded(typed)
    return _zones().get(wanted) or _cities().get(wanted)


def near_zones(typed: str, most: int = 3) -> list[str]:
    """Zones whose name begins with, holds or resembles what was typed."""
    wanted, names = _folded(typed), _zones()
    begin = [name for folded, name in names.items() if folded.rpartition("/")[2].startswith(wanted)]
    hold = [name for folded, name in names.items() if wanted in folded]
    alike = [_cities()[near] for near in get_close_matches(wanted, _cities(), n=most)]
    return list(dict.fromkeys((*begin, *hold, *alike)))[:most]


def _opening(settings: ChannelSettings, now: datetime) -> datetime:
    """The first moment from `now` on that is neither quiet nor on a weekend that is off."""
    zone = _zone(settings.zone)
    moment = now.astimezone(UTC)
    while not is_open(settings, moment):
        local = moment.astimezone(zone)
        if not settings.weekends and local.weekday() >= SATURDAY:
            moment = _local(local.date() + timedelta(days=WEEK - local.weekday()), 0, zone)
        elif settings.quiet:
            ends = (_local(local.date() + timedelta(days=n), settings.quiet[1], zone) for n in (0, 1))
            moment = next(end for end in ends if end > moment)
    return moment


def _has_digest(day: date, rhythm: Frequency, settings: ChannelSettings) -> bool:
    if rhythm == "weekly":
        return day.weekday() == digest_weekday(settings)
    return settings.weekends or day.weekday() < SATURDAY


def _local(day: date, hour: int, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(hour), zone).astimezone(UTC)


@cache
def _zone(name: str) -> ZoneInfo:
    """UTC for a zone that is not there any more: one channel's setting must not stop the others' papers."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


def _folded(name: str) -> str:
    return name.strip().casefold().replace(" ", "_")


@cache
def _zones() -> dict[str, str]:
    return {name.casefold(): name for name in sorted(available_timezones()) if not name.startswith("Etc/GMT")}


@cache
def _cities() -> dict[str, str]:
    """City -> zone, of zones that are named after a place."""
    return {folded.rpartition("/")[2]: name for folded, name in _zones().items() if "/" in name}

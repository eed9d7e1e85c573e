"""Posting times of a channel, from its frequency, time zone, quiet hours and weekends.

Hours are local. If a daylight-saving change skips an hour, it means the first moment after the gap; if an hour
occurs twice, it means the first one (PEP 495). So every day has each hour once.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from difflib import get_close_matches
from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from bot.domain.models import ChannelSettings, Every, Frequency

SATURDAY = 5
WEEK = 7
SHORTEST_CITY = 5
"""Minimum length of a mistyped city: CEST isn't a city, although it is similar to “west”."""
MIN_CITY_SIMILARITY = 0.75
"""Minimum similarity of a mistyped city, 0 to 1: `Berlinn` and `Berlin` have 0.92, `Mars` and `Paris` 0.67."""
EVENING, MORNING = 18, 6
"""The hours at which a night begins and ends."""
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

_MOST_FREQUENT_FIRST: tuple[Frequency, ...] = ("now", "daily", "weekly")


def frequency_of(every: Iterable[Every], settings: ChannelSettings) -> Frequency:
    """Return the most frequent of the schedules; `channel` stands for the channel's own frequency."""
    return min((settings.every if one == "channel" else one for one in every), key=_MOST_FREQUENT_FIRST.index)


def due(frequency: Frequency, settings: ChannelSettings, now: datetime) -> datetime:
    """Return when a message with this frequency is due if it is enqueued at `now`: then or later, in UTC."""
    if frequency == "now":
        return _opening(settings, now)
    zone = _zone(settings.zone)
    today = now.astimezone(zone).date()
    slots = (
        _local(day, digest_hour(settings), zone)
        for day in (today + timedelta(days=n) for n in range(-1, 2 * WEEK))
        if _has_digest(day, frequency, settings)
    )
    return next(slot for slot in slots if slot > now)


def digest_hour(settings: ChannelSettings) -> int:
    """Return the hour of the channel's digests; if that is quiet, the hour when the quiet hours end."""
    return settings.quiet[1] if settings.quiet and is_quiet(settings.hour, settings) else settings.hour


def digest_weekday(settings: ChannelSettings) -> int:
    """Return the day of weekly digests; Monday if it is on a weekend and weekends are off."""
    return 0 if settings.weekday >= SATURDAY and not settings.weekends else settings.weekday


def is_quiet(hour: int, settings: ChannelSettings) -> bool:
    """Whether this local hour is quiet."""
    if settings.quiet is None:
        return False
    begin, end = settings.quiet
    return begin <= hour < end if begin < end else not end <= hour < begin


def is_open(settings: ChannelSettings, moment: datetime) -> bool:
    """Whether posts are allowed at `moment`."""
    if settings.weekends and settings.quiet is None:
        return True
    local = moment.astimezone(_zone(settings.zone))
    return (settings.weekends or local.weekday() < SATURDAY) and not is_quiet(local.hour, settings)


def is_tonight(moment: datetime, zone: str, now: datetime) -> bool:
    """Whether `moment` is in the evening or night after the day of `now`."""
    local, today = moment.astimezone(_zone(zone)), now.astimezone(_zone(zone)).date()
    is_night = local.hour >= EVENING or local.hour < MORNING
    return is_night and (moment - timedelta(hours=MORNING)).astimezone(_zone(zone)).date() == today


def in_words(moment: datetime, zone: str) -> str:
    """Format a time like `Mon 24 Nov 09:00 Berlin`."""
    local = moment.astimezone(_zone(zone))
    day = f"{DAYS[local.weekday()]} {local.day} {MONTHS[local.month - 1]}"
    return f"{day} {local:%H:%M} {city(zone)}"


def city(zone: str) -> str:
    """Return the short name of a zone: `Berlin`, `New York`, `UTC`."""
    return zone.rpartition("/")[2].replace("_", " ")


def find_zone(typed: str) -> str | None:
    """Return the IANA name of a time zone. It can be typed in any case, with spaces, or as the city only."""
    wanted = _folded(typed)
    return _zones().get(wanted) or _cities().get(wanted)


def near_zones(typed: str, most: int = 3) -> list[str]:
    """Return at most `most` zones whose name begins with, contains or resembles `typed`."""
    wanted, names = _folded(typed), _zones()
    begin = [name for folded, name in names.items() if folded.rpartition("/")[2].startswith(wanted)]
    hold = [name for folded, name in names.items() if wanted in folded]
    alike = [
        _cities()[near]
        for near in get_close_matches(wanted, _cities(), n=most, cutoff=MIN_CITY_SIMILARITY)
        if len(wanted) >= SHORTEST_CITY
    ]
    return list(dict.fromkeys((*begin, *hold, *alike)))[:most]


def _opening(settings: ChannelSettings, now: datetime) -> datetime:
    """Return the first moment from `now` on at which posts are allowed."""
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


def _has_digest(day: date, frequency: Frequency, settings: ChannelSettings) -> bool:
    if frequency == "weekly":
        return day.weekday() == digest_weekday(settings)
    return settings.weekends or day.weekday() < SATURDAY


def _local(day: date, hour: int, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(hour), zone).astimezone(UTC)


@cache
def _zone(name: str) -> ZoneInfo:
    """Return the zone, or UTC if it no longer exists: one channel's setting must not stop the others' papers."""
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
    """Map cities to zones, for zones that are named after a place."""
    return {folded.rpartition("/")[2]: name for folded, name in _zones().items() if "/" in name}

"""Everything is due at the right local hour, even if clocks change."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.models import ChannelSettings, Frequency
from bot.policy.schedule import (
    SATURDAY,
    digest_hour,
    digest_weekday,
    due,
    find_zone,
    frequency_of,
    in_words,
    is_open,
    is_tonight,
    near_zones,
)

ZONES = (
    "UTC",
    "Europe/Berlin",
    "Asia/Kathmandu",  # 5:45
    "Australia/Lord_Howe",  # half an hour of daylight saving
    "Africa/Cairo",  # clocks change at midnight
    "America/Havana",  # also at midnight
    "America/New_York",
    "Pacific/Apia",
)
hours = st.integers(0, 23)
settings_ = st.builds(
    ChannelSettings,
    every=st.sampled_from(("now", "daily", "weekly")),
    hour=hours,
    weekday=st.integers(0, 6),
    zone=st.sampled_from(ZONES),
    quiet=st.none() | st.tuples(hours, hours).filter(lambda pair: pair[0] != pair[1]),
    weekends=st.booleans(),
)
moments = st.datetimes(
    datetime(2025, 1, 1),  # noqa: DTZ001  # hypothesis adds the zone
    datetime(2028, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)
rhythms = st.sampled_from(("now", "daily", "weekly"))
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def change_of_clocks(moment: datetime, zone: str) -> bool:
    """Whether the zone's offset changes within an hour of the moment."""
    local = ZoneInfo(zone)
    return (moment - HOUR).astimezone(local).utcoffset() != (moment + HOUR).astimezone(local).utcoffset()


@given(settings_, moments, rhythms)
def test_nothing_is_due_while_the_channel_is_closed(
    settings: ChannelSettings, now: datetime, every: Frequency
) -> None:
    at = due(every, settings, now)
    assert at >= now
    assert is_open(settings, at) or change_of_clocks(at, settings.zone)


@given(settings_, moments)
def test_papers_that_need_not_wait_are_due_now(settings: ChannelSettings, now: datetime) -> None:
    at = due("now", settings, now)
    assert (at == now) == is_open(settings, now)
    earlier = now + (at - now) / 2
    assert at == now or not is_open(settings, earlier)


@given(settings_, moments)
def test_a_daily_digest_comes_at_its_hour_of_the_next_day_that_has_one(
    settings: ChannelSettings, now: datetime
) -> None:
    at = due("daily", settings, now)
    local = at.astimezone(ZoneInfo(settings.zone))
    assert now < at <= now + (DAY if settings.weekends else 3 * DAY) + HOUR
    assert local.hour == digest_hour(settings) or change_of_clocks(at, settings.zone)
    assert settings.weekends or local.weekday() < SATURDAY


@given(settings_, moments)
def test_a_weekly_digest_comes_on_its_day(settings: ChannelSettings, now: datetime) -> None:
    at = due("weekly", settings, now)
    local = at.astimezone(ZoneInfo(settings.zone))
    assert now < at <= now + 7 * DAY + HOUR
    assert local.weekday() == digest_weekday(settings)


@given(settings_, moments, st.timedeltas(timedelta(0), timedelta(days=9)), rhythms)
def test_a_later_paper_is_not_due_earlier(
    settings: ChannelSettings, now: datetime, later: timedelta, every: Frequency
) -> None:
    assert due(every, settings, now) <= due(every, settings, now + later)


@given(settings_, moments, st.sampled_from(("daily", "weekly")))
def test_all_papers_that_arrive_before_a_digest_are_in_it(
    settings: ChannelSettings, now: datetime, every: Frequency
) -> None:
    at = due(every, settings, now)
    assert due(every, settings, at - timedelta(microseconds=1)) == at
    assert due(every, settings, at) > at


@pytest.mark.parametrize(
    ("zone", "hour", "now", "local"),
    [
        ("Europe/Berlin", 9, "2026-03-28T12:00+00:00", "2026-03-29T09:00+02:00"),
        ("Europe/Berlin", 9, "2026-10-24T12:00+00:00", "2026-10-25T09:00+01:00"),
        ("Europe/Berlin", 2, "2026-03-28T12:00+00:00", "2026-03-29T03:00+02:00"),  # there is no 02:00
        ("Europe/Berlin", 2, "2026-10-24T12:00+00:00", "2026-10-25T02:00+02:00"),  # the first of two
        ("Africa/Cairo", 0, "2026-04-23T12:00+00:00", "2026-04-24T01:00+03:00"),  # there is no midnight
        ("Asia/Kathmandu", 9, "2026-03-01T12:00+00:00", "2026-03-02T09:00+05:45"),
        ("Australia/Lord_Howe", 2, "2026-10-03T12:00+00:00", "2026-10-04T02:30+11:00"),
    ],
)
def test_a_digest_keeps_its_hour_through_a_change_of_clocks(
    zone: str, hour: int, now: str, local: str
) -> None:
    at = due("daily", ChannelSettings(hour=hour, zone=zone), datetime.fromisoformat(now))
    assert at.astimezone(ZoneInfo(zone)).isoformat(timespec="minutes") == local


def test_subscriptions_without_a_frequency_have_the_channels() -> None:
    weekly = ChannelSettings(every="weekly")
    assert frequency_of(("channel",), weekly) == "weekly"
    assert frequency_of(("channel", "daily"), weekly) == "daily"
    assert frequency_of(("channel", "daily"), ChannelSettings()) == "now"


@pytest.mark.parametrize(
    ("typed", "zone"),
    [
        ("berlin", "Europe/Berlin"),
        ("europe/berlin", "Europe/Berlin"),
        ("New York", "America/New_York"),
        ("UTC", "UTC"),
        ("cet", "CET"),
        ("Berlinn", None),
    ],
)
def test_a_zone_is_found_by_its_city(typed: str, zone: str | None) -> None:
    assert find_zone(typed) == zone


def test_an_unknown_zone_has_suggestions() -> None:
    assert near_zones("Berlinn")[0] == "Europe/Berlin"
    assert near_zones("kath")[0].endswith(("Kathmandu", "Katmandu"))


def test_a_time_is_shown_in_its_zone() -> None:
    assert in_words(datetime(2026, 11, 23, 8, tzinfo=UTC), "Europe/Berlin") == "Mon 23 Nov 09:00 Berlin"


@pytest.mark.parametrize(
    ("moment", "zone", "tonight"),
    [
        (datetime(2026, 3, 11, 0, tzinfo=UTC), "UTC", True),
        (datetime(2026, 3, 11, 0, tzinfo=UTC), "America/New_York", True),
        (datetime(2026, 3, 11, 0, tzinfo=UTC), "Asia/Tokyo", False),
        (datetime(2026, 3, 12, 0, tzinfo=UTC), "Europe/Berlin", False),
        (datetime(2026, 3, 10, 15, tzinfo=UTC), "UTC", False),
    ],
)
def test_tonight_is_the_night_after_today(moment: datetime, zone: str, tonight: bool) -> None:
    assert is_tonight(moment, zone, datetime(2026, 3, 10, 12, tzinfo=UTC)) is tonight

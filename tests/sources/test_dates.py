"""Dates in the formats that feeds use."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.sources.dates import read_date

DAY = datetime(2026, 11, 27, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-27", "2026/11/27", "2026.11.27", "2026年11月27日", "2026년 11월 27일", "Nov 27, 2026", "Nov. 27, 2026", "November 27th, 2026",
        "27-Nov-2026", "27 Nov 2026", "27. November 2026", "27 novembre 2026", "27 de noviembre de 2026", "Fri, 27 Nov 2026", "27/11/2026",
        "11/27/2026", "27.11.2026", "27-11-2026", "Friday, 27 November 2026", "  27   Nov  2026 ",
        "20261127", "2026 Nov 27", "2026-Nov-27", "2026-W48-5", "2026W485", "27th of November 2026", "27 ноября 2026",
    ],
)  # fmt: skip
def test_a_date_is_read_in_every_format(text: str) -> None:
    assert read_date(text) == DAY


@pytest.mark.parametrize(
    "text",
    [
        "Fri, 27 Nov 2026 15:05:00 GMT", "Fri, 27 Nov 26 16:05:00 +0100", "2026-11-27T15:05:00Z", "2026-11-27T10:05:00.123-05:00", "2026-11-27 15:05:00 UTC",
        "27 November 2026 10:05 EST", "November 27, 2026 3:05 PM", "Fri Nov 27 15:05:00 UTC 2026", "Fri Nov 27 15:05:00 2026", "2026-11-27T15:05",
        "2026-W48-5T15:05:00Z", "20261127T150500Z", "20261127T1005-0500", "2026-11-28T00:05:00+09",
    ],
)  # fmt: skip
def test_a_time_is_read_with_its_time_zone(text: str) -> None:
    assert read_date(text) == DAY.replace(hour=15, minute=5)


@pytest.mark.parametrize(
    "text",
    ["", "soon", "0001-01-01", "1970-01-01T00:00:00Z", "Thu, 01 Jan 1970 00:00:00 GMT", "1795737600", "1795737600000", "31 Feb 2026", "2026-13-45", "2026-W00-1", "2021-W53-1", "CVPR2026-W48",
     "99999-01-01", "2026", "2026-11", "5/11/2026", "9999-12-31T23:59:59-99:99", "27 Foo 2026", "x" * 500],
)  # fmt: skip
def test_other_texts_and_impossible_dates_are_none(text: str) -> None:
    assert read_date(text) is None


def test_a_week_without_a_day_counts_as_its_monday() -> None:
    assert read_date("2026-W48") == DAY - timedelta(days=4)
    assert read_date("2020-W53-7") == datetime(2021, 1, 3, tzinfo=UTC)


@given(st.text(max_size=120) | st.text("0123456789-/.: TZ+Nov年月日", max_size=60))
def test_any_text_is_read_as_a_time_in_utc_or_none(text: str) -> None:
    found = read_date(text)
    assert found is None or (found.tzinfo is UTC and found.year >= 1991)

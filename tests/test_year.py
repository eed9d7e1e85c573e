"""A year on a simulated clock, in time zones with odd clock changes: each digest comes once, at the right hour."""

import random
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from redis.asyncio import Redis

from bot.domain.models import ChannelRef, ChannelSettings, Every
from bot.pipeline import delivery as delivering
from tests.papers import a_paper
from tests.scenario import Board, House, set_clock

BEGIN = datetime(2025, 12, 31, 12, tzinfo=UTC)
DAYS = 366
FREQUENCIES: tuple[Every, ...] = ("daily", "weekly")
ODD_DAYS = {
    ("Australia/Lord_Howe", date(2026, 10, 4)): "02:30",  # its clocks skip half an hour
    ("Africa/Cairo", date(2026, 4, 24)): "01:00",  # its clocks skip midnight
}
"""Days on which the hour doesn't exist -> the first moment after the gap."""


@pytest.mark.parametrize(
    ("zone", "hour"),
    [
        ("Europe/Berlin", 9),
        ("America/New_York", 17),
        ("Asia/Kathmandu", 9),
        ("Australia/Lord_Howe", 2),
        ("Africa/Cairo", 0),
    ],
)
async def test_a_year_of_digests(redis: Redis, monkeypatch: pytest.MonkeyPatch, zone: str, hour: int) -> None:
    monkeypatch.setattr(delivering, "MAX_WAIT", 0.0)
    clock = set_clock(monkeypatch, redis)
    board = Board(clock)
    house, local = House(redis, board), ZoneInfo(zone)
    await clock.set(BEGIN)
    for every in FREQUENCIES:
        await house.subscribe(where(every), every, ChannelSettings(zone=zone, hour=hour, weekday=2))
    dice, polled = random.Random(zone), dict[str, datetime]()
    for day in range(DAYS):
        moment = BEGIN + timedelta(days=day, minutes=dice.randrange(24 * 60))
        while (due := await clock.next_due()) and due <= moment:
            await clock.set(due)
            await house.deliver()
        await clock.set(max(moment, clock.now))
        paper = f"p{day}"
        polled[paper] = clock.now
        await house.poll(a_paper(paper, published=clock.now))
    for every in FREQUENCIES:
        waiting = {
            paper for one in await house.outbox.open_deliveries(where(every)) for paper, _ in one.papers
        }
        expected: dict[date, set[str]] = {}
        for paper in polled.keys() - waiting:
            expected.setdefault(next_date(every, polled[paper].astimezone(local), hour), set()).add(paper)
        posts = [post for post in board.posts if post.channel == where(every)]
        assert len(expected) == len(posts) > (250 if every == "daily" else 50)
        for post in posts:
            at = post.at.astimezone(local)
            assert f"{at:%H:%M}" == ODD_DAYS.get((zone, at.date()), f"{hour:02}:00")
            assert set(post.papers) == expected[at.date()]


@pytest.mark.parametrize(
    "zone", ["Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "Africa/Cairo"]
)
async def test_a_year_with_a_budget(redis: Redis, monkeypatch: pytest.MonkeyPatch, zone: str) -> None:
    """At most two papers are posted in any 24 hours, and the rest of a day is one folded line at the digest's hour."""
    monkeypatch.setattr(delivering, "MAX_WAIT", 0.0)
    clock = set_clock(monkeypatch, redis)
    board = Board(clock)
    house, here, local = House(redis, board), where("daily"), ZoneInfo(zone)
    await clock.set(BEGIN)
    await house.subscribe(here, "now", ChannelSettings(zone=zone, hour=9, most=2))
    dice, polled = random.Random(zone), list[str]()
    for day in range(DAYS):
        for moment in sorted(BEGIN + timedelta(days=day, minutes=dice.randrange(24 * 60)) for _ in range(2)):
            while (due := await clock.next_due()) and due <= moment:
                await clock.set(max(due, clock.now))
                await house.deliver()
            await clock.set(max(moment, clock.now))
            papers = [f"p{len(polled) + n}" for n in range(dice.randrange(4))]
            polled += papers
            await house.poll(*(a_paper(paper, published=clock.now) for paper in papers), cursor=f"{moment}")
            await house.deliver()
    await clock.set(clock.now + timedelta(days=2))
    await house.deliver()
    assert board.counts() == {(here.channel, paper): 1 for paper in polled}
    folded = [post for post in board.posts if "/rest@" in post.key]
    single = [post.at for post in board.posts if "/rest@" not in post.key]
    for first, third in zip(single, single[2:], strict=False):
        assert third - first >= timedelta(days=1)
    assert len(single) > 300
    assert len({post.at.astimezone(local).date() for post in folded}) == len(folded) > 200
    assert {f"{post.at.astimezone(local):%H:%M}" for post in folded[:-1]} == {"09:00"}


def next_date(every: Every, local: datetime, hour: int) -> date:
    """Return the day of the first digest after a local time, by plain calendar arithmetic."""
    day = local.date() + timedelta(days=local.time() >= time(hour))
    return day + timedelta(days=(2 - day.weekday()) % 7) if every == "weekly" else day


def where(every: Every) -> ChannelRef:
    return ChannelRef("board", "T", every)

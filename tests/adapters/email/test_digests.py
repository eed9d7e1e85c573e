"""Weekday digests in the reader's time zone: one mail for each day with papers."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from redis.asyncio import Redis

from bot.pipeline import delivery as delivering
from bot.ports import Batch
from bot.store import keys
from tests.adapters.email.harness import ADA, BASE, EmailHarness, email_harness
from tests.papers import a_paper
from tests.scenario import Clock, set_clock

MONDAY = datetime(2026, 3, 2, 18, tzinfo=UTC)
WEEKS = 4
DAYS_WITH_PAPERS = frozenset({0, 2, 4, 5})
"""Monday, Wednesday, Friday and Saturday. Digests come on Tuesday, on Thursday, and, for the last two, on Monday."""


async def due_next(redis: Redis) -> datetime | None:
    """Return the time at which the next mail is due."""
    scores: list[float] = []
    for shard in range(keys.SHARDS):
        found: Any = await redis.zrange(keys.due(shard, "email"), 0, 0, withscores=True)
        scores += [score for _, score in found]
    return datetime.fromtimestamp(min(scores) / 1000, UTC) if scores else None


async def sign_up(harness: EmailHarness, **filled: str) -> None:
    """Submit the form, and confirm with the link in the mail."""
    form = (await harness.browser.get("/email/subscribe")).form("Subscribe")
    await harness.browser.submit(form, address=ADA, **filled)
    lines = (await harness.transactional_mail()).part("plain").splitlines()
    page = await harness.browser.get(next(line for line in lines if line.startswith(BASE)))
    await harness.browser.submit(page.form("Confirm"))


async def run_weeks(harness: EmailHarness, redis: Redis, clock: Clock) -> list[datetime]:
    """Run four weeks. Returns the time of each mail."""
    times: list[datetime] = []
    for day in range(7 * WEEKS):
        moment = MONDAY + timedelta(days=day)
        while (due := await due_next(redis)) and due <= moment:
            await clock.set(due)
            await harness.bot.deliveries[0].deliver_due()
            times += [due] * (len(await harness.posted()) - len(times))
        await clock.set(moment)
        if moment.weekday() in DAYS_WITH_PAPERS:
            paper = a_paper(f"2603.{day:05}", published=moment)
            await harness.bot.papers.ingest("test", Batch((paper,), "c"), 0)
        await harness.bot.fanout.match_all()
    return times


@pytest.mark.parametrize("zone", ["Asia/Kolkata", "America/New_York"])
async def test_weekday_digests_skip_weekends_and_empty_days(
    redis: Redis, monkeypatch: pytest.MonkeyPatch, zone: str
) -> None:
    monkeypatch.setattr(delivering, "MAX_WAIT", 0.0)
    clock = set_clock(monkeypatch, redis)
    await clock.set(MONDAY)
    async with email_harness(redis, lambda: clock.now, confirmed=False) as harness:
        await sign_up(harness, query="paper", zone=zone)
        times = [at.astimezone(ZoneInfo(zone)) for at in await run_weeks(harness, redis, clock)]
        mails = await harness.posted()
    assert {f"{at:%H:%M}" for at in times} == {"09:00"}
    assert Counter(at.weekday() for at in times) == {0: WEEKS - 1, 1: WEEKS, 3: WEEKS}
    assert len(mails) == len(times)
    mails_of_paper = Counter(
        f"2603.{day:05}" for day in range(28) for mail in mails if f"2603.{day:05}" in mail.text
    )
    assert set(mails_of_paper.values()) == {1}
    # The papers of the last Friday and Saturday come on the next Monday.
    assert len(mails_of_paper) == 4 * WEEKS - 2
    assert times[0].date() == date(2026, 3, 3)

"""A channel's settings are edited in the platform's own form."""

from datetime import UTC, datetime

import pytest
from redis.asyncio import Redis

from bot.domain.models import ChannelSettings
from tests.adapters.discord.harness import discord_harness, shown
from tests.adapters.slack.harness import slack_harness
from tests.scenario import set_clock

MORNING = datetime(2026, 11, 23, 7, 30, tzinfo=UTC)
NEW = ChannelSettings(every="daily", zone="Europe/Berlin", quiet=(22, 7))


@pytest.fixture(autouse=True)
async def _clock(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    await set_clock(monkeypatch, redis).set(MORNING)


async def test_slack_opens_a_modal_and_shows_the_effect_of_the_change(redis: Redis) -> None:
    async with slack_harness(redis) as harness:
        form = await harness.say("/paper settings")
        assert "Time zone" in form.text
        echo = await harness.person.submit(form.raw, every="once a day", zone="Berlin", quiet="22-7")
        assert echo is not None
        assert "Next digest: Mon 23 Nov 09:00 Berlin" in echo.text
        assert await harness.bot.core.settings(harness.channel) == NEW


async def test_discord_opens_one_part_in_a_modal_and_leaves_the_others_unchanged(redis: Redis) -> None:
    async with discord_harness(redis) as harness:
        await harness.say("/paper settings digest:7")
        choice = await harness.say("/paper settings")
        [schedule] = [label for label in choice.buttons if "Time zone" in label]
        opened = await harness.joe.click(choice.raw, label=schedule)
        assert opened.modal is not None
        values = {"every": ["daily"], "day": ["monday"], "zone": "Berlin", "quiet": "22-7", "hour": "9"}
        done = await harness.joe.submit_modal(opened, values)
        assert "Next digest: Mon 23 Nov 09:00 Berlin" in shown(done).text
        now = await harness.bot.core.settings(harness.channel)
        assert (now.every, now.zone, now.quiet, now.digest_size) == ("daily", "Europe/Berlin", (22, 7), 7)

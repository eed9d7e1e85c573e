"""The harnesses themselves: the story that runs on every platform."""

import pytest
from redis.asyncio import Redis

from tests.papers import a_paper
from tests.platform_harness import arrive
from tests.platform_harnesses import HARNESSES


@pytest.mark.parametrize("platform", HARNESSES)
async def test_a_person_subscribes_and_gets_a_paper(platform: str, redis: Redis) -> None:
    async with HARNESSES[platform](redis) as harness:
        seen = await harness.say("/paper subscribe paper")
        assert "Subscribed as #1" in seen.text
        await arrive(harness.bot, a_paper())
        (post,) = await harness.posted()
        assert "On paper 2603.00001" in post.text
        assert "Saved to your list" in (await harness.press(post, "Save")).text
        await harness.restart()
        await harness.press(seen, "Undo")
        assert "no subscriptions yet" in (await harness.say("/paper list")).text

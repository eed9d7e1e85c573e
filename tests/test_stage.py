"""The stages themselves: the story that every platform must be able to tell."""

import pytest
from redis.asyncio import Redis

from tests.papers import a_paper
from tests.platform_harness import arrive
from tests.platform_harnesses import STAGES


@pytest.mark.parametrize("platform", STAGES)
async def test_a_person_subscribes_and_a_paper_comes(platform: str, redis: Redis) -> None:
    async with STAGES[platform](redis) as stage:
        seen = await stage.say("/paper subscribe paper")
        assert "Subscribed as #1" in seen.text
        await arrive(stage.bot, a_paper())
        (post,) = await stage.posted()
        assert "On paper 2603.00001" in post.text
        assert "Saved to your list" in (await stage.press(post, "Save")).text
        await stage.restart()
        await stage.press(seen, "Undo")
        assert "no subscriptions yet" in (await stage.say("/paper list")).text

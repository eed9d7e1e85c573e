"""The story that every platform tells, by mail."""

from redis.asyncio import Redis

from tests.adapters.email.stage import email_stage
from tests.papers import a_paper
from tests.stage import arrive


async def test_a_person_subscribes_and_a_paper_comes(redis: Redis) -> None:
    async with email_stage(redis) as stage:
        seen = await stage.say("/paper subscribe paper")
        assert "Subscribed as #1" in seen.text
        await arrive(stage.bot, a_paper())
        (post,) = await stage.posted()
        assert "On paper 2603.00001" in post.text
        assert "Saved to your list" in (await stage.press(post, "Save")).text
        await stage.restart()
        await stage.press(seen, "Undo")
        assert "no subscriptions yet" in (await stage.say("/paper list")).text

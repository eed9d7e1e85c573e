"""The story of the stage, told on Discord."""

from redis.asyncio import Redis

from tests.adapters.discord.stage import discord_stage
from tests.papers import a_paper
from tests.stage import arrive


async def test_a_person_subscribes_and_a_paper_comes(redis: Redis) -> None:
    async with discord_stage(redis) as stage:
        seen = await stage.say("/paper subscribe paper")
        assert "Subscribed as #1" in seen.text
        await arrive(stage.bot, a_paper())
        (post,) = await stage.posted()
        assert "On paper 2603.00001" in post.text
        assert "Saved to your list" in (await stage.press(post, "Save")).text
        await stage.restart()
        await stage.press(seen, "Undo")
        assert "no subscriptions yet" in (await stage.say("/paper list")).text

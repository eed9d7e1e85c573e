"""The story that is tested on every platform."""

from redis.asyncio import Redis

from tests.adapters.slack.stage import slack_stage
from tests.papers import a_paper
from tests.platform_harness import arrive


async def test_a_paper_is_subscribed_to_posted_saved_and_read_in_the_thread(redis: Redis) -> None:
    async with slack_stage(redis) as stage:
        assert "diffusion" in (await stage.say("/paper subscribe diffusion")).text
        await arrive(stage.bot, a_paper(title="A diffusion model", abstract="It is long. And good."))
        posted = await stage.posted()
        assert [("A diffusion model" in seen.text, seen.private) for seen in posted] == [(True, False)]
        assert "Saved" in (await stage.press(posted[0], "Save")).text
        await stage.restart()
        full = await stage.press(posted[0], "Full abstract")
        assert "And good." in full.text
        assert not full.private
        assert "A diffusion model" in (await stage.say("saved")).text
        assert stage.slack.refused == []

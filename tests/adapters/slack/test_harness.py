"""The story that is tested on every platform."""

from redis.asyncio import Redis

from tests.adapters.slack.harness import slack_harness
from tests.papers import a_paper
from tests.platform_harness import arrive


async def test_a_paper_is_subscribed_to_posted_saved_and_read_in_the_thread(redis: Redis) -> None:
    async with slack_harness(redis) as harness:
        assert "diffusion" in (await harness.say("/paper subscribe diffusion")).text
        await arrive(harness.bot, a_paper(title="A diffusion model", abstract="It is long. And good."))
        posted = await harness.posted()
        assert [("A diffusion model" in seen.text, seen.private) for seen in posted] == [(True, False)]
        assert "Saved" in (await harness.press(posted[0], "Save")).text
        await harness.restart()
        full = await harness.press(posted[0], "Full abstract")
        assert "And good." in full.text
        assert not full.private
        assert "A diffusion model" in (await harness.say("saved")).text
        assert harness.slack.refused == []

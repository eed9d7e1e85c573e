"""A channel's taste, as one story on every platform."""

from datetime import datetime, timedelta
from typing import Any

from redis.asyncio import Redis

from bot.domain.models import Paper
from bot.store import keys
from tests.conftest import MORNING
from tests.papers import a_paper
from tests.platform_harness import PlatformHarness, Seen, arrive, deliver
from tests.platform_harnesses import Opened
from tests.scenario import Clock

REWARD = "We train a process reward model and a verifier that scores each step of a solution."
VISION = "We render novel views of a scene with gaussian splatting and a camera."


def paper(number: int, topic: str, **facts: Any) -> Paper:
    name = "Reward" if topic == REWARD else "Scene"
    return a_paper(
        f"2611.{number:05}",
        **{"title": f"{name} learning {number}", "abstract": topic, "published": MORNING} | facts,
    )


async def six_posts(harness: PlatformHarness, clock: Clock) -> list[Seen]:
    """Post three papers of one topic, then three of another."""
    await harness.say("/paper settings digest:10")
    await harness.say("/paper subscribe learning")
    for n in range(6):
        await arrive(harness.bot, paper(n, REWARD if n < 3 else VISION))
        await clock.set(clock.now + timedelta(seconds=10))
        await deliver(harness.bot)
    return list(await harness.posted())


async def pass_on(harness: PlatformHarness, clock: Clock, until: datetime) -> None:
    for _ in range(2):
        await clock.set(max(clock.now, until))
        await deliver(harness.bot)
        until += timedelta(seconds=10)


async def test_three_likes_and_three_dislikes_rank_the_next_digest(opened: Opened, clock: Clock) -> None:
    async with opened() as harness:
        assert "know this channel's taste yet" in (await harness.say("/paper taste")).text
        posts = await six_posts(harness, clock)
        for post in posts[:3]:
            assert "counted" in (await harness.press(post, "👍")).text
        assert "so far it has 3 and 0" in (await harness.say("/paper taste")).text
        for post in posts[3:]:
            await harness.press(post, "👎")

        await harness.say("/paper settings every:daily hour:9")
        later = [paper(n, VISION, upvotes=20) for n in range(6, 9)] + [paper(9, REWARD)]
        await arrive(harness.bot, *later)
        await pass_on(harness, clock, MORNING + timedelta(hours=26))
        digest = (await harness.posted())[-1]
        places = [digest.text.index(title) for title in ("Reward learning 9", "Scene learning 6")]
        assert places == sorted(places), "what the channel likes comes before what is upvoted"
        assert "because you 👍 “Reward learning" in digest.text
        assert digest.text.count("because you 👍") == 1

        await arrive(harness.bot, *later, trending=("2611.00006", "2611.00009"))
        trending = await harness.say("/paper trending")
        assert "what this channel likes first" in trending.text
        assert trending.text.index("Reward learning 9") < trending.text.index("Scene learning 6")

        shown = await harness.say("/paper taste")
        assert "Learned from 3 liked and 3 disliked papers." in shown.text
        assert "Less of this" in shown.text
        assert "it would have kept" in shown.text
        term = terms(shown)[0]
        await harness.press(shown, f"Remove {term}")
        assert f"Remove {term}" not in (await harness.say("/paper taste")).buttons

        assert "Taste is off" in (await harness.press(shown, "Switch off")).text
        assert "off" in (await harness.say("/paper taste")).text
        await harness.say("/paper taste on")
        await harness.press(await harness.say("/paper taste"), "Reset")
        assert "so far it has 0 and 0" in (await harness.say("/paper taste")).text


async def test_examples_and_saved_papers_teach_a_taste_and_a_paper_is_forgotten(
    opened: Opened, clock: Clock
) -> None:
    async with opened() as harness:
        posts = await six_posts(harness, clock)
        await harness.press(posts[0], "Save")
        await harness.say("/paper taste like 2611.00001")
        await harness.say("/paper taste like 2611.00002")
        for n in (3, 4, 5):
            reply = await harness.say(f"/paper taste dislike 2611.{n:05}")
        assert "Learned from 3 liked and 3 disliked papers." in reply.text
        await harness.say("/paper taste forget 2611.00000")
        assert "so far it has 2 and 3" in (await harness.say("/paper taste")).text
        assert "takes like, dislike or forget" in (await harness.say("/paper taste love all")).text


async def test_a_taste_is_small_and_deleted_with_its_channel(
    opened: Opened, redis: Redis, clock: Clock
) -> None:
    async with opened() as harness:
        for n, post in enumerate(await six_posts(harness, clock)):
            await harness.press(post, "👍" if n < 3 else "👎")
        stored: Any = await redis.hget(keys.channel(harness.channel), "taste")
        assert 500 < len(stored.encode()) < 4000
        await harness.bot.core.forget(harness.channel)
        assert not await redis.exists(keys.channel(harness.channel))


def terms(seen: Seen) -> list[str]:
    return [button.removeprefix("Remove ") for button in seen.buttons if button.startswith("Remove ")]


async def test_a_change_of_a_taste_can_be_undone(opened: Opened, clock: Clock) -> None:
    async with opened() as harness:
        for n, post in enumerate(await six_posts(harness, clock)):
            await harness.press(post, "👍" if n < 3 else "👎")
        shown = await harness.say("/paper taste remove Process Rewards")
        assert "Remove process reward" not in (await harness.say("/paper taste")).buttons
        assert "counts here again" in (await harness.press(shown, "Undo")).text
        assert "process reward" in (await harness.say("/paper taste")).text

        changed = await harness.say("/paper taste forget 2611.00004")
        assert "so far it has 3 and 2" in (await harness.say("/paper taste")).text
        await harness.press(changed, "Undo")
        assert "Learned from 3 liked and 3 disliked papers." in (await harness.say("/paper taste")).text
        changed = await harness.say("/paper taste like 2611.00004")
        await harness.press(changed, "Undo")
        assert "Learned from 3 liked and 3 disliked papers." in (await harness.say("/paper taste")).text


async def test_a_term_that_a_taste_does_not_have_cannot_be_removed(opened: Opened) -> None:
    async with opened() as harness:
        assert "isn't among the terms" in (await harness.say("/paper taste remove banana")).text
        assert "wasn't removed" in (await harness.say("/paper taste restore banana")).text
        await arrive(harness.bot, paper(1, REWARD))
        assert "doesn't count here" in (await harness.say("/paper taste forget 2611.00001")).text
        await harness.say("/paper taste off")
        assert "But taste is off here" in (await harness.say("/paper taste like 2611.00001")).text

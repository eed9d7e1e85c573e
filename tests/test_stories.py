"""A channel's schedule, as one story on every platform."""

from datetime import timedelta
from typing import Any

import pytest

from bot.domain.models import Paper
from tests.conftest import MORNING
from tests.papers import a_paper
from tests.platform_harness import PlatformHarness, arrive, deliver, pass_on
from tests.platform_harnesses import Opened
from tests.scenario import Clock


def papers(*numbers: int, **facts: Any) -> list[Paper]:
    return [
        a_paper(f"2611.{n:05}", **{"title": f"Diffusion number {n}", "published": MORNING} | facts)
        for n in numbers
    ]


async def arrive_slowly(harness: PlatformHarness, clock: Clock, *papers: Paper) -> None:
    """Ingest papers, match them, and post them no faster than the platform allows."""
    await arrive(harness.bot, *papers)
    await pass_on(harness.bot, clock, len(papers))


async def seen(harness: PlatformHarness) -> list[str]:
    return [post.text for post in await harness.posted()]


async def test_a_digest_comes_at_its_hour_and_shows_the_rest_on_demand(opened: Opened, clock: Clock) -> None:
    async with opened() as harness:
        echo = await harness.say("/paper settings zone:berlin every:daily")
        assert "Next digest: Mon 23 Nov 09:00 Berlin" in echo.text
        await harness.say("/paper subscribe diffusion")
        await arrive_slowly(harness, clock, *papers(*range(12)))
        assert await seen(harness) == []
        assert "Mon 23 Nov 09:00 Berlin, 12 papers waiting" in (await harness.say("/paper status")).text
        await clock.set(MORNING + timedelta(minutes=30))
        await harness.restart()
        await pass_on(harness.bot, clock, 2)
        [digest] = await harness.posted()
        assert "12 new papers" in digest.text
        assert digest.text.count("Diffusion number") == 10
        rest = await harness.press(digest, "Show 2 more")
        assert rest.text.count("Diffusion number") == 2
        await clock.set(MORNING + timedelta(days=2))
        await deliver(harness.bot)
        assert len(await seen(harness)) == 1, "without papers nothing is posted"


async def test_a_flood_is_one_message(opened: Opened, clock: Clock) -> None:
    async with opened() as harness:
        await harness.say("/paper subscribe diffusion")
        await arrive_slowly(harness, clock, *papers(*range(5)))
        assert len(await seen(harness)) == 5
        await arrive_slowly(harness, clock, *papers(*range(5, 12)))
        assert len(await seen(harness)) == 6
        assert "7 new papers" in (await seen(harness))[-1]
        await harness.say("/paper settings digest:1")
        await clock.set(clock.now + timedelta(hours=7))
        await arrive_slowly(harness, clock, *papers(20, 21))
        assert "2 new papers" in (await seen(harness))[-1]


async def test_a_list_that_trickles_in_is_one_message_too(opened: Opened, clock: Clock) -> None:
    async with opened() as harness:
        await harness.say("/paper subscribe diffusion")
        for n in range(12):
            await arrive_slowly(harness, clock, *papers(n))
            await clock.set(MORNING + timedelta(minutes=15 * (n + 1)))
        assert len(await seen(harness)) == 5
        assert "7 papers waiting" in (await harness.say("/paper status")).text
        await clock.set(MORNING + timedelta(hours=6, minutes=1))
        await pass_on(harness.bot, clock, 1)
        assert len(await seen(harness)) == 6
        assert "7 new papers" in (await seen(harness))[-1]


async def test_a_budget_posts_the_best_and_folds_the_rest(opened: Opened, clock: Clock) -> None:
    async with opened() as harness:
        await harness.say("/paper subscribe diffusion")
        reply = await harness.say("/paper settings most:2 hour:18")
        assert "The best 2 papers of a day are posted." in reply.text
        liked = papers(20, 21, upvotes=50)
        await arrive_slowly(harness, clock, *papers(*range(4)), *liked)
        await arrive_slowly(harness, clock, *papers(*range(4, 8)))
        posts = await seen(harness)
        assert len(posts) == 2
        assert all("▲ 50" in post for post in posts)
        assert "folded" in (await harness.say("/paper explain 2611.00003")).text
        await clock.set(MORNING + timedelta(hours=11))
        await pass_on(harness.bot, clock, 1)
        folded = (await harness.posted())[-1]
        assert "8 more papers matched." in folded.text
        assert "Diffusion" not in folded.text
        rest = await harness.press(folded, "Show")
        assert rest.text.count("Diffusion number") == 8
        assert "ranked" in (await harness.say("/paper explain 2611.00003")).text


async def test_an_exception_from_the_budget_is_always_posted(opened: Opened, clock: Clock) -> None:
    async with opened() as harness:
        await harness.say("/paper settings most:1")
        await harness.say("/paper subscribe diffusion")
        await harness.say("/paper subscribe robots always:yes")
        await arrive_slowly(harness, clock, *papers(1, 2, 3), *papers(4, 5, title="Robots"))
        assert len(await seen(harness)) == 3
        assert sum("Robots" in post for post in await seen(harness)) == 2


async def test_a_digest_names_the_best_and_counts_the_rest(opened: Opened, clock: Clock) -> None:
    async with opened() as harness:
        await harness.say("/paper settings every:daily most:2 hour:9")
        await harness.say("/paper subscribe diffusion")
        await arrive_slowly(harness, clock, *papers(*range(6)), *papers(9, upvotes=50))
        await clock.set(MORNING + timedelta(hours=2))
        await pass_on(harness.bot, clock, 1)
        [digest] = await harness.posted()
        assert "7 new papers, the best 2" in digest.text
        assert digest.text.count("Diffusion number") == 2
        assert "Diffusion number 9" in digest.text
        assert "5 more papers matched." in digest.text
        assert (await harness.press(digest, "Show")).text.count("Diffusion number") == 7


async def test_papers_wait_in_quiet_hours_and_an_undo_releases_them(opened: Opened, clock: Clock) -> None:
    async with opened() as harness:
        await harness.say("/paper subscribe diffusion")
        quiet = await harness.say("/paper settings quiet:7-12")
        assert "Nothing is posted until Mon 23 Nov 12:00 UTC" in quiet.text
        await arrive_slowly(harness, clock, *papers(1, 2))
        assert await seen(harness) == []
        undone = await harness.press(quiet, "Undo")
        assert "No quiet hours." in undone.text
        await pass_on(harness.bot, clock, 2)
        assert len(await seen(harness)) == 2
        await clock.set(MORNING + timedelta(days=1))
        await deliver(harness.bot)
        assert len(await seen(harness)) == 2


async def test_the_mute_button_keeps_an_author_out(opened: Opened, clock: Clock) -> None:
    async with opened() as harness:
        await harness.say("/paper subscribe diffusion")
        await arrive_slowly(harness, clock, *papers(1))
        [post] = await harness.posted()
        choice = await harness.press(post, "Mute")
        assert "Its reason, #1, for a week" in choice.buttons
        muted = await harness.press(choice, "Its author, Ada Lovelace")
        assert "Muted here" in muted.text
        await arrive_slowly(harness, clock, *papers(2))
        assert len(await seen(harness)) == 1
        assert "it is muted" in (await harness.say("/paper explain 2611.00002")).text
        await harness.press(muted, "Undo")
        await arrive_slowly(harness, clock, *papers(3))
        assert len(await seen(harness)) == 2


async def test_a_query_is_muted_for_a_while(opened: Opened, clock: Clock) -> None:
    async with opened() as harness:
        await harness.say("/paper subscribe diffusion")
        assert "Mon 30 Nov 07:30 UTC" in (await harness.say("/paper mute survey for:7d")).text
        await arrive_slowly(harness, clock, *papers(1, title="A survey of diffusion"))
        assert await seen(harness) == []
        assert "survey" in (await harness.say("/paper unmute")).text
        await clock.set(MORNING + timedelta(days=8))
        await arrive_slowly(harness, clock, *papers(2, title="Another survey of diffusion"))
        assert len(await seen(harness)) == 1


async def test_a_young_paper_is_posted_when_it_first_qualifies_and_says_so(
    opened: Opened, clock: Clock
) -> None:
    async with opened() as harness:
        await harness.say("/paper subscribe diffusion min:50")
        await arrive_slowly(harness, clock, *papers(1, upvotes=12))
        assert await seen(harness) == []
        explained = (await harness.say("/paper explain 2611.00001")).text
        assert "it has ▲ 12 so far" in explained
        await arrive_slowly(harness, clock, *papers(1, upvotes=55))
        [post] = await seen(harness)
        assert "reached ▲ 50" in post
        await arrive_slowly(harness, clock, *papers(1, upvotes=70))
        assert len(await seen(harness)) == 1
        assert "Posted here on Mon 23 Nov 07:30 UTC" in (await harness.say("/paper explain 2611.00001")).text


async def test_a_posted_card_is_updated_if_the_channel_wants_it(
    opened: Opened, clock: Clock, request: pytest.FixtureRequest
) -> None:
    async with opened() as harness:
        await harness.say("/paper settings edits:on")
        await harness.say("/paper subscribe diffusion")
        for upvotes in (3, 30, 130, 300):
            await arrive_slowly(harness, clock, *papers(1, upvotes=upvotes))
        [post] = await seen(harness)
        stays = any(name in request.node.name for name in ("console", "email"))  # printed, or sent
        assert ("▲ 3 " in f"{post} ".replace("\n", " ")) == stays
        assert ("▲ 130" in post) != stays
        assert "▲ 300" not in post


async def test_many_dislikes_lead_to_a_narrower_query(opened: Opened, clock: Clock) -> None:
    async with opened() as harness:
        await harness.say("/paper subscribe diffusion")
        await arrive_slowly(
            harness, clock, *papers(1, 2, 3, title="Medical diffusion", abstract="Of organs.")
        )
        await arrive_slowly(harness, clock, *papers(4, title="Diffusion for robots"))
        *medical, robots = await harness.posted()
        assert "counted for #1" in (await harness.press(robots, "👍")).text
        for post in medical:
            answer = await harness.press(post, "👎")
        assert "would have left out 3 of 3" in answer.text
        assert "👍 1 👎 3" in (await harness.say("/paper list")).text
        narrowed = await harness.press(answer, "Narrow #1")
        assert "diffusion -medical" in narrowed.text or "diffusion -organ" in narrowed.text
        await arrive_slowly(harness, clock, *papers(5, title="Medical diffusion", abstract="Of organs."))
        assert len(await seen(harness)) == 4
        await harness.press(narrowed, "Undo")
        await arrive_slowly(harness, clock, *papers(6, title="Medical diffusion", abstract="Of organs."))
        assert len(await seen(harness)) == 5


async def test_an_acronyms_long_form_is_offered(opened: Opened, clock: Clock) -> None:
    async with opened() as harness:
        short = papers(*range(30), title="On learning", abstract="We use reinforcement learning (RL) here.")
        await harness.bot.papers.remember(short)
        long = papers(*range(40, 43), title="Of mice", abstract="They learn by reinforcement learning.")
        await arrive(harness.bot, *short[:5], *long)
        subscribed = await harness.say("/paper subscribe rl")
        assert 'Also match "reinforcement learning"? +3 papers in 14 days.' in subscribed.text
        missed = await harness.say("/paper explain 2611.00041")
        assert 'It would match "reinforcement learning".' in missed.text
        wider = await harness.press(subscribed, 'Also match "reinforcement learning"')
        assert 'rl OR "reinforcement learning"' in wider.text
        listed = (await harness.say("/paper list")).text
        assert 'rl OR "reinforcement learning"' in listed
        assert "Also match" not in (await harness.say("/paper preview #1")).text
        await arrive_slowly(
            harness, clock, *papers(50, title="Dogs", abstract="With reinforcement learning.")
        )
        assert len(await seen(harness)) == 1
        restored = await harness.press(wider, "Undo")
        assert "OR" not in restored.text
        await arrive_slowly(
            harness, clock, *papers(51, title="Cats", abstract="With reinforcement learning.")
        )
        assert len(await seen(harness)) == 1

"""Scenarios of searching, on every platform."""

from datetime import timedelta

from tests.conftest import MORNING
from tests.papers import a_paper
from tests.platform_harness import PlatformHarness, arrive
from tests.platform_harnesses import Opened

LONG = (
    "Words of which there are so many that no button of any platform could ever carry all of them on its back"
)


async def shelve(harness: PlatformHarness) -> None:
    """Store seven papers on rats, and one on diffusion."""
    rats = [
        a_paper(
            f"2611.{n:05}",
            title=f"Of rats, part {n}",
            abstract=LONG,
            upvotes=n,
            published=MORNING - timedelta(hours=1),
        )
        for n in range(7)
    ]
    await arrive(
        harness.bot,
        *rats,
        a_paper(
            "2611.00099",
            title="Diffusion Policy",
            abstract="A robot's policy removes noise.",
            published=MORNING - timedelta(hours=1),
        ),
    )


async def test_results_can_be_paged_shared_and_subscribed_to(opened: Opened) -> None:
    async with opened() as harness:
        await shelve(harness)
        found = await harness.say("/paper search rats sort:top")
        assert found.private
        assert "7 papers for “rats” (page 1 of 2)" in found.text
        assert "Of rats, part 6" in found.text
        assert "part 1" not in found.text
        second = await harness.press(found, "Next")
        assert second.private
        assert "Of rats, part 1" in second.text
        assert "Of rats, part 6" in (await harness.press(second, "Previous")).text
        assert await harness.posted() == []

        found = await harness.say("/paper search robot difusion")
        assert "No exact match for “robot difusion”. Closest results:" in found.text
        assert "Did you mean" in found.text
        shared = await harness.press(found, "Share here")
        everyone = [shared, *await harness.posted()]  # in a terminal, the answer is the shared post
        assert any("Shared by " in seen.text and "Diffusion Policy" in seen.text for seen in everyone)

        found = await harness.say("/paper search diffusion")
        subscribed = await harness.press(found, "Subscribe to this")
        assert "Subscribed as #1" in subscribed.text
        assert "diffusion" in (await harness.say("/paper list")).text


async def test_a_search_without_an_answer_offers_a_part_of_it(opened: Opened) -> None:
    async with opened() as harness:
        await shelve(harness)
        found = await harness.say("/paper search diffusion of rats")
        assert "No paper here is about “diffusion of rats”" in found.text
        assert "Diffusion Policy" not in found.text
        assert "Diffusion Policy" in (await harness.press(found, "diffusion (1)")).text


async def test_every_button_works_after_a_restart(opened: Opened) -> None:
    async with opened() as harness:
        await shelve(harness)
        found = await harness.say(f"/paper search {LONG}")
        single = await harness.say("/paper search diffusion")
        await harness.restart()
        assert "(page 2 of 2)" in (await harness.press(found, "Next")).text
        assert "Subscribed as #1" in (await harness.press(single, "Subscribe to this")).text
        like = await harness.press(single, "Similar")
        assert "Diffusion Policy" in like.text
        await harness.press(single, "Share here")
        assert "Diffusion Policy" in (await harness.press(single, "Save")).text


async def test_trending_and_similar_papers_are_shown(opened: Opened) -> None:
    async with opened() as harness:
        await shelve(harness)
        assert "Trending papers aren't loaded yet" in (await harness.say("/paper trending")).text
        week = await harness.say("/paper trending week")
        assert week.text.index("part 6") < week.text.index("part 5")
        assert "curated by AK and the research community" in week.text
        assert "Most upvoted this month" in (await harness.press(week, "This month")).text
        like = await harness.say("/paper similar https://arxiv.org/abs/2611.00001v2")
        assert "Of rats, part" in like.text
        assert "I don't have the paper" in (await harness.say("/paper similar 2101.00001")).text

"""A reading list that a channel shares, as one story on every platform."""

from datetime import timedelta

import pytest

from tests.conftest import MORNING
from tests.papers import a_paper
from tests.platform_harness import arrive, pass_on
from tests.platform_harnesses import Opened
from tests.scenario import Clock


async def test_a_list_is_shared_searched_and_exported(opened: Opened) -> None:
    async with opened() as harness:
        await arrive(
            harness.bot,
            a_paper("2611.00001", title="Whales & 100% of their songs", authors=("Ada Lovelace",)),
            a_paper("2611.00002", title="Robots walk"),
        )
        reply = await harness.say('/paper save 2611.00001 here note:"For Monday" tag:to-read')
        assert "Saved to this channel's list" in reply.text
        await harness.say("/paper save https://arxiv.org/abs/2611.00002v3 here")
        listed = await harness.say("/paper saved here")
        assert "#to-read · For Monday" in listed.text
        assert "Robots walk" in listed.text
        found = await harness.say("/paper saved monday here")
        assert "Whales" in found.text
        assert "Robots walk" not in found.text
        exported = await harness.press(listed, "Export as BibTeX")
        assert r"Whales \& 100\% of their songs" in exported.file
        assert "lovelace" in exported.file
        assert 'annote = "For Monday"' in exported.file
        assert exported.file.count("@misc{") == 2


@pytest.mark.parametrize(("kind", "sign"), [("ris", "TY  - UNPB"), ("csl", '"DOI"'), ("md", "- [Whales]")])
async def test_a_personal_list_is_exported_in_each_format(opened: Opened, kind: str, sign: str) -> None:
    async with opened() as harness:
        await arrive(harness.bot, a_paper("2611.00001", title="Whales", doi="10.1000/1"))
        assert "no papers to export" in (await harness.say(f"/paper saved export:{kind}")).text
        await harness.say("/paper save 2611.00001")
        assert sign in (await harness.say(f"/paper saved export:{kind}")).file


async def test_the_papers_of_a_digest_are_exported(opened: Opened, clock: Clock) -> None:
    async with opened() as harness:
        await harness.say("/paper subscribe whales every:daily")
        papers = [a_paper(f"2611.{n:05}", title=f"Whales, part {n}", published=MORNING) for n in range(12)]
        await arrive(harness.bot, *papers)
        await clock.set(MORNING + timedelta(days=1))
        await pass_on(harness.bot, clock, 3)
        [digest] = await harness.posted()
        file = (await harness.press(digest, "Export")).file
        assert all(f'eprint = "{paper.id}"' in file for paper in papers)
        more = await harness.press(digest, "Show 2 more")
        assert (await harness.press(more, "Export")).file == file


async def test_the_papers_of_a_search_are_exported(opened: Opened) -> None:
    async with opened() as harness:
        papers = [a_paper(f"2611.{n:05}", title=f"Whales, part {n}") for n in range(12)]
        await arrive(harness.bot, *papers)
        file = (await harness.say("/paper search whales export:bibtex")).file
        assert all(f'eprint = "{paper.id}"' in file for paper in papers)

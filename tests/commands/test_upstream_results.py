"""Results from upstream searches: shown after our own, marked, and stored without counting as new."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from aiohttp import ClientSession
from redis.asyncio import Redis

from bot.cards import PaperBlock
from bot.commands.core import Commands
from bot.commands.services import Services
from bot.ports import Batch, Reply
from bot.sources import build_finders
from bot.sources.upstream_search import UpstreamSearch
from tests.commands.conftest import ADA, See, card_text
from tests.papers import a_channel, a_paper
from tests.replay import serve
from tests.sources.context import a_context
from tests.sources.searchable import Searchable
from tests.sources.upstreams import app_of


@pytest.fixture
def upstreams() -> Searchable:
    return Searchable(huggingface=("2605.00001", "2605.00002"), arxiv=("2605.00002", "2605.00003"))


@pytest.fixture
async def core(services: Services, redis: Redis, upstreams: Searchable) -> AsyncIterator[Commands]:
    """Commands with upstreams that can be searched."""
    async with serve(app_of(upstreams.respond)) as url, ClientSession() as session:
        finders = build_finders(a_context(url, session, redis))
        yield Commands(replace(services, upstream_search=UpstreamSearch(finders, timeout=1.0)))


async def ask_core(core: Commands, line: str) -> Reply:
    return await core.handle_text(line, ADA, a_channel())


async def ids(reply: Reply) -> list[str]:
    """Return the paper ids of the later, fuller card."""
    assert reply.later is not None
    card = await reply.later()
    return [block.paper_id for block in card.blocks if isinstance(block, PaperBlock)] if card else []


async def test_our_papers_are_shown_first_and_upstream_results_later(core: Commands, see: See) -> None:
    await see(a_paper("2603.00001", title="On the Number of Things"))
    reply = await ask_core(core, "search number")
    assert "2603.00001" in str(reply.card)
    assert "Found on" not in card_text(reply.card)
    assert await ids(reply) == ["2605.00002", "2603.00001", "2605.00001", "2605.00003"]
    assert reply.later is not None
    fuller = await reply.later()
    assert fuller is None or "Found on Hugging Face" in card_text(fuller)


async def test_no_upstream_is_searched_if_we_have_enough_papers(
    core: Commands, see: See, upstreams: Searchable
) -> None:
    await see(*(a_paper(f"p{n}", title="On a Number") for n in range(5)))
    assert (await ask_core(core, "search number")).later is None
    assert upstreams.asked == []


async def test_the_first_card_stays_if_upstreams_find_nothing_new(
    core: Commands, upstreams: Searchable
) -> None:
    upstreams.huggingface = upstreams.arxiv = ()
    reply = await ask_core(core, "search quokka")
    assert reply.later is not None
    assert await reply.later() is None


async def test_upstreams_that_fail_or_are_late_change_nothing(core: Commands, upstreams: Searchable) -> None:
    upstreams.failing, upstreams.late = ("/api/papers", "/graph"), ("/api/query",)
    reply = await ask_core(core, "search quokka")
    assert reply.later is not None
    assert await reply.later() is None


async def test_upstream_results_that_do_not_match_the_query_are_dropped(core: Commands) -> None:
    assert await ids(await ask_core(core, "search number -things author:noether")) == [
        "2605.00002",
        "2605.00003",
    ]
    assert await ids(await ask_core(core, "search author:noether number days:1")) == []


async def test_an_upstream_result_can_be_shared_and_saved_and_is_still_new_when_listed(
    core: Commands, services: Services
) -> None:
    await ids(await ask_core(core, "search number"))
    assert "Emmy Noether" in str((await ask_core(core, "share 2605.00003")).card)
    assert "Saved" in (await ask_core(core, "save 2605.00003")).card.notice
    paper = (await services.papers.get(["2605.00003"]))["2605.00003"]
    result = await services.papers.ingest("arxiv", Batch((paper,), "c"), 0)
    assert result.new == 1


async def test_an_id_that_was_never_listed_is_fetched(core: Commands) -> None:
    assert await ids(await ask_core(core, "search https://arxiv.org/abs/2605.00003v1")) == ["2605.00003"]
    assert "Like" in (await ask_core(core, "similar 2605.00002")).card.notice
    assert "I don't have the paper" in (await ask_core(core, "similar 2605.77777")).card.notice

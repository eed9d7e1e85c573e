"""Answers give the true reason why nothing was posted."""

from datetime import timedelta

import pytest

from bot.commands.services import Services
from bot.domain.polls import PollResult
from bot.sources.categories import ARXIV
from bot.store.polls import record_poll
from tests.commands.conftest import NOW, Ask, See, card_text
from tests.papers import a_paper

UNREAD_PAPER = a_paper("2603.00009", title="Sheaves", categories=("math.AG",), published=NOW)


@pytest.fixture(autouse=True)
async def _some_papers(see: See, services: Services) -> None:
    old = NOW - timedelta(days=60)
    await see(
        a_paper("2603.00001", title="Robots fold laundry", published=NOW, organization="Deepmind"),
        a_paper("2603.00002", title="Diffusion policies", published=NOW, authors=("Ada Lovelace",)),
        a_paper("2601.00003", title="Quantum frogs", published=old),
    )
    await services.recent.up_to_date()


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("difusion", "has the word “difusion”. The nearest word that papers have is “diffusion”."),
        ("robots zzzzqqq", "No paper of the last 90 days has the word “zzzzqqq”."),
        ('"fold robots"', 'No paper of the last 90 days has "fold robots".'),
        ("robots policies", "No paper of the last 90 days has all of it."),
        ("frogs", "It is rare: 1 match in the last 90 days."),
        ("org:deepmined", "names the organization deepmined. The nearest is org:deepmind."),
        ('author:"Grace Hopper"', "No paper of the last 90 days has the author Grace Hopper."),
        ("cat:cs.AI", "No paper of the last 90 days is in cs.AI."),
        ("author:lovelice", "has the author lovelice. The nearest name is lovelace."),
        ("cat:cs.ZZ", "No source has a category cs.ZZ."),
        ("cat:robotics", "Did you mean cat:cs.RO (Robotics)?"),
        ("cat:neurosciense", "Did you mean cat:neuroscience (Neuroscience)?"),
        ("cat:alg-geom", "Did you mean cat:math.AG (Algebraic Geometry)?"),
        ("cat:biorxiv.*", "bioRxiv is a source, not a category: its papers are source:biorxiv."),
        ('title:"a marvellous robot"', "has the word “marvellous” in its title."),
        ("robots -laundry", "1 paper would match without the exclusions."),
        ("source:biorxif", "The source biorxif isn't read here; these are: huggingface."),
    ],
)
async def test_a_query_without_matches_says_why(
    ask: Ask, services: Services, query: str, reason: str
) -> None:
    await record_poll(services.papers._redis, PollResult(source="huggingface", at=NOW, next_at=NOW))
    for command in ("preview", "subscribe"):
        assert reason in card_text(await ask(f"{command} {query}"))


async def test_subscribing_to_a_category_follows_it(ask: Ask, services: Services) -> None:
    assert "math.AG isn't read yet. Paperboy starts to read it when someone subscribes to it." in card_text(
        await ask("preview cat:math.AG")
    )
    text = card_text(await ask("subscribe cat:math.AG"))
    assert "Following math.AG from now; the first papers come tonight." in text
    assert "No matches" not in text
    assert (await services.catalog.standing("math.AG")).state == "followed"
    assert "Following" not in card_text(await ask("subscribe cat:math.AG sheaves"))


async def test_a_followed_category_without_papers_yet_is_not_called_rare(ask: Ask) -> None:
    await ask("subscribe cat:cond-mat.*")
    text = card_text(await ask("subscribe cat:cond-mat.supr-con"))
    assert (
        "cond-mat.supr-con is followed, but no paper of it has come in yet; the next ones come tonight."
        in text
    )


async def test_a_group_of_categories_is_understood(ask: Ask) -> None:
    assert "cat:cs.AI OR cat:math.AG" in card_text(await ask("subscribe cat:(cs.AI OR math.AG)"))
    assert "cs.AI is a category." in card_text(await ask("subscribe robots cs.AI"))


@pytest.mark.parametrize(
    ("typed", "nearest"),
    [("math.A*", "math.*"), ("cs.CL*", "cs.CL"), ("biorxiv:neuroscience", "neuroscience")],
)
async def test_the_nearest_category_is_offered(ask: Ask, typed: str, nearest: str) -> None:
    assert f"Try /paper subscribe cat:{nearest}" in card_text(await ask(f"subscribe cat:{typed}"))


async def test_a_category_that_is_already_read_is_not_followed_again(ask: Ask, services: Services) -> None:
    for query in ("cat:cs.AI", "cat:neuroscience"):
        assert "Following" not in card_text(await ask(f"subscribe {query}"))
    assert "Following math.* from now" in card_text(await ask("subscribe cat:math.*"))
    assert (await services.catalog.standing("math.NT")).state == "followed"


async def test_a_category_above_the_limit_is_refused_with_the_reason(ask: Ask) -> None:
    for name in ("math.AG", "math.NT", "quant-ph"):
        assert "Following" in card_text(await ask(f"subscribe cat:{name}"))
    text = card_text(await ask("subscribe cat:hep-th"))
    assert "hep-th isn't read: 3 further categories of arXiv are followed, the most that are allowed" in text
    assert "hep-th isn't read" in card_text(await ask("status"))


@pytest.mark.parametrize("name", [*ARXIV, "math.*", "cs.*", "astro-ph.*", "physics.*"])
async def test_no_category_of_arxiv_is_called_rare(ask: Ask, name: str) -> None:
    text = card_text(await ask(f"subscribe cat:{name}"))
    assert ("Following" in text) == (name not in ("cs.AI", "cs.CL"))
    assert "rare" not in text
    assert "fewer words" not in text


async def test_a_source_that_is_down_is_given_as_the_reason(ask: Ask, services: Services) -> None:
    broken = PollResult(
        source="arxiv:cs.AI",
        at=NOW,
        next_at=NOW,
        error="arXiv answers 503",
        succeeded_at=NOW - timedelta(days=2),
    )
    await record_poll(services.papers._redis, broken)
    text = card_text(await ask("subscribe cat:cs.AI"))
    assert "arxiv:cs.AI hasn't been readable since Sun 8 Mar 00:00 UTC: arXiv answers 503." in text


async def test_mutes_and_quiet_hours_are_given_as_reasons(ask: Ask) -> None:
    await ask("mute laundry")
    await ask("settings quiet:22-7")
    for line in ("preview robots", "subscribe robots"):
        text = card_text(await ask(line))
        assert "All of them would be muted here: laundry." in text
        assert "Quiet hours: nothing is posted before Tue 10 Mar 07:00 UTC." in text
    text = card_text(await ask("status"))
    assert "1 mute in this channel" in text
    assert "nothing is posted before Tue 10 Mar 07:00 UTC" in text


async def test_missing_upvotes_are_given_as_the_reason(ask: Ask, see: See) -> None:
    await see(*(a_paper(f"2603.0001{n}", title="Robots", published=NOW, upvotes=3) for n in range(2)))
    assert "3 papers match but for upvotes, rank or code." in card_text(await ask("preview robots min:30"))


async def test_explain_says_which_category_is_not_read(ask: Ask, services: Services) -> None:
    await services.papers.remember([UNREAD_PAPER])
    await ask("subscribe sheaves")
    text = card_text(await ask("explain 2603.00009"))
    assert "math.AG isn't read here; after /paper subscribe cat:math.AG it is." in text

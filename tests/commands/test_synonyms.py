"""Suggestions of synonyms for a query, as users see them."""

from datetime import timedelta

from bot.commands.services import Services
from tests.commands.conftest import NOW, Ask, See, card_text, commands_of
from tests.papers import a_paper

EXPLAINED = [
    a_paper(f"p{n}", title="On learning", abstract="Reinforcement learning (RL).", published=NOW)
    for n in range(30)
]
LONG_ONLY = [
    a_paper(f"q{n}", title="Mice", abstract="By reinforcement learning.", published=NOW) for n in range(4)
]
SHORT_ONLY = [a_paper(f"r{n}", title="RL for mice", abstract="It works.", published=NOW) for n in range(5)]


async def test_a_preview_offers_synonyms_with_their_number_of_papers(
    ask: Ask, see: See, services: Services
) -> None:
    await services.papers.remember(EXPLAINED)
    await see(*EXPLAINED[:2], *LONG_ONLY, *SHORT_ONLY)
    card = await ask("preview rl")
    assert 'Also match "reinforcement learning"? +4 papers in 14 days.' in card_text(card)
    again = commands_of(card)['Also match "reinforcement learning"']
    assert commands_of(await ask(again))["Subscribe"] == 'subscribe rl OR "reinforcement learning"'
    for typed in ('"reinforcement learning"', "reinforcement learning"):
        assert "Also match rl? +5 papers in 14 days." in card_text(await ask(f"preview {typed}"))


async def test_a_synonym_that_adds_no_paper_is_not_offered(ask: Ask, see: See, services: Services) -> None:
    await services.papers.remember(EXPLAINED)
    await see(*EXPLAINED)
    assert "Also match" not in card_text(await ask("preview rl"))


async def test_an_acronym_that_few_papers_explain_gets_no_offer(ask: Ask, see: See) -> None:
    await see(*EXPLAINED[:19], *LONG_ONLY)
    assert "Also match" not in card_text(await ask("preview rl"))


async def test_words_of_the_same_family_are_offered(ask: Ask, see: See) -> None:
    robots = [a_paper(f"s{n}", title="Robots", published=NOW) for n in range(4)]
    await see(*robots, a_paper("s9", title="Robotic arms", published=NOW - timedelta(days=1)))
    card = await ask("subscribe robot")
    assert "Also match robotic? +1 paper in 14 days." in card_text(card)
    await ask(commands_of(card)["Also match robotic"])
    assert "robot OR robotic" in card_text(await ask("list"))


async def test_pressing_a_synonym_button_twice_adds_nothing(ask: Ask) -> None:
    await ask("subscribe rl OR cats")
    await ask('also #1 rl OR "reinforcement learning"')
    assert 'rl OR "reinforcement learning" OR cats' in card_text(await ask("list"))
    assert "Nothing was added" in card_text(await ask('also #1 rl OR "reinforcement learning"'))

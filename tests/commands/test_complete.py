"""Suggestions while a person types."""

import pytest

from bot.cards import Choice
from bot.commands.core import Commands
from bot.commands.services import Services
from bot.domain.models import User
from tests.commands.conftest import NOW, Ask, See
from tests.papers import a_channel, a_paper

ADA = User("U1", "Ada")


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("cat:cs.r", "cat:cs.RO"),
        ("robots cs.ro", "robots cat:cs.RO"),
        ("CAT:Q-BIO.N", "cat:q-bio.NC"),
        ("cat:math.a", "cat:math.AC"),
        ("preset:rob", "preset:robotics"),
        ("diff", "diffusion"),
        ("new poli", "new policy"),
        ("policy", "policy"),
    ],
)
async def test_the_last_word_of_a_query_is_completed(
    ask: Ask, services: Services, typed: str, first: str
) -> None:
    await ask('subscribe "diffusion policy" -survey')
    offered = await Commands(services).complete("subscribe", "query", typed, ADA, a_channel())
    assert offered[0].value == first


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("org:", ["org:deepmind", "org:kaist", 'org:"national university of singapore"']),
        ("robots org:dee", ["robots org:deepmind"]),
        ('org:"Google De', ["org:deepmind"]),
        ("org:national u", ['org:"national university of singapore"']),
        ("org:singa", ['org:"national university of singapore"']),
        ("org:nowhere", []),
    ],
)
async def test_organizations_of_known_papers_are_offered(
    services: Services, see: See, typed: str, offered: list[str]
) -> None:
    named = ("Deepmind", "KAIST AI", "Google DeepMind", "National University of Singapore")
    await see(*(a_paper(f"2603.0000{n}", organization=name, published=NOW) for n, name in enumerate(named)))
    await services.recent.up_to_date()
    choices = await Commands(services).complete("subscribe", "query", typed, ADA, a_channel())
    assert [choice.value for choice in choices] == offered


async def test_the_channels_subscriptions_are_offered_whole(ask: Ask, services: Services) -> None:
    await ask('subscribe "diffusion policy" -survey')
    offered = await Commands(services).complete("mute", "query", "", ADA, a_channel())
    assert list(offered) == [Choice('"diffusion policy" -survey', '"diffusion policy" -survey')]


@pytest.mark.parametrize("typed", ["zz", "rag", "c", ".", 'a "'])
async def test_no_suggestions_without_a_match(ask: Ask, services: Services, typed: str) -> None:
    await ask("list")
    assert await Commands(services).complete("subscribe", "query", typed, ADA, a_channel()) == []

"""Ready-made queries for fields of science."""

import pytest

from bot.commands.presets import OFFERED, PRESETS, expand, for_channel
from bot.commands.services import Services
from bot.domain.errors import UserError
from bot.query import parse
from tests.commands.conftest import NOW, Ask, See, card_text, commands_of
from tests.papers import a_channel, a_paper


def test_every_preset_is_a_valid_query() -> None:
    assert len(PRESETS) >= 25
    for name, preset in PRESETS.items():
        assert parse(expand(f"preset:{name}")) == parse(preset.query)
        assert str(parse(expand(f"preset:{name} -survey"))).endswith("-survey")


@pytest.mark.parametrize(
    ("channel", "first"),
    [
        ("robotics", "robotics"),
        ("math-alg-geom", "algebraic-geometry"),
        ("#lab_quantum", "quantum-computing"),
        ("reading-rl", "reinforcement-learning"),
        ("neuro-papers", "neuroscience"),
        ("llm-safety", "ai-safety"),
        ("protein-folding", "protein-design"),
        ("general", "language-models"),
        ("", "language-models"),
    ],
)
def test_presets_are_chosen_by_the_channels_name(channel: str, first: str) -> None:
    offered = for_channel(channel)
    assert offered[0] == first
    assert len(offered) == OFFERED


async def test_presets_are_listed_with_their_number_of_matches(
    ask: Ask, see: See, services: Services
) -> None:
    await see(a_paper(title="Humanoid robots", published=NOW))
    await services.recent.up_to_date()
    card = await ask("presets")
    assert "Robotics preset:robotics – title:robot OR title:robotic" in card_text(card)
    assert "· 1 match in 14 days" in card_text(card)
    assert "page 2 of 3" in (await ask(commands_of(card)["Next"])).heading


async def test_subscribing_to_a_preset_subscribes_to_its_query(ask: Ask, services: Services) -> None:
    text = card_text(await ask("subscribe preset:number-theory"))
    assert "Subscribed as #1: cat:math.NT" in text
    assert "Following math.NT from now" in text
    await ask("subscribe preset:robotics -survey")
    queries = [s.query for s in await services.subscriptions.of(a_channel())]
    assert queries[1].endswith(") -survey")
    assert "There is no preset “robotic”" in card_text(await ask("subscribe preset:robotic"))


def test_an_unknown_preset_gets_the_nearest_as_a_hint() -> None:
    with pytest.raises(UserError) as refused:
        expand("preset:robotic")
    assert refused.value.hint == "/paper subscribe preset:robotics"


async def test_a_channel_without_subscriptions_is_offered_presets(ask: Ask) -> None:
    buttons = commands_of(await ask("list"))
    assert list(buttons.values()) == [f"subscribe preset:{name}" for name in for_channel("C1")]

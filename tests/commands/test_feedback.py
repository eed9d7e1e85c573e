"""👍 and 👎 are counted, and many 👎 lead to a narrower query."""

import pytest

from bot.commands.core import Commands
from bot.commands.services import Services
from bot.domain.models import User
from tests.commands.conftest import Ask, See, card_text, commands_of
from tests.papers import a_channel, a_paper

BOB = User("U2", "Bob")


@pytest.fixture
async def _papers(ask: Ask, see: See) -> None:
    await ask("subscribe diffusion sure:yes")
    await ask("subscribe robots")
    medical = [a_paper(f"m{n}", title=f"Medical diffusion {n}") for n in range(3)]
    await see(*medical, *(a_paper(f"r{n}", title=f"Diffusion for robots {n}") for n in range(2)))


@pytest.mark.usefixtures("_papers")
async def test_a_vote_counts_for_each_matching_subscription_once_per_person(ask: Ask, core: Commands) -> None:
    assert card_text(await ask("up r1")) == "👍 counted for #1, #2."
    await ask("up r1")
    await core.handle_text("down r1", BOB, a_channel())
    await ask("up m1")
    lines = card_text(await ask("list")).splitlines()
    assert lines[1].endswith("👍 2 👎 1")
    assert lines[2].endswith("👍 1 👎 1")
    await ask("down m1")
    assert card_text(await ask("list")).splitlines()[1].endswith("👍 1 👎 2")


@pytest.mark.usefixtures("_papers")
async def test_many_downvotes_offer_a_narrower_query(ask: Ask, services: Services) -> None:
    await ask("up r1")
    for n in range(2):
        assert "Narrow" not in card_text(await ask(f"down m{n}"))
    card = await ask("down m2")
    assert "-medical would have left out 3 of 3 of them and kept all 1 with a 👍." in card_text(card)
    assert commands_of(await ask("list"))["Narrow #1"] == "narrow #1 -medical"
    narrowed = await ask(commands_of(card)["Narrow #1"])
    assert (await services.subscriptions.of(a_channel()))[0].query == "diffusion -medical"
    assert "Narrow #1" not in commands_of(await ask("list"))
    await ask(commands_of(narrowed)["Undo"])
    assert (await services.subscriptions.of(a_channel()))[0].query == "diffusion"
    assert [s.number for s in await services.subscriptions.of(a_channel())] == [1, 2]


@pytest.mark.usefixtures("_papers")
async def test_without_an_upvoted_paper_no_exclusion_is_offered(ask: Ask) -> None:
    for n in range(3):
        card = await ask(f"down m{n}")
    assert "Narrow #1" not in commands_of(card)
    assert "so far it has 0 and 3" in card_text(card)


@pytest.mark.usefixtures("_papers")
async def test_an_exclusion_that_would_drop_an_upvoted_paper_is_not_offered(ask: Ask, see: See) -> None:
    await see(
        a_paper("liked", title="Medical diffusion for hearts", abstract="Hearts."),
        *(a_paper(f"x{n}", title=f"Medical diffusion of organs {n}", abstract="Organs.") for n in range(3)),
    )
    await ask("up liked")
    for n in range(3):
        card = await ask(f"down m{n}")
    assert "-medical" not in card_text(card)


async def test_a_query_that_was_not_narrowed_cannot_be_widened(ask: Ask) -> None:
    await ask("subscribe rag")
    assert "hasn't been changed" in card_text(await ask("widen #1"))

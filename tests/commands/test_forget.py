"""`/paper forget` asks what to delete, and for confirmation. tests/test_forget.py tests the deletion on every platform."""

import pytest

from bot.commands.core import Commands
from bot.domain.models import User
from tests.commands.conftest import Ask, card_text, commands_of
from tests.papers import a_channel

GUEST = User("U2", "Guest", may_manage=False)


async def test_forget_alone_asks_what_to_delete(ask: Ask) -> None:
    await ask("subscribe diffusion")
    assert [*commands_of(await ask("forget")).values()] == ["forget channel", "forget me"]
    assert "diffusion" in card_text(await ask("list"))


@pytest.mark.parametrize("target", ["channel", "me"])
async def test_forget_asks_for_confirmation(ask: Ask, target: str) -> None:
    await ask("subscribe diffusion")
    card = await ask(f"forget {target}")
    assert "can't be undone" in card_text(card)
    assert [*commands_of(card).values()] == [f"forget {target} sure:yes"]
    assert "diffusion" in card_text(await ask("list"))


async def test_only_managers_can_have_a_channel_forgotten(ask: Ask, core: Commands) -> None:
    await ask("subscribe diffusion")
    refused = await core.handle_text("forget channel sure:yes", GUEST, a_channel())
    assert "Only people who manage this channel" in card_text(refused.card)
    allowed = await core.handle_text("forget me sure:yes", GUEST, a_channel())
    assert "Everything about you is deleted" in card_text(allowed.card)
    assert "diffusion" in card_text(await ask("list"))


async def test_forget_with_another_word_lists_the_choices(ask: Ask) -> None:
    assert "channel or me" in card_text(await ask("forget diffusion"))

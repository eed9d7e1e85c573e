"""`/paper forget` asks which and whether one is sure. tests/test_forget.py shows what it deletes, on every platform."""

import pytest

from bot.commands.core import Commands
from bot.domain.models import User
from tests.commands.conftest import Ask, commands_of, written
from tests.papers import a_channel

GUEST = User("U2", "Guest", may_manage=False)


async def test_without_a_word_it_asks_which(ask: Ask) -> None:
    await ask("subscribe diffusion")
    assert [*commands_of(await ask("forget")).values()] == ["forget channel", "forget me"]
    assert "diffusion" in written(await ask("list"))


@pytest.mark.parametrize("what", ["channel", "me"])
async def test_it_asks_whether_one_is_sure(ask: Ask, what: str) -> None:
    await ask("subscribe diffusion")
    asked = await ask(f"forget {what}")
    assert "can't be undone" in written(asked)
    assert [*commands_of(asked).values()] == [f"forget {what} sure:yes"]
    assert "diffusion" in written(await ask("list"))


async def test_only_who_manages_a_channel_has_it_forgotten(ask: Ask, core: Commands) -> None:
    await ask("subscribe diffusion")
    refused = await core.handle_text("forget channel sure:yes", GUEST, a_channel())
    assert "Only people who manage this channel" in written(refused.card)
    allowed = await core.handle_text("forget me sure:yes", GUEST, a_channel())
    assert "Everything about you is deleted" in written(allowed.card)
    assert "diffusion" in written(await ask("list"))


async def test_anything_else_is_refused_with_what_there_is(ask: Ask) -> None:
    assert "channel or me" in written(await ask("forget diffusion"))

"""Muting papers in a channel, for a time or for good."""

from datetime import timedelta

import pytest
from inline_snapshot import snapshot

from bot.commands.services import Services
from bot.domain.models import Mute
from tests.commands.conftest import Ask, See, card_text, commands_of
from tests.commands.test_settings import enqueue_papers
from tests.papers import a_channel, a_paper


async def mutes(services: Services) -> list[str]:
    return [mute.text for mute in (await services.rules.of(a_channel())).mutes]


async def test_a_query_is_muted_and_unmuted(ask: Ask, services: Services) -> None:
    card = await ask("mute Survey OR review")
    assert card_text(card) == snapshot("""\
Muted here, until someone unmutes it: Survey OR review
New papers are posted as they come.
[Undo: unmute Survey OR review]\
""")
    assert await mutes(services) == ["Survey OR review"]
    assert card_text(await ask(commands_of(card)["Undo"])) == snapshot("""\
No longer muted: Survey OR review
Applies to new papers only.
[Undo: mute Survey OR review]\
""")
    assert await mutes(services) == []


async def test_a_mute_can_expire(ask: Ask, services: Services) -> None:
    now = await services.outbox.now()
    assert "until" in card_text(await ask("mute survey for:7d"))
    [mute] = (await services.rules.of(a_channel())).mutes
    assert mute.until is not None
    assert timedelta(0) <= mute.until - now - timedelta(days=7) < timedelta(minutes=1)
    assert mute.created_by == "U1 Ada"


async def test_waiting_papers_that_become_muted_are_not_posted(
    ask: Ask, see: See, services: Services
) -> None:
    await ask("subscribe paper every:daily")
    await see(a_paper("p1", title="A survey paper"), a_paper("p2"))
    await enqueue_papers(services, "p1", "p2")
    card = card_text(await ask("mute survey"))
    assert "1 waiting paper won't be posted." in card
    assert "1 paper waiting." in card
    [waiting] = await services.outbox.open_deliveries(a_channel())
    assert [paper for paper, _ in waiting.papers] == ["p2"]


async def test_a_subscription_is_muted_by_its_number(ask: Ask, services: Services) -> None:
    await ask("subscribe agents")
    await ask("mute 1 for:2w")
    assert await mutes(services) == ["#1"]
    assert "no subscription" in card_text(await ask("mute #9"))
    await ask("unmute #1")
    assert await mutes(services) == []


async def test_unmute_without_a_query_shows_the_mutes(ask: Ask, services: Services) -> None:
    assert card_text(await ask("unmute")) == "Nothing is muted here. Try /paper mute survey for:7d"
    await ask("mute survey")
    over = await services.outbox.now() - timedelta(days=1)
    await services.rules.mute(a_channel(), Mute(text="old", until=over))
    assert card_text(await ask("unmute")) == snapshot("""\
# 1 mute in this channel
- survey · by Ada
[Unmute survey: unmute survey]\
""")
    assert "isn't muted here" in card_text(await ask("unmute surveys of nothing"))


async def test_the_mute_button_of_a_card_offers_its_reason_and_its_author(
    ask: Ask, see: See, services: Services
) -> None:
    await ask("subscribe robots")
    await ask("subscribe paper")
    await see(a_paper("p1"))
    card = await ask("mutewhat p1")
    assert card_text(card) == snapshot("""\
Mute what about “On paper p1”?
[Its reason, #2, for a week: mute #2 for:7d]
[Its author, Ada Lovelace: mute author:"Ada Lovelace"]
[Nothing, it's just not for us: down p1]\
""")
    for command in commands_of(card).values():
        await ask(command)
    assert await mutes(services) == ["#2", 'author:"Ada Lovelace"']


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ("mute", "needs a query"),
        ("mute survey for:ages", "“for:” is a time"),
        ("mute survey for:9999w", "“for:” is a time"),
        ("mute survey min:30", "Only words, authors, categories"),
        ("mute (", "closing bracket"),
    ],
)
async def test_a_query_that_cannot_be_muted_gets_the_reason(ask: Ask, typed: str, reason: str) -> None:
    card = await ask(typed)
    assert card.kind == "error"
    assert reason in card_text(card)

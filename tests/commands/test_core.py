"""Permissions, errors and bugs, the same for every command."""

from dataclasses import replace

import pytest
import structlog
from inline_snapshot import snapshot
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from bot.cards.sanitize import plain
from bot.commands.core import Commands
from bot.commands.services import Services
from bot.domain.deliveries import PlannedDelivery
from bot.domain.models import ChannelSettings, Command, MessageRef, User
from bot.store import keys
from tests.commands.conftest import ADA, NOW, Ask, card_text, commands_of
from tests.papers import a_channel

VISITOR = User("U2", "Bob", may_manage=False)


async def test_paper_without_a_command_shows_help(ask: Ask) -> None:
    assert (await ask("/paper")) == await ask("/paper help")


async def test_an_unknown_command_gets_a_friendly_line_and_the_nearest_command(ask: Ask) -> None:
    assert card_text(await ask('/paper subscrbe "language model"')) == snapshot("""\
Unknown command “subscrbe”. Did you mean “subscribe”?
Try /paper subscribe "language model"
[Subscribe to "language model": subscribe "language model"]\
""")


async def test_an_error_in_a_query_shows_its_position(ask: Ask) -> None:
    assert card_text(await ask("/paper subscribe rag OR OR agents every:daily")) == snapshot("""\
“OR” needs a word after it.
rag OR OR agents
    ^^
Try /paper subscribe rag OR agents every:daily
[Subscribe to rag OR agents every:daily: subscribe rag OR agents every:daily]\
""")


async def test_a_corrected_query_is_offered_as_a_whole_line(ask: Ask) -> None:
    card = await ask('/paper subscribe "diffusion policy every:daily')
    assert commands_of(card) == {
        'Subscribe to "diffusion policy" every:daily': 'subscribe "diffusion policy" every:daily'
    }


@pytest.mark.parametrize("line", ["subscribe rag", "unsubscribe #1"])
async def test_a_user_who_cannot_manage_the_channel_changes_nothing(
    core: Commands, services: Services, line: str
) -> None:
    await services.subscriptions.add(a_channel(), "agent", "now", "")
    reply = await core.handle_text(line, VISITOR, a_channel())
    assert reply.card.kind == "error"
    assert "manage this channel" in reply.card.notice
    assert [s.query for s in await services.subscriptions.of(a_channel())] == ["agent"]


@pytest.mark.parametrize("line", ["list", "preview rag", "trending", "help"])
async def test_everyone_can_use_commands_that_change_nothing(core: Commands, line: str) -> None:
    assert (await core.handle_text(line, VISITOR, a_channel())).card.kind != "error"


async def test_a_structured_command_does_the_same_as_a_typed_line(core: Commands, ask: Ask) -> None:
    await ask("subscribe rag every:daily")
    typed = await ask("subscribe RAG every:daily")
    structured = await core.handle(Command("follow", ADA, a_channel(), {"query": "RAG", "every": "daily"}))
    assert structured.card == typed


async def test_a_bug_is_logged_and_answered_with_an_apology(services: Services) -> None:
    lost = Redis(host="127.0.0.1", port=9, retry=Retry(NoBackoff(), 0))
    broken = Commands(replace(services, papers=type(services.papers)(lost)))
    with structlog.testing.capture_logs() as logs:
        reply = await broken.handle_text("preview rag", ADA, a_channel())
    assert reply.card.kind == "error"
    assert "our side" in reply.card.notice
    assert [(log["event"], log["command"], log["user"]) for log in logs] == [
        ("command_failed", "preview", "U1")
    ]
    await lost.aclose()


async def test_control_characters_of_a_line_are_not_echoed(ask: Ask) -> None:
    for line in (
        "\x1b[2J\x1b]0;evil\x07",
        "subscribe \x1b[31mred",
        "unsubscribe \u202eevil",
        "help \x1b[31m",
    ):
        text = card_text(await ask(line)).replace("\n", " ")
        assert plain(text).split() == text.split(), line


async def test_pausing_and_resuming_a_channel_or_workspace_change_the_outbox(
    core: Commands, services: Services
) -> None:
    delivery = PlannedDelivery(channel=a_channel(), papers=(("2603.00001", ()),), due=0, label="2603.00001")
    await services.outbox.enqueue([delivery])
    for pause, resume in (
        (core.pause(a_channel(), "archived"), core.resume(a_channel())),
        (core.pause_workspace("fake", "T1", "uninstalled"), core.resume_workspace("fake", "T1")),
    ):
        await pause
        assert await services.outbox.open() == 0
        await resume
        assert await services.outbox.open() == 1


async def test_forgetting_a_channel_deletes_everything_about_it(
    core: Commands, services: Services, redis: Redis
) -> None:
    before = set(await redis.keys())
    await core.handle_text("/paper subscribe diffusion", ADA, a_channel())
    await services.settings.put(a_channel(), ChannelSettings(hour=7, quiet=(22, 7)))
    assert await core.settings(a_channel()) == ChannelSettings(hour=7, quiet=(22, 7))
    digest = PlannedDelivery(channel=a_channel(), papers=(("a", ()), ("b", ())), due=0, label="daily")
    await services.outbox.enqueue([digest])
    (sent,) = (await services.outbox.claim("fake", 1, range(keys.SHARDS), token="t")).deliveries
    assert await services.outbox.begin(sent, gap=0)
    await services.outbox.done(sent, MessageRef("m1"))
    await services.outbox.enqueue([replace(digest, papers=(("c", ()),))])
    await core.forget(a_channel())
    assert await core.subscriptions([a_channel()]) == {}
    assert await core.settings(a_channel()) == ChannelSettings()
    assert await services.outbox.open() == 0
    left = [key for key in set(await redis.keys()) - before if str(a_channel()) in key]
    assert left == []


def test_the_clock_is_stopped(services: Services) -> None:
    assert services.now() == NOW


async def test_a_command_in_a_paused_channel_resumes_it(ask: Ask, services: Services) -> None:
    here = a_channel()
    await services.outbox.pause(here, "it was archived")
    await services.outbox.pause_workspace(here.platform, here.workspace, "uninstalled")
    assert (await services.outbox.status(here)).paused == "it was archived"
    await ask("list")
    assert (await services.outbox.status(here)).paused == ""
    await services.outbox.pause(a_channel("C2"), "it was archived")
    await ask("list")
    assert (await services.outbox.status(a_channel("C2"))).paused == "it was archived"

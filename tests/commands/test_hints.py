"""A hint becomes a button only if the button does what the person meant."""

import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.cards import Actions, Card
from bot.commands.core import Commands
from bot.commands.hints import button_for
from bot.commands.services import Services
from bot.commands.table import COMMANDS, find, shown
from tests.commands.conftest import ADA, Ask, card_text, commands_of
from tests.papers import a_channel

WORD = re.compile(r"[^\W_]+")


@pytest.mark.parametrize(
    ("hint", "typed", "label"),
    [
        ('/paper subscribe "language model"', 'subscrbe "language model"', 'Subscribe to "language model"'),
        ("/paper subscribe rag every:daily", "sub rag every:dayly", "Subscribe to rag every:daily"),
        ("/paper search diffusion policy", "serach diffusion policy", "Search for diffusion policy"),
        ("/paper settings zone:Europe/Berlin", "settings zone:Berlinn", "Set zone:Europe/Berlin"),
        ("/paper unsubscribe #3", "unsubscrbe #3", "Unsubscribe from #3"),
        ("/paper subscribe rag -survey", "subscribe rag - survey", "Subscribe to rag -survey"),
    ],
)
def test_a_safe_hint_becomes_a_button_whose_label_says_what_it_does(
    hint: str, typed: str, label: str
) -> None:
    button = button_for(hint, typed)
    assert button is not None
    assert button.label == label
    assert f"/paper {button.command}" == hint


@pytest.mark.parametrize(
    ("hint", "typed"),
    [
        ("/paper unsubscribe #12", "unsubscribe all"),
        ("/paper unsubscribe #1", "unsubscribe #2"),
        ("/paper subscribe source:9 every:daily", "subscribe diffusion every:daily hour:9"),
        ('/paper subscribe title:"world model"', "subscribe title:(agents OR rag) code:maybe"),
        ("/paper subscribe rag every:weekly", "subscribe rag every:hourly"),
        ("/paper mute survey for:7d", "mute gan for:banana"),
        ("/paper settings zone:Europe/Paris", "settings zone:Mars"),
        ("/paper search", "search days:abc diffusion"),
        ("/paper subscribe pause", "pause"),
        ("/paper help", "hilfe"),
        ("/paper list", "unsubscribe rag"),
        ("/paper subscribe -survey", 'subscribe "language model" - survey'),
        ("/paper search <words>", "search"),
    ],
)
def test_a_hint_that_changes_the_request_gets_no_button(hint: str, typed: str) -> None:
    assert button_for(hint, typed) is None


def words(line: str, verb: str) -> list[str]:
    """Return the words of a line's query, without the command's options and operators."""
    _, _, rest = line.partition(" ")
    spec = find(verb)
    names = "|".join(option.name for option in spec.named) if spec and spec.named else "no option"
    query = re.sub(rf"(?<!\S)(?:{names}):\S*", " ", rest.casefold())
    return sorted(word for word in WORD.findall(query) if word not in {"or", "and", "not"})


def offered_commands(card: Card) -> list[str]:
    return [
        b.command for block in card.blocks if isinstance(block, Actions) for b in block.buttons if b.command
    ]


VERBS = [name for spec in shown() for name in (spec.name, *spec.aliases)]
PIECES = st.sampled_from(
    ["rag", '"language model"', "-survey", "OR", "(", ")", '"', "every:dayly", "every:hourly", "hour:9", "days:abc",
     "zone:Mars", "for:banana", "title:", "title:(a OR b)", "code:maybe", "#12", "all", "—", "min:x", "cat:cs.AI",
     "1706.03762", "*", "agents,", "NOT", "Große"]
)  # fmt: skip


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])  # examples don't depend on each other
@given(verb=st.sampled_from(VERBS), typo=st.integers(0, 9), pieces=st.lists(PIECES, max_size=4))
async def test_an_offered_command_keeps_the_verb_and_all_words_of_the_query(
    services: Services, verb: str, typo: int, pieces: list[str]
) -> None:
    verb = verb[:typo] + verb[typo + 1 :] if 1 < typo < len(verb) else verb
    line = " ".join((verb, *pieces))
    reply = await Commands(services).handle_text(f"/paper {line}", ADA, a_channel())
    if reply.card.kind != "error":
        return
    for command in offered_commands(reply.card):
        name = command.partition(" ")[0]
        spec = find(verb)
        assert spec is None or spec.name == name, (line, command)
        assert set(words(line, name)) == set(words(command, name)), (line, command)


async def test_an_unknown_command_without_a_near_one_only_points_to_help(ask: Ask) -> None:
    for line in ("pause", "frobnicate", "stop it"):
        card = await ask(line)
        assert card_text(card) == f"Unknown command “{line.split()[0]}”.\nTry /paper help"


@pytest.mark.parametrize(
    ("line", "name"),
    [("hilfe", "help"), ("abonnieren Diffusion", "subscribe"), ("buscar robots", "search"), ("検索 拡散", "search"),
     ("aide", "help"), ("Einstellungen", "settings"), ("購読 拡散モデル", "subscribe")],
)  # fmt: skip
async def test_a_command_in_another_language_gets_its_name_as_a_hint(ask: Ask, line: str, name: str) -> None:
    card = await ask(line)
    assert f"Did you mean “{name}”?" in card.notice
    assert commands_of(card) == {}


async def test_an_unknown_setting_gets_the_nearest_and_a_list(ask: Ask) -> None:
    card = card_text(await ask("settings colour:red"))
    assert "I don't know the setting “colour”." in card
    assert "every, hour, day, zone" in card
    assert "Did you mean" not in card, "no setting is similar"
    assert "embeds" not in card, "not every platform has this setting"
    assert "Did you mean “zone”?" in card_text(await ask("settings zonne:Berlin"))


async def test_a_setting_in_a_query_gets_a_hint_to_the_settings(ask: Ask) -> None:
    card = card_text(await ask("subscribe diffusion hour:9"))
    assert "“hour:” is a setting of the channel" in card
    assert "/paper settings hour:9" in card


@pytest.mark.parametrize(
    "line", ["subscribe #3", "subscribe 2405.01234", "subscribe https://arxiv.org/abs/2405.01234"]
)
async def test_a_number_an_id_or_a_link_is_not_a_query(ask: Ask, services: Services, line: str) -> None:
    assert (await ask(line)).kind == "error"
    assert await services.subscriptions.of(a_channel()) == []


async def test_unsubscribe_all_asks_for_confirmation_first(ask: Ask, services: Services) -> None:
    for query in ("rag", "agents"):
        await services.subscriptions.add(a_channel(), query, "now", "")
    card = await ask("unsubscribe all")
    assert len(await services.subscriptions.of(a_channel())) == 2
    await ask(commands_of(card)["Unsubscribe from all 2"])
    assert await services.subscriptions.of(a_channel()) == []
    assert "no subscriptions" in card_text(await ask("unsubscribe all"))


async def test_mute_list_shows_the_mutes(ask: Ask) -> None:
    await ask("mute survey")
    assert "survey" in card_text(await ask("mute list"))


def test_every_command_is_found_by_its_name() -> None:
    assert all(find(spec.name) is spec for spec in COMMANDS)

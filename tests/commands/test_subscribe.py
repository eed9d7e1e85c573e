"""Subscribing and unsubscribing, and what their answers say."""

from datetime import timedelta

import pytest
from inline_snapshot import snapshot

from bot.cards.build import MAX_BUTTON
from bot.commands.services import Services
from bot.domain.models import Paper
from tests.commands.conftest import NOW, Ask, See, card_text, commands_of
from tests.papers import a_channel, a_paper


def papers(count: int, title: str, days_ago: int = 1) -> list[Paper]:
    published = NOW - timedelta(days=days_ago)
    return [a_paper(f"{title}-{days_ago}-{n}", title=title, published=published) for n in range(count)]


async def test_the_answer_shows_query_number_and_matches_of_the_last_14_days(ask: Ask, see: See) -> None:
    await see(
        *papers(3, "Diffusion Policies"), *papers(9, "Other Things"), *papers(5, "Diffusion", days_ago=20)
    )
    card = await ask("/paper subscribe Diffusion AND policy")
    assert card_text(card) == snapshot("""\
Subscribed as #1: Diffusion policy
3 matches in the last 14 days, of 12 papers. New papers are posted here as they come.
[Preview: preview #1]
[Undo: unsubscribe #1]\
""")
    assert card.notice == snapshot(
        "Subscribed as #1: Diffusion policy. 3 matches in the last 14 days, of 12 papers."
    )


async def test_the_buttons_of_the_answer_work(ask: Ask, see: See, services: Services) -> None:
    await see(*papers(3, "Diffusion Policies"))
    buttons = commands_of(await ask("subscribe diffusion"))
    assert "Diffusion Policies" in card_text(await ask(buttons["Preview"]))
    await ask(buttons["Undo"])
    assert await services.subscriptions.of(a_channel()) == []


async def test_without_papers_the_answer_does_not_count_matches(ask: Ask) -> None:
    assert card_text(await ask("subscribe diffusion every:daily")) == snapshot("""\
Subscribed as #1: diffusion
No papers have been read yet, so I can't say how many this would bring. New papers arrive in a daily digest, next on Tue 10 Mar 09:00 UTC.
[Undo: unsubscribe #1]\
""")


async def test_a_query_without_matches_says_so(ask: Ask, see: See) -> None:
    await see(*papers(9, "Other Things"))
    card = await ask("subscribe diffusion")
    assert "No matches in the last 14 days" in card_text(card)
    assert "Preview" not in commands_of(card)


async def test_subscribing_again_changes_nothing(ask: Ask, services: Services) -> None:
    await ask('subscribe "diffusion policy"')
    assert card_text(await ask("subscribe “Diffusion policy”")) == snapshot("""\
Already subscribed, as #1: "diffusion policy"
Nothing has changed.
[Preview: preview #1]
[Unsubscribe: unsubscribe #1]\
""")
    [subscription] = await services.subscriptions.of(a_channel())
    assert subscription.every == "channel"
    assert subscription.creator == "Ada"


async def test_subscribing_again_with_another_schedule_changes_the_schedule(
    ask: Ask, services: Services
) -> None:
    await ask('subscribe "diffusion policy"')
    card = await ask('subscribe "diffusion policy" every:weekly')
    assert card_text(card) == snapshot("""\
#1 is now every:weekly: "diffusion policy"
New papers arrive in a weekly digest, next on Mon 16 Mar 09:00 UTC.
[Undo: subscribe "diffusion policy" every:channel sure:yes]\
""")
    assert [s.every for s in await services.subscriptions.of(a_channel())] == ["weekly"]
    await ask(commands_of(card)["Undo"])
    assert [s.every for s in await services.subscriptions.of(a_channel())] == ["channel"]


async def test_a_broad_query_needs_confirmation(ask: Ask, see: See, services: Services) -> None:
    await see(*papers(21, "A Model", days_ago=1), *papers(21, "A Model", days_ago=2))
    card = await ask("subscribe model every:daily")
    assert card_text(card) == snapshot("""\
That would post about 21 papers a day here: model
Add a word, leave something out with -word, or wait for upvotes with min:20. To subscribe anyway, add sure:yes.
[Only with 20 upvotes: subscribe model min:20 every:daily]
[Subscribe anyway: subscribe model every:daily sure:yes]
[Preview: preview model]\
""")
    assert await services.subscriptions.of(a_channel()) == []
    await ask(commands_of(card)["Subscribe anyway"])
    await ask(commands_of(card)["Only with 20 upvotes"])
    assert [(s.query, s.every) for s in await services.subscriptions.of(a_channel())] == [
        ("model", "daily"),
        ("model min:20", "daily"),
    ]


async def test_twenty_papers_a_day_need_no_confirmation(ask: Ask, see: See) -> None:
    await see(*papers(20, "A Model", days_ago=1), *papers(20, "A Model", days_ago=2))
    assert "Subscribed as #1" in card_text(await ask("subscribe model"))


async def test_a_button_whose_command_is_too_long_is_left_out(ask: Ask, see: See) -> None:
    await see(*papers(30, "A Model"))
    card = await ask("subscribe " + " OR ".join(f'model OR "word number {n}"' for n in range(5)))
    assert card.kind == "reply"
    assert all(len(command) <= MAX_BUTTON for command in commands_of(card).values())
    assert "sure:yes" in card_text(card), "the command can still be typed"


async def test_a_channel_has_at_most_50_subscriptions(ask: Ask) -> None:
    for n in range(50):
        await ask(f"subscribe topic{n}")
    card = await ask("subscribe quokka")
    assert card.kind == "error"
    assert "50 subscriptions" in card.notice


@pytest.mark.parametrize(
    "line", ["unsubscribe #1", "unsubscribe 1", "unsub “Language Model”", 'remove "language model"']
)
async def test_a_subscription_ends_by_number_or_query(ask: Ask, services: Services, line: str) -> None:
    await ask('subscribe "language model" every:daily')
    card = await ask(line)
    assert (
        card_text(card)
        == 'Unsubscribed from #1: "language model"\n[Undo: subscribe "language model" every:daily sure:yes]'
    )
    assert await services.subscriptions.of(a_channel()) == []
    await ask(commands_of(card)["Undo"])
    assert [(s.number, s.every) for s in await services.subscriptions.of(a_channel())] == [(2, "daily")]


async def test_unsubscribing_from_an_unknown_query_names_the_closest(ask: Ask) -> None:
    assert "has no subscriptions" in card_text(await ask("unsubscribe 7"))
    await ask("subscribe diffusion policy")
    near = await ask("unsubscribe difusion policies")
    assert "The closest is #1: diffusion policy" in card_text(near)
    assert commands_of(near) == {}
    assert commands_of(await ask("unsubscribe #7")) == {}


async def test_a_lower_case_or_offers_both_readings(ask: Ask, see: See, services: Services) -> None:
    await see(*papers(3, "Diffusion Models"), *papers(2, "Flow or Diffusion"), *papers(4, "Flow"))
    card = await ask("subscribe diffusion or flow every:daily")
    assert await services.subscriptions.of(a_channel()) == []
    assert card_text(card) == snapshot("""\
Operators are written in capitals: OR, AND, NOT. Which did you mean?
Operators: diffusion OR flow – 9 matches in the last 14 days, of 9 papers.
Words that must all appear: diffusion or flow – 2 matches in the last 14 days, of 9 papers.
[Use operators: subscribe diffusion OR flow every:daily]
[Use words: subscribe diffusion or flow every:daily sure:yes]\
""")
    for label, query in (("Use operators", "diffusion OR flow"), ("Use words", "diffusion or flow")):
        await ask(commands_of(card)[label])
        assert (await services.subscriptions.of(a_channel()))[-1].query == query


async def test_full_width_punctuation_is_read_as_ascii(ask: Ask, services: Services) -> None:
    await ask("subscribe （世界模型、「world model」） every：daily")
    [subscription] = await services.subscriptions.of(a_channel())
    assert (subscription.query, subscription.every) == ('世界模型 OR "world model"', "daily")


async def test_every_answer_keeps_the_spelling_of_the_query(ask: Ask, services: Services) -> None:
    query = '"Große Sprachmodelle"'
    await ask(f"subscribe {query}")
    for line in (
        "list",
        'subscribe "grosse sprachmodelle"',
        "narrow #1 -Überblick",
        "widen #1",
        "unsubscribe #1",
    ):
        assert query in card_text(await ask(line)), line
    undone = await ask(f"subscribe {query} sure:yes")
    assert query in card_text(undone)
    [subscription] = await services.subscriptions.of(a_channel())
    assert subscription.query == query


async def test_another_spelling_is_the_same_subscription_and_the_same_mute(
    ask: Ask, services: Services
) -> None:
    await ask("subscribe Große")
    assert "Already subscribed" in card_text(await ask("subscribe grosse"))
    assert "Unsubscribed from #1: Große" in card_text(await ask("unsubscribe GROSSE"))
    await ask("mute Überblick")
    await ask("mute überblick for:7d")
    assert [mute.text for mute in (await services.rules.of(a_channel())).mutes] == ["Überblick"]
    assert "No longer muted: Überblick" in card_text(await ask("unmute ÜBERBLICK"))

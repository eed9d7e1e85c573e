"""Following people and organizations."""

from datetime import timedelta

from bot.commands.services import Services
from bot.domain.models import Paper
from tests.commands.conftest import NOW, Ask, See, card_text, commands_of
from tests.papers import a_channel, a_paper


def by(number: int, *authors: str, category: str = "cs.CV", days_ago: int = 3, **facts: str) -> Paper:
    published = NOW - timedelta(days=days_ago)
    return a_paper(f"2603.{number:05}", authors=authors, categories=(category,), published=published, **facts)


NAMESAKES = (
    by(1, "Wei Wang", "Ada Lovelace"),
    by(2, "W. Wang", "Ada Lovelace", "Alan Turing"),
    by(3, "Wei Wang", "Grace Hopper", category="math.AG"),
    by(4, "Wei Wang", "Grace Hopper", category="math.AG"),
    by(5, "Xin Wei Wang", "Grace Hopper"),
)


async def test_author_shows_latest_papers_and_how_many_people_have_the_name(ask: Ask, see: See) -> None:
    await see(*NAMESAKES)
    card = await ask("author Wang, Wei")
    assert card.heading == "Papers by Wei Wang"
    text = card_text(card)
    assert "4 papers in the last 90 days." in text
    assert "About 2 people of that name wrote 4 papers in the last 90 days, mostly in" in text
    assert text.count("* On paper") == 4
    buttons = commands_of(card)
    assert buttons["Follow"] == 'subscribe author:"Wei Wang"'
    assert buttons["Only math.AG"] == 'subscribe author:"Wei Wang" cat:math.AG'
    assert buttons["Only with Grace Hopper"] == 'subscribe author:"Wei Wang" author:"grace hopper"'


async def test_following_a_common_name_offers_to_narrow_it(ask: Ask, see: See, services: Services) -> None:
    await see(*NAMESAKES)
    await services.recent.up_to_date()
    card = await ask('subscribe author:"Wei Wang"')
    assert "4 matches in the last 14 days, of 5 papers. About 2 people of that name" in card_text(card)
    assert "Narrowed" in card_text(await ask(commands_of(card)["Only math.AG"]))
    [subscription] = await services.subscriptions.of(a_channel())
    assert subscription.query == 'author:"Wei Wang" cat:math.AG'
    rare = card_text(await ask('subscribe author:"Ada Lovelace"'))
    assert "people of that name" not in rare


async def test_an_organization_is_found_by_any_of_its_names(ask: Ask, see: See) -> None:
    await see(by(1, "A B", organization="Meta AI"), by(2, "C D", organization="FAIR"), by(3, "E F"))
    card = await ask("org facebook")
    assert card.heading == "Papers by meta"
    assert card_text(card).count("* On paper") == 2
    assert commands_of(card) == {"Follow": "subscribe org:meta"}
    assert "No paper here names the organization nowhere" in card_text(await ask("lab nowhere"))


async def test_follow_offers_a_papers_authors_and_organization(
    ask: Ask, see: See, services: Services
) -> None:
    await see(by(7, "Ada Lovelace", "Łukasz Kaiser", organization="ByteDance Seed"))
    for line in ("followwhat 2603.00007", "follow 2603.00007", "subscribe https://arxiv.org/abs/2603.00007"):
        buttons = commands_of(await ask(line))
        assert buttons == {
            "Ada Lovelace": 'subscribe author:"Ada Lovelace"',
            "Łukasz Kaiser": 'subscribe author:"Łukasz Kaiser"',
            "ByteDance Seed": 'subscribe org:"ByteDance Seed"',
            "Similar papers": "similar 2603.00007",
        }
    assert "1 match in the last 14 days" in card_text(await ask(buttons["ByteDance Seed"]))
    assert len(await services.subscriptions.of(a_channel())) == 1

"""Search, similar, share and trending: their results and buttons."""

from collections.abc import Sequence
from datetime import timedelta

import pytest
from inline_snapshot import snapshot

from bot.cards import Card, PaperBlock, Paragraph
from bot.commands.core import Commands
from tests.commands.conftest import ADA, NOW, Ask, See, card_text, commands_of
from tests.papers import a_channel, a_paper

SHELF = (
    a_paper(
        "2603.00001",
        title="Diffusion Policy",
        abstract="A robot's policy is a process that removes noise. It is quick.",
        authors=("Cheng Chi", "Shuran Song"),
        code_url="https://github.com/a/dp",
    ),
    a_paper(
        "2603.00002",
        title="Diffusion, Revisited",
        abstract="We remove noise from images and from nothing else.",
        authors=("Shuran Song",),
        upvotes=12,
        published=NOW - timedelta(days=3),
    ),
    a_paper("2603.00003", title="A Survey of Gradients", abstract="Words about gradients.", upvotes=7),
)


@pytest.fixture(autouse=True)
async def _shelf(see: See) -> None:
    await see(*SHELF)


def bold(card: Card) -> Sequence[str]:
    """Return the bold texts in a card's paragraphs."""
    texts = [block.text for block in card.blocks if isinstance(block, Paragraph)]
    return [span.text for text in texts for span in text if span.style == "bold"]


def titles(card: Card) -> Sequence[str]:
    return [block.title for block in card.blocks if isinstance(block, PaperBlock)]


async def test_results_show_matching_text_and_buttons(ask: Ask) -> None:
    card = await ask("search diffusion song noise")
    assert card_text(card) == snapshot("""\
# 2 papers for “diffusion song noise”
* Diffusion, Revisited | Shuran Song · 7 Mar · ▲ 12
Shuran Song · We remove noise from images and from nothing else.
[Share here: share 2603.00002]
[Similar: similar 2603.00002]
[Save: save 2603.00002]
* Diffusion Policy | Cheng Chi, Shuran Song · 2 Mar · code
Shuran Song · A robot's policy is a process that removes noise. It is quick.
[Share here: share 2603.00001]
[Similar: similar 2603.00001]
[Save: save 2603.00001]
[Subscribe to this: subscribe diffusion song noise]\
""")
    assert bold(card)[:4] == ["Song", "noise", "Song", "noise"]


async def test_only_the_person_who_searched_sees_the_results(core: Commands) -> None:
    assert (await core.handle_text("search diffusion", ADA, a_channel())).private


async def test_a_shared_result_is_for_everyone_and_names_the_person(core: Commands, ask: Ask) -> None:
    found = await ask("find revisited")
    reply = await core.handle_text(commands_of(found)["Share here"], ADA, a_channel())
    assert not reply.private
    assert card_text(reply.card) == snapshot("""\
Shared by Ada
* Diffusion, Revisited | Shuran Song · 7 Mar · ▲ 12\
""")


async def test_pressing_share_twice_shares_once(core: Commands) -> None:
    first, second = [await core.handle_text("share 2603.00001", ADA, a_channel()) for _ in range(2)]
    assert (first.private, second.private) == (False, True)
    assert card_text(second.card) == "This paper was shared here a moment ago."
    assert not (await core.handle_text("share 2603.00001", ADA, a_channel("C2"))).private


async def test_subscribe_to_this_keeps_the_query_without_its_search_options(ask: Ask) -> None:
    found = await ask('search "remove noise" -survey days:30')
    assert commands_of(found)["Subscribe to this"] == 'subscribe "remove noise" -survey'
    assert "Subscribe to this" not in commands_of(await ask("search 2603.00001"))
    assert "Subscribed as #1" in (await ask(commands_of(found)["Subscribe to this"])).notice


async def test_page_buttons_keep_the_options_of_the_search(ask: Ask, see: See) -> None:
    await see(*(a_paper(f"p{n:02}", title=f"Rats {n}", upvotes=n, published=NOW) for n in range(12)))
    first = await ask("search rats days:30 sort:top")
    assert first.heading == "12 papers for “rats” (page 1 of 3)"
    assert titles(first) == ["Rats 11", "Rats 10", "Rats 9", "Rats 8", "Rats 7"]
    assert commands_of(first)["Next"] == "search rats days:30 sort:top page:2"
    last = await ask(commands_of(await ask(commands_of(first)["Next"]))["Next"])
    assert titles(last) == ["Rats 1", "Rats 0"]
    assert "Next" not in commands_of(last)
    assert commands_of(last)["Previous"] == "search rats days:30 sort:top page:2"


async def test_a_query_that_is_too_long_for_a_button_has_pages(ask: Ask, see: See) -> None:
    title = "A very long title that goes on and on until no button of any platform could ever carry all of it"
    await see(*(a_paper(f"p{n:02}", title=title) for n in range(7)))
    first = await ask(f"search {title} days:300")
    turn = commands_of(first)["Next"]
    assert len(turn) <= 100
    second = await ask(turn)
    assert second.heading.startswith("7 papers for “A very long title that goes on and on until")
    assert second.heading.endswith("…” (page 2 of 2)")
    assert await ask(commands_of(second)["Previous"]) == first
    assert "too old" in card_text(await ask("search ~aaaaaaaaaaaaaaaa page:2"))


async def test_a_misspelled_search_finds_the_closest_and_offers_a_correction(ask: Ask) -> None:
    card = await ask("search difusion polcy days:300")
    assert card.heading == "No exact match for “difusion polcy”. Closest results:"
    assert titles(card)[0] == "Diffusion Policy"
    assert commands_of(card)["Search for that"] == "search diffusion policy days:300"
    assert "Subscribe to this" not in commands_of(card)
    assert "robot" not in bold(card)


async def test_a_search_without_results_says_what_to_try(ask: Ask) -> None:
    assert card_text(await ask("search quokka days:3")) == snapshot("""\
Nothing found for “quokka”.
Try older papers, too: leave out days:3.
[All dates: search quokka]
[Subscribe to this: subscribe quokka]\
""")
    assert card_text(await ask('search "noise remove" cat:cs.CL')) == snapshot("""\
Nothing found for “"noise remove" cat:cs.CL”.
Try words alone, without fields, quotes and minus.
[Only the words: search noise remove]
[Subscribe to this: subscribe "noise remove" cat:cs.CL]\
""")
    assert card_text(await ask("search 2101.99999")) == snapshot("""\
I don't have that paper.
Try its title.\
""")
    assert card_text(await ask("search ?!")) == snapshot("""\
“?!” has no letters or digits to search for.
?!
^^\
""")


async def test_similar_says_what_the_papers_have_in_common(ask: Ask) -> None:
    assert card_text(await ask("similar https://arxiv.org/abs/2603.00001v2")) == snapshot("""\
# Like “Diffusion Policy”
* Diffusion, Revisited | Shuran Song · 7 Mar · ▲ 12
also by Shuran Song
[Share here: share 2603.00002]
[Similar: similar 2603.00002]\
""")
    assert card_text(await ask("similar diffusion")) == snapshot("""\
I don't have the paper “diffusion”. Try its title, or an id like 2405.01234.
Try /paper search diffusion\
""")


async def test_trending_of_a_week_is_by_upvotes(ask: Ask) -> None:
    assert card_text(await ask("trending week")) == snapshot("""\
# Most upvoted this week
curated by AK and the research community on Hugging Face, by upvotes, as of 00:00 UTC
* Diffusion, Revisited | Shuran Song · 7 Mar · ▲ 12
[Post new ones here: subscribe trending]
[This month: trending month]\
""")
    assert titles(await ask("trending MONTH")) == ["Diffusion, Revisited", "A Survey of Gradients"]
    assert card_text(await ask("trending weak")) == snapshot("""\
Type day, week or month, not “weak”.
Try /paper trending week\
""")


async def test_titles_are_suggested_while_typing(core: Commands) -> None:
    async def offered(command: str, option: str, typed: str) -> Sequence[tuple[str, str]]:
        choices = await core.complete(command, option, typed, ADA, a_channel())
        return [(choice.value, choice.label) for choice in choices]

    assert await offered("search", "query", "diffusion po") == [("2603.00001", "Diffusion Policy")]
    assert await offered("similar", "paper", "surv") == [("2603.00003", "A Survey of Gradients")]
    assert [value for value, _ in await offered("search", "query", "di")] == ["2603.00002", "2603.00001"]
    assert await offered("search", "query", "") == []
    assert await offered("search", "query", "zzz") == []


@pytest.mark.parametrize(
    "typed", ["10.1016/S0140-6736(20)30183-5", "https://doi.org/10.1016/S0140-6736(20)30183-5"]
)
async def test_an_id_with_brackets_names_a_paper_everywhere(typed: str, ask: Ask, see: See) -> None:
    await see(a_paper("doi:10.1016/s0140-6736(20)30183-5", title="Clinical Features"))
    assert titles(await ask(f"search {typed}")) == ["Clinical Features"]
    assert titles(await ask(f"search id:{typed}")) == ["Clinical Features"]
    assert titles(await ask(f"preview id:{typed}")) == ["Clinical Features"]
    for command in ("similar", "explain", "save"):
        assert "Clinical Features" in card_text(await ask(f"{command} {typed}"))

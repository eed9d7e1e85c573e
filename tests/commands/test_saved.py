"""Reading lists, and the buttons of a card."""

import pytest

from bot.cards import PaperBlock
from bot.cards.paper import paper_card
from bot.commands.core import Commands
from bot.commands.services import Services
from bot.domain.models import User
from bot.store.reactions import MAX_SAVED, Annotation, PaperList
from tests.commands.conftest import NOW, Ask, See, card_text, commands_of
from tests.papers import a_channel, a_paper


async def test_a_saved_paper_is_listed_until_it_is_removed(ask: Ask, see: See) -> None:
    await see(a_paper("2603.00001"), a_paper("2603.00002"))
    assert "haven't saved any papers yet" in card_text(await ask("saved"))
    await ask("save 2603.00001")
    saved = await ask("save 2603.00002")
    assert "On paper 2603.00002" in saved.notice
    listed = card_text(await ask("saved"))
    assert listed.index("2603.00002") < listed.index("2603.00001"), "latest first"
    await ask(commands_of(saved)["Undo"])
    assert "2603.00002" not in card_text(await ask("saved"))


async def test_a_long_list_has_pages(ask: Ask, see: See) -> None:
    papers = [a_paper(f"2603.{n:05}") for n in range(23)]
    await see(*papers)
    for paper in papers:
        await ask(f"save {paper.id}")
    page = await ask("saved")
    shown = []
    while True:
        shown += [block.paper_id for block in page.blocks if isinstance(block, PaperBlock)]
        buttons = commands_of(page)
        if "Next" not in buttons:
            break
        page = await ask(buttons["Next"])
    assert sorted(shown) == sorted(paper.id for paper in papers)


async def test_every_button_of_a_card_works(ask: Ask, see: See) -> None:
    paper = a_paper(abstract="The first sentence. The second one.")
    await see(paper)
    (block,) = paper_card(paper, (), NOW).blocks
    assert isinstance(block, PaperBlock)
    assert "Full abstract" in [button.label for button in block.actions]
    for button in block.actions:
        assert (await ask(button.command)).kind != "error", button
    (full,) = (await ask(f"abstract {paper.id}")).blocks
    assert isinstance(full, PaperBlock)
    assert full.abstract == paper.abstract


async def test_saving_an_unknown_paper_is_an_error(ask: Ask) -> None:
    assert "I don't have the paper" in (await ask("save 1234.56789")).notice


async def test_notes_and_tags_can_be_searched_for(ask: Ask, see: See) -> None:
    await see(a_paper("2603.00001", title="Whales sing"), a_paper("2603.00002", title="Robots walk"))
    await ask('save 2603.00001 note:"Read Section 3" tag:to-read,sea')
    await ask("save 2603.00002 tag:to-read")
    listed = card_text(await ask("saved"))
    assert "#to-read #sea · Read Section 3" in listed
    for search, found in {
        "saved whales": {"2603.00001"},
        "saved section 3": {"2603.00001"},
        "saved tag:to-read": {"2603.00001", "2603.00002"},
        "saved tag:sea": {"2603.00001"},
        "saved robots tag:sea": set(),
        "saved robots OR whales -whales": {"2603.00002"},
    }.items():
        shown = {b.paper_id for b in (await ask(search)).blocks if isinstance(b, PaperBlock)}
        assert shown == found, search
    assert "No paper on your list matches" in card_text(await ask("saved robots tag:sea"))


async def test_a_note_and_tags_are_changed_and_removed(ask: Ask, see: See) -> None:
    await see(a_paper("2603.00001"))
    await ask('save 2603.00001 note:"First" tag:one')
    await ask("save 2603.00001 note:Second tag:two")
    assert "#one #two · Second" in card_text(await ask("saved"))
    await ask("save 2603.00001 note:none tag:none")
    assert "#" not in card_text(await ask("saved")).replace("# Your list", "")


async def test_a_removed_paper_comes_back_with_its_note(ask: Ask, see: See) -> None:
    await see(a_paper("2603.00001"))
    saved = await ask('save 2603.00001 here note:"for Monday"')
    removed = await ask(commands_of(saved)["Undo"])
    assert "Removed from this channel's list" in removed.notice
    assert "Nothing is on this channel's list" in card_text(await ask("saved here"))
    await ask(commands_of(removed)["Undo"])
    assert "for Monday · saved by Ada" in card_text(await ask("saved here"))


async def test_everyone_in_a_channel_sees_its_list_but_not_personal_lists(
    core: Commands, ask: Ask, see: See
) -> None:
    await see(a_paper("2603.00001"), a_paper("2603.00002"))
    await ask("save 2603.00001 here")
    await ask("save 2603.00002")
    bob = User("U2", "Bob")
    shared = (await core.handle_text("saved here", bob, a_channel())).card
    assert "2603.00001" in card_text(shared)
    assert "2603.00002" not in card_text(shared)
    assert "haven't saved" in card_text((await core.handle_text("saved", bob, a_channel())).card)
    elsewhere = (await core.handle_text("saved here", bob, a_channel("C9"))).card
    assert "2603.00001" not in card_text(elsewhere)


async def test_the_number_of_papers_on_a_list_is_limited(services: Services) -> None:
    shared, saved = PaperList(a_channel(), shared=True), services.saved
    for number in range(MAX_SAVED + 20):
        await saved.add(shared, f"p{number}", Annotation(f"note {number}"))
    assert len(await saved.of(shared)) == MAX_SAVED
    assert len(await saved.annotations(shared)) == MAX_SAVED


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (f"save 2603.00001 note:{'x' * 501}", "note is too long"),
        (f"save 2603.00001 tag:{'x' * 31}", "tag is too long"),
        (f"save 2603.00001 tag:{','.join(map(str, range(11)))}", "too many tags"),
        ("save 2603.00001 remove:yes", "isn't on your list"),
    ],
)
async def test_a_bad_note_or_tag_gets_the_reason(ask: Ask, see: See, line: str, message: str) -> None:
    await see(a_paper("2603.00001"))
    assert message in (await ask(line)).notice
    assert "haven't saved" in card_text(await ask("saved"))

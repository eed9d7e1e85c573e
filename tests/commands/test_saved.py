"""A person's own list, and the buttons of a card."""

from bot.cards import PaperBlock
from bot.cards.paper import paper_card
from tests.commands.conftest import NOW, Ask, See, commands_of, written
from tests.papers import a_paper


async def test_what_was_saved_is_listed_until_it_is_taken_off(ask: Ask, see: See) -> None:
    await see(a_paper("2603.00001"), a_paper("2603.00002"))
    assert "haven't saved any papers yet" in written(await ask("saved"))
    await ask("save 2603.00001")
    said = await ask("save 2603.00002")
    assert "On paper 2603.00002" in said.notice
    listed = written(await ask("saved"))
    assert listed.index("2603.00002") < listed.index("2603.00001"), "the latest first"
    await ask(commands_of(said)["Undo"])
    assert "2603.00002" not in written(await ask("saved"))


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


async def test_every_button_of_a_card_does_something(ask: Ask, see: See) -> None:
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


async def test_a_paper_that_is_not_known_is_said_so(ask: Ask) -> None:
    assert "I don't have the paper" in (await ask("save 1234.56789")).notice

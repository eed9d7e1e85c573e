"""`/paper show`: the card of a paper, found by any link to it."""

from bot.cards import PaperBlock
from bot.text.identity import MAX_LENGTH, paper_id
from tests.commands.conftest import Ask, See
from tests.papers import a_paper
from tests.text.paper_addresses import SAME


async def test_every_form_of_link_finds_its_paper(ask: Ask, see: See) -> None:
    links = {link: found for shapes in SAME.values() for link in shapes if (found := paper_id(link))}
    assert len(links) >= 200
    await see(*(a_paper(identity) for identity in sorted(set(links.values()))))
    for link, identity in links.items():
        shown = await ask(f"show {link}")
        assert [b.paper_id for b in shown.blocks if isinstance(b, PaperBlock)] == [identity], link


async def test_a_link_to_something_else_is_an_error(ask: Ask) -> None:
    for page in ("https://example.com/", "https://arxiv.org/list/cs.CL/recent", "x" * (MAX_LENGTH // 4)):
        assert "I don't have the paper" in (await ask(f"show {page}")).notice

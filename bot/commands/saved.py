"""`/paper saved`, and the button that puts a paper there: what a person wants to read later."""

from collections.abc import Sequence
from datetime import datetime

from bot.cards import Button, Card
from bot.cards.paper import NOTICE, paper_block
from bot.cards.say import actions, bold, count, paragraph
from bot.commands.resolve import resolve_paper
from bot.commands.services import Services
from bot.domain.models import Command, Paper
from bot.ports import Reply
from bot.text import shorten

ON_A_PAGE = 10


async def save(command: Command, services: Services) -> Reply:
    """Put a paper aside for whoever pressed, or take it away again."""
    paper = await resolve_paper(command.options["paper"], services)
    if command.options.get("remove") == "yes":
        await services.saved.remove(command.user, command.channel, paper.id)
        return Reply(_kept_card("Removed from your list", paper, Button("Undo", f"save {paper.id}")))
    await services.saved.add(command.user, command.channel, paper.id)
    undo = Button("Undo", f"save {paper.id} remove:yes")
    return Reply(_kept_card("Saved to your list", paper, Button("My list", "saved"), undo))


async def saved(command: Command, services: Services) -> Reply:
    """A page of what the person has saved."""
    ids = await services.saved.of(command.user, command.channel)
    papers = await services.papers.get(ids)
    kept = [papers[paper_id] for paper_id in ids if paper_id in papers]
    return Reply(saved_card(kept, services.now(), int(command.options.get("page", 1))))


def saved_card(papers: Sequence[Paper], now: datetime, page: int = 1) -> Card:
    """A line for each, the latest first."""
    if not papers:
        message = "You have saved nothing yet. The Save button of a card puts its paper here."
        return Card("list", message, blocks=(paragraph(message),))
    pages = -(-len(papers) // ON_A_PAGE)
    page = min(max(page, 1), pages)
    lines = tuple(
        paper_block(paper, (), now, "line") for paper in papers[(page - 1) * ON_A_PAGE : page * ON_A_PAGE]
    )
    turn = ((page > 1, "Previous", page - 1), (page < pages, "Next", page + 1))
    heading = f"Your list: {count(len(papers), 'paper')}"
    notice = shorten(f"{heading}: {'; '.join(line.title for line in lines)}", NOTICE)
    buttons = actions(*(Button(label, f"saved page:{to}") for there, label, to in turn if there))
    return Card("list", notice, heading, (*lines, *buttons))


def _kept_card(message: str, paper: Paper, *buttons: Button) -> Card:
    title = shorten(paper.title, NOTICE)
    return Card(
        "reply",
        shorten(f"{message}: {title}", NOTICE),
        blocks=(paragraph(f"{message}: ", bold(title)), *actions(*buttons)),
    )

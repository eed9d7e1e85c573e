"""`/paper saved` and the Save button: a person's own reading list."""

from collections.abc import Sequence
from datetime import datetime

from bot.cards import Button, Card
from bot.cards.build import actions, bold, count, paragraph
from bot.cards.paper import NOTICE, paper_block
from bot.commands.learning import relearn
from bot.commands.resolve import resolve_paper
from bot.commands.services import Services
from bot.commands.watch import watcher_of
from bot.domain.life import Watch
from bot.domain.models import Command, Paper
from bot.ports import Reply
from bot.store.watches import events_of
from bot.text import shorten

PAGE_SIZE = 10
"""Papers on a page."""


async def save(command: Command, services: Services) -> Reply:
    """Add a paper to the person's list and watch it for them, or undo that."""
    paper = await resolve_paper(command.options["paper"], services)
    watcher = watcher_of(command, services)
    if command.options.get("remove") == "yes":
        await services.saved.remove(command.user, command.channel, paper.id)
        await services.votes.unsave(command.channel, command.user, paper.id)
        await relearn(command.channel, services)
        await services.watches.remove(watcher, paper.id)
        return Reply(_changed_card("Removed from your list", paper, Button("Undo", f"save {paper.id}")))
    await services.saved.add(command.user, command.channel, paper.id)
    await services.votes.save(command.channel, command.user, paper.id)
    await relearn(command.channel, services)
    wanted = await services.watches.saved_events(watcher)
    if wanted != "none" and paper.id not in await services.watches.of(watcher):
        watch = Watch(events_of(wanted), command.user.signature, services.now())
        await services.watches.put(watcher, paper.id, watch)
    undo = Button("Undo", f"save {paper.id} remove:yes")
    return Reply(_changed_card("Saved to your list", paper, Button("My list", "saved"), undo))


async def saved(command: Command, services: Services) -> Reply:
    """A page of what the person has saved."""
    ids = await services.saved.of(command.user, command.channel)
    papers = await services.papers.get(ids)
    found = [papers[paper_id] for paper_id in ids if paper_id in papers]
    return Reply(saved_card(found, services.now(), int(command.options.get("page", 1))))


def saved_card(papers: Sequence[Paper], now: datetime, page: int = 1) -> Card:
    """A line for each paper, the last saved first."""
    if not papers:
        message = "You haven't saved any papers yet. Press Save on a card to add it here."
        return Card("list", message, blocks=(paragraph(message),))
    pages = -(-len(papers) // PAGE_SIZE)
    page = min(max(page, 1), pages)
    lines = tuple(
        paper_block(paper, (), now, "line") for paper in papers[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]
    )
    turn = ((page > 1, "Previous", page - 1), (page < pages, "Next", page + 1))
    heading = f"Your list: {count(len(papers), 'paper')}"
    notice = shorten(f"{heading}: {'; '.join(line.title for line in lines)}", NOTICE)
    buttons = actions(*(Button(label, f"saved page:{to}") for there, label, to in turn if there))
    return Card("list", notice, heading, (*lines, *buttons))


def _changed_card(message: str, paper: Paper, *buttons: Button) -> Card:
    title = shorten(paper.title, NOTICE)
    return Card(
        "reply",
        shorten(f"{message}: {title}", NOTICE),
        blocks=(paragraph(f"{message}: ", bold(title)), *actions(*buttons)),
    )

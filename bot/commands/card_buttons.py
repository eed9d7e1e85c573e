"""Buttons of posted cards: a paper's whole abstract, more of a digest, and sharing a search result."""

from dataclasses import replace

from bot.cards import Card
from bot.cards.build import dim, paragraph
from bot.cards.digest import digest_card
from bot.cards.paper import AUTHOR, NOTICE, paper_block, paper_card
from bot.commands.export import exported
from bot.commands.places import place_here, place_lines, places_for
from bot.commands.ranked import ranked
from bot.commands.resolve import resolve_paper
from bot.commands.services import Services
from bot.domain.errors import UserError
from bot.domain.models import Command
from bot.ports import Reply
from bot.text import shorten

REPEAT_WINDOW = 60
"""Seconds in which a second press of Share counts as the same one."""


async def abstract(command: Command, services: Services) -> Reply:
    """Show the paper in full, in the card's thread."""
    paper = await resolve_paper(command.options["paper"], services)
    return Reply(paper_card(paper, (), services.now(), "full"), private=False, thread=True)


async def show(command: Command, services: Services) -> Reply:
    """Show the paper's card and where it was posted before, only to the person who asks."""
    paper, now = await resolve_paper(command.options["paper"], services), services.now()
    card = paper_card(paper, (), now, "full" if command.options.get("detail") == "full" else "compact")
    places = await places_for(command, paper.id, services)
    return Reply(replace(card, blocks=(*card.blocks, *place_lines(places, now))))


async def more(command: Command, services: Services) -> Reply:
    """Show the next page of a digest that was posted here, or all of it as a file, only to the person who asks."""
    label = command.options["digest"]
    ids = await services.outbox.digest(command.channel, label)
    papers = await services.papers.get(ids)
    if not papers:
        raise UserError("That digest is too old to show more of it.", hint="/paper list")
    page = int(command.options.get("page", 1))
    entries, taste = await ranked(command.channel, papers.values(), services)
    if "export" in command.options:
        return await exported([paper for paper, _ in entries], "digest", command)
    because = {paper.id: taste.because(paper) for paper, _ in entries}
    return Reply(digest_card(entries, services.now(), label, page, because=because))


async def share(command: Command, services: Services) -> Reply:
    """Post the paper's card with the name of the person who shared it; once, however often the button is pressed."""
    paper = await resolve_paper(command.options["paper"], services)
    if not await services.button_payloads.first(f"shared {command.channel} {paper.id}", REPEAT_WINDOW):
        message = "This paper was shared here a moment ago."
        return Reply(Card("reply", message, blocks=(paragraph(message),)))
    who = shorten(command.user.name or "Someone", AUTHOR)
    now = services.now()
    block = paper_block(paper, (), now)
    here = await place_here(paper.id, command.channel, services)
    card = Card(
        "paper",
        shorten(f"{who} shared: {block.title}", NOTICE),
        blocks=(paragraph(dim(f"Shared by {who}")), block, *place_lines((here,) if here else (), now)),
    )
    return Reply(card, private=False)

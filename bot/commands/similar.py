"""`/paper similar`: papers like a given one."""

from collections.abc import Sequence
from datetime import datetime

from bot.cards import Block, Button, Card
from bot.cards.build import actions, bold, dim, paragraph
from bot.cards.paper import NOTICE, QUERY, paper_block
from bot.commands.resolve import resolve_paper
from bot.commands.services import Services
from bot.domain.models import Command, Paper
from bot.ports import Reply
from bot.text import fold, shorten

SHOWN = 6
"""Maximum number of papers listed."""


async def similar(command: Command, services: Services) -> Reply:
    """Reply with the SHOWN papers that are most similar to the given one."""
    paper = await resolve_paper(command.options["paper"], services)
    return Reply(similar_card(paper, await services.search.similar(paper, SHOWN), services.now()))


def similar_card(paper: Paper, similar_papers: Sequence[Paper], now: datetime) -> Card:
    """Return a card with each similar paper, and the authors that it shares with `paper`."""
    title = shorten(paper.title, QUERY)
    if not similar_papers:
        message = f"I don't have any papers like “{title}” yet."
        return Card("reply", message, blocks=(paragraph(message),))
    blocks = [block for other in similar_papers for block in _lines(other, paper, now)]
    notice = shorten(f"Like {title}: {'; '.join(other.title for other in similar_papers)}", NOTICE)
    return Card("reply", notice, f"Like “{title}”", tuple(blocks))


def _lines(other: Paper, paper: Paper, now: datetime) -> Sequence[Block]:
    shared = ", ".join(_in_common(other, paper))
    why = (paragraph(dim("also by "), bold(shared)),) if shared else ()
    buttons = actions(Button("Share here", f"share {other.id}"), Button("Similar", f"similar {other.id}"))
    return (paper_block(other, (), now, "line"), *why, *buttons)


def _in_common(other: Paper, paper: Paper) -> Sequence[str]:
    names = {fold(name, plurals=False) for name in paper.authors}
    return [name for name in other.authors if fold(name, plurals=False) in names][:3]

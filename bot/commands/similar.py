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
"""Papers that are listed."""


async def similar(command: Command, services: Services) -> Reply:
    """The SHOWN papers that are most similar to it."""
    paper = await resolve_paper(command.options["paper"], services)
    return Reply(similar_card(paper, await services.search.similar(paper, SHOWN), services.now()))


def similar_card(paper: Paper, likes: Sequence[Paper], now: datetime) -> Card:
    """Each with the authors that it shares with `paper`."""
    title = shorten(paper.title, QUERY)
    if not likes:
        message = f"I don't have any papers like “{title}” yet."
        return Card("reply", message, blocks=(paragraph(message),))
    blocks = [block for like in likes for block in _like(like, paper, now)]
    notice = shorten(f"Like {title}: {'; '.join(like.title for like in likes)}", NOTICE)
    return Card("reply", notice, f"Like “{title}”", tuple(blocks))


def _like(like: Paper, paper: Paper, now: datetime) -> Sequence[Block]:
    shared = ", ".join(_in_common(like, paper))
    why = (paragraph(dim("also by "), bold(shared)),) if shared else ()
    buttons = actions(Button("Share here", f"share {like.id}"), Button("Similar", f"similar {like.id}"))
    return (paper_block(like, (), now, "line"), *why, *buttons)


def _in_common(like: Paper, paper: Paper) -> Sequence[str]:
    names = {fold(name, plurals=False) for name in paper.authors}
    return [name for name in like.authors if fold(name, plurals=False) in names][:3]

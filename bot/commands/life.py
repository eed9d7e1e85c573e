"""`/paper life`: show what has happened to a paper since it appeared."""

from collections.abc import Iterable
from datetime import datetime

from bot.cards import Bullets, Card, Text
from bot.cards.build import actions, dim, paragraph, text
from bot.cards.paper import NOTICE, paper_block, short_date
from bot.cards.sanitize import plain
from bot.commands.resolve import resolve_paper
from bot.commands.services import Services
from bot.commands.watch import unwatch_button, watch_button, watcher_of
from bot.domain.models import Command, Paper
from bot.ports import Reply
from bot.text import shorten


async def life(command: Command, services: Services) -> Reply:
    """Reply with the paper, its history, and a button to watch it or stop watching it."""
    paper = await resolve_paper(command.options["paper"], services)
    watched = await services.watches.of(watcher_of(command, services))
    history = tuple(history_lines(paper, services.now()))
    nothing = "Nothing has happened to it since Paperboy first saw it."
    block = paper_block(paper, (), services.now(), "line")
    button = unwatch_button if paper.id in watched else watch_button
    return Reply(
        Card(
            "reply",
            shorten(f"{history[-1][0].text if history else nothing} {plain(paper.title)}", NOTICE),
            blocks=(
                block,
                Bullets(history) if history else paragraph(dim(nothing)),
                *actions(button(paper.id)),
            ),
        )
    )


def history_lines(paper: Paper, now: datetime) -> Iterable[Text]:
    """Yield a line for each event, the oldest first."""
    for event in paper.events:
        yield text(f"{short_date(event.at, now)}: {plain(event.text)}")

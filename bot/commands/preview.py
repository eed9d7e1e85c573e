"""`/paper preview`: what a query or a subscription would have posted lately. Posts nothing."""

from datetime import datetime

from bot.cards import Block, Button, Card
from bot.cards.build import actions, code, dim, paragraph
from bot.cards.paper import NOTICE, QUERY, paper_block
from bot.commands.lookback import Lookback, look_back
from bot.commands.parser import number_in
from bot.commands.presets import expand
from bot.commands.reasons import reasons
from bot.commands.resolve import resolve_subscription
from bot.commands.services import Services
from bot.commands.synonyms import accepting, best_offer
from bot.commands.weekly_plot import weeks_figure
from bot.domain.models import Command
from bot.ports import Reply
from bot.query import parse, respell, spelled
from bot.text import shorten

SHOWN = 8
"""Maximum number of papers in a preview."""


async def preview(command: Command, services: Services) -> Reply:
    """Reply with the newest papers that match."""
    typed = command.options["query"]
    by_number = number_in(typed) is not None
    subscription = await resolve_subscription(typed, command.channel, services) if by_number else None
    query = parse(subscription.query if subscription else expand(typed))
    past = await look_back(query, services)
    offer: tuple[Block, ...] = (
        () if subscription else actions(Button("Subscribe", f"subscribe {spelled(query)}"))
    )
    if wider := await best_offer(query, past, services):
        accept = accepting(subscription, wider.synonym) if subscription else f"preview {spelled(wider.query)}"
        offer = (*wider.blocks(accept), *offer)
    found = await reasons(query, past, command.channel, services)
    return Reply(
        preview_card(
            spelled(query),
            past,
            services.now(),
            offer,
            respell(found.text(past.sentence()), query.typed),
            weeks=await weeks_figure(query, services),
        )
    )


def preview_card(
    query: str,
    past: Lookback,
    now: datetime,
    offer: tuple[Block, ...] = (),
    summary: str = "",
    *,
    weeks: tuple[Block, ...] = (),
) -> Card:
    """Return a card with the number of matches, a line for each of the newest, and buttons.

    `summary` describes the matches; `weeks` shows their number per week.
    """
    summary = summary or past.sentence()
    papers = tuple(paper_block(paper, (), now, "line") for paper in past.matching[:SHOWN])
    rest = len(past.matching) - len(papers)
    more = (paragraph(dim(f"and {rest:,} older")),) if rest else ()
    notice = shorten(f"Preview of {shorten(query, QUERY)}: {summary}", NOTICE)
    blocks: tuple[Block, ...] = (paragraph(code(query)), paragraph(summary), *weeks, *papers, *more, *offer)
    return Card("reply", notice, "Preview", blocks)

"""What a channel without subscriptions sees first: what this is, a paper, and three subscriptions that suit it."""

from collections.abc import Sequence

from bot.cards import Block, Button, Card
from bot.cards.build import actions, bold, code, paragraph
from bot.cards.paper import paper_block
from bot.commands.presets import PRESETS, buttons, for_channel
from bot.commands.services import Services
from bot.domain.models import ChannelRef, Paper
from bot.query import parse

SHOWN = 30
"""Trending papers among which one is looked for that suits the channel."""


async def first_card(channel: ChannelRef, services: Services) -> Card:
    """Two lines, the trending paper that suits the channel best, and a button for each of three presets."""
    names = for_channel(await services.channel_name(channel))
    trending = (await services.papers.trending())[:SHOWN]
    paper = _suiting(trending, names)
    shown: Sequence[Block] = (
        (paragraph(bold("Trending today")), paper_block(paper, (), services.now())) if paper else ()
    )
    return Card(
        "help",
        "I post new research papers here, as soon as they match what this channel subscribes to.",
        "Paperboy",
        (
            paragraph("I post new research papers here, as soon as they match what this channel subscribes to."),
            paragraph("Begin with one of these, or with your own words: ", code('/paper subscribe "language model" -survey')),
            *actions(*buttons(names)),
            *shown,
            *actions(Button("Trending now", "trending"), Button("All commands", "help all")),
        ),
    )  # fmt: skip


def _suiting(papers: Sequence[Paper], presets: Sequence[str]) -> Paper | None:
    """The first paper that matches one of the presets, the best one first; else the first of all."""
    queries = [parse(PRESETS[name].query) for name in presets]
    matching = (paper for query in queries for paper in papers if query.matches(paper))
    return next(matching, next(iter(papers), None))

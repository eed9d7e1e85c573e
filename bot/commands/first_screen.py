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


async def first_card(channel: ChannelRef, services: Services, everywhere: str = "") -> Card:
    """Two lines, a button for each of three presets, and the trending paper that suits the channel best.

    `everywhere` is the name of the server or workspace that it greets. There the paper is left out.
    """
    names = for_channel(f"{await services.channel_name(channel)} {everywhere}")
    what, begin = _lines(channel, everywhere)
    example = code('/paper subscribe "language model" -survey')
    return Card(
        "help",
        what,
        "Paperboy",
        (
            paragraph(what),
            paragraph(begin, example),
            *actions(*buttons(names)),
            *(() if everywhere and not channel.person else await _trending(names, services)),
            *actions(Button("Trending now", "trending"), Button("All commands", "help all")),
        ),
    )


def _lines(channel: ChannelRef, everywhere: str) -> tuple[str, str]:
    """What Paperboy does, and how to begin, up to the example."""
    if channel.person:
        return (
            "I send you new research papers, as soon as they match what you subscribe to.",
            "Begin with one of these, or with your own words: ",
        )
    if everywhere:
        return (
            "I post new research papers in any channel, as soon as they match what it subscribes to.",
            "Begin with one of these here, or in another channel with your own words: ",
        )
    return (
        "I post new research papers here, as soon as they match what this channel subscribes to.",
        "Begin with one of these, or with your own words: ",
    )


async def _trending(names: Sequence[str], services: Services) -> Sequence[Block]:
    """The trending paper that suits these presets best, if any is known."""
    paper = _suiting((await services.papers.trending())[:SHOWN], names)
    return (paragraph(bold("Trending today")), paper_block(paper, (), services.now())) if paper else ()


def _suiting(papers: Sequence[Paper], presets: Sequence[str]) -> Paper | None:
    """The first paper that matches one of the presets, the best one first; else the first of all."""
    queries = [parse(PRESETS[name].query) for name in presets]
    matching = (paper for query in queries for paper in papers if query.matches(paper))
    return next(matching, next(iter(papers), None))

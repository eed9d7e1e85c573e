"""First screen of a channel without subscriptions: what Paperboy is, a paper, and three suitable subscriptions."""

from collections.abc import Sequence
from datetime import timedelta

from bot.cards import Block, Button, Card
from bot.cards.build import actions, bold, code, paragraph
from bot.cards.paper import paper_block
from bot.commands.presets import PRESETS, buttons, for_channel
from bot.commands.services import Services
from bot.domain.models import SAMPLE_SOURCE, ChannelRef, Paper
from bot.query import parse

MAX_CANDIDATES = 30
"""Maximum number of papers among which one that suits the channel is looked for."""


NEW = timedelta(days=1)
"""Maximum age of a paper that stands in for a trending one."""


async def first_card(channel: ChannelRef, services: Services, everywhere: str = "") -> Card:
    """Return a card with two lines, a button for each of three presets, and the paper that suits the channel best.

    `everywhere` is the name of the server or workspace that the card greets. There the paper is left out.
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
            *(() if everywhere and not channel.person else await _example(names, services)),
            *actions(Button("Trending now", "trending"), Button("All commands", "help all")),
        ),
    )


def _lines(channel: ChannelRef, everywhere: str) -> tuple[str, str]:
    """Return what Paperboy does, and how to begin, up to the example."""
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


async def _example(names: Sequence[str], services: Services) -> Sequence[Block]:
    """Return a paper that suits these presets: a trending one, else one of the last day or of the sample, if any."""
    heading, papers = "Trending today", await services.papers.trending()
    if not papers:
        heading, papers = "New", await _latest(services)
    paper = _most_suitable(papers[:MAX_CANDIDATES], names)
    if paper is None:
        return ()
    if SAMPLE_SOURCE in paper.sources:
        heading = "For example, until today's papers are loaded"
    return (paragraph(bold(heading)), paper_block(paper, (), services.now()))


async def _latest(services: Services) -> list[Paper]:
    """Return some papers of the last day, the latest first; the sample until any papers have been read."""
    ids = (await services.papers.seen_since(services.now() - NEW))[-MAX_CANDIDATES:]
    if not ids:
        return (await services.papers.since(services.now()))[::-1]
    found = await services.papers.get(ids)
    return [found[paper_id] for paper_id in reversed(ids) if paper_id in found]


def _most_suitable(papers: Sequence[Paper], presets: Sequence[str]) -> Paper | None:
    """Return the first paper that matches a preset, trying the best preset first; else the first paper."""
    queries = [parse(PRESETS[name].query) for name in presets]
    matching = (paper for query in queries for paper in papers if query.matches(paper))
    return next(matching, next(iter(papers), None))

"""Earlier posts of a paper, limited to those that the person who asks is allowed to know about.

An answer that only one person sees names the channels that they can read according to the platform at this moment. An
answer that everyone in a channel sees names only that channel. If the platform doesn't answer, no channel is named.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import zip_longest

import structlog

from bot.cards import Block, Button, Card, PaperBlock, Paragraph, Span
from bot.cards.build import dim, paragraph
from bot.cards.paper import short_date
from bot.cards.sanitize import link, plain
from bot.commands.services import Services
from bot.domain.deliveries import Sent
from bot.domain.models import ChannelRef, Command
from bot.policy.planner import REST
from bot.text import shorten

MAX_OTHER_CHANNELS = 3
"""Maximum number of other channels that are checked and named, the latest post first."""
MAX_CHECKED_CHANNELS = 6
"""Maximum number of other channels that are checked for a list of papers."""
DEADLINE = 2.0
"""Seconds to wait for the platform's answers."""
MAX_NAME = 80
"""Maximum number of characters shown of a channel's name."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Place:
    """A message in which a paper was posted."""

    where: str
    """`here`, `in #nlp`, or `elsewhere` if the channel has no name."""
    at: datetime
    url: str | None
    likes: int
    """Number of people who pressed 👍 there."""


async def place_here(paper_id: str, channel: ChannelRef, services: Services) -> Place | None:
    """Return where the paper was posted in this channel, which everyone there may know.

    Returns None in a person's own channel: what is typed there may be answered in a conversation with someone else.
    """
    if channel.person:
        return None
    return await _place_in(paper_id, channel, services)


async def _place_in(paper_id: str, channel: ChannelRef, services: Services) -> Place | None:
    sent = await services.outbox.sent(channel, paper_id)
    return await _place("here", channel, paper_id, sent, services) if sent and _shown(sent) else None


async def places_for(command: Command, paper_id: str, services: Services) -> Sequence[Place]:
    """Return the paper's posts here and in other channels that the person can read. For private answers only."""
    user, channel = command.user, command.channel
    here = None
    if await services.access.lets_read(user, channel, by_default=True):
        here = await _place_in(paper_id, channel, services)
    return (*((here,) if here else ()), *await places_elsewhere(command, paper_id, services))


async def places_elsewhere(command: Command, paper_id: str, services: Services) -> Sequence[Place]:
    """Return where the paper was posted in other channels that the person can read. For private answers only."""
    posts = (await services.outbox.sent_elsewhere(command.channel, [paper_id])).get(paper_id, ())
    candidates = [(channel, sent) for channel, sent in posts if _shown(sent)][:MAX_OTHER_CHANNELS]
    try:
        async with asyncio.timeout(DEADLINE):
            found = await asyncio.gather(
                *(_elsewhere(command, channel, paper_id, sent, services) for channel, sent in candidates)
            )
    except TimeoutError:
        log.info("places_unknown", channel=str(command.channel), paper=paper_id)
        return ()
    return [place for place in found if place]


async def place_of_each(
    command: Command, paper_ids: Sequence[str], services: Services
) -> Mapping[str, Place]:
    """Return one place for each of the papers that was posted: this channel, else the latest that the person can read.

    For private answers only. The platform is asked about few channels, so that no list waits long.
    """
    here, found = command.channel, dict[str, Place]()
    if await services.access.lets_read(command.user, here, by_default=True):
        for paper_id, sent in (await services.outbox.sent_each(here, paper_ids)).items():
            if _shown(sent):
                found[paper_id] = await _place("here", here, paper_id, sent, services)
    others = await services.outbox.sent_elsewhere(here, [one for one in paper_ids if one not in found])
    posts = {
        paper_id: [post for post in paper_posts if _shown(post[1])]
        for paper_id, paper_posts in others.items()
    }
    # The latest post of each paper first, then the second latest.
    ranked = [post[0] for rank in zip_longest(*posts.values()) for post in rank if post]
    checked = list(dict.fromkeys(ranked))[:MAX_CHECKED_CHANNELS]
    try:
        async with asyncio.timeout(DEADLINE):
            answers = await asyncio.gather(*(services.access.lets_read(command.user, one) for one in checked))
            readable = {channel for channel, reads in zip(checked, answers, strict=True) if reads}
            for paper_id, paper_posts in posts.items():
                for channel, sent in [post for post in paper_posts if post[0] in readable][:1]:
                    place = await _elsewhere(command, channel, paper_id, sent, services)
                    found |= {paper_id: place} if place else {}
    except TimeoutError:
        log.info("places_unknown", channel=str(here), papers=len(paper_ids))
    return found


def place_lines(places: Sequence[Place], now: datetime) -> tuple[Paragraph, ...]:
    """Return a line for each place: `Posted in #nlp on 3 May · 14 👍`."""
    return tuple(_place_line(place, now) for place in places)


def with_place(card: Card, place: Place, now: datetime) -> Card:
    """Add to a paper's small card where it was posted: in its byline, and as a button that leads there."""
    blocks: list[Block] = []
    for block in card.blocks:
        if isinstance(block, PaperBlock):
            earlier_post = (Button("Earlier post", url=place.url),) if place.url else ()
            byline = (*block.byline, f"posted {_when(place, now)}{_likes(place)}")
            blocks.append(replace(block, byline=byline, actions=(*block.actions, *earlier_post)))
        else:
            blocks.append(block)
    return replace(card, blocks=tuple(blocks))


async def _elsewhere(
    command: Command, channel: ChannelRef, paper_id: str, sent: Sent, services: Services
) -> Place | None:
    if not await services.access.lets_read(command.user, channel):
        return None
    if channel.person:
        return await _place("in your direct messages", channel, paper_id, sent, services)
    name = shorten(plain(await services.channel_name(channel)), MAX_NAME)
    return await _place(f"in #{name}" if name else "elsewhere", channel, paper_id, sent, services)


async def _place(where: str, channel: ChannelRef, paper_id: str, sent: Sent, services: Services) -> Place:
    return Place(where, sent.at, link(sent.message.url), await services.votes.likes(channel, paper_id))


def _shown(sent: Sent) -> bool:
    """Whether the post showed the paper, rather than counting it among those that a budget held back."""
    return not sent.label.startswith(REST)


def _place_line(place: Place, now: datetime) -> Paragraph:
    linked = Span(_when(place, now), url=place.url) if place.url else dim(_when(place, now))
    return paragraph(dim("Posted "), linked, *((dim(_likes(place)),) if place.likes else ()))


def _when(place: Place, now: datetime) -> str:
    return f"{place.where} on {short_date(place.at, now)}"


def _likes(place: Place) -> str:
    return f" · {place.likes} 👍" if place.likes else ""

"""`/paper trending`: today's trending papers, or the most upvoted of a week or month."""

from collections.abc import Sequence
from datetime import UTC, datetime

from bot.cards import Button, Card
from bot.cards.build import actions, dim, paragraph
from bot.cards.paper import NOTICE, paper_block, short_date
from bot.commands.ranked import ranked
from bot.commands.services import Services
from bot.domain.models import Command, Paper
from bot.ports import Reply
from bot.text import shorten

SHOWN = 10
DAYS = {"week": 7, "month": 30}
CURATORS = "curated by AK and the research community on Hugging Face"


async def trending(command: Command, services: Services) -> Reply:
    """Reply with the first SHOWN papers: for a day in the trending page's order, for longer spans by upvotes.

    If the channel has a taste, the taste orders the same papers.
    """
    span = command.options.get("span", "day")
    if span in DAYS:
        papers = await services.search.upvoted(DAYS[span], SHOWN)
    else:
        papers = await services.papers.trending()
    poll = (await services.polls()).get("huggingface")
    entries, taste = await ranked(command.channel, papers[:SHOWN], services)
    card = trending_card(
        [paper for paper, _ in entries] if taste.learned else papers,
        services.now(),
        span,
        poll.succeeded_at if poll else None,
        by_taste=taste.learned,
    )
    return Reply(card)


def trending_card(
    papers: Sequence[Paper],
    now: datetime,
    span: str = "day",
    read_at: datetime | None = None,
    *,
    by_taste: bool = False,
) -> Card:
    """Return a card with a line for each paper, when the list was read, and who curates it."""
    if not papers:
        message = "Trending papers aren't loaded yet. Try again in a few minutes."
        return Card("reply", message, blocks=(paragraph(message),))
    read_at = read_at or now
    heading = f"Trending · {short_date(read_at, now)}" if span == "day" else f"Most upvoted this {span}"
    order = "in trending order" if span == "day" else "by upvotes"
    if by_taste:
        order = "what this channel likes first"
    lines = tuple(paper_block(paper, (), now, "line") for paper in papers[:SHOWN])
    notice = shorten(f"{heading}: {'; '.join(line.title for line in lines)}", NOTICE)
    note = paragraph(dim(f"{CURATORS}, {order}, as of {read_at.astimezone(UTC):%H:%M} UTC"))
    others = [Button(f"This {other}", f"trending {other}") for other in DAYS if other != span]
    follow = actions(Button("Post new ones here", "subscribe trending"), *others)
    return Card("reply", notice, heading, (note, *lines, *follow))

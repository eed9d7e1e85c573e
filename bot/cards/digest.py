"""Several papers in one message, so that a busy poll is not a flood."""

from collections.abc import Sequence
from datetime import datetime

from bot.cards import Actions, Button, Card, Paragraph, Span
from bot.cards.paper import NOTICE, paper_block
from bot.models import Paper, Reason
from bot.text import shorten

DIGEST_SIZE = 10
"""How many papers a digest names. Ten lines of the worst papers stay below Discord's 4,000 characters."""

Entry = tuple[Paper, tuple[Reason, ...]]


def digest_card(entries: Sequence[Entry], now: datetime) -> Card:
    """One message for all of `entries`, in their order: a line each, with the reason.

    Whatever is beyond DIGEST_SIZE is counted, and reached by the preview of its subscription.
    """
    named, rest = entries[:DIGEST_SIZE], entries[DIGEST_SIZE:]
    heading = "1 new paper" if len(entries) == 1 else f"{len(entries)} new papers"
    lines = tuple(paper_block(paper, reasons, now, "line") for paper, reasons in named)
    notice = shorten(f"{heading}: {'; '.join(line.title for line in lines)}", NOTICE)
    return Card("digest", notice, heading, (*lines, *(_more(rest) if rest else ())))


def _more(rest: Sequence[Entry]) -> tuple[Paragraph, Actions]:
    numbers = sorted({reason.number for _, reasons in rest for reason in reasons})[:5]
    buttons = tuple(Button(f"All of #{number}", f"preview #{number}") for number in numbers)
    return Paragraph((Span(f"and {len(rest)} more"),)), Actions(buttons)

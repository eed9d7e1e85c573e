"""Cards of deliveries: one paper, or a digest of several, so that a busy poll doesn't flood a channel."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType

from bot.cards import Block, Button, Card, Posting
from bot.cards.build import actions, count, dim, paragraph
from bot.cards.life import life_card
from bot.cards.paper import NOTICE, paper_block, paper_card, reason_texts, with_reason
from bot.domain.life import LIFE
from bot.domain.models import ChannelSettings, Paper, Reason
from bot.text import shorten

LINES = 10
"""Papers per page of a digest. Ten entries stay below the platforms' smallest limit, 4,000 characters."""

Entry = tuple[Paper, tuple[Reason, ...]]
NO_REASONS: Mapping[str, str] = MappingProxyType({})


def digest_card(
    entries: Sequence[Entry],
    now: datetime,
    label: str = "",
    page: int = 1,
    *,
    folded: int = 0,
    because: Mapping[str, str] = NO_REASONS,
) -> Card:
    """Build one message with all `entries`, in their order, and the number of `folded` papers that are only counted.

    Papers beyond LINES are on further pages, which are requested by the digest's `label`, as is a file with all papers.
    `because` maps paper ids to further reasons for a paper.
    """
    first = (page - 1) * LINES
    shown, rest = entries[first : first + LINES], len(entries) + folded - first - LINES
    shared = _shared_reasons(entries)
    lines = tuple(
        with_reason(
            paper_block(paper, [reason for reason in reasons if reason not in shared], now, "line"),
            because.get(paper.id, ""),
        )
        for paper, reasons in shown
    )
    heading = count(len(entries) + folded, "new paper")
    if folded:
        heading = f"{heading}, the best {len(entries)}" if len(entries) > 1 else f"The best of {heading}"
    notice = shorten(f"{heading}: {'; '.join(line.title for line in lines)}", NOTICE)
    why = (paragraph(dim(f"All {', '.join(reason_texts(shared))}")),) if shared else ()
    export = [Button("Export", f"more {label} export:bibtex")] if label else []
    if folded and len(entries) <= LINES:
        more = _folded(folded, label, *export)
    else:
        more = _more(rest, f"more {label} page:{page + 1}" if label else "", *export)
    return Card("digest", notice, heading, (*why, *lines, *more))


def folded_card(folded: int, label: str) -> Card:
    """Build the card that counts the papers that a channel's budget folded."""
    words = f"{count(folded, 'more paper')} matched."
    return Card("digest", words, blocks=_folded(folded, label))


def _folded(folded: int, label: str, *others: Button) -> tuple[Block, ...]:
    return paragraph(dim(f"{count(folded, 'more paper')} matched.")), *actions(
        Button("Show", f"more {label}"), *others
    )


def _shared_reasons(entries: Sequence[Entry]) -> tuple[Reason, ...]:
    """Return the reasons that all entries share, which are shown only once."""
    if len(entries) < 2:
        return ()
    (_, first), *others = entries
    return tuple(reason for reason in first if all(reason in reasons for _, reasons in others))


def _more(rest: int, command: str, *others: Button) -> tuple[Block, ...]:
    if rest <= 0:
        return actions(*others)
    show = [Button(f"Show {min(rest, LINES)} more", command)] if command else []
    return paragraph(dim(f"and {rest} more")), *actions(*show, *others)


def delivery_card(
    entries: Sequence[Entry],
    settings: ChannelSettings,
    now: datetime,
    label: str = "",
    *,
    folded: Sequence[Entry] = (),
    because: Mapping[str, str] = NO_REASONS,
) -> Card:
    """Build the card for `entries`, the best first, and for the `folded` papers, which are only counted.

    `label` names the digest, or the message of events, in its channel.
    """
    if label.startswith(LIFE):
        return life_card(entries, now)
    if not entries:
        card = folded_card(len(folded), label)
    elif len(entries) == 1 and not folded:
        paper, reasons = entries[0]
        card = paper_card(paper, reasons, now, settings.detail, because.get(paper.id, ""))
    else:
        card = digest_card(entries, now, label, folded=len(folded), because=because)
    return replace(card, posting=posting((*entries, *folded), settings), entries=(*entries, *folded))


def posting(entries: Sequence[Entry], settings: ChannelSettings) -> Posting:
    """Return the options for posting that follow from the channel's settings."""
    topics = Counter(category for paper, _ in entries for category in paper.categories)
    return Posting(
        ping=settings.ping,
        threads=settings.threads,
        embeds=settings.embeds,
        publish=settings.publish,
        topics=tuple(topic for topic, _ in topics.most_common()),
        papers=tuple(paper.id for paper, _ in entries),
    )

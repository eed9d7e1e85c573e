"""The descriptions of each paper in one poll, and the record that results from them. Pure."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha1
from typing import Literal

from bot.domain.models import Paper
from bot.policy.life import with_events
from bot.policy.signals import with_upvotes
from bot.ports import Batch
from bot.store import records

Kind = Literal["listed", "history", "update", "known"]
"""Listed now; listed on an earlier day; only updated, say its rank; stored without being listed, say by a search."""


@dataclass(frozen=True, slots=True)
class Listing:
    """One poll's descriptions of one paper."""

    id: str
    kind: Kind
    descriptions: tuple[Paper, ...]


def listings_of(batch: Batch, ranks: Iterable[str]) -> list[Listing]:
    """Return a listing for each paper of a poll: listed now, listed on an earlier day, or only updated or ranked."""
    listed, history, updates = map(_by_id, (batch.papers, batch.history, batch.updates))

    def listing(paper_id: str) -> Listing:
        kind: Kind = "listed" if paper_id in listed else "history" if paper_id in history else "update"
        descriptions = [*history.get(paper_id, ()), *listed.get(paper_id, ()), *updates.get(paper_id, ())]
        return Listing(paper_id, kind, tuple(descriptions))

    return list(map(listing, dict.fromkeys((*listed, *history, *updates, *ranks))))


def unlisted(papers: Iterable[Paper]) -> list[Listing]:
    """Return a listing for each paper that is stored without being listed."""
    return [
        Listing(paper_id, "known", tuple(descriptions)) for paper_id, descriptions in _by_id(papers).items()
    ]


def _by_id(papers: Iterable[Paper]) -> dict[str, list[Paper]]:
    found: dict[str, list[Paper]] = {}
    for paper in papers:
        found.setdefault(paper.id, []).append(paper)
    return found


def updated_record(
    listing: Listing, stored: Paper | None, ranks: dict[str, int | None] | None, now: datetime
) -> Paper | None:
    """Return a paper's record after a poll; None for an update of a paper that isn't stored."""
    if stored is None and listing.kind == "update":
        return None
    paper = stored
    # A backfill must not set these fields before a harvest does: it would find no change to report as news.
    is_harvest = listing.kind in ("listed", "update") or stored is None or stored.versions is None
    for description in listing.descriptions:
        paper = records.merge(paper, description if is_harvest else _without_life(description))
    if paper is not None and ranks is not None and listing.id in ranks:
        paper = replace(paper, rank=ranks[listing.id])
    if paper is not None and stored is not None:
        paper = replace(paper, backfilled=None if _is_first_listing(listing, stored) else stored.backfilled)
    if paper is not None:
        paper = with_upvotes(paper, now, is_new=stored is None and listing.kind == "listed")
    return paper and with_events(stored if listing.kind in ("listed", "update") else None, paper, now)


def _without_life(paper: Paper) -> Paper:
    return replace(paper, versions=None, comment=None, journal_ref=None, doi=None)


def _is_first_listing(listing: Listing, stored: Paper) -> bool:
    """Whether an upstream lists a paper that was so far only known from a category's history."""
    sources = {source for description in listing.descriptions for source in description.sources}
    return bool(stored.backfilled) and listing.kind == "listed" and not sources <= set(stored.sources)


def script_arguments(
    listing: Listing, text: str | None, stored: Paper | None, paper: Paper
) -> tuple[str, str, str]:
    """Return a paper's arguments for `ingest.lua`: digest of the record that was read, new record, JSON about it."""
    changes = records.changes(stored, paper) if stored else {}
    about: dict[str, object] = {
        "id": listing.id,
        "kind": listing.kind,
        "change": records.dump_change(changes),
        "lasting": records.dump_change({k: v for k, v in changes.items() if k in records.OF_ANY_AGE}),
    }
    if stored is not None and _is_first_listing(listing, stored):
        about["fresh"] = True
    if listing.kind == "history":
        about["first"] = int(paper.published.timestamp() * 1000)
    was = sha1(text.encode(), usedforsecurity=False).hexdigest() if text else ""
    return was, records.dump(paper), json.dumps(about)

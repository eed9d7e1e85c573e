"""Converts between deliveries and the JSON and hashes that the outbox's scripts read and write. Pure."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from bot.domain.deliveries import (
    Delivery,
    OpenDelivery,
    PaperWithReasons,
    Pause,
    PlannedDelivery,
    Scope,
    Sent,
    channel_of,
)
from bot.domain.models import ChannelRef, MessageRef, Reason

NO_URL = "-"
"""Stored as the address of a message that has none."""


def delivery_record(planned: PlannedDelivery) -> dict[str, Any]:
    """Return a planned delivery as the scripts read it."""
    papers = [[paper, list(map(_reason, why))] for paper, why in planned.papers]
    values: dict[str, Any] = {
        "key": planned.key,
        "due": planned.due,
        "digest_threshold": planned.digest_threshold,
        "papers": papers,
    }
    if planned.flood_window:
        values["flood_window"] = planned.flood_window
    if budget := planned.budget:
        values["budget"] = {
            "most": budget.most,
            "fits": budget.fits,
            "always": dict.fromkeys(sorted(budget.always), 1),
            "below": dict.fromkeys(sorted(budget.below), 1),
            "key": f"{planned.channel}/{budget.label}",
            "due": budget.due,
        }
    moments = {"since": planned.maybe_sent_since, "detected": planned.detected}
    return values | {name: at for name, at in moments.items() if at is not None}


def _reason(reason: Reason) -> list[int | str]:
    return [reason.number, reason.query, *([reason.note] if reason.note else [])]


def load_papers(papers: str) -> tuple[PaperWithReasons, ...]:
    """Parse the papers of a delivery's record. Raises ValueError, TypeError or KeyError if they can't be read."""
    return tuple((str(paper), _reasons(why)) for paper, why, *_ in json.loads(papers))


def _reasons(stored: Any) -> tuple[Reason, ...]:
    """Parse reasons. Fields that a newer version added are ignored. Lua writes an empty list as {}."""
    return tuple(Reason(int(number), *map(str, words[:2])) for number, *words in stored or [])


def delivery_of(token: str, found: Sequence[str]) -> Delivery:
    """Parse a delivery in the answer to a claim with this token."""
    key, state, papers, tries, since, deaths, detected, *more = found
    refusals, alone, copied = more or ("0", "0", "")
    return Delivery(
        key=key,
        channel=channel_of(key),
        papers=load_papers(papers),
        state=state,
        token=token,
        tries=int(tries),
        since=_moment(since),
        deaths=int(deaths),
        detected=_moment(detected),
        refusals=int(refusals),
        refused_alone=int(alone),
        copy_of=ChannelRef.parse(copied) if copied else None,
    )


def _moment(ms: str) -> datetime | None:
    return datetime.fromtimestamp(float(ms) / 1000, UTC) if ms else None


def sent_of(text: str) -> Sent:
    """Parse the record of a paper that was posted."""
    # An older record, or the record of a copy, has fewer fields.
    at, message, url, label, place, why = f"{text}     ".split(" ", 5)
    message_ref = MessageRef(message, None if url in {"", NO_URL} else url)
    reasons = _reasons(json.loads(why)) if why.strip() else ()
    return Sent(datetime.fromtimestamp(int(at) / 1000, UTC), message_ref, label, int(place or 0), reasons)


def open_delivery_of(key: str, record: Mapping[str, str]) -> OpenDelivery:
    """Parse the record of a delivery that isn't done."""
    return OpenDelivery(
        key=key,
        papers=load_papers(record["papers"]),
        state=record["state"],
        due=datetime.fromtimestamp(float(record["due"]) / 1000, UTC),
        why=record.get("error", ""),
        maybe_sent="since" in record,
    )


def pause_of(name: str, why: str, paused_at: str | None, probe_at: str | None) -> Pause:
    """Parse a member of the paused index and its health fields."""
    scope, _, paused = name.partition(" ")
    which: Scope = "workspace" if scope == "workspace" else "channel"
    return Pause(which, paused, why, _moment(paused_at or ""), _moment(probe_at or ""))

"""How the outbox's scripts read and write deliveries: JSON and Redis hashes to values and back. Pure."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from bot.domain.deliveries import Delivery, OpenDelivery, PaperWithReasons, PlannedDelivery, Sent, channel_of
from bot.domain.models import MessageRef, Reason

NO_URL = "-"
"""In the place of a message's address, where it has none."""


def delivery_record(offer: PlannedDelivery) -> dict[str, Any]:
    """As the scripts read it."""
    papers = [[paper, list(map(_reason, why))] for paper, why in offer.papers]
    values: dict[str, Any] = {
        "key": offer.key,
        "due": offer.due,
        "digest_threshold": offer.digest_threshold,
        "papers": papers,
    }
    moments = {"since": offer.maybe_sent_since, "detected": offer.detected}
    return values | {name: at for name, at in moments.items() if at is not None}


def _reason(reason: Reason) -> list[int | str]:
    return [reason.number, reason.query, *([reason.note] if reason.note else [])]


def wanted(papers: str) -> tuple[PaperWithReasons, ...]:
    """The papers of a delivery as its record holds them."""
    return tuple(
        # Lua writes an empty list as {}
        (paper, tuple(Reason(int(number), *words) for number, *words in why or []))
        for paper, why in json.loads(papers)
    )


def delivery_of(token: str, found: Sequence[str]) -> Delivery:
    """What a claim with this token answered."""
    key, state, papers, tries, since, deaths, detected = found
    return Delivery(
        key=key,
        channel=channel_of(key),
        papers=wanted(papers),
        state=state,
        token=token,
        tries=int(tries),
        since=_moment(since),
        deaths=int(deaths),
        detected=_moment(detected),
    )


def _moment(ms: str) -> datetime | None:
    return datetime.fromtimestamp(float(ms) / 1000, UTC) if ms else None


def sent_of(text: str) -> Sent:
    """From the record of what was sent."""
    at, message, url, label = f"{text}   ".split(" ")[:4]  # moved from another channel it names no message
    where = MessageRef(message, None if url in {"", NO_URL} else url)
    return Sent(datetime.fromtimestamp(int(at) / 1000, UTC), where, label)


def open_delivery_of(key: str, record: Mapping[str, str]) -> OpenDelivery:
    """From the record of a delivery that is not done."""
    return OpenDelivery(
        key=key,
        papers=wanted(record["papers"]),
        state=record["state"],
        due=datetime.fromtimestamp(float(record["due"]) / 1000, UTC),
        why=record.get("error", ""),
        maybe_sent="since" in record,
    )

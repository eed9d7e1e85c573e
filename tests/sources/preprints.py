"""Made-up answers of bioRxiv's interface."""

import json
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """A version of a paper."""

    doi: str
    day: str = "2026-05-20"
    version: str = "1"
    category: str = "cancer biology"
    title: str = "On Counting Cells"
    kind: str = "new results"
    server: str = "bioRxiv"


def posted(*rows: Row, cursor: int = 0, total: int | None = None) -> bytes:
    """Return an answer to `/details/{server}/{from}/{to}/{cursor}/json`."""
    total = len(rows) if total is None else total
    if not total:
        return json.dumps({"messages": [{"status": "no posts found"}], "collection": []}).encode()
    message = {"status": "ok", "cursor": cursor, "count": len(rows), "total": str(total)}
    return json.dumps({"messages": [message], "collection": [_row(row) for row in rows]}).encode()


def _row(row: Row) -> dict[str, str]:
    return {
        "title": row.title,
        "authors": "Franklin, R.; McClintock, B.",
        "author_corresponding": "Rosalind Franklin",
        "doi": row.doi,
        "date": row.day,
        "version": row.version,
        "type": row.kind,
        "license": "cc_by",
        "category": row.category,
        "abstract": "We count cells.",
        "published": "NA",
        "server": row.server,
    }

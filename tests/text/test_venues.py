"""Acceptances read from comments and journal references, compared with labels made by hand."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.sources.arxiv.papers import elements, fields_of
from bot.text.identity import arxiv_id
from bot.text.venues import Acceptance, read_acceptance
from tests.text import labelled_journals, labelled_later
from tests.text.labelled_comments import ACCEPTED, NOT_ACCEPTED, REAL, REFERENCES, Label

SAMPLES = Path(__file__).parents[3] / "shared" / "data" / "samples"
MIN_PRECISION, MIN_RECALL, MIN_DETAIL = 0.98, 0.9, 0.95

Labelled = tuple[str, str, Label | None]


def recorded() -> Iterator[Labelled]:
    """Yield comments and journal references from recorded answers, once per paper."""
    seen: dict[str, tuple[str, str]] = {}
    archive = SAMPLES / "arxiv_daily_archive_100rows.jsonl"
    for line in archive.read_text().splitlines() if archive.exists() else ():
        row = json.loads(line)
        seen.setdefault(row["id"], (row["comment"] or "", ""))
    for path in sorted(SAMPLES.glob("arxiv_api_atom*http200.xml")):
        for element in elements(path.read_bytes(), "an answer"):
            if element.tag.endswith("}entry"):
                entry = fields_of(element)
                paper = arxiv_id(entry.text("id")) or ""
                seen.setdefault(paper, (entry.text("comment"), entry.text("journal_ref")))
    for paper, (comment, reference) in seen.items():
        if comment or reference:
            yield comment, reference, REAL.get(paper)


def invented() -> list[Labelled]:
    return [
        *((comment, "", label) for comment, label in ACCEPTED),
        *(("", reference, label) for reference, label in REFERENCES),
        *((comment, "", None) for comment in NOT_ACCEPTED),
    ]


def of_all_fields() -> list[Labelled]:
    return [
        *((comment, "", label) for comment, label in labelled_journals.FIELDS),
        *(("", reference, label) for reference, label in labelled_journals.JOURNALS),
        *labelled_journals.BOTH,
        *((comment, "", None) for comment in labelled_journals.ONLY_SOUNDS),
        *((comment, "", label) for comment, label in labelled_later.COMMENTS),
        *(("", reference, label) for reference, label in labelled_later.JOURNALS),
    ]


def check(rows: list[Labelled]) -> None:
    """Check precision and recall of acceptances, and how often their venue, year and kind are right."""
    read = [(row, read_acceptance(*row[:2])) for row in rows]
    accepted = [(found, row[2]) for row, found in read if found and row[2]]
    wrong = [(row, found) for row, found in read if (found or row[2]) and not agrees(found, row[2])]
    assert len(accepted) / sum(1 for _, found in read if found) >= MIN_PRECISION, wrong
    assert len(accepted) / sum(1 for row in rows if row[2]) >= MIN_RECALL, wrong
    for detail in (same_venue, same_year, same_kind):
        assert sum(detail(*pair) for pair in accepted) / len(accepted) >= MIN_DETAIL, (detail.__name__, wrong)
    everything_right = sum(agrees(*pair) for pair in accepted)
    assert everything_right / sum(1 for _, found in read if found) >= MIN_PRECISION, wrong


def agrees(found: Acceptance | None, label: Label | None) -> bool:
    if found is None or label is None:
        return False
    return same_venue(found, label) and same_year(found, label) and same_kind(found, label)


def same_venue(found: Acceptance, label: Label) -> bool:
    return label[0].casefold() in found.venue.casefold() and bool(label[0]) == bool(found.venue)


def same_year(found: Acceptance, label: Label) -> bool:
    return found.year == label[1]


def same_kind(found: Acceptance, label: Label) -> bool:
    return found.kind == label[2]


def test_invented_comments_are_read_as_labelled() -> None:
    assert len(invented()) > 180
    check(invented())


def test_comments_and_references_of_all_fields_are_read_as_labelled() -> None:
    assert len(of_all_fields()) > 350
    check(of_all_fields())


def test_recorded_comments_are_read_as_labelled() -> None:
    rows = list(recorded())
    if not rows:
        pytest.skip(f"no recorded answers in {SAMPLES}")
    assert len(rows) + len(invented()) >= 300
    check(rows)


@pytest.mark.parametrize(
    ("acceptance", "text"),
    [
        (Acceptance("ICML", 2026, "spotlight"), "ICML 2026 as a spotlight"),
        (Acceptance("ICML", 2026, "oral"), "ICML 2026 as an oral"),
        (Acceptance("TPAMI"), "TPAMI"),
        (Acceptance("", None), ""),
    ],
)
def test_an_acceptance_as_text(acceptance: Acceptance, text: str) -> None:
    assert str(acceptance) == text


@given(st.text(max_size=3000))
def test_any_text_is_accepted_and_its_venue_is_short(text: str) -> None:
    found = read_acceptance(text, text)
    assert found is None or len(found.venue) <= 90

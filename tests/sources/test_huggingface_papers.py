"""A row of Hugging Face's list becomes a paper."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from structlog.testing import capture_logs

from bot.domain.errors import SourceError
from bot.domain.models import Paper
from bot.sources.huggingface_papers import parse_list
from tests.sources.upstreams import listed


def parse(*rows: Any) -> list[Paper]:
    return parse_list(json.dumps(rows).encode())


def test_the_publication_date_is_the_papers_own() -> None:
    row = listed("2605.00001")
    assert row["publishedAt"] != row["paper"]["publishedAt"]
    assert parse(row)[0].published == datetime(2026, 5, 19, tzinfo=UTC)


def test_line_breaks_become_blanks() -> None:
    (paper,) = parse(
        listed("2605.00001", title="On\n  Counting", summary="We\ncount.\n", ai_summary="They\ncount.")
    )
    assert (paper.title, paper.abstract, paper.tldr) == ("On Counting", "We count.", "They count.")


def test_hidden_authors_stay_hidden() -> None:
    authors = [
        {"name": "Ada Lovelace", "hidden": False},
        {"name": "Eve", "hidden": True},
        {"name": "Emmy Noether"},
    ]
    assert parse(listed("2605.00001", authors=authors))[0].authors == ("Ada Lovelace", "Emmy Noether")


def test_all_fields_of_a_row_are_read() -> None:
    row = listed(
        "2605.00001v2",
        upvotes=42,
        ai_summary="Counting, explained.",
        githubRepo="https://github.com/ada/engine",
        githubStars=1200,
        projectPage="https://ada.example.org",
        organization={"name": "ada", "fullname": "Analytical Engines"},
    )
    row["thumbnail"] = "https://cdn.example.org/2605.00001.png"
    row["numComments"] = 12
    row["paper"]["ai_keywords"] = ["looms", "punched cards", "looms", "w" * 61, ""]
    (paper,) = parse(row)
    assert (paper.id, paper.url) == ("2605.00001", "https://arxiv.org/abs/2605.00001")
    assert (paper.upvotes, paper.comments, paper.code_stars) == (42, 12, 1200)
    assert paper.keywords == ("looms", "punched cards")
    assert paper.code_url == "https://github.com/ada/engine"
    assert paper.project_url == "https://ada.example.org"
    assert paper.thumbnail_url == "https://cdn.example.org/2605.00001.png"
    assert (paper.tldr, paper.organization) == ("Counting, explained.", "Analytical Engines")


def test_missing_fields_are_unknown() -> None:
    (paper,) = parse(listed("2605.00001"))
    assert (paper.tldr, paper.code_url, paper.code_stars, paper.project_url) == (None, None, None, None)
    assert (paper.thumbnail_url, paper.organization) == (None, None)


@pytest.mark.parametrize("nonsense", [None, 7, "x", [], {}, [None], {"name": 3}])
def test_nonsense_in_optional_fields_loses_no_paper(nonsense: Any) -> None:
    names = (
        "authors",
        "summary",
        "ai_summary",
        "githubStars",
        "githubRepo",
        "projectPage",
        "organization",
        "upvotes",
        "ai_keywords",
    )
    row = listed("2605.00001") | {"thumbnail": nonsense, "numComments": nonsense}
    row["paper"] |= dict.fromkeys(names, nonsense)
    assert parse(row)[0].id == "2605.00001"


@pytest.mark.parametrize("lacking", ["id", "title", "publishedAt"])
def test_a_row_without_a_required_field_is_skipped(lacking: str) -> None:
    broken = listed("2605.00001")
    del broken["paper"][lacking]
    with capture_logs() as logs:
        assert [paper.id for paper in parse(broken, listed("2605.00002"), None, [], {"paper": 3})] == [
            "2605.00002"
        ]
    assert len(logs) == 4


@pytest.mark.parametrize(
    "body", [b"", b"nothing", b"{}", b'{"error": "x"}', b"null", b"\xff\xfe", b"[" * 10**6]
)
def test_anything_but_a_list_is_an_error(body: bytes) -> None:
    with pytest.raises(SourceError, match=r"^Hugging Face sent"):
        parse_list(body)

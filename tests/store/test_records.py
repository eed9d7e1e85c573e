"""A paper survives serialization, and descriptions from several sources are merged."""

import json
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.life import Event
from bot.domain.models import Paper
from bot.store import records
from tests.papers import a_paper

texts = st.text(max_size=20)
papers = st.builds(
    Paper,
    id=st.just("2603.00001"),
    title=texts,
    abstract=texts,
    authors=st.tuples(texts),
    url=texts,
    published=st.datetimes(timezones=st.just(UTC)),
    categories=st.lists(st.sampled_from(["cs.AI", "cs.CL", "cs.CV"]), unique=True).map(tuple),
    sources=st.sampled_from([("huggingface",), ("arxiv",), ("feed:blog",)]),
    tldr=st.none() | texts,
    code_url=st.none() | texts,
    upvotes=st.none() | st.integers(0, 500),
    rank=st.none() | st.integers(1, 50),
)


@given(papers)
def test_a_record_restores_the_paper(paper: Paper) -> None:
    assert records.load(records.dump(paper)) == paper


@given(papers, papers)
def test_the_same_description_twice_changes_nothing(old: Paper, new: Paper) -> None:
    once = records.merge(old, new)
    assert records.merge(once, new) == once


@given(papers, papers)
def test_a_change_can_be_undone_and_redone(old: Paper, new: Paper) -> None:
    change = records.dump_change(records.changes(old, new))
    after, before = records.rewind(new, change)
    for name in records.WATCHED:
        assert getattr(after, name) == getattr(new, name)
        assert getattr(before or old, name) == getattr(old, name)


def test_descriptions_of_several_sources_are_merged() -> None:
    listed = a_paper(sources=("arxiv",), categories=("cs.RO", "cs.AI"), abstract="Long and complete.")
    liked = a_paper(
        sources=("huggingface",), upvotes=42, tldr="Short.", code_url="https://x.org", abstract=""
    )
    paper = records.merge(listed, liked)
    assert (paper.categories, paper.upvotes, paper.tldr) == (("cs.RO", "cs.AI"), 42, "Short.")
    assert paper.sources == ("arxiv", "huggingface")
    assert paper.abstract == "Long and complete."
    assert set(records.merge(liked, listed).sources) == set(paper.sources)


def test_the_first_source_may_revise_its_text_and_others_may_not() -> None:
    first = a_paper(title="Draft")
    assert records.merge(first, a_paper(title="Final")).title == "Final"
    assert records.merge(first, a_paper(title="Copy", sources=("arxiv",))).title == "Draft"


def test_zero_upvotes_are_not_missing() -> None:
    assert records.merge(a_paper(upvotes=3), a_paper(upvotes=0)).upvotes == 0


def test_every_field_of_a_paper_is_stored() -> None:
    facts: dict[str, Any] = {f.name: f.name for f in fields(Paper) if f.name not in {"id", "published"}}
    facts |= dict.fromkeys(
        ("authors", "categories", "sources", "keywords", "openalex", "upvotes_over_time"), ("a", "b")
    )
    facts |= dict.fromkeys(("code_stars", "upvotes", "comments", "rank"), 7) | {"versions": 2}
    facts |= {"withdrawn": True, "backfilled": True}
    facts["events"] = (Event("version", "v2", datetime(2026, 3, 4, tzinfo=UTC), "v2 is out"),)
    full = a_paper("1", **facts)
    assert records.load(records.dump(full)) == full
    assert records.load(records.dump(full)).upvotes_over_time == ("a", "b")


def test_fields_of_a_newer_version_are_ignored() -> None:
    newer = json.loads(records.dump(a_paper())) | {"venue": {"name": "ICLR"}}
    assert records.load(json.dumps(newer)) == a_paper()
    change = json.dumps({"venue": [None, "ICLR"], "upvotes": [1, 2]})
    after, before = records.rewind(a_paper(upvotes=2), change)
    assert (after.upvotes, before and before.upvotes) == (2, 1)


@given(st.sampled_from(["authors", "categories", "keywords", "openalex"]), st.sampled_from([1, None, ["a"]]))
def test_a_list_with_elements_of_another_type_makes_a_record_unreadable(name: str, other: object) -> None:
    record = json.loads(records.dump(a_paper())) | {name: ["Ada", other]}
    with pytest.raises(TypeError, match=name):
        records.load(json.dumps(record))


@given(st.sampled_from([field.name for field in fields(Paper)]))
def test_a_field_of_another_type_makes_a_record_unreadable(name: str) -> None:
    record = json.loads(records.dump(a_paper())) | {name: {"an": "object"}}
    with pytest.raises(TypeError):
        records.load(json.dumps(record))

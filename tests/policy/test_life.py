"""A paper's events follow from its successive states."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.life import EVENT_KINDS, MAX_EVENTS
from bot.domain.models import Paper
from bot.policy.life import new_events, with_events
from bot.store import records
from bot.text.changes import word_changes
from bot.text.mentions import code_link
from tests.papers import a_paper

NOW = datetime(2026, 6, 1, tzinfo=UTC)
KNOWN: dict[str, Any] = {"versions": 1, "comment": "9 pages", "sources": ("arxiv",)}


def events_of(before: Paper, **facts: Any) -> list[tuple[str, str]]:
    """Return the events of a change, as kind and text."""
    after = with_events(before, replace(before, **facts), NOW)
    return [(event.kind, event.text) for event in new_events(before, after)]


def test_a_new_version_event_says_what_changed() -> None:
    before = a_paper(
        **KNOWN
        | {"title": "On counting", "abstract": "It takes at most n steps.", "authors": ("Ada", "Emmy")}
    )
    changed = {
        "title": "On counting fast",
        "abstract": "It takes at least n steps.",
        "authors": ("Ada", "Sofia"),
    }
    [(kind, text)] = events_of(before, versions=2, comment="11 pages", **changed)
    assert kind == "version"
    assert text == (
        "v2 is out. Title added “fast”. Abstract “most” → “least”. Authors added Sofia, removed Emmy. Comment “9” → “11”"
    )
    assert events_of(before, versions=3) == [
        ("version", "v3 is out, with the same title, abstract and authors")
    ]


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        ("9 pages", "9 pages. Accepted at ICML 2026", "Accepted at ICML 2026"),
        (
            "Submitted to ICML 2026",
            "Accepted at ICML 2026 (spotlight)",
            "Accepted at ICML 2026 as a spotlight",
        ),
        ("Accepted at ICML 2026", "Accepted at ICML 2026 (oral)", "Accepted at ICML 2026 as an oral"),
        ("Accepted", "Accepted at JMLR", "Accepted at JMLR"),
        ("Accepted at the ICML 2025 Workshop on Trees", "NeurIPS 2025", "Accepted at NeurIPS 2025"),
    ],
)
def test_an_acceptance_is_an_event(old: str, new: str, text: str) -> None:
    assert events_of(a_paper(**KNOWN | {"comment": old}), comment=new) == [("accepted", text)]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Accepted at ICML 2026", "Accepted to ICML 2026, 12 pages"),
        ("Accepted at ICML 2026", "Accepted at ICML"),
        ("Accepted at ICML 2026 (oral)", "Accepted at ICML 2026"),
        ("Accepted at ICML 2026", "12 pages"),
        ("9 pages", "Submitted to ICML 2026"),
        ("9 pages", "Under review at ICLR 2027"),
    ],
)
def test_other_wordings_do_not_count_as_acceptance(old: str, new: str) -> None:
    assert events_of(a_paper(**KNOWN | {"comment": old}), comment=new) == []


def test_each_event_happens_once() -> None:
    paper = a_paper(**KNOWN)
    for comment in ("Accepted at ICML 2026", "9 pages", "Accepted at ICML 2026", "9 pages", "ICML 2026"):
        paper = with_events(paper, replace(paper, comment=comment), NOW)
    assert [event.kind for event in paper.events] == ["accepted"]


def test_a_publication_is_a_single_event() -> None:
    before = a_paper(**KNOWN)
    assert events_of(before, doi="10.1/x") == [("published", "Published: doi:10.1/x")]
    [accepted, published] = events_of(before, journal_ref="Phys. Rev. Lett. 130, 1234 (2023)", doi="10.1/x")
    assert accepted == ("accepted", "Accepted at Phys. Rev. Lett 2023")
    assert published == ("published", "Published: Phys. Rev. Lett. 130, 1234 (2023), doi:10.1/x")
    later = events_of(replace(before, doi="10.1/x"), journal_ref="Nature 1 (2026)")
    assert later == [("accepted", "Accepted at Nature 2026")]


def test_code_is_an_event_only_if_it_appears_later() -> None:
    before = a_paper(**KNOWN)
    link = "https://github.com/ada/engine"
    assert events_of(before, code_url=link) == [("code", f"Code is available: {link}")]
    assert events_of(before, comment=f"9 pages. Code: {link}.") == [("code", f"Code is available: {link}")]
    assert events_of(before, code_url=link, sources=("arxiv", "huggingface")) == []
    assert events_of(a_paper(), comment=f"Code: {link}", versions=1) == []
    assert events_of(replace(before, code_url=link), comment="Code: https://github.com/Ada/Engine") == []


def test_a_withdrawal_states_its_reason_and_can_be_reverted() -> None:
    before = a_paper(**KNOWN)
    withdrawn: dict[str, Any] = {"withdrawn": True, "versions": 2, "comment": "Lemma 3 is wrong"}
    assert events_of(before, **withdrawn) == [("withdrawn", "Withdrawn: Lemma 3 is wrong")]
    itself = "This paper has been withdrawn by arXiv administrators"
    assert events_of(before, **withdrawn | {"comment": itself}) == [("withdrawn", itself)]
    back = events_of(replace(before, **withdrawn), withdrawn=False, versions=3, comment="9 pages")
    assert [kind for kind, _ in back] == ["withdrawn", "version"]
    assert back[0][1] == "No longer withdrawn"


def test_changes_during_a_withdrawal_cause_no_events_afterwards() -> None:
    before = a_paper(**KNOWN | {"withdrawn": True, "versions": 2, "journal_ref": "JMLR 27 (2026) 1-30"})
    back = events_of(before, withdrawn=False, versions=3, comment="Fixed")
    assert [kind for kind, _ in back] == ["withdrawn", "version"]


def test_upvotes_are_an_event_at_round_numbers() -> None:
    before = a_paper(**KNOWN | {"upvotes": 40})
    assert events_of(before, upvotes=99) == []
    assert events_of(before, upvotes=300) == [("milestone", "It has 250 upvotes")]
    assert events_of(replace(before, upvotes=None), upvotes=300) == []


def test_the_first_record_causes_no_event() -> None:
    first = {
        "versions": 3,
        "comment": "Accepted at ICML 2026",
        "journal_ref": "Nature 1 (2026)",
        "doi": "10.1/x",
    }
    assert events_of(a_paper(), **first) == []
    assert [kind for kind, _ in events_of(a_paper(versions=1), **first)] == ["version"]


def test_the_history_is_bounded() -> None:
    paper = a_paper(**KNOWN)
    for version in range(2, 40):
        paper = with_events(paper, replace(paper, versions=version), NOW)
    assert len(paper.events) == MAX_EVENTS
    assert paper.events[-1].key == "v39"


states = st.fixed_dictionaries(
    {
        "versions": st.none() | st.integers(1, 5),
        "comment": st.none()
        | st.sampled_from(["", "9 pages", "Accepted at ICML 2026", "Withdrawn", "ICLR 2026 (oral)"]),
        "journal_ref": st.none() | st.just("Nature 1 (2026)"),
        "withdrawn": st.none() | st.booleans(),
        "code_url": st.none() | st.just("https://github.com/a/b"),
        "upvotes": st.none() | st.integers(0, 3000),
    }
)


@given(st.lists(states, max_size=12))
def test_each_event_is_new_only_once_whatever_is_reported(reports: list[dict[str, Any]]) -> None:
    paper, seen = a_paper(), []
    for facts in reports:
        merged = records.merge(paper, a_paper(**facts))
        after = with_events(paper, merged, NOW)
        seen += [event.key for event in new_events(paper, after)]
        assert with_events(after, records.merge(after, a_paper(**facts)), NOW) == after, (
            "the same report changes nothing"
        )
        paper = records.load(records.dump(after))
        assert paper == after
    assert len(seen) == len(set(seen))
    assert {event.kind for event in paper.events} <= {*EVENT_KINDS}


@pytest.mark.parametrize(
    ("text", "link"),
    [
        ("Code: https://github.com/ada/engine.", "https://github.com/ada/engine"),
        ("see github.com/ada/engine.git for code", "https://github.com/ada/engine"),
        ("(https://gitlab.com/ada/engine/-/tree/main)", "https://gitlab.com/ada/engine"),
        ("Project page: https://ada.github.io/engine", None),
        ("https://github.com/ada", None),
        ("https://github.com/topics/engines", None),
        ("no link", None),
    ],
)
def test_links_to_code_are_read(text: str, link: str | None) -> None:
    assert code_link(text) == link


def test_only_words_count_as_changes() -> None:
    assert word_changes("On Counting: a note", "On counting, a note") == []
    assert word_changes("a b c", "a c d") == ["removed “b”", "added “d”"]

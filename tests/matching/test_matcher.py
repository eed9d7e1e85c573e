"""Which subscriptions a paper matches, and which it matches since it changed."""

from collections.abc import Iterable
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from bot.domain.errors import UserError
from bot.domain.models import ChannelRef, Paper, Subscription
from bot.matching import Match, Matcher
from bot.query import parse
from tests.query.papers import paper, papers, query_texts

ONE, TWO = ChannelRef("console", "w", "one"), ChannelRef("console", "w", "two")


def subscription(query: str, number: int = 1, channel: ChannelRef = ONE) -> Subscription:
    return Subscription(
        channel=channel, number=number, query=query, created_at=datetime(2026, 1, 5, tzinfo=UTC)
    )


def matcher_of(*queries: str) -> Matcher:
    """A matcher of one channel whose subscriptions are numbered from 1."""
    matcher = Matcher()
    for number, query in enumerate(queries, 1):
        matcher.add(subscription(query, number))
    return matcher


def ids_in(matches: Iterable[Match]) -> list[int]:
    return sorted(match.number for match in matches)


def test_a_match_says_whose_it_is_and_what_was_asked_for() -> None:
    matcher = Matcher()
    daily = Subscription(
        channel=TWO, number=7, query="rag", every="daily", created_at=datetime(2026, 1, 5, tzinfo=UTC)
    )
    matcher.add(daily)
    assert list(matcher.match(paper("RAG"))) == [Match(TWO, 7, "rag", "daily")]


def test_every_subscriber_of_a_query_is_found() -> None:
    matcher = Matcher()
    for channel in (ONE, TWO):
        for number in (3, 1, 2):
            matcher.add(subscription("rag", number, channel))
    found = matcher.match(paper("RAG"))
    assert len(found) == 6
    assert sorted((match.channel, match.number) for match in found) == [
        (c, n) for c in (ONE, TWO) for n in (1, 2, 3)
    ]
    parts = [list(found.part(part, 2)) for part in range(2)]
    assert sorted(parts[0] + parts[1]) == sorted(found)
    assert [len({match.channel for match in part}) for part in parts] == [1, 1]


def test_what_was_removed_is_not_found() -> None:
    matcher = matcher_of("rag", "rag", "rag -survey", "rag OR x")
    for number in (1, 3, 4):
        matcher.remove(ONE, number)
    assert ids_in(matcher.match(paper("rag x"))) == [2]
    assert len(matcher) == 1


def test_removing_what_is_not_there_is_no_error() -> None:
    matcher = matcher_of("rag")
    matcher.remove(ONE, 2)
    matcher.remove(TWO, 1)
    assert len(matcher) == 1


def test_a_changed_subscription_takes_the_place_of_the_old() -> None:
    matcher = matcher_of("rag")
    matcher.add(subscription("llm"))
    assert len(matcher) == 1
    assert ids_in(matcher.match(paper("rag"))) == []
    assert ids_in(matcher.match(paper("llm"))) == [1]


def test_a_match_already_given_does_not_change_afterwards() -> None:
    matcher = matcher_of("rag", "rag")
    found = matcher.match(paper("rag"))
    matcher.remove(ONE, 1)
    assert ids_in(found) == [1, 2]


def test_a_query_that_no_longer_parses_is_logged_and_skipped() -> None:
    with capture_logs() as logs:
        matcher = matcher_of("rag", "field:of:old", "llm")
    assert [log["event"] for log in logs] == ["unreadable_subscription"]
    assert ids_in(matcher.match(paper("rag llm field of old"))) == [1, 3]
    matcher.remove(ONE, 2)


def test_a_paper_qualifies_when_its_upvotes_arrive_and_only_then() -> None:
    matcher = matcher_of("rag min:10", "rag", "min:5", "rag OR min:10")
    young, voted, loved = (paper("rag", upvotes=votes) for votes in (1, 10, 20))
    assert ids_in(matcher.newly(young, None)) == [2, 4]
    assert ids_in(matcher.newly(voted, young)) == [1, 3]
    assert ids_in(matcher.newly(loved, voted)) == []


def test_a_new_subscription_does_not_fire_for_an_old_paper_with_new_upvotes() -> None:
    matcher = matcher_of("rag")
    assert ids_in(matcher.newly(paper("rag", upvotes=9), paper("rag", upvotes=8))) == []


@pytest.mark.parametrize(
    "query", ["-".join("abcdefgh"), '"a-b c-d e-f g-h i-j k-l"', "(a,b,c) (d,e,f) (g,h,i) (j,k,l) (m,n,o)"]
)
def test_queries_with_many_readings_are_found(query: str) -> None:
    assert ids_in(matcher_of(query).match(paper("a b c d e f g h i j k l m n o"))) == (
        [1] if parse(query).matches(paper("a b c d e f g h i j k l m n o")) else []
    )


@pytest.mark.parametrize(
    ("query", "text", "holds"),
    [
        ("pre-a*", "preamble", False),  # A* has a star for a letter
        ("pre-a*", "pre-A* search", True),
        ("100*", "word " * 100 + "fine-tuned", False),  # the place of a word is no word
        ("100*", "10,000 words", True),
    ],
)
def test_what_looks_like_a_beginning_is_one_only_where_it_was_written(
    query: str, text: str, *, holds: bool
) -> None:
    one = paper(text)
    assert parse(query).matches(one) == holds
    assert ids_in(matcher_of(query).match(one)) == [1] * holds


def readable(texts: Iterable[str]) -> list[str]:
    found = []
    for text in texts:
        try:
            found.append(str(parse(text)))
        except UserError:
            continue
    return found


@given(st.lists(query_texts, max_size=12).map(readable), st.lists(papers, min_size=1, max_size=4), st.data())
@settings(max_examples=300, deadline=None)
def test_the_matcher_finds_what_the_queries_say(
    queries: list[str], some: list[Paper], data: st.DataObject
) -> None:
    matcher = matcher_of(*queries)
    gone = data.draw(st.sets(st.integers(1, len(queries))) if queries else st.just(set()))
    for number in gone:
        matcher.remove(ONE, number)
    kept = [(number, parse(query)) for number, query in enumerate(queries, 1) if number not in gone]
    assert len(matcher) == len(kept)
    for one in some:
        assert ids_in(matcher.match(one)) == [number for number, query in kept if query.matches(one)]
        fresh = [n for n, query in kept if query.matches(one) and not query.matches(some[0])]
        assert ids_in(matcher.newly(one, some[0])) == fresh

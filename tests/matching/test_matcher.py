"""The subscriptions that a paper matches, and those that it newly matches after a change."""

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
    """Return a matcher for one channel, with subscriptions numbered from 1."""
    matcher = Matcher()
    for number, query in enumerate(queries, 1):
        matcher.add(subscription(query, number))
    return matcher


def ids_in(matches: Iterable[Match]) -> list[int]:
    return sorted(match.number for match in matches)


def test_a_match_has_channel_number_query_and_schedule() -> None:
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


def test_a_removed_subscription_is_not_matched() -> None:
    matcher = matcher_of("rag", "rag", "rag -survey", "rag OR x")
    for number in (1, 3, 4):
        matcher.remove(ONE, number)
    assert ids_in(matcher.match(paper("rag x"))) == [2]
    assert len(matcher) == 1


def test_removing_an_unknown_subscription_is_not_an_error() -> None:
    matcher = matcher_of("rag")
    matcher.remove(ONE, 2)
    matcher.remove(TWO, 1)
    assert len(matcher) == 1


def test_a_changed_subscription_replaces_the_old_one() -> None:
    matcher = matcher_of("rag")
    matcher.add(subscription("llm"))
    assert len(matcher) == 1
    assert ids_in(matcher.match(paper("rag"))) == []
    assert ids_in(matcher.match(paper("llm"))) == [1]


def test_a_returned_result_does_not_change_later() -> None:
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


def test_a_paper_newly_matches_once_when_its_upvotes_suffice() -> None:
    matcher = matcher_of("rag min:10", "rag", "min:5", "rag OR min:10")
    young, voted, loved = (paper("rag", upvotes=votes) for votes in (1, 10, 20))
    assert ids_in(matcher.newly(young, None)) == [2, 4]
    assert ids_in(matcher.newly(voted, young)) == [1, 3]
    assert ids_in(matcher.newly(loved, voted)) == []


def test_new_upvotes_alone_are_not_a_new_match() -> None:
    matcher = matcher_of("rag")
    assert ids_in(matcher.newly(paper("rag", upvotes=9), paper("rag", upvotes=8))) == []


@pytest.mark.parametrize(
    "query", ["-".join("abcdefgh"), '"a-b c-d e-f g-h i-j k-l"', "(a,b,c) (d,e,f) (g,h,i) (j,k,l) (m,n,o)"]
)
def test_queries_with_many_variants_are_matched(query: str) -> None:
    assert ids_in(matcher_of(query).match(paper("a b c d e f g h i j k l m n o"))) == (
        [1] if parse(query).matches(paper("a b c d e f g h i j k l m n o")) else []
    )


@pytest.mark.parametrize(
    ("query", "text", "holds"),
    [
        ("pre-a*", "preamble", False),  # in A*, the star is part of the word
        ("pre-a*", "pre-A* search", True),
        ("100*", "word " * 100 + "fine-tuned", False),  # the position of a word isn't a word
        ("100*", "10,000 words", True),
    ],
)
def test_only_prefix_queries_match_prefixes_of_words(query: str, text: str, *, holds: bool) -> None:
    example = paper(text)
    assert parse(query).matches(example) == holds
    assert ids_in(matcher_of(query).match(example)) == [1] * holds


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
def test_the_matcher_agrees_with_the_queries(
    queries: list[str], examples: list[Paper], data: st.DataObject
) -> None:
    matcher = matcher_of(*queries)
    removed = data.draw(st.sets(st.integers(1, len(queries))) if queries else st.just(set()))
    for number in removed:
        matcher.remove(ONE, number)
    remaining = [(number, parse(query)) for number, query in enumerate(queries, 1) if number not in removed]
    assert len(matcher) == len(remaining)
    for example in examples:
        assert ids_in(matcher.match(example)) == [n for n, query in remaining if query.matches(example)]
        new = [n for n, query in remaining if query.matches(example) and not query.matches(examples[0])]
        assert ids_in(matcher.newly(example, examples[0])) == new

"""The order of papers, and how good a paper must be for a budget."""

from datetime import UTC, datetime, timedelta
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.models import ChannelSettings, Paper, Reason, Rules
from bot.policy.channel_taste import ChannelTaste
from bot.policy.ranking import best_first, good_enough, strength
from tests.papers import a_paper

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
ONE, TWO = (Reason(1, "rag"),), (Reason(1, "rag"), Reason(2, "agents"))


def order(*entries: tuple[Paper, tuple[Reason, ...]]) -> list[str]:
    return [paper.id for paper, _ in best_first(entries, ChannelTaste())]


def test_without_a_taste_upvotes_decide_then_rank_then_the_match() -> None:
    assert order(
        (a_paper("unranked", upvotes=5), ONE),
        (a_paper("wanted once"), ONE),
        (a_paper("liked", upvotes=90), ONE),
        (a_paper("low rank", upvotes=5, rank=30), ONE),
        (a_paper("wanted twice"), TWO),
        (a_paper("high rank", upvotes=5, rank=3), ONE),
    ) == ["liked", "high rank", "low rank", "unranked", "wanted twice", "wanted once"]


def test_matches_in_the_title_or_of_a_rare_subscription_are_stronger() -> None:
    old = NOW - timedelta(days=2)
    assert (
        order(
            (a_paper("abstract", title="Other", abstract="On rag."), ONE),
            (a_paper("title, but older", title="On rag", published=old), ONE),
            (a_paper("title", title="On rag"), ONE),
        )[-1]
        == "abstract"
    )
    paper, matches = a_paper(), {1: 70, 2: 2}
    assert strength(paper, (Reason(2, "rare"),), matches) > strength(paper, (Reason(1, "common"),), matches)


def test_if_all_else_is_equal_the_newest_comes_first() -> None:
    old, new = NOW - timedelta(days=2), NOW
    assert order((a_paper("old", published=old), ONE), (a_paper("new", published=new), ONE)) == ["new", "old"]


def rules(fits: list[float], most: int = 2, days: int = 5) -> Rules:
    at = [NOW - timedelta(days=n % days) for n in range(len(fits))]
    pairs = tuple((moment.timestamp() * 1000, fit) for moment, fit in zip(at, fits, strict=True))
    return Rules(ChannelSettings(most=most), fits=pairs)


@given(st.lists(st.integers(0, 1000), min_size=15, unique=True), st.integers(1, 3))
def test_the_threshold_lets_through_as_many_papers_as_the_budget_allows(fits: list[int], most: int) -> None:
    enough = good_enough(rules([float(fit) for fit in fits], most), NOW)
    passed = sum(fit >= enough for fit in fits)
    assert passed == min(len(fits), 5 * most)


@pytest.mark.parametrize("fits", [[], [1.0] * 9])
def test_there_is_no_threshold_with_only_a_few_scores(fits: list[float]) -> None:
    assert good_enough(rules(fits), NOW) == -inf


def test_there_is_no_threshold_with_only_old_scores() -> None:
    old = rules([float(n) for n in range(100)])
    assert good_enough(old, NOW + timedelta(days=30)) == -inf

"""A channel's taste ranks its matches, explains the ranking, and learns nothing from too few votes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.models import Paper
from bot.policy.taste import ENOUGH, TERMS, Background, Taste, TasteTerm, idf_among, learn
from tests.papers import a_paper


def some_papers(subject: str, count: int, first: int = 0) -> list[Paper]:
    return [
        a_paper(
            f"2603.{n:05}", title=f"On {subject}, part {n}", abstract=f"A study of {subject} with agents."
        )
        for n in range(first, first + count)
    ]


LIKED = some_papers("process reward", 4)
DISLIKED = some_papers("medical imaging", 4, 100)
RECENT = [
    *some_papers("process reward", 5, 200),
    *some_papers("medical imaging", 5, 300),
    *some_papers("surveys", 20, 400),
]
BACKGROUND = Background.of(RECENT, idf_among(RECENT))


def learned() -> Taste:
    taste = learn(LIKED, DISLIKED, BACKGROUND)
    assert taste is not None
    return taste


def test_papers_like_the_liked_ones_score_higher_and_are_not_folded() -> None:
    taste = learned()
    [good], [bad] = some_papers("process reward", 1, 900), some_papers("medical imaging", 1, 901)
    assert taste.score(good) > taste.score(bad)
    assert not taste.folds(good)
    assert taste.folds(bad)


def test_a_taste_names_its_terms_and_the_papers_they_came_from() -> None:
    reasons = learned().reasons(some_papers("process reward", 1, 900)[0])
    assert "process reward" in map(str, reasons)
    liked = {paper.id for paper in LIKED}
    assert all(reason.papers and set(reason.papers) <= liked for reason in reasons)


@pytest.mark.parametrize(("likes", "dislikes"), [(ENOUGH - 1, 4), (4, ENOUGH - 1), (0, 0)])
def test_nothing_is_learned_from_too_few_votes(likes: int, dislikes: int) -> None:
    assert learn(LIKED[:likes], DISLIKED[:dislikes], BACKGROUND) is None


def test_a_removed_term_no_longer_counts() -> None:
    taste = learned()
    [paper] = some_papers("process reward", 1, 900)
    less = taste.without("process reward")
    assert less.score(paper) < taste.score(paper)
    assert "process reward" not in map(str, less.reasons(paper))


def test_a_taste_is_small_and_survives_storage() -> None:
    taste = learned()
    again = Taste.load(taste.dump())
    assert [one.papers for one in again.terms] == [one.papers for one in taste.terms]
    assert again.score(LIKED[0]) == pytest.approx(taste.score(LIKED[0]), abs=0.01)
    assert len(taste.terms) == TERMS
    assert len(taste.dump()) < 1600


@given(
    st.lists(
        st.builds(
            TasteTerm,
            st.text(max_size=20),
            st.floats(-1, 1).map(lambda weight: round(weight, 3)),
            st.lists(st.text(max_size=8), max_size=3, unique=True).map(tuple),
        ),
        max_size=5,
    ),
    st.integers(3, 99),
)
def test_load_is_the_inverse_of_dump(terms: list[TasteTerm], likes: int) -> None:
    taste = Taste(tuple(terms), likes, 3, 0.125)
    assert Taste.load(taste.dump()) == taste


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[]",
        "[1, 2, 0, [], [[1]]]",
        '[3, 3, 0, [], ["a"], [1], "7"]',
        '[3, 3, 0, [], ["a"], [1], 7]',
        '[3, 3, 0, [], ["a"], [1, 2], ""]',
        "nonsense",
    ],
)
def test_an_invalid_stored_taste_is_a_clear_error(text: str) -> None:
    with pytest.raises(ValueError, match="isn't a stored taste"):
        Taste.load(text)


def test_without_recent_papers_no_liked_paper_is_folded() -> None:
    taste = learn(LIKED, DISLIKED, Background.of((), idf_among(LIKED)))
    assert taste is not None
    assert not taste.folds(LIKED[0])

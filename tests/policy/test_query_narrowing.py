"""Proposed exclusions exclude disliked papers, and no liked ones."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.models import Paper
from bot.policy.query_narrowing import WORTH, narrowed, narrower
from bot.query import parse
from tests.papers import a_paper

QUERY = parse("diffusion")


def papers(*titles: str) -> list[Paper]:
    return [a_paper(f"p{n}-{title}", title=title, abstract="") for n, title in enumerate(titles)]


def test_a_word_that_only_disliked_papers_share_is_excluded() -> None:
    offer = narrower(
        QUERY,
        papers("Diffusion for robots", "Diffusion policies"),
        papers("Medical diffusion of hearts", "A medical survey of diffusion", "Diffusion in medical images"),
        (),
    )
    assert offer is not None
    assert (offer.exclusions, offer.left_out, offer.disliked, offer.kept) == ("-medical", 3, 3, 2)


def test_two_words_are_excluded_if_one_is_not_enough() -> None:
    disliked = papers(
        "Diffusion of proteins", "Proteins by diffusion", "Diffusion for weather", "Weather diffusion"
    )
    offer = narrower(QUERY, [], disliked, ())
    assert offer is not None
    assert set(offer.exclusions.split()) == {"-protein", "-weather"}
    assert offer.left_out == 4


def test_a_pair_of_words_is_excluded_if_each_alone_is_liked() -> None:
    liked = papers("Diffusion of images", "Diffusion and synthesis")
    disliked = papers(*(f"{n} image synthesis diffusion" for n in ("one", "two", "three")))
    offer = narrower(QUERY, liked, disliked, ())
    assert offer is not None
    assert offer.exclusions == '-"image synthesis"'


def test_a_word_that_most_other_papers_have_is_not_excluded() -> None:
    disliked = papers("With medical diffusion", "With diffusion, medical", "Medical diffusion with us")
    others = papers(*(f"Diffusion with {n}" for n in range(8)))
    offer = narrower(QUERY, [], disliked, others)
    assert offer is not None
    assert offer.exclusions == "-medical"


@pytest.mark.parametrize(
    ("liked", "disliked"),
    [
        ([], ["Medical diffusion", "More medical diffusion"]),  # too few disliked papers
        (["Diffusion"] * 4, ["Medical diffusion"] * 3),  # more are liked
        (["Medical diffusion", "Diffusion"], ["Diffusion"] * 3),  # nothing sets them apart
    ],
)
def test_nothing_is_proposed_without_a_clear_difference(liked: list[str], disliked: list[str]) -> None:
    assert narrower(QUERY, papers(*liked), papers(*disliked), ()) is None


words = st.sampled_from(["medical", "robots", "images", "trending", "code", "policy", "or", "not", "survey"])
titles = st.lists(st.lists(words, max_size=4).map(lambda some: " ".join(["Diffusion", *some])), max_size=7)


@given(titles, titles, titles, st.sampled_from(["diffusion", "diffusion OR robots", "diffusion -policy"]))
def test_a_proposal_has_the_effect_it_states(
    liked: list[str], disliked: list[str], others: list[str], query: str
) -> None:
    offer = narrower(parse(query), papers(*liked), papers(*disliked), papers(*others))
    if offer is None:
        return
    after = narrowed(query, offer.exclusions)
    before = parse(query)
    assert all(after.matches(p) for p in papers(*liked) if before.matches(p))
    excluded = [p for p in papers(*disliked) if before.matches(p) and not after.matches(p)]
    assert len(excluded) == offer.left_out >= WORTH

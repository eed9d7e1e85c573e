"""Cutting short without hurting words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.text import first_sentence, shorten


@pytest.mark.parametrize(
    "sentence",
    [
        "We follow Smith et al. (2020) and go further.",
        "Some tasks, e.g. Sudoku, i.e. puzzles, are hard.",
        "As Fig. 3 shows, it gains 2.5 points.",
        "Built by J. Doe and Dr. Who in the U.S. Army.",
        "Is this all?",
        "It works (really!)",
        "模型很好。",
    ],
)
def test_the_first_sentence_ends_where_it_ends(sentence: str) -> None:
    assert first_sentence(f"{sentence} Then comes more.", 200) == sentence


def test_a_text_of_one_sentence_is_kept_whole() -> None:
    assert first_sentence("No full stop at all", 100) == "No full stop at all"


def test_a_long_sentence_is_cut_between_words() -> None:
    assert first_sentence("We present a method, which is very long. More.", 22) == "We present a method…"


def test_only_a_word_that_is_too_long_alone_is_cut() -> None:
    assert shorten("abcdefghij", 5) == "abcd…"
    assert shorten("e\u0301" * 5, 4) == "e\u0301…"
    assert shorten("扩散模型扩散模型", 5) == "扩散模型…"


@given(st.lists(st.from_regex(r"[a-z,.]{1,9}", fullmatch=True)).map(" ".join), st.integers(12, 60))
def test_shortening_keeps_whole_words_and_its_limit(text: str, limit: int) -> None:
    short = shorten(text, limit)
    assert len(short) <= limit
    if short != text:
        kept = short.removesuffix("…")
        assert text.startswith(kept)
        assert kept.split() == [] or text.split()[len(kept.split()) - 1].startswith(kept.split()[-1])
        assert all(char in " ,.;:" for char in text[len(kept) :].split(" ", maxsplit=1)[0])


@given(st.text(), st.integers(-2, 40))
def test_any_text_fits_any_limit(text: str, limit: int) -> None:
    assert len(shorten(text, limit)) <= max(limit, 0)
    assert len(first_sentence(text, limit)) <= max(limit, 0)

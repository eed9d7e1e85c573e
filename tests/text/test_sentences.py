"""Ends of sentences, and shortening text between words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.text import first_sentence, shorten, shorten_at_clause
from bot.text.sentences import sentences


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
def test_abbreviations_do_not_end_the_first_sentence(sentence: str) -> None:
    assert first_sentence(f"{sentence} Then comes more.", 200) == sentence


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("On Sept. 14, 2015, the detectors saw it. We", 2), ("The samples are i.i.d. We show it.", 2), ("See Def. 3 and Thm. 4. Next", 2),
        ("We start at 9 a.m. We end at 5 p.m. The end.", 3), ("The Yahoo! Answers dataset is big. Really", 2), ("A Yahoo! dataset. B", 2),
        ("In E. coli and S. cerevisiae (cf. Sec. II.B) it grows. Then", 2), ("It holds vitamin C. We test ca. 30 of them vs. 20 others. So", 3),
        ("It is state of the art. Experiments show no. 5 wins. Yes", 3), ("As A. B. Smith et al. (2020) say. Smith et al. We agree.", 3),
        ("Read inputs.Recent methods are bad. See Node.js and Next.js here.", 3), ("wav2vec is old. wav2vec2 is new. gpt-oss too.", 2),
        ("At 20 °C (approx. 68 °F) it works (p < 0.05). It takes 3 min. Then", 3), ("By Dr. No and Prof. X in the U.S. Army, Inc. and Co. KG.", 1),
        ("We introduce Foo (v. 2.0), which is fast. It runs on ver. 3 too.", 2),
        ("Is it? Yes! It is… Really.", 4), ("1. Introduction is here. 2. Methods are there.", 2), ("模型很好。数据很多。", 2), ("“It works.” She said. ‘No.’", 3),
    ],
)  # fmt: skip
def test_text_is_split_into_sentences(text: str, parts: int) -> None:
    assert len(list(sentences(text))) == parts, list(sentences(text))


@given(st.text(alphabet='ab A.!?…)"”1。 '))
def test_sentences_are_not_empty_and_contain_the_whole_text(text: str) -> None:
    found = list(sentences(text))
    assert "".join("".join(found).split()) == "".join(text.split())
    assert all(sentence.strip() for sentence in sentences(" ".join(text.split())))


def test_a_long_sentence_is_cut_at_a_clause() -> None:
    sentence = (
        "We propose a way to sort, which needs no memory, and which is fast on every machine that we tried."
    )
    assert shorten_at_clause(sentence, 60) == "We propose a way to sort, which needs no memory…"
    assert shorten_at_clause(sentence, 20) == "We propose a way to…"
    assert shorten_at_clause(sentence, 500) == sentence


def test_a_text_of_one_sentence_is_not_cut() -> None:
    assert first_sentence("No full stop at all", 100) == "No full stop at all"


def test_a_long_sentence_is_cut_between_words() -> None:
    assert first_sentence("We present a method, which is very long. More.", 22) == "We present a method…"


def test_only_a_single_word_that_is_too_long_is_cut() -> None:
    assert shorten("abcdefghij", 5) == "abcd…"
    assert shorten("e\u0301" * 5, 4) == "e\u0301…"
    assert shorten("扩散模型扩散模型", 5) == "扩散模型…"


@given(st.lists(st.from_regex(r"[a-z,.]{1,9}", fullmatch=True)).map(" ".join), st.integers(12, 60))
def test_shortened_text_has_whole_words_and_fits_the_limit(text: str, limit: int) -> None:
    short = shorten(text, limit)
    assert len(short) <= limit
    if short != text:
        start = short.removesuffix("…")
        assert text.startswith(start)
        assert start.split() == [] or text.split()[len(start.split()) - 1].startswith(start.split()[-1])
        assert all(char in " ,.;:" for char in text[len(start) :].split(" ", maxsplit=1)[0])


@given(st.text(), st.integers(-2, 40))
def test_any_text_can_be_shortened_to_any_limit(text: str, limit: int) -> None:
    assert len(shorten(text, limit)) <= max(limit, 0)
    assert len(first_sentence(text, limit)) <= max(limit, 0)

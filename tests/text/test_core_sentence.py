"""The sentence of an abstract that says what is new."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.text import core_sentence

LIMIT = 320


@pytest.mark.parametrize(
    ("abstract", "core"),
    [
        (
            "Deep learning has achieved much. However, it is slow on graphs. We propose FooNet, which sends each message once.",
            "We propose FooNet, which sends each message once.",
        ),
        (
            (
                "Sorting is everywhere. Existing methods need memory. In this paper, a method without memory is presented. "
                "Experiments show that we outperform all baselines. Code is available at https://example.org."
            ),
            "In this paper, a method without memory is presented.",
        ),
        (
            (
                "Background. Sepsis kills many people in hospitals. Methods. We developed a score from routine blood tests. "
                "Results. It finds nine cases of ten. Conclusions. The score works."
            ),
            "We developed a score from routine blood tests.",
        ),
        (
            (
                "BACKGROUND: Falls are frequent in old age. OBJECTIVE: To assess whether a daily walk prevents falls. METHODS: "
                "A trial with 400 patients was run. RESULTS: 30 fell. CONCLUSION: Walk."
            ),
            "To assess whether a daily walk prevents falls.",
        ),
        (
            "Purpose To compare two scanners in children. Results Both work.",
            "To compare two scanners in children.",
        ),
        (
            "1. Introduction Bees dance. 2. Methods We filmed the dances of 40 bees and decoded them with a new algorithm.",
            "We filmed the dances of 40 bees and decoded them with a new algorithm.",
        ),
        (
            "(C) 2026 The Authors. Published by Example B.V. Mice sleep a lot. We show that mice dream of cheese at night.",
            "We show that mice dream of cheese at night.",
        ),
        (
            "On Sept. 14, 2015, the detectors saw a signal. Here we report a second one, seen at 9 a.m. It is weaker.",
            "Here we report a second one, seen at 9 a.m.",
        ),
        (
            "What makes a proof short? This work studies the length of proofs in a weak system. The bound is tight.",
            "This work studies the length of proofs in a weak system.",
        ),
        ("Stars are born in clouds. They die there, too.", "Stars are born in clouds."),
        ("Only one sentence without an end", "Only one sentence without an end"),
        ("", ""),
    ],
)
def test_the_sentence_that_says_what_is_new_is_chosen(abstract: str, core: str) -> None:
    assert core_sentence(abstract, LIMIT) == core


def test_the_title_decides_between_two_sentences() -> None:
    abstract = "We introduce a corpus of songs. We introduce a tuner for cheap violins. Both are small."
    assert (
        core_sentence(abstract, LIMIT, "Tuning Cheap Violins: a tuner")
        == "We introduce a tuner for cheap violins."
    )


def test_a_long_sentence_is_cut_before_its_novelty_first() -> None:
    abstract = "Unlike earlier methods, which need very much memory and a lot of time, we propose to sort on disk, slowly."
    assert core_sentence(abstract, 50) == "We propose to sort on disk, slowly."


@given(st.text(alphabet='weprosth isA.,;:()!?"\u0130 ') | st.text(), st.integers(-2, 60))
def test_the_core_sentence_of_any_text_fits_the_limit(text: str, limit: int) -> None:
    assert len(core_sentence(text, limit, text)) <= max(limit, 0)

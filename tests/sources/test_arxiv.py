"""The common parts of arXiv's formats."""

from bot.sources.arxiv.papers import categories


def test_the_primary_category_comes_first() -> None:
    assert categories(["cs.AI", "cs.CL"], "cs.CL") == ("cs.CL", "cs.AI")
    assert categories(["cs.CL", "cs.AI", "cs.CL"]) == ("cs.CL", "cs.AI")


def test_msc_and_acm_classes_are_not_categories() -> None:
    assert categories(["math.CO", "68T05, 05C80", "I.2.7", "astro-ph", "cond-mat.mtrl-sci", ""]) == (
        "math.CO",
        "astro-ph",
        "cond-mat.mtrl-sci",
    )

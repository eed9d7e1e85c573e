"""What arXiv's formats share."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.sources.arxiv import author_names, categories


def test_the_primary_category_comes_first() -> None:
    assert categories(["cs.AI", "cs.CL"], "cs.CL") == ("cs.CL", "cs.AI")
    assert categories(["cs.CL", "cs.AI", "cs.CL"]) == ("cs.CL", "cs.AI")


def test_classes_of_other_systems_are_no_categories() -> None:
    assert categories(["math.CO", "68T05, 05C80", "I.2.7", "astro-ph", "cond-mat.mtrl-sci", ""]) == (
        "math.CO",
        "astro-ph",
        "cond-mat.mtrl-sci",
    )


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("Ada Lovelace, Emmy Noether", ("Ada Lovelace", "Emmy Noether")),
        ("Ada Lovelace (King's College, London), Emmy Noether", ("Ada Lovelace", "Emmy Noether")),
        ("Ada Lovelace (A, (B, C), D), Emmy Noether", ("Ada Lovelace", "Emmy Noether")),
        ("Very Real Sr. (Cornell University)", ("Very Real Sr.",)),
        ("John Doe, Jr., Ada Lovelace", ("John Doe, Jr.", "Ada Lovelace")),
        ("Ada Lovelace, Henry King, III", ("Ada Lovelace", "Henry King, III")),
        (r"Kurt G{\"o,}del, Andr\'e Weil", (r"Kurt G{\"o,}del", r"Andr\'e Weil")),
        ("Counting Collaboration: Ada Lovelace, Emmy Noether", ("Counting Collaboration", "Ada Lovelace", "Emmy Noether")),
        ("Ada Lovelace and Emmy Noether", ("Ada Lovelace", "Emmy Noether")),
        ("Ferdinand Anders, Sandra Andrews", ("Ferdinand Anders", "Sandra Andrews")),
        ("Ada Lovelace (unclosed, Emmy Noether", ("Ada Lovelace (unclosed", "Emmy Noether")),
        ("Ada Lovelace,, Emmy Noether, ", ("Ada Lovelace", "Emmy Noether")),
        ("Jr., Ada Lovelace", ("Jr.", "Ada Lovelace")),
        ("", ()),
    ],
)  # fmt: skip
def test_an_author_line_is_split_with_care(line: str, names: tuple[str, ...]) -> None:
    assert author_names(line) == names


NAMES = st.text("ABCdefßéΩ'- .", min_size=1).map(str.strip).filter(bool)


@given(st.lists(NAMES.filter(lambda name: not name.casefold().startswith(("jr", "sr")))))
def test_plain_names_survive_joining(names: list[str]) -> None:
    assert author_names(", ".join(names)) == tuple(names)


@given(st.text("AB (){},:.\\"))
def test_no_line_is_too_broken_to_split(line: str) -> None:
    assert all(name.strip() == name != "" for name in author_names(line))

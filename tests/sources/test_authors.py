"""Author lines of all kinds are read as names in spoken order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.sources.authors import MAX_LINE, read_authors


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("Ada Lovelace, Emmy Noether", ("Ada Lovelace", "Emmy Noether")),
        ("Ada Lovelace and Emmy Noether", ("Ada Lovelace", "Emmy Noether")),
        ("Ada Lovelace, and Emmy Noether", ("Ada Lovelace", "Emmy Noether")),
        ("Ferdinand Anders, Sandra Andrews", ("Ferdinand Anders", "Sandra Andrews")),
        ("Ada Lovelace (King's College, London), Emmy Noether", ("Ada Lovelace", "Emmy Noether")),
        ("Ada Lovelace (A, (B, C), D), Emmy Noether", ("Ada Lovelace", "Emmy Noether")),
        ("J. Doe (MIT), R. Roe (CERN, Geneva)", ("J. Doe", "R. Roe")),
        ("A. Lovelace, E. Noether", ("A. Lovelace", "E. Noether")),
        ("Ada Lovelace, and others", ("Ada Lovelace",)),
        ("Ada Lovelace, ...", ("Ada Lovelace",)),
        ("Ada Lovelace · Emmy Noether • Jane Roe", ("Ada Lovelace", "Emmy Noether", "Jane Roe")),
        (
            "Ada Lovelace (https://orcid.org/0000-0001-2345-6789), Emmy Noether",
            ("Ada Lovelace", "Emmy Noether"),
        ),
        ("K. Poe (1 and 2) ((1) X, (2) Y)", ("K. Poe",)),
        ("K. Poe (1, 2), A. Roe (2) ((1) X and Y, (2) Z)", ("K. Poe", "A. Roe")),
        ("Very Real Sr. (Cornell University)", ("Very Real Sr.",)),
        ("John Doe, Jr., Ada Lovelace", ("John Doe, Jr.", "Ada Lovelace")),
        ("Ada Lovelace, Henry King, III", ("Ada Lovelace", "Henry King, III")),
        (r"Kurt G{\"o,}del, Andr\'e Weil", ("Kurt Gö,del", "André Weil")),
        ("Ada Lovelace (unclosed, Emmy Noether", ("Ada Lovelace", "Emmy Noether")),
        ("Ada Lovelace,, Emmy Noether, ", ("Ada Lovelace", "Emmy Noether")),
        ("Jr., Ada Lovelace", ("Jr.", "Ada Lovelace")),
        ("Roe$^1$, Poe$^{1,2}$, X. Coe$^\\dagger$", ("Roe", "Poe", "X. Coe")),
        ("Jane Doe¹, John Roe²*, Ann Poe†", ("Jane Doe", "John Roe", "Ann Poe")),
        (r"Jane Doe\thanks{We thank X.}, B. Coe\textsuperscript{1,2}", ("Jane Doe", "B. Coe")),
        ("J. Roe et al.", ("J. Roe",)),
        ("J. Roe, A. Poe, et al", ("J. Roe", "A. Poe")),
        ("J. Roe and 25 others", ("J. Roe",)),
        ("Robert (Bob) Smith", ("Robert (Bob) Smith",)),
        ("DeepSeek-AI, Aixin Liu", ("DeepSeek-AI", "Aixin Liu")),
        ("Ada Lovelace, Emmy Noether, Ada Lovelace", ("Ada Lovelace", "Emmy Noether")),
        ("", ()),
        ("et al.", ()),
        (", (1), $^2$", ()),
    ],
)
def test_a_line_of_arxiv_is_split_correctly(line: str, names: tuple[str, ...]) -> None:
    assert read_authors(line, last_first=False) == names


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("Counting Collaboration: Ada Lovelace, Emmy Noether", ("Counting Collaboration", "Ada Lovelace", "Emmy Noether")),
        ("Jane Doe (for the ATLAS Collaboration)", ("Jane Doe", "ATLAS Collaboration")),
        ("Jane Doe (CERN, for the ATLAS Collaboration)", ("Jane Doe", "ATLAS Collaboration")),
        ("Jane Doe, for the ATLAS Collaboration", ("Jane Doe", "ATLAS Collaboration")),
        ("Jane Doe on behalf of the ATLAS Collaboration", ("Jane Doe", "ATLAS Collaboration")),
        ("ATLAS Collaboration: J. Doe (on behalf of the ATLAS collaboration)", ("ATLAS Collaboration", "J. Doe")),
        ("The LIGO Scientific Collaboration, the Virgo Collaboration, R. Abbott",
         ("LIGO Scientific Collaboration", "Virgo Collaboration", "R. Abbott")),
        ("J. Doe for the CDF and D0 Collaborations", ("J. Doe", "CDF Collaboration", "D0 Collaboration")),
        ("Kimi Team, Angang Du", ("Kimi Team", "Angang Du")),
    ],
)  # fmt: skip
def test_a_collaboration_is_one_author(line: str, names: tuple[str, ...]) -> None:
    assert read_authors(line, last_first=False) == names


@pytest.mark.parametrize(
    ("lines", "names"),
    [
        ("Curie, Marie; Bohr, Niels", ("Marie Curie", "Niels Bohr")),
        ("More, Thomas; Roe, Jane", ("Thomas More", "Jane Roe")),
        ("J. Doe (MIT), R. Roe (CERN, Geneva)", ("J. Doe", "R. Roe")),
        (["Curie, Marie", "Bohr, Niels"], ("Marie Curie", "Niels Bohr")),
        ("Curie, Marie", ("Marie Curie",)),
        ("Curie, M., Bohr, N.", ("M. Curie", "N. Bohr")),
        ("Curie, M. S., and Bohr, N. H. D.", ("M. S. Curie", "N. H. D. Bohr")),
        ("Lovelace, Ada, Noether, Emmy", ("Ada Lovelace", "Emmy Noether")),
        ("van der Berg, Jan; Beethoven, Ludwig van", ("Jan van der Berg", "Ludwig van Beethoven")),
        ("García Márquez, Gabriel", ("Gabriel García Márquez",)),
        ("O'Neil, T.", ("T. O'Neil",)),
        ("Doe, John, Jr.", ("John Doe, Jr.",)),
        ("Doe, Jr., John; Roe, Ann", ("John Doe, Jr.", "Ann Roe")),
        ("Jane Doe, MD, PhD; John Roe, Ph.D.", ("Jane Doe", "John Roe")),
        (["Jane Doe, PhD", "John Roe"], ("Jane Doe", "John Roe")),
        ("Smith J, Doe AB", ("J. Smith", "A. B. Doe")),
        ("Ivanov I.I., Petrov P.", ("I. I. Ivanov", "P. Petrov")),
        ("Poe KA, Roe A-M, Doe J.", ("K. A. Poe", "A.-M. Roe", "J. Doe")),
        ("POE, Karl; ROE, Ann", ("Karl POE", "Ann ROE")),
        ("Ada Lovelace", ("Ada Lovelace",)),
        ("Ada Lovelace & Emmy Noether", ("Ada Lovelace", "Emmy Noether")),
        ("Ada Lovelace; Emmy Noether", ("Ada Lovelace", "Emmy Noether")),
        ("jane@example.org (Jane Doe)", ("Jane Doe",)),
        ("Jane Doe <jane@example.org>", ("Jane Doe",)),
        ("By Jane Doe and John Roe", ("Jane Doe", "John Roe")),
        ("Authors: Jane Doe, John Roe", ("Jane Doe", "John Roe")),
        ("Jane Doe1,2, John Roe3", ("Jane Doe", "John Roe")),
        ("Jane Doe, University of Somewhere", ("Jane Doe",)),
        ("Jane Doe 0000-0002-1825-0097", ("Jane Doe",)),
        ("张三，李四", ("张三", "李四")),
        ("Ada Lovelace\nEmmy Noether\r\n\nJane Doe", ("Ada Lovelace", "Emmy Noether", "Jane Doe")),
        ("Lovelace, Ada\nvan der Berg, Jan", ("Ada Lovelace", "Jan van der Berg")),
        ("Jane Doe\nUniversity of Somewhere\nJohn Roe", ("Jane Doe", "John Roe")),
        ("Ada\nLovelace, Emmy\nNoether", ("Ada Lovelace", "Emmy Noether")),
        ("Ada Lovelace, Emmy\nNoether and Jane Doe", ("Ada Lovelace", "Emmy Noether", "Jane Doe")),
        ("Ada Lovelace / Emmy Noether", ("Ada Lovelace", "Emmy Noether")),
        ("Anonymous", ()),
        (["", " "], ()),
    ],
)  # fmt: skip
def test_the_lines_of_publishers_are_read_as_intended(lines: str | list[str], names: tuple[str, ...]) -> None:
    assert read_authors(lines) == names


def test_a_known_order_is_not_guessed() -> None:
    assert read_authors("Franklin, R.; McClintock, B.; Plato", last_first=True) == (
        "R. Franklin",
        "B. McClintock",
        "Plato",
    )
    assert read_authors("Plato, Aristotle", last_first=False) == ("Plato", "Aristotle")


SURNAMES = st.text("GHklm", min_size=2).filter(lambda name: not name.isupper())
"""Names without all-capital words, which are initials if every name is written that way: `Roe AB; Poe K`."""
NAMES = st.builds("{} {}".format, st.text("ABCdefßéΩ", min_size=1), SURNAMES)


@given(st.lists(NAMES, unique_by=str.casefold))
def test_plain_names_survive_joining(names: list[str]) -> None:
    assert read_authors(", ".join(names), last_first=False) == tuple(names)
    assert read_authors("; ".join(names)) == tuple(names)


@given(st.text("AB (){}[],;:.\\$^1@&<>") | st.text())
def test_any_line_can_be_read(line: str) -> None:
    for last_first in (None, True, False):
        names = read_authors(line, last_first=last_first)
        assert all(" ".join(name.split()) == name != "" for name in names)
        assert len({name.casefold() for name in names}) == len(names)


@pytest.mark.parametrize(
    "piece", ["(", "(a) ", "{", "[]", "and ", " for the x team", "a@", "<@", "$^", "\\thanks{", ",", ";"]
)
@pytest.mark.timeout(20)
def test_a_hostile_line_is_read_quickly(piece: str) -> None:
    read_authors(piece * (MAX_LINE // len(piece)))

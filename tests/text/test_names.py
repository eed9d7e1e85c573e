"""Different spellings of one person's name, and names of different people."""

import gzip
import json
import string
from collections import defaultdict
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bot.text.names import agree, keys_of_name, readings, spelled


def may_be_same(one: str, other: str) -> bool:
    return agree(readings(spelled(one)), readings(spelled(other)))


@pytest.mark.timeout(5)
@pytest.mark.parametrize("name", ["-" * 20_000, "a-" * 20_000, "- a", "a -", "a- --b -c-", "- b-c", ""])
def test_misplaced_hyphens_are_ignored(name: str) -> None:
    for key in keys_of_name(name):
        assert key.strip("~") == key


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ada Lovelace", "A. Lovelace"),
        ("Ada Lovelace", "Lovelace, Ada"),
        ("Jean-Baptiste Roe", "JB Roe"),
        ("Jürgen Schäfer", "Juergen Schaefer"),
        ("Søren Poe", "Soeren Poe"),
        ("Ada Lovelace", "Lovelace, A. B."),
        ("Ada Lovelace", "Ada B. Lovelace"),
        ("A. B. Lovelace", "Ada Byron Lovelace"),
        ("Jürgen Müller", "Jurgen Muller"),
        ("Jürgen Müller", "Jürgen Müller-Lüdenscheidt"),
        ("Laurens van der Maaten", "L. van der Maaten"),
        ("Laurens van der Maaten", "L. Maaten"),
        ("Laurens van der Maaten", "Maaten, Laurens van der"),
        ("Shai Ben-David", "S. Ben David"),
        ("Shai Ben-David", "Shai BenDavid"),
        ("Yann LeCun", "Yann Le Cun"),
        ("Jean-Baptiste Alayrac", "J.-B. Alayrac"),
        ("Jean-Baptiste Alayrac", "Jean Baptiste Alayrac"),
        ("Xiao-Ming Wang", "Xiaoming Wang"),
        ("Martin Luther King Jr.", "M. L. King"),
        ("Łukasz Kaiser", "Lukasz Kaiser"),
        ("Sean O'Brien", "Sean OBrien"),
    ],
)
def test_spellings_of_one_name_match(one: str, other: str) -> None:
    assert may_be_same(one, other)
    assert may_be_same(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Michael Roe", "Michal Roe"),
        ("Ada Boer", "Ada Bor"),
        ("Sanjay Hariharan", "Hariharan S"),
        ("Yueming Sun", "Yuming Sun"),
        ("Daehun Kim", "Dahun Kim"),
        ("JB Roe", "JP Roe"),
        ("Ada Lovelace", "B. Lovelace"),
        ("A. Lovelace", "B. Lovelace"),
        ("Ada Lovelace", "Alan Lovelace"),
        ("Ada B. Lovelace", "Ada C. Lovelace"),
        ("Ada Byron Lovelace", "Ada King Lovelace"),
        ("Wei Wang", "Wang Wei"),
        ("Wei Wang", "Xin Wei Wang"),
        ("Wei Wang", "Wei Wangchuk"),
        ("Jun-Yan Zhu", "Jun Yan"),
        ("Jun-Yan Zhu", "Jun Zhu"),
        ("J.-Y. Zhu", "J.-X. Zhu"),
        ("Carl Liu", "C. Karen Liu"),
        ("Ada Lovelace", "Lovelace"),
    ],
)
def test_names_of_two_people_do_not_match(one: str, other: str) -> None:
    assert not may_be_same(one, other)
    assert not may_be_same(other, one)


letters = st.sampled_from(string.ascii_lowercase)
names = st.text(string.ascii_lowercase, min_size=2, max_size=8)


@given(letters, letters, names, names)
def test_an_initial_never_matches_another_initial(one: str, other: str, rest: str, family: str) -> None:
    assume(one != other)
    for first in (f"{one}.", f"{one}{rest}"):
        for second in (f"{other}.", f"{other}{rest}"):
            assert not may_be_same(f"{first} {family}", f"{second} {family}")
            assert not may_be_same(f"{first} {family}", f"{family}, {second}")


@given(st.text(max_size=30), st.text(max_size=30))
def test_matching_names_share_a_key(one: str, other: str) -> None:
    if may_be_same(one, other):
        assert keys_of_name(spelled(one)) & keys_of_name(spelled(other))


def variants(name: str) -> list[str]:
    """Return other spellings of a name."""
    *given_names, family = name.split()
    initials = " ".join(f"{given_name[0]}." for given_name in given_names)
    return [
        name.upper(),
        f"{initials} {family}",
        f"{family}, {' '.join(given_names)}",
        f"{family}, {initials}",
        f"{given_names[0]} {family}",
        name.replace("-", " "),
    ]


@pytest.mark.timeout(300)
def test_spellings_of_recorded_authors_match_and_other_authors_do_not(shared_data: Path) -> None:
    with gzip.open(shared_data / "arxiv_papers.jsonl.gz", "rt", encoding="utf-8") as lines:
        recorded = {name for line in lines for name in json.loads(line)["authors"]}
    full_names = sorted(name for name in recorded if len(name.split()) > 1 and name.isascii())
    by_key: defaultdict[str, list[str]] = defaultdict(list)
    for name in full_names:
        for key in keys_of_name(spelled(name)):
            by_key[key].append(name)
    sample = full_names[:: len(full_names) // 500]
    found = missed = wrong = right = 0
    for name in sample:
        for variant in variants(name):
            found += may_be_same(variant, name)
            missed += not may_be_same(variant, name)
        same = {
            other for key in keys_of_name(spelled(name)) for other in by_key[key] if may_be_same(name, other)
        }
        right += sum(spelled(other) == spelled(name) for other in same)
        wrong += sum(contradicts(name, other) for other in same)
    assert missed / (found + missed) <= 0.002
    assert wrong == 0
    assert right >= len(sample)


def contradicts(one: str, other: str) -> bool:
    """Whether two ASCII names differ in a word that both spell out."""
    first, second = (name.replace(".", " ").replace("'", "").casefold().split() for name in (one, other))
    if len(first) != len(second) or any("-" in word for word in first + second):
        return False
    return any(a != b and len(a) > 1 and len(b) > 1 for a, b in zip(first, second, strict=True))

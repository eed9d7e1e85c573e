"""Files for reference managers: what others read from them is what was written."""

import gzip
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import bibtexparser
import pytest
from bibtexparser.bparser import BibTexParser
from hypothesis import given
from hypothesis import strategies as st
from pylatexenc.latex2text import LatexNodes2Text

from bot.domain.models import Paper
from bot.text.bibliography import FORMATS, Listed, bibtex, csl, key_of, listed, markdown, ris
from tests.papers import a_paper

SAMPLE = 50
"""Of the recorded papers, one in so many is tried."""
HOSTILE = r'The 100% $x_1$ & {unbalanced \title} ~^ #5 "quoted" <b> 汉字 Ünï \end{document}'


def read_bibtex(text: str) -> dict[str, dict[str, str]]:
    """By a parser that isn't the writer's."""
    parser = BibTexParser(common_strings=True, ignore_nonstandard_types=False)
    return {entry["ID"]: entry for entry in bibtexparser.loads(text, parser).entries}


def read_ris(text: str) -> Iterator[dict[str, list[str]]]:
    """By the format's description: a tag, two spaces, a dash and a space begin a value, and `ER` ends a record."""
    record: dict[str, list[str]] = {}
    for line in text.split("\n"):
        if line.startswith("ER  - "):
            yield record
            record = {}
        elif line[2:6] == "  - ":
            record.setdefault(line[:2], []).append(line[6:])
        else:
            assert not line.strip() or line.rstrip(".").isdigit(), line


def plain(latex: str) -> str:
    """As LaTeX would print it; of commands that this reader doesn't know, the character."""
    for command, character in {"braceleft": r"\{", "braceright": r"\}", "asciicircum": "^"}.items():
        latex = latex.replace(rf"{{\text{command}}}", character)
    return " ".join(LatexNodes2Text().latex_to_text(latex).split())


def recorded(data: Path) -> list[Paper]:
    with gzip.open(data / "arxiv_papers.jsonl.gz", "rt", encoding="utf-8") as lines:
        return [_paper(json.loads(line)) for number, line in enumerate(lines) if number % SAMPLE == 0]


def _paper(row: dict[str, object]) -> Paper:
    identity = str(row["id"])
    return a_paper(
        identity,
        title=str(row["title"]),
        abstract=str(row["abstract"]),
        authors=tuple(map(str, row["authors"])),  # type: ignore[call-overload]
        url=f"https://arxiv.org/abs/{identity}",
        published=datetime.fromisoformat(str(row["published"])),
    )


@pytest.mark.timeout(300)
def test_no_recorded_paper_is_lost(shared_data: Path) -> None:
    papers = recorded(shared_data)
    assert len(papers) > 1000
    keys = [key_of(paper) for paper in papers]
    assert len(set(keys)) == len(papers)
    found = read_bibtex(bibtex(listed(papers)))
    assert [found[key]["eprint"] for key in keys] == [paper.id for paper in papers]
    assert all(
        found[key]["year"] == str(paper.published.year) for key, paper in zip(keys, papers, strict=True)
    )
    records = list(read_ris(ris(listed(papers))))
    assert [record["ID"] for record in records] == [[key] for key in keys]
    assert [record["TI"][0].split() for record in records] == [paper.title.split() for paper in papers]
    assert [len(record["AU"]) for record in records] == [len(paper.authors) for paper in papers]
    entries = json.loads(csl(listed(papers)))
    assert [entry["title"] for entry in entries] == [paper.title for paper in papers]
    assert markdown(listed(papers)).count("\n- ") == len(papers) - 1


def test_an_entry_has_what_is_known() -> None:
    paper = a_paper(
        "1706.03762",
        title="Attention & You",
        authors=("Ashish Vaswani", "Ludwig van Beethoven", "The ATLAS Collaboration", "OpenAI"),
        published=datetime(2017, 6, 12, tzinfo=UTC),
        categories=("cs.CL",),
        versions=7,
        doi="10.1000/x_y",
        journal_ref="NeurIPS 2017",
    )
    one = Listed(paper, "read section 3", ("to-read", "rl"))
    entry = read_bibtex(bibtex([one]))["vaswani2017:1706.03762"]
    assert entry["ENTRYTYPE"] == "article"
    assert entry["title"] == r"{Attention \& You}"
    assert entry["author"] == (
        "Vaswani, Ashish and van Beethoven, Ludwig and {The ATLAS Collaboration} and {OpenAI}"
    )
    wanted = {
        "eprint": "1706.03762",
        "archiveprefix": "arXiv",
        "primaryclass": "cs.CL",
        "version": "7",
        "doi": r"10.1000/x\_y",
        "journal": "NeurIPS 2017",
        "annote": "read section 3",
    }
    assert {name: entry[name] for name in wanted} == wanted
    (record,) = read_ris(ris([one]))
    assert (record["DO"], record["AN"], record["T2"]) == (
        ["10.1000/x_y"],
        ["arXiv:1706.03762"],
        ["NeurIPS 2017"],
    )
    assert record["KW"] == ["to-read", "rl"]


def test_hostile_text_stays_text() -> None:
    paper = a_paper(title=HOSTILE, abstract=HOSTILE, authors=(HOSTILE, "A. and B", "{"), journal_ref=HOSTILE)
    others = [a_paper("2603.00002"), paper, a_paper("2603.00003")]
    found = read_bibtex(bibtex(listed(others)))
    assert len(found) == len(others)
    assert plain(found[key_of(paper)]["title"].removeprefix("{").removesuffix("}")) == HOSTILE
    assert len(list(read_ris(ris(listed(others))))) == len(others)


ANYTHING = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)


@given(st.lists(ANYTHING, min_size=1, max_size=5))
def test_any_text_gives_a_file_that_can_be_read(texts: Sequence[str]) -> None:
    papers = [
        replace(a_paper(f"2603.{n:05}"), title=text, authors=(text, text), abstract=text)
        for n, text in enumerate(texts)
    ]
    assert len(read_bibtex(bibtex(listed(papers)))) == len(papers)
    assert len(list(read_ris(ris(listed(papers))))) == len(papers)


@given(st.lists(ANYTHING, unique=True, min_size=2, max_size=2))
def test_two_papers_never_share_a_key(ids: Sequence[str]) -> None:
    one, other = (key_of(a_paper(f"feed:{identity}")) for identity in ids)
    assert one != other
    assert one.isascii()
    assert not set(one) & set('{}(),%#\\" \t\n=')


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "//evil.example"]
)
def test_only_addresses_of_the_web_are_linked(url: str) -> None:
    listed = Listed(a_paper(url=url, abstract=""))
    for form in FORMATS.values():
        assert url not in form.write([listed])

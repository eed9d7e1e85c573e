"""Files for reference managers: other programs read the same from them."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.text.bibliography import FORMATS, Listed, bibtex, csl, key_of, listed, markdown, ris
from tests.bench.bibliography import (
    bibtex_is_whole,
    csl_is_whole,
    from_bibtex,
    from_csl,
    from_ris,
    plain,
    recorded,
    ris_is_whole,
)
from tests.papers import a_paper

SAMPLE = 200
"""One in SAMPLE recorded papers is tested; `python -m tests.bench.bibliography` tests all of them."""
HOSTILE = r'The 100% $x_1$ & {unbalanced \title} ~^ #5 "quoted" <b> 汉字 Ünï \end{document}'


@pytest.mark.usefixtures("shared_data")
def test_recorded_papers_are_read_back_from_every_format() -> None:
    papers = list(recorded(every=SAMPLE))
    assert len(papers) > 300
    keys = [key_of(paper) for paper in papers]
    assert len(set(keys)) == len(papers)
    found = from_bibtex(bibtex(listed(papers)))
    assert [
        key for key, paper in zip(keys, papers, strict=True) if not bibtex_is_whole(paper, found[key])
    ] == []
    records = from_ris(ris(listed(papers)))
    assert [record["ID"] for record in records] == [[key] for key in keys]
    pairs = zip(papers, records, strict=True)
    assert [paper.id for paper, record in pairs if not ris_is_whole(paper, record)] == []
    entries = json.loads(csl(listed(papers)))
    assert [entry["title"] for entry in entries] == [paper.title for paper in papers]
    references = from_csl(csl(listed(papers)))
    lost = [paper.id for paper in papers if not csl_is_whole(paper, references[key_of(paper).lower()])]
    assert lost == []
    assert markdown(listed(papers)).count("\n- ") == len(papers) - 1


def test_an_entry_has_all_known_fields() -> None:
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
    entry = from_bibtex(bibtex([one]))["vaswani2017:1706.03762"]
    assert entry["type"] == "article"
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
    (record,) = from_ris(ris([one]))
    assert (record["DO"], record["AN"], record["T2"]) == (
        ["10.1000/x_y"],
        ["arXiv:1706.03762"],
        ["NeurIPS 2017"],
    )
    assert record["KW"] == ["to-read", "rl"]


def test_hostile_text_is_escaped() -> None:
    paper = a_paper(title=HOSTILE, abstract=HOSTILE, authors=(HOSTILE, "A. and B", "{"), journal_ref=HOSTILE)
    others = [a_paper("2603.00002"), paper, a_paper("2603.00003")]
    found = from_bibtex(bibtex(listed(others)))
    assert len(found) == len(others)
    assert plain(found[key_of(paper)]["title"].removeprefix("{").removesuffix("}")) == HOSTILE
    assert len(from_ris(ris(listed(others)))) == len(others)


ANYTHING = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)


@given(st.lists(ANYTHING, min_size=1, max_size=5))
def test_any_text_gives_a_readable_file(texts: Sequence[str]) -> None:
    papers = [
        replace(a_paper(f"2603.{n:05}"), title=text, authors=(text, text), abstract=text)
        for n, text in enumerate(texts)
    ]
    assert len(from_bibtex(bibtex(listed(papers)))) == len(papers)
    assert len(from_ris(ris(listed(papers)))) == len(papers)
    assert len(from_csl(csl(listed(papers)))) == len(papers)


@given(st.lists(ANYTHING, unique=True, min_size=2, max_size=2))
def test_two_papers_never_share_a_key(ids: Sequence[str]) -> None:
    one, other = (key_of(a_paper(f"feed:{identity}")) for identity in ids)
    assert one != other
    assert one.isascii()
    assert not set(one) & set('{}(),%#\\" \t\n=')


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "//evil.example"]
)
def test_only_web_addresses_are_linked(url: str) -> None:
    listed = Listed(a_paper(url=url, abstract=""))
    for form in FORMATS.values():
        assert url not in form.write([listed])

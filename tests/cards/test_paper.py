"""A paper's card: its facts are always in the same order, and it is readable and short for any paper."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot

from bot.cards import Button, Card, PaperBlock
from bot.cards.paper import (
    ABSTRACT,
    SUMMARY,
    TITLE,
    Detail,
    paper_block,
    paper_card,
    short_date,
    short_number,
)
from bot.domain.models import Paper, Reason
from bot.text import clean
from tests.papers import a_paper

NOW = datetime(2026, 10, 5, tzinfo=UTC)
MARKUP = re.compile(r"\\[a-zA-Z]+|\$[^$]*[\\^_{][^$]*\$|</?[a-z]+[^>]*>|\*\*|\]\(|&[a-z]+;")
"""Matches leftovers of LaTeX, HTML, Markdown and entities."""
POLICY = Reason(3, '"diffusion policy"')


def a_full_paper() -> Paper:
    return a_paper(
        "2610.01234",
        title="Diffusion Policies That Fold Laundry",
        abstract="Folding laundry is hard, e.g. for robots. We do it anyway.",
        authors=("Ada Lovelace", "Alan Turing", "Grace Hopper", "Emmy Noether", "Katherine Johnson", "Kurt Gödel", "Mary Jackson"),
        categories=("cs.RO", "cs.LG"),
        published=datetime(2026, 10, 2, tzinfo=UTC),
        pdf_url="https://arxiv.org/pdf/2610.01234",
        code_url="https://github.com/lovelace/laundry",
        code_stars=1234,
        upvotes=42,
        thumbnail_url="https://example.org/laundry.png",
    )  # fmt: skip


def test_a_compact_card_has_its_facts_in_order() -> None:
    assert paper_card(a_full_paper(), [POLICY], NOW) == snapshot(
        Card(
            kind="paper",
            notice="Diffusion Policies That Fold Laundry · Ada Lovelace … Mary Jackson (+5)",
            blocks=(
                PaperBlock(
                    paper_id="2610.01234",
                    title="Diffusion Policies That Fold Laundry",
                    url="https://arxiv.org/abs/2610.01234",
                    byline=("Ada Lovelace … Mary Jackson (+5)", "cs.RO", "2 Oct", "▲ 42", "code ★ 1.2k"),
                    summary="Folding laundry is hard, e.g. for robots.",
                    reasons=('matched "diffusion policy" (#3)',),
                    buttons=(
                        Button(label="Abstract", url="https://arxiv.org/abs/2610.01234"),
                        Button(label="PDF", url="https://arxiv.org/pdf/2610.01234"),
                        Button(label="Code", url="https://github.com/lovelace/laundry"),
                    ),
                    actions=(
                        Button(label="Save", command="save 2610.01234"),
                        Button(label="Full abstract", command="abstract 2610.01234"),
                        Button(label="Similar", command="similar 2610.01234"),
                        Button(label="👍", command="up 2610.01234"),
                        Button(label="👎", command="down 2610.01234"),
                        Button(label="Follow", command="followwhat 2610.01234"),
                        Button(label="Mute", command="mutewhat 2610.01234"),
                    ),
                ),
            ),
        )
    )


def test_a_full_card_adds_the_abstract_and_a_thumbnail() -> None:
    block = paper_block(a_full_paper(), [POLICY], NOW, "full")
    assert block.abstract == a_full_paper().abstract
    assert block.thumbnail_url == "https://example.org/laundry.png"
    assert block.summary == "", "the abstract already has this sentence"


def test_a_full_card_has_the_upstreams_summary() -> None:
    paper = a_paper(tldr="Robots fold.", abstract="Folding is hard. We fold.")
    assert paper_block(paper, [], NOW, "full").summary == "Robots fold."


def test_a_line_has_a_summary_and_no_buttons() -> None:
    block = paper_block(a_full_paper(), [POLICY], NOW, "line")
    assert block.summary == "Folding laundry is hard, e.g. for robots."
    assert (block.buttons, block.reasons) == ((), ('matched "diffusion policy" (#3)',))


def test_a_full_card_has_more_authors_keywords_and_the_project() -> None:
    names = tuple(f"Author {n}" for n in range(1, 11))
    words = tuple(f"word {n}" for n in range(1, 9))
    paper = replace(
        a_full_paper(), authors=names, organization="Laundry Lab", comments=12, keywords=words,
        project_url="https://laundry.example.org",
    )  # fmt: skip
    block = paper_block(paper, [POLICY], NOW, "full")
    assert block.byline == (
        "Author 1, Author 2, Author 3, Author 4, Author 5, Author 6, Author 7, Author 8 (+2)",
        "Laundry Lab",
        "cs.RO",
        "2 Oct",
        "▲ 42",
        "💬 12",
        "code ★ 1.2k",
    )
    assert block.keywords == words[:6]
    assert [button.label for button in block.buttons] == ["Abstract", "PDF", "Code", "Project"]
    compact = paper_block(paper, [POLICY], NOW)
    assert compact.byline == ("Author 1 … Author 10 (+8)", *block.byline[1:])
    assert (compact.keywords, compact.thumbnail_url) == ((), None)


def test_the_upstreams_summary_is_preferred_to_a_sentence_of_the_abstract() -> None:
    assert paper_block(a_paper(tldr="It folds."), [], NOW).summary == "It folds."


@pytest.mark.parametrize(
    ("names", "shown"),
    [
        ((), None),
        (("Ada",), "Ada"),
        (("Ada", "Bob"), "Ada, Bob"),
        (("Ada", "Bob", "Cy"), "Ada … Cy (+1)"),
        (("Ada", "", ""), "Ada … Ada (+1)"),
    ],
)
def test_the_first_and_last_author_are_named(names: tuple[str, ...], shown: str | None) -> None:
    parts = paper_block(a_paper(authors=names), [], NOW).byline
    assert (parts[0] if shown else None) == shown
    assert parts[-1] == "2 Mar"


def test_the_year_is_shown_if_it_is_not_the_current_one() -> None:
    winter = datetime(2025, 12, 31, 23, 30, tzinfo=UTC)
    assert short_date(winter, NOW) == "31 Dec 2025"
    assert short_date(winter, winter) == "31 Dec"


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        (0, "0"),
        (999, "999"),
        (1000, "1k"),
        (1234, "1.2k"),
        (9_999, "9.9k"),
        (34_567, "34k"),
        (5_600_000, "5.6M"),
    ],
)
def test_large_numbers_are_abbreviated(number: int, shown: str) -> None:
    assert short_number(number) == shown


def test_a_sample_paper_is_marked() -> None:
    assert paper_block(a_paper(sources=("sample",)), [], NOW).byline[-1] == "sample"
    assert "sample" not in paper_block(a_paper(sources=("sample", "arxiv")), [], NOW).byline


def test_many_reasons_are_counted() -> None:
    reasons = [Reason(n, f"topic{n}") for n in range(1, 8)]
    assert paper_block(a_paper(), reasons, NOW).reasons == snapshot(
        (
            "matched topic1 (#1)",
            "matched topic2 (#2)",
            "matched topic3 (#3)",
            "and 4 more of this channel's subscriptions",
        )
    )


def test_unsafe_links_are_left_out() -> None:
    paper = a_paper(
        url="javascript:alert(1)",
        pdf_url="https://arxiv.org/pdf/1",
        code_url="data:text/html,x",
        code_stars=5,
    )
    block = paper_block(paper, [], NOW)
    assert block.url == ""
    assert block.buttons == (Button("PDF", url="https://arxiv.org/pdf/1"),)
    assert "code" not in " ".join(block.byline)


def size(card: Card) -> int:
    [block] = card.blocks
    assert isinstance(block, PaperBlock)
    texts = (
        block.title,
        *block.byline,
        block.summary,
        *block.reasons,
        block.abstract,
        *block.keywords,
        *(b.label for b in block.buttons),
    )
    return sum(map(len, texts))


@pytest.mark.parametrize("detail", ["compact", "full"])
@pytest.mark.parametrize("letter", ["word ", "x", "漢", "e\u0301", "👩‍🔬", "\u202e", "\x00", " "])
def test_a_card_of_the_longest_paper_stays_within_the_limits(letter: str, detail: Detail) -> None:
    much = letter * 3000
    paper = a_paper(
        title=much, abstract=much * 5, tldr=much, authors=(much,) * 5000, categories=(much,) * 50, upvotes=10**12,
        comments=10**12, keywords=(much,) * 50, organization=much,
        url=f"https://example.org/{much}", thumbnail_url=f"https://example.org/{much}", code_url=f"https://example.org/{much}",
    )  # fmt: skip
    assert detail != "line"
    card = paper_card(paper, [Reason(10**9, much)] * 60, NOW, detail)
    assert size(card) < 3900, "Discord counts 4,000 characters"
    assert len(card.notice) <= 200


@given(
    st.builds(
        a_paper, title=st.text(), abstract=st.text(), authors=st.lists(st.text()).map(tuple), url=st.text()
    )
)
def test_a_card_of_any_paper_has_a_title_and_fits_the_limits(paper: Paper) -> None:
    [block] = paper_card(paper, [POLICY], NOW).blocks
    assert isinstance(block, PaperBlock)
    assert block.title
    assert len(block.title) <= TITLE
    assert len(block.summary) <= SUMMARY


def test_cards_of_the_reference_papers_have_no_markup_and_whole_words(shared_data: Path) -> None:
    seeds = json.loads((shared_data / "seed_papers.json").read_text())
    for seed in seeds:
        title, abstract = clean(seed["title"]), clean(seed["abstract"])
        for detail in ("compact", "full"):
            block = paper_block(a_paper(title=title, abstract=abstract), [POLICY], NOW, detail)
            shown = (block.title, block.summary, block.abstract)
            assert not any(MARKUP.search(text) for text in shown), shown
            assert_no_word_is_cut(block.title, title, TITLE)
            assert_no_word_is_cut(block.summary, abstract, SUMMARY)
            assert_no_word_is_cut(block.abstract, abstract, ABSTRACT)


def assert_no_word_is_cut(shown: str, whole: str, limit: int) -> None:
    start = shown.removesuffix("…")
    place = whole.lower().find(start.lower())  # a clause on its own is capitalized
    assert place >= 0, shown
    assert len(shown) <= limit
    before, following = whole[max(0, place - 1) : place], whole[place + len(start) : place + len(start) + 1]
    assert not start or not before.isalnum()
    assert not start or not (start[-1].isalnum() and following.isalnum()), (shown[-30:], following)


def test_the_title_of_a_withdrawn_paper_starts_with_a_notice() -> None:
    card = paper_card(replace(a_full_paper(), withdrawn=True), [POLICY], NOW)
    assert card.blocks[0].title == "Withdrawn: Diffusion Policies That Fold Laundry"  # type: ignore[union-attr]  # it is a PaperBlock
    assert card.notice.startswith("Withdrawn: ")


@pytest.mark.parametrize(
    ("facts", "state"),
    [
        ({"versions": 1, "comment": "9 pages"}, ()),
        ({"versions": 2, "comment": "Accepted at ICML 2026", "code_url": "https://github.com/a/b"},
         ("v2", "accepted at ICML 2026", "code")),
        ({"versions": 3, "comment": "accepted"}, ("v3", "accepted")),
        ({"doi": "10.1/x"}, ("published",)),
        ({"comment": "Accepted at ICML 2026", "withdrawn": True, "versions": 2}, ("v2",)),
    ],
)  # fmt: skip
def test_a_card_shows_version_acceptance_and_code(facts: dict[str, Any], state: tuple[str, ...]) -> None:
    block = paper_block(a_paper(**facts), (), NOW)
    assert block.byline[2:] == state

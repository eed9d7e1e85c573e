"""Several papers in one message."""

from datetime import UTC, datetime

from inline_snapshot import snapshot

from bot.cards import Actions, Card, PaperBlock, Paragraph
from bot.cards.build import dim, paragraph
from bot.cards.digest import LINES, digest_card
from bot.domain.models import Reason
from tests.papers import a_paper

NOW = datetime(2026, 10, 5, tzinfo=UTC)
RAG = Reason(1, "rag")


def test_each_paper_has_a_line_with_its_reason() -> None:
    entries = [(a_paper(f"2610.0000{n}", title=f"Title {n}"), (Reason(n, "rag"),)) for n in range(1, 3)]
    assert digest_card(entries, NOW) == snapshot(
        Card(
            kind="digest",
            notice="2 new papers: Title 1; Title 2",
            heading="2 new papers",
            blocks=(
                PaperBlock(
                    paper_id="2610.00001",
                    title="Title 1",
                    url="https://arxiv.org/abs/2610.00001",
                    byline=("Ada Lovelace", "2 Mar"),
                    summary="We look at it closely.",
                    reasons=("matched rag (#1)",),
                    detail="line",
                ),
                PaperBlock(
                    paper_id="2610.00002",
                    title="Title 2",
                    url="https://arxiv.org/abs/2610.00002",
                    byline=("Ada Lovelace", "2 Mar"),
                    summary="We look at it closely.",
                    reasons=("matched rag (#2)",),
                    detail="line",
                ),
            ),
        )
    )


def test_papers_that_do_not_fit_are_counted_and_on_further_pages() -> None:
    entries = [(a_paper(f"2610.{n:05}"), (Reason(n % 2 + 1, "rag"),)) for n in range(2 * LINES + 5)]
    seen: set[str] = set()
    for page, rest in ((1, 15), (2, 5), (3, 0)):
        card = digest_card(entries, NOW, "digest@2026-10-05T09:00Z", page)
        assert card.heading == "25 new papers"
        seen |= {block.paper_id for block in card.blocks if isinstance(block, PaperBlock)}
        more = [block.text[0].text for block in card.blocks if isinstance(block, Paragraph)]
        assert more == ([f"and {rest} more"] if rest else [])
        commands = [b.command for block in card.blocks if isinstance(block, Actions) for b in block.buttons]
        *turn, export = commands
        assert turn == ([f"more digest@2026-10-05T09:00Z page:{page + 1}"] if rest else [])
        assert export == "more digest@2026-10-05T09:00Z export:bibtex"
    assert seen == {paper.id for paper, _ in entries}


def test_a_digest_of_the_longest_papers_stays_below_4000_characters() -> None:
    worst = a_paper(
        title="word " * 600, authors=("name " * 99,) * 99, categories=("cat" * 99,), upvotes=10**9
    )
    card = digest_card([(worst, (Reason(10**6, "topic " * 40),))] * 40, NOW)
    blocks = [block for block in card.blocks if isinstance(block, PaperBlock)]
    assert sum(len("".join((b.title, *b.byline, *b.reasons))) for b in blocks) < 3900


def test_a_reason_shared_by_all_papers_is_shown_once() -> None:
    shared = digest_card([(a_paper("2610.1"), (RAG,)), (a_paper("2610.2"), (RAG,))], NOW)
    first, *lines = shared.blocks
    assert first == paragraph(dim("All matched rag (#1)"))
    assert [line.reasons for line in lines if isinstance(line, PaperBlock)] == [(), ()]
    other = Reason(2, "agents")
    apart = digest_card([(a_paper("2610.1"), (RAG,)), (a_paper("2610.2"), (other,))], NOW)
    assert [line.reasons for line in apart.blocks if isinstance(line, PaperBlock)] == [
        ("matched rag (#1)",),
        ("matched agents (#2)",),
    ]


def test_a_reason_shared_by_all_papers_is_left_out_of_their_lines() -> None:
    other = Reason(2, "agents")
    entries = [(a_paper("2610.1"), (RAG, other)), (a_paper("2610.2"), (RAG,))]
    first, *lines = digest_card(entries, NOW).blocks
    assert first == paragraph(dim("All matched rag (#1)"))
    assert [line.reasons for line in lines if isinstance(line, PaperBlock)] == [("matched agents (#2)",), ()]


def test_an_entry_has_the_sentence_that_says_what_is_new() -> None:
    abstract = "Sorting is old. It is slow. We propose to sort without comparing, in one pass over the data. It works."
    entries = [(a_paper("2610.1", abstract=abstract), (RAG,)), (a_paper("2610.2"), (RAG,))]
    [_, line, _] = digest_card(entries, NOW).blocks
    assert isinstance(line, PaperBlock)
    assert line.summary == "We propose to sort without comparing, in one pass over the data."

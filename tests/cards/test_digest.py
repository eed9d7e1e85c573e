"""Several papers in one message."""

from datetime import UTC, datetime

from inline_snapshot import snapshot

from bot.cards import Actions, Card, PaperBlock, Paragraph
from bot.cards.digest import DIGEST_SIZE, digest_card
from bot.models import Reason
from tests.papers import a_paper

NOW = datetime(2026, 10, 5, tzinfo=UTC)


def test_each_paper_has_its_line_and_reason() -> None:
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
                    reasons=("matched rag (#1)",),
                    detail="line",
                ),
                PaperBlock(
                    paper_id="2610.00002",
                    title="Title 2",
                    url="https://arxiv.org/abs/2610.00002",
                    byline=("Ada Lovelace", "2 Mar"),
                    reasons=("matched rag (#2)",),
                    detail="line",
                ),
            ),
        )
    )


def test_what_does_not_fit_is_counted_and_can_be_reached() -> None:
    entries = [(a_paper(f"2610.{n:05}"), (Reason(n % 2 + 1, "rag"),)) for n in range(DIGEST_SIZE + 5)]
    card = digest_card(entries, NOW)
    assert card.heading == "15 new papers"
    assert sum(isinstance(block, PaperBlock) for block in card.blocks) == DIGEST_SIZE
    *_, rest, buttons = card.blocks
    assert isinstance(rest, Paragraph)
    assert isinstance(buttons, Actions)
    assert rest.text[0].text == "and 5 more"
    assert [button.command for button in buttons.buttons] == ["preview #1", "preview #2"]


def test_a_digest_of_the_worst_papers_stays_below_4000_characters() -> None:
    worst = a_paper(
        title="word " * 600, authors=("name " * 99,) * 99, categories=("cat" * 99,), upvotes=10**9
    )
    card = digest_card([(worst, (Reason(10**6, "topic " * 40),))] * 40, NOW)
    blocks = [block for block in card.blocks if isinstance(block, PaperBlock)]
    assert sum(len("".join((b.title, *b.byline, *b.reasons))) for b in blocks) < 3900

"""The bundled sample of papers."""

from datetime import UTC, datetime

from bot.cards import PaperBlock
from bot.cards.paper import SUMMARY, paper_block
from bot.query import parse
from bot.terminal.demo import known, news
from bot.terminal.sample import sample_papers, today

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def test_the_sample_has_about_thirty_different_papers_in_order() -> None:
    papers = sample_papers()
    assert 25 <= len(papers) <= 40
    assert len({paper.id for paper in papers}) == len(papers)
    assert [paper.published for paper in papers] == sorted(paper.published for paper in papers)
    assert all(paper.authors and paper.categories and paper.pdf_url for paper in papers)


def test_every_card_has_one_sentence_and_is_marked_as_a_sample() -> None:
    for paper in sample_papers():
        block = paper_block(paper, (), NOW)
        assert isinstance(block, PaperBlock)
        assert block.title == paper.title
        assert block.summary == paper.abstract, "the abstract is one sentence, shown whole"
        assert len(block.summary) <= min(SUMMARY, 160)
        assert block.byline[-1] == "sample"


def test_queries_that_people_try_first_match_a_sample_paper() -> None:
    for query in (
        "diffusion",
        '"language model"',
        "agents",
        "robot",
        "3d",
        "speech",
        "protein",
        "rlhf",
        "llm",
    ):
        wanted = parse(query)
        assert any(wanted.matches(paper) for paper in sample_papers()), query


def test_the_tour_splits_the_sample_into_yesterday_and_today() -> None:
    assert (*known(), *news()) == sample_papers()
    assert max(paper.published for paper in news()) < today()

"""People of the same name are distinguished by their papers."""

from bot.domain.models import Paper
from bot.policy.people import people_among
from bot.query import Person
from tests.papers import a_paper

WANG = Person(("wei", "wang"))


def by(number: int, *others: str, category: str = "cs.CV") -> Paper:
    return a_paper(
        f"2603.{number:05}", authors=("Wei Wang", *others), categories=(category,) if category else ()
    )


def test_papers_that_share_a_coauthor_are_by_one_person() -> None:
    papers = [by(1, "A. B"), by(2, "A. B", "C. D"), by(3, "C. D", category="math.AG"), by(4, "E. F", "G. H")]
    [one] = people_among([*papers[:3]], WANG)
    assert (len(one.papers), one.category) == (3, "cs.CV")
    assert one.coauthor in {"A. B", "C. D"}


def test_papers_without_a_shared_coauthor_are_by_other_people() -> None:
    papers = [
        by(1, "A. B"),
        by(2, "A. B"),
        by(3, "E. F", category="math.AG"),
        by(4, "E. F", category="math.AG"),
    ]
    assert [(len(one.papers), one.category) for one in people_among(papers, WANG)] == [
        (2, "cs.CV"),
        (2, "math.AG"),
    ]


def test_a_single_paper_is_assigned_by_category_and_one_without_coauthors_to_anyone() -> None:
    papers = [by(1, "A. B"), by(2, "A. B"), by(3, "X. Y"), by(4, category="math.AG"), by(5, category="")]
    assert len(people_among(papers, WANG)) == 1


def test_without_papers_there_are_no_people() -> None:
    assert people_among([], WANG) == []

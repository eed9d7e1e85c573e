"""OAI-PMH answers are read whole or not at all."""

from datetime import UTC, date, datetime

import pytest

from bot.domain.errors import SourceError
from bot.sources.oai import TokenExpired, parse_page
from tests.sources.oai_answers import Stored, oai, oai_error

FIRST, SECOND = datetime(2026, 5, 18, 17, 3, tzinfo=UTC), datetime(2026, 5, 19, 9, 0, tzinfo=UTC)


def test_a_record_has_all_its_fields() -> None:
    row = Stored("2605.00001", title="a < b\n  & $c$", submitted=(FIRST, SECOND))
    (record,) = parse_page(oai(row)).records
    paper = record.paper
    assert (paper.id, paper.title, paper.abstract) == ("2605.00001", "a < b & c", "We count.")
    assert paper.authors == ("Ada Lovelace", "Emmy Noether")
    assert paper.categories == ("cs.CL", "cs.AI")
    assert paper.published == FIRST
    assert paper.sources == ("arxiv",)
    assert (record.stamp, record.versions, record.withdrawn) == (date(2026, 5, 20), 2, False)


@pytest.mark.parametrize(
    ("token", "read"), [(None, None), ("", None), ("verb%3DListRecords%26skip%3D3",) * 2]
)
def test_a_token_leads_to_the_next_page(token: str | None, read: str | None) -> None:
    assert parse_page(oai(Stored("2605.00001"), token=token)).token == read


def test_a_set_without_changes_is_no_error() -> None:
    page = parse_page(oai())
    assert (page.records, page.answered) == ((), date(2026, 5, 20))


def test_a_removed_paper_is_left_out() -> None:
    page = parse_page(oai(Stored("2605.00001"), Stored("2605.00002", deleted=True)))
    assert [record.paper.id for record in page.records] == ["2605.00001"]


@pytest.mark.parametrize(
    "row",
    [
        Stored("2605.00001", source_type="I"),
        Stored("2605.00001", comments="This paper has been withdrawn by the authors due to an error"),
        Stored("2605.00001", comments="The article is being withdrawn"),
    ],
)
def test_a_withdrawn_paper_is_marked(row: Stored) -> None:
    assert parse_page(oai(row)).records[0].withdrawn


def test_a_paper_about_withdrawal_is_not_withdrawn() -> None:
    row = Stored("2605.00001", comments="12 pages", abstract="The paper was withdrawn by banks.")
    assert not parse_page(oai(row)).records[0].withdrawn


def test_an_old_token_is_told_from_other_refusals() -> None:
    with pytest.raises(TokenExpired):
        parse_page(oai_error("badResumptionToken"))
    with pytest.raises(SourceError, match=r"Set does not exist.*PAPERBOY_ARXIV_CATEGORIES"):
        parse_page(oai_error("badArgument", "Set does not exist"))


@pytest.mark.parametrize("cut", [1, 30, 200, 700])
def test_half_a_page_is_an_error(cut: int) -> None:
    with pytest.raises(SourceError):
        parse_page(oai(Stored("2605.00001"), Stored("2605.00002"))[:-cut])


def test_a_bomb_is_refused() -> None:
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
    body = f'<!DOCTYPE x [<!ENTITY l0 "ha">{laughs}]><OAI-PMH>&l11;</OAI-PMH>'
    for encoding in ("utf-8", "utf-16"):
        with pytest.raises(SourceError):
            parse_page(body.encode(encoding))

"""OAI-PMH answers: records, tokens, errors, withdrawals."""

from datetime import UTC, date, datetime

import pytest

from bot.domain.errors import SourceError
from bot.sources.arxiv.oai_records import TokenExpired, parse_page, parse_record
from tests.sources.oai_answers import Stored, oai, oai_error

WITHDRAWN = (
    "Withdrawn by the authors", "withdrawn", "Withdrawn.", "This paper has been withdrawn", "This paper is withdrawn due to a crucial error in Lemma 2.",
    "Paper withdrawn because of an error", "12 pages; this article has been withdrawn by the author", "The authors have withdrawn this paper",
    "This submission has been withdrawn by arXiv administrators because it contains plagiarism", "We withdraw this paper", "Retracted by the authors",
    "[Withdrawn] an error was found", "has been withdrawn", "This paper, which contains an error, has been withdrawn", "15 pages, paper has been withdrawn",
    "This paper has been temporarily withdrawn", "This preprint was withdrawn by the authors. See v1 for details", "Withdrawn: error in Theorem 1",
    "Withdrawal of the paper by its authors", "The author has requested the withdrawal of this paper.", "Please withdraw this paper",
)  # fmt: skip
NOT_WITHDRAWN = (
    "supersedes arXiv:2401.00001 which was withdrawn", "Work on withdrawn drugs", "Withdrawn drugs are studied; 12 pages",
    "This paper supersedes a withdrawn paper", "Replaces the withdrawn arXiv:2401.00001", "An earlier version of this paper was withdrawn",
    "v1 was withdrawn, this is a new version", "12 pages", "", "The paper was withdrawn from ICLR 2026 and is under review at ICML",
    "Withdrawn from ICML 2026", "This paper has not been withdrawn", "On how drugs are withdrawn", "We study papers that were withdrawn",
    "The previous submission was withdrawn by mistake", "Withdrawal of the paper currency from circulation", "after withdrawal of the first submission",
)  # fmt: skip

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


def test_a_set_without_changes_is_not_an_error() -> None:
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
        *(Stored("2605.00001", comments=comment) for comment in WITHDRAWN),
    ],
)
def test_a_withdrawn_paper_is_marked(row: Stored) -> None:
    assert parse_page(oai(row)).records[0].withdrawn


@pytest.mark.parametrize("comment", NOT_WITHDRAWN)
def test_a_comment_about_another_withdrawal_does_not_mark_the_paper(comment: str) -> None:
    assert not parse_page(oai(Stored("2605.00001", comments=comment))).records[0].withdrawn


def test_one_record_is_read_by_its_id() -> None:
    paper = parse_record(oai(Stored("math/0309136", comments="Withdrawn."), verb="GetRecord"))
    assert paper is not None
    assert (paper.id, paper.withdrawn) == ("math/0309136", True)
    assert parse_record(oai_error("idDoesNotExist")) is None
    with pytest.raises(SourceError):
        parse_record(oai_error("badArgument"))


def test_a_fault_in_a_record_does_not_affect_others() -> None:
    body = oai(Stored("2605.00001", title="On XX"), Stored("2605.00002"), Stored("not-an-id"))
    for fault in (b"&#x110000;", b"&#0;", b"\x01", b"\xff\xfe", b"&nbsp;", b"AT&T"):
        page = parse_page(body.replace(b"XX", fault))
        assert [record.paper.id for record in page.records] == ["2605.00001", "2605.00002"]
        assert sum(page.skipped.values()) == 1


def test_a_paper_about_withdrawal_is_not_withdrawn() -> None:
    row = Stored("2605.00001", comments="12 pages", abstract="The paper was withdrawn by banks.")
    assert not parse_page(oai(row)).records[0].withdrawn


def test_an_expired_token_is_not_confused_with_other_errors() -> None:
    with pytest.raises(TokenExpired):
        parse_page(oai_error("badResumptionToken"))
    with pytest.raises(SourceError, match=r"Set does not exist.*PAPERBOY_ARXIV_CATEGORIES"):
        parse_page(oai_error("badArgument", "Set does not exist"))


@pytest.mark.parametrize("cut", [1, 30, 200, 700])
def test_half_a_page_is_an_error(cut: int) -> None:
    with pytest.raises(SourceError):
        parse_page(oai(Stored("2605.00001"), Stored("2605.00002"))[:-cut])


def test_an_xml_bomb_is_refused() -> None:
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
    body = f'<!DOCTYPE x [<!ENTITY l0 "ha">{laughs}]><OAI-PMH>&l11;</OAI-PMH>'
    for encoding in ("utf-8", "utf-16"):
        with pytest.raises(SourceError):
            parse_page(body.encode(encoding))


def test_a_record_has_its_versions_comment_reference_and_doi() -> None:
    later = (datetime(2026, 5, 18, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC))
    row = Stored(
        "2605.00001", submitted=later, comments="9\n pages", journal_ref="Nature 1 (2026)", doi="10.1/x"
    )
    [full, bare] = (record.paper for record in parse_page(oai(row, Stored("2605.00002"))).records)
    assert (full.versions, full.comment, full.journal_ref, full.doi) == (
        2,
        "9 pages",
        "Nature 1 (2026)",
        "10.1/x",
    )
    assert (full.withdrawn, bare.withdrawn) == (False, None), "only a later version can revert a withdrawal"
    assert (bare.versions, bare.comment, bare.journal_ref, bare.doi) == (1, "", None, None)

"""Made-up answers of OAI-PMH in the format of arXiv's server."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from xml.sax.saxutils import escape

WHEN = datetime(2026, 5, 20, 2, 45, tzinfo=UTC)


@dataclass(frozen=True)
class Stored:
    """A record of arXiv; `submitted` has a date for each version."""

    paper_id: str
    stamp: date = date(2026, 5, 20)
    submitted: tuple[datetime, ...] = (datetime(2026, 5, 18, 17, 3, tzinfo=UTC),)
    categories: str = "cs.CL cs.AI"
    title: str = "On Counting"
    authors: str = "Ada Lovelace (Analytical Society), Emmy Noether"
    comments: str = ""
    journal_ref: str = ""
    doi: str = ""
    abstract: str = "We count."
    source_type: str = "D"
    deleted: bool = False


def oai(
    *records: Stored, token: str | None = None, answered: datetime = WHEN, verb: str = "ListRecords"
) -> bytes:
    """Return an answer to `verb`; `token` is None for none, and empty for the last page of several."""
    if not records:
        return oai_error("noRecordsMatch", answered=answered)
    rest = ""
    if token is not None:
        rest = f"<resumptionToken expirationDate='2026-05-21T00:00:00Z'>{escape(token)}</resumptionToken>"
        rest = rest if token else "<resumptionToken/>"
    return _answer(f"<{verb}>{''.join(map(_record, records))}{rest}</{verb}>", answered)


def oai_error(code: str, reason: str = "An empty list.", answered: datetime = WHEN) -> bytes:
    """Return a refusal, which has HTTP status 200."""
    return _answer(f"<error code='{code}'>{escape(reason)}</error>", answered)


def _answer(inner: str, answered: datetime) -> bytes:
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n\n<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/">'
        f"<responseDate>{answered:%Y-%m-%dT%H:%M:%SZ}</responseDate>"
        f'<request verb="ListRecords">https://oaipmh.arxiv.org/oai</request>{inner}</OAI-PMH>'
    ).encode()


def _record(row: Stored) -> str:
    status = ' status="deleted"' if row.deleted else ""
    header = (
        f"<header{status}><identifier>oai:arXiv.org:{row.paper_id}</identifier>"
        f"<datestamp>{row.stamp}</datestamp><setSpec>cs:cs:CL</setSpec></header>"
    )
    if row.deleted:
        return f"<record>{header}</record>"
    versions = "".join(
        f'<version version="v{number}"><date>{when:%a, %d %b %Y %H:%M:%S} GMT</date><size>9kb</size>'
        f"<source_type>{row.source_type}</source_type></version>"
        for number, when in enumerate(row.submitted, 1)
    )
    comments = f"<comments>{escape(row.comments)}</comments>" if row.comments else ""
    published = f"<journal-ref>{escape(row.journal_ref)}</journal-ref>" if row.journal_ref else ""
    published += f"<doi>{escape(row.doi)}</doi>" if row.doi else ""
    return (
        f'<record>{header}<metadata><arXivRaw xmlns="http://arxiv.org/OAI/arXivRaw/"><id>{row.paper_id}</id>'
        f"<submitter>Ada Lovelace</submitter>{versions}<title>{escape(row.title)}</title>"
        f"<authors>{escape(row.authors)}</authors><categories>{row.categories}</categories>{comments}{published}"
        f"<abstract>{escape(row.abstract)}</abstract></arXivRaw></metadata></record>"
    )

"""Parses arXiv's OAI-PMH answers: https://www.openarchives.org/OAI/openarchivesprotocol.html, `arXivRaw`. Pure."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime
from xml.etree.ElementTree import Element

from bot.domain.errors import SourceError
from bot.domain.models import Paper
from bot.sources.arxiv.papers import abstract_url, categories, elements, is_withdrawn, pdf_url
from bot.sources.authors import read_authors
from bot.sources.fields import moment, read_rows
from bot.text import clean
from bot.text.identity import arxiv_id

MAX_NOTE = 1000
"""Maximum number of characters stored of a comment, a journal reference or a DOI."""
_OAI = "{http://www.openarchives.org/OAI/2.0/}"
_RAW = "{http://arxiv.org/OAI/arXivRaw/}"
_PARTS = {
    f"{_OAI}{name}"
    for name in ("record", "responseDate", "error", "ListRecords", "GetRecord", "resumptionToken")
}


class TokenExpired(SourceError):
    """The resumption token is no longer accepted: ask for the list from its beginning."""


@dataclass(frozen=True, slots=True)
class Record:
    """The current state of a paper."""

    paper: Paper
    """`published` is when its first version was submitted."""
    stamp: date
    """Date of its last change, in UTC."""
    versions: int
    withdrawn: bool


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a list of records."""

    records: tuple[Record, ...]
    answered: date
    """Date of the answer by the server's clock, in UTC."""
    token: str | None
    """Resumption token of the next part; None if there is none."""
    skipped: Counter[str] = field(default_factory=Counter)
    """Number of records that can't be read, by reason."""


def parse_page(body: bytes) -> Page:
    """Parse an answer to `ListRecords`. Raises SourceError for arXiv's errors and for answers that can't be read.

    A set in which nothing has changed is an empty page.
    """
    rest: dict[str, Element] = {}
    skipped: Counter[str] = Counter()
    records = read_rows("arXiv", _records(body, rest), _record, skipped)
    error = _error(body, rest)
    if error is not None and error.get("code") != "noRecordsMatch":
        raise _refusal(error)
    if error is None and f"{_OAI}ListRecords" not in rest:
        raise SourceError("arXiv sent an answer of OAI-PMH without a list of records")
    token = rest.get(f"{_OAI}resumptionToken")
    return Page(
        records=tuple(records),
        answered=moment(rest[f"{_OAI}responseDate"].text).date(),
        token=((token.text or "").strip() or None) if token is not None else None,
        skipped=skipped,
    )


def parse_record(body: bytes) -> Paper | None:
    """Parse an answer to `GetRecord`; None if arXiv doesn't know that id. Raises SourceError like `parse_page`."""
    rest: dict[str, Element] = {}
    records = read_rows("arXiv", _records(body, rest), _record)
    error = _error(body, rest)
    if error is not None and error.get("code") != "idDoesNotExist":
        raise _refusal(error)
    return next((replace(record.paper, withdrawn=record.withdrawn or None) for record in records), None)


def _records(body: bytes, rest: dict[str, Element]) -> Iterator[Element]:
    """Yield the records of a page, one at a time; its other parts go into `rest`.

    Each is cleared before the next one: freeing a whole tree at once would block all threads for 200 ms.
    """
    for element in elements(body, "an answer of OAI-PMH"):
        if element.tag not in _PARTS:
            continue
        if element.tag != f"{_OAI}record":
            rest[element.tag] = element
            continue
        if _header(element).get("status") != "deleted":
            yield element
        element.clear()


def _error(body: bytes, rest: dict[str, Element]) -> Element | None:
    if f"{_OAI}responseDate" not in rest:
        raise SourceError(f"arXiv sent something that is not an answer of OAI-PMH ({len(body)} bytes)")
    return rest.get(f"{_OAI}error")


def _refusal(error: Element) -> SourceError:
    code, reason = error.get("code", ""), " ".join((error.text or "").split())[:200]
    if code == "badResumptionToken":
        return TokenExpired("arXiv no longer accepts the resumption token")
    hint = ": check PAPERBOY_ARXIV_CATEGORIES" if code == "badArgument" else ""
    return SourceError(f"arXiv refused the OAI-PMH request ({code}: {reason}){hint}")


def _header(record: Element) -> Element:
    header = record.find(f"{_OAI}header")
    return header if header is not None else Element("header")


def _record(record: Element) -> Record:
    raw = record.find(f"{_OAI}metadata/{_RAW}arXivRaw")
    if raw is None:
        raise ValueError("it has no arXivRaw")
    paper_id = arxiv_id(_text(raw, "id"))
    title = clean(_text(raw, "title"))
    versions = raw.findall(f"{_RAW}version")
    if not paper_id or not title or not versions:
        raise ValueError("it lacks an id, a title or a version")
    submitted = parsedate_to_datetime(_text(versions[0], "date"))
    # The server writes "I" for a version without files; authors say in the comment that they withdrew the paper.
    withdrawn = "I" in _text(versions[-1], "source_type") or is_withdrawn(_text(raw, "comments"))
    paper = Paper(
        id=paper_id,
        title=title,
        abstract=clean(_text(raw, "abstract")),
        authors=read_authors(_text(raw, "authors"), last_first=False),
        url=abstract_url(paper_id),
        pdf_url=pdf_url(paper_id),
        published=submitted.replace(tzinfo=submitted.tzinfo or UTC).astimezone(UTC),
        categories=categories(_text(raw, "categories").split()),
        sources=("arxiv",),
        withdrawn=None if len(versions) == 1 else withdrawn,
        versions=len(versions),
        comment=clean(_text(raw, "comments"))[:MAX_NOTE],
        journal_ref=clean(_text(raw, "journal-ref"))[:MAX_NOTE] or None,
        doi=clean(_text(raw, "doi"))[:MAX_NOTE] or None,
    )
    stamp = datetime.fromisoformat(_header(record).findtext(f"{_OAI}datestamp", "")).date()
    return Record(paper, stamp, len(versions), withdrawn)


def _text(element: Element, name: str) -> str:
    return element.findtext(f"{_RAW}{name}", "")

"""arXiv's OAI-PMH answers as records: https://www.openarchives.org/OAI/openarchivesprotocol.html, `arXivRaw`."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime
from xml.etree.ElementTree import Element, ParseError, XMLPullParser

from bot.domain.errors import SourceError
from bot.domain.models import Paper
from bot.sources import arxiv
from bot.sources.authors import read_authors
from bot.sources.fields import moment, read_rows
from bot.text import clean
from bot.text.identity import arxiv_id

_OAI = "{http://www.openarchives.org/OAI/2.0/}"
_RAW = "{http://arxiv.org/OAI/arXivRaw/}"
_PARTS = {f"{_OAI}{name}" for name in ("record", "responseDate", "error", "ListRecords", "resumptionToken")}
_STEP = 64 * 1024
"""Bytes parsed at a stretch: about a millisecond in which no other thread has its turn."""
_WITHDRAWN = re.compile(
    r"\b(?:paper|article|submission|manuscript|work)\b.{0,40}\bwithdrawn\b", re.IGNORECASE
)


class TokenExpired(SourceError):
    """The resumption token is not taken any more: the list is to be asked for anew."""


@dataclass(frozen=True, slots=True)
class Record:
    """A paper as it is now, and what became of it."""

    paper: Paper
    """`published` is when its first version was submitted."""
    stamp: date
    """When anything about it changed last, in UTC."""
    versions: int
    withdrawn: bool


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a list of records."""

    records: tuple[Record, ...]
    answered: date
    """By the server's clock, in UTC."""
    token: str | None
    """Asks for the next part."""


def parse_page(body: bytes) -> Page:
    """An answer to `ListRecords`. Raises SourceError for an error of arXiv's and for what can't be read.

    A set in which nothing has changed is an empty page.
    """
    rest: dict[str, Element] = {}
    records = read_rows("arXiv", _records(body, rest), _record)
    if f"{_OAI}responseDate" not in rest:
        raise SourceError(f"arXiv sent something that is no answer of OAI-PMH ({len(body)} bytes)")
    error = rest.get(f"{_OAI}error")
    if error is not None:
        _refuse(error)
    elif f"{_OAI}ListRecords" not in rest:
        raise SourceError("arXiv sent an answer of OAI-PMH without a list of records")
    token = rest.get(f"{_OAI}resumptionToken")
    return Page(
        records=tuple(records),
        answered=moment(rest[f"{_OAI}responseDate"].text).date(),
        token=((token.text or "").strip() or None) if token is not None else None,
    )


def _records(body: bytes, rest: dict[str, Element]) -> Iterator[Element]:
    """The records of a page, one at a time; what else it has goes into `rest`.

    Each is emptied before the next one: giving a whole tree back at once would hold up all threads for 200 ms.
    """
    for element in _elements(body):
        if element.tag != f"{_OAI}record":
            rest[element.tag] = element
            continue
        if _header(element).get("status") != "deleted":
            yield element
        element.clear()


def _elements(body: bytes) -> Iterator[Element]:
    """What a page consists of, each once it is whole. Declarations are refused: they are what XML bombs need."""
    if b"<!DOCTYPE" in body or b"<!ENTITY" in body:
        raise SourceError("arXiv sent XML with declarations, which its answers never have")
    parser: XMLPullParser[Element] = XMLPullParser()
    try:
        body.decode("utf-8")
        for start in range(0, len(body), _STEP):
            parser.feed(body[start : start + _STEP])
            yield from _whole(parser)
        parser.close()
    except (ParseError, UnicodeDecodeError) as error:
        raise SourceError(f"arXiv sent an answer of OAI-PMH that can't be read: {error}") from error
    yield from _whole(parser)


def _whole(parser: "XMLPullParser[Element]") -> Iterator[Element]:
    elements = (event[1] for event in parser.read_events() if len(event) == 2)
    return (element for element in elements if isinstance(element, Element) and element.tag in _PARTS)


def _refuse(error: Element) -> None:
    code, reason = error.get("code", ""), " ".join((error.text or "").split())[:200]
    if code == "noRecordsMatch":
        return
    if code == "badResumptionToken":
        raise TokenExpired("arXiv doesn't take the resumption token any more")
    hint = ": check PAPERBOY_ARXIV_CATEGORIES" if code == "badArgument" else ""
    raise SourceError(f"arXiv refused the OAI-PMH request ({code}: {reason}){hint}")


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
    paper = Paper(
        id=paper_id,
        title=title,
        abstract=clean(_text(raw, "abstract")),
        authors=read_authors(_text(raw, "authors"), last_first=False),
        url=arxiv.abstract_url(paper_id),
        pdf_url=arxiv.pdf_url(paper_id),
        published=submitted.replace(tzinfo=submitted.tzinfo or UTC).astimezone(UTC),
        categories=arxiv.categories(_text(raw, "categories").split()),
        sources=("arxiv",),
    )
    # "I" is what the server writes for a version without files; the comment is where authors say why.
    ignored = "I" in _text(versions[-1], "source_type")
    withdrawn = ignored or bool(_WITHDRAWN.search(_text(raw, "comments")))
    stamp = datetime.fromisoformat(_header(record).findtext(f"{_OAI}datestamp", "")).date()
    return Record(paper, stamp, len(versions), withdrawn)


def _text(element: Element, name: str) -> str:
    return element.findtext(f"{_RAW}{name}", "")

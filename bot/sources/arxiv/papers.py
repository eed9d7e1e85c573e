"""Shared by arXiv's formats: safe XML, addresses, categories, and the detection of withdrawals."""

import re
from collections.abc import Iterable, Iterator
from xml.etree.ElementTree import Element, ParseError, XMLPullParser

from bot.domain.errors import SourceError
from bot.sources.feed_repair import repair_characters

_STEP = 64 * 1024
"""Number of bytes parsed without a pause: about a millisecond, in which no other thread runs."""
_CATEGORY = re.compile(r"[a-z-]+(\.[A-Za-z-]+)?")

_OWN = r"(?:this|the|our|present|entire|whole|current)"
_WORK = r"(?:paper|article|submission|manuscript|work|preprint|e-print|eprint|report|draft|note|letter|contribution)"
_VERB = r"(?:has|have|had|is|was|were|be|been|being|must|should|will|to|now|hereby|since|thus|therefore|temporarily|voluntarily|also)"
_SELF_WITHDRAWN = re.compile(
    rf"(?:^|[,:(\[] ?)(?:{_OWN} ){{0,2}}{_WORK}(?: by [^,]{{1,60}})?(?:, [^,]{{1,80}},)? (?:{_VERB} ){{0,5}}(?:withdrawn|retracted)\b"
    rf"|(?:^|[,:(\[] ?)(?:{_VERB} ){{1,5}}(?:withdrawn|retracted)\b"
    rf"|(?:^|[,:(\[] ?)(?:withdrawn|retracted)(?= (?:by|due|because|for|as|since|on|until|pending|following|at|after|temporarily|owing|in order)\b|[^\w ]|$)"
    rf"|\bwithdrawal of {_OWN} {_WORK}(?=$|[^\w ]| (?:by|due|because|as|since|at)\b)|(?:^|[,:(\[] ?)(?:please )?withdraw {_OWN} {_WORK}\b"
    rf"|\b(?:authors?|we|i)(?: {_VERB}){{0,3}} (?:withdr[ae]wn?|withdraws|withdrew|retract|retracted) (?:{_OWN}|it|their|my)\b"
)
_NOT_SELF = re.compile(
    r"supersed|replac(?:es|ing) |\b(?:earlier|previous|former|first|other|original|old) (?:version|submission|paper|preprint)|\bv[0-9]\b"
    r"|\bnot (?:been |being )?withdrawn|withdrawn from (?!(?:the )?arxiv)|\bif \b"
)
_MAX_COMMENT = 2000
"""Maximum number of characters read from a comment."""


def abstract_url(paper_id: str) -> str:
    """Return the address of the abstract page, to which arXiv asks others to link."""
    return f"https://arxiv.org/abs/{paper_id}"


def pdf_url(paper_id: str) -> str:
    """Return the address of the latest version's PDF."""
    return f"https://arxiv.org/pdf/{paper_id}"


def categories(terms: Iterable[str], primary: str = "") -> tuple[str, ...]:
    """Return arXiv's categories among `terms`, without duplicates, primary first. MSC and ACM classes are left out."""
    ordered = dict.fromkeys((primary, *terms))
    return tuple(term for term in ordered if _CATEGORY.fullmatch(term))


def is_withdrawn(comment: str) -> bool:
    """Whether a comment says that the paper itself is withdrawn, and not another one, or an earlier version."""
    text = " ".join(comment[:_MAX_COMMENT].lower().split())
    sentences = re.split(r"[.;!?] |[.;!?]$", text)
    return any(_SELF_WITHDRAWN.search(part) and not _NOT_SELF.search(part) for part in sentences)


def elements(body: bytes, what: str) -> Iterator[Element]:
    """Yield the elements of an XML answer from arXiv, each when it is complete, the root last.

    A caller can clear an element that it has read. Raises SourceError for XML that is truncated or broken, and for
    declarations, which XML bombs need and arXiv's answers never have. References and characters that XML forbids are
    repaired.
    """
    if b"<!DOCTYPE" in body or b"<!ENTITY" in body or b"\x00" in body[:4]:
        raise SourceError(f"arXiv sent {what} with declarations or in UTF-16, which its answers never have")
    parser: XMLPullParser[Element] = XMLPullParser()
    valid = repair_characters(body.decode("utf-8", "replace").encode())
    try:
        for start in range(0, len(valid), _STEP):
            parser.feed(valid[start : start + _STEP])
            yield from _complete(parser)
        parser.close()
    except ParseError as error:
        raise SourceError(f"arXiv sent {what} that can't be read: {error}") from error
    yield from _complete(parser)


def _complete(parser: "XMLPullParser[Element]") -> Iterator[Element]:
    found = (event[1] for event in parser.read_events() if len(event) == 2)
    return (element for element in found if isinstance(element, Element))


class Fields(dict[str, list[Element]]):
    """The children of an element by their local names, in any namespace."""

    def all(self, name: str) -> list[Element]:
        """Return the children with that name."""
        return self.get(name, [])

    def text(self, name: str) -> str:
        """Return the text of the first child with that name; empty if there is none."""
        found = self.get(name)
        return (found[0].text or "").strip() if found else ""


def fields_of(element: Element) -> Fields:
    """Return the children of `element`."""
    fields = Fields()
    for child in element:
        fields.setdefault(child.tag.rpartition("}")[2], []).append(child)
    return fields

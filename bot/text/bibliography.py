"""Exports papers for reference managers: BibTeX, RIS, CSL JSON and Markdown.

A key has the first author, the year and the paper's whole id: so two papers never share one, and a paper has the same
key in every export.
"""

import io
import json
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

import rispy
from pybtex.database import BibliographyData, Entry, Person
from pybtex.database.output.bibtex import Writer

from bot.domain.models import Paper
from bot.text.identity import is_arxiv

MAX_SURNAME = 30
"""Maximum number of characters of a surname in a key."""
_KEY_SAFE = ".-/:_"
_ESCAPES = str.maketrans(
    {
        "\\": r"{\textbackslash}",
        "{": r"{\textbraceleft}",  # `\{` would count as a brace for BibTeX
        "}": r"{\textbraceright}",
        "~": r"{\textasciitilde}",
        "^": r"{\textasciicircum}",
        "$": r"\$",
        "&": r"\&",
        "%": r"\%",
        "#": r"\#",
        "_": r"\_",
    }
)
_LITERAL = re.compile(r"[,{}\\]|\band\b|\b(?:collaboration|team|group|consortium)\b", re.IGNORECASE)
"""Matches a name that isn't a person's first and last name."""
_MARKDOWN = re.compile(r"([\\`*_\[\]<>#|])")


@dataclass(frozen=True, slots=True)
class Listed:
    """A paper on a list, with its note and tags."""

    paper: Paper
    note: str = ""
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Format:
    """A file format of reference managers."""

    name: str
    """Name that users see."""
    suffix: str
    mime: str
    write: Callable[[Sequence[Listed]], str]


class _Writer(Writer):  # type: ignore[misc]  # pybtex has no types
    """Writes fields unchanged: they are LaTeX already, and encoding them takes ten times as long as the rest."""

    def _encode(self, text: str) -> str:
        return text


class _RisWriter(rispy.RisWriter):  # type: ignore[misc]  # rispy has no types
    """Writes no number before a record: strict readers reject it."""

    def set_header(self, _count: int) -> str:
        return ""


def key_of(paper: Paper) -> str:
    """Return the paper's key: `vaswani2017:1706.03762`."""
    surname = _surname(paper.authors[0]) if paper.authors else ""
    ascii_only = unicodedata.normalize("NFKD", surname).encode("ascii", "ignore").decode()
    letters = "".join(filter(str.isalpha, ascii_only))[:MAX_SURNAME].lower() or "anon"
    # Percent signs begin a comment in LaTeX. `quote` leaves no plus sign, so that every "+" stands for a "%".
    return f"{letters}{paper.published.year}:{quote(paper.id, safe=_KEY_SAFE).replace('%', '+').replace('~', '+7E')}"


def bibtex(papers: Sequence[Listed]) -> str:
    """Return the papers as BibTeX in UTF-8, safe for LaTeX."""
    stream = io.StringIO()
    entries = {key_of(listing.paper): _bibtex_entry(listing) for listing in papers}
    _Writer(encoding="utf-8").write_stream(BibliographyData(entries), stream)
    return stream.getvalue()


def ris(papers: Sequence[Listed]) -> str:
    """Return the papers as RIS."""
    return str(rispy.dumps([_ris_entry(listing) for listing in papers], implementation=_RisWriter))


def csl(papers: Sequence[Listed]) -> str:
    """Return the papers as CSL JSON, which citation processors read."""
    return json.dumps([csl_entry(listing) for listing in papers], ensure_ascii=False, indent=1) + "\n"


def markdown(papers: Sequence[Listed]) -> str:
    """Return the papers as a list in Markdown."""
    return "".join(_markdown_line(listing) for listing in papers)


FORMATS: Mapping[str, Format] = MappingProxyType(
    {
        "bibtex": Format("BibTeX", "bib", "application/x-bibtex", bibtex),
        "ris": Format("RIS", "ris", "application/x-research-info-systems", ris),
        "csl": Format("CSL JSON", "json", "application/vnd.citationstyles.csl+json", csl),
        "md": Format("Markdown", "md", "text/markdown", markdown),
    }
)


def _bibtex_entry(listing: Listed) -> Any:
    paper = listing.paper
    fields = {
        "title": f"{{{_tex(paper.title)}}}",  # braces keep its capitals
        "year": str(paper.published.year),
        "month": f"{paper.published.month:02}",
        "journal": _tex(paper.journal_ref or ""),
        "doi": _tex(_doi(paper)),
        "eprint": paper.id if is_arxiv(paper.id) else "",
        "archiveprefix": "arXiv" if is_arxiv(paper.id) else "",
        "primaryclass": _tex(paper.categories[0]) if is_arxiv(paper.id) and paper.categories else "",
        "version": str(paper.versions or ""),
        "url": _tex(_url(paper)),
        "abstract": _tex(paper.abstract),
        "keywords": _tex(", ".join(listing.tags)),
        "annote": _tex(listing.note),
    }
    people = {"author": [_bibtex_person(name) for name in paper.authors if name.strip()]}
    kind = "article" if paper.journal_ref else "misc"
    filled = [(name, text) for name, text in fields.items() if text]
    return Entry(kind, filled, persons={role: names for role, names in people.items() if names})


def _bibtex_person(name: str) -> Any:
    if _LITERAL.search(name) or " " not in name.strip():
        whole = Person()
        whole.last_names = [f"{{{_tex(name)}}}"]  # pybtex would split a string, in more than linear time
        return whole
    return Person(_tex(name))


def _ris_entry(listing: Listed) -> dict[str, Any]:
    paper = listing.paper
    accession = f"arXiv:{paper.id}" if is_arxiv(paper.id) else ""
    values: dict[str, Any] = {
        "id": key_of(paper),
        "title": _line(paper.title),
        "authors": [_reversed(name) for name in paper.authors if name.strip()],
        "year": str(paper.published.year),
        "date": paper.published.strftime("%Y/%m/%d"),
        "secondary_title": _line(paper.journal_ref or ""),
        "doi": _line(_doi(paper)),
        "accession_number": accession,
        "edition": f"v{paper.versions}" if paper.versions else "",
        "urls": list(filter(None, [_url(paper)])),
        "abstract": _line(paper.abstract),
        "keywords": list(listing.tags),
        "notes": [_line(listing.note)] if listing.note else [],
    }
    kind = "JOUR" if paper.journal_ref else "UNPB"
    return {"type_of_reference": kind, **{name: value for name, value in values.items() if value}}


def csl_entry(listing: Listed) -> dict[str, Any]:
    """Return a paper as an entry of CSL JSON, without unknown fields."""
    paper = listing.paper
    day = paper.published
    values: dict[str, Any] = {
        "title": paper.title,
        "author": [_csl_name(name) for name in paper.authors if name.strip()],
        "issued": {"date-parts": [[day.year, day.month, day.day]]},
        "container-title": paper.journal_ref,
        "DOI": _doi(paper),
        "number": f"arXiv:{paper.id}" if is_arxiv(paper.id) else "",
        "publisher": "arXiv" if is_arxiv(paper.id) and not paper.journal_ref else "",
        "version": str(paper.versions or ""),
        "URL": _url(paper),
        "abstract": paper.abstract,
        "keyword": ", ".join(listing.tags),
        "note": listing.note,
    }
    kind = "article-journal" if paper.journal_ref else "article"
    return {"id": key_of(paper), "type": kind, **{name: value for name, value in values.items() if value}}


def _csl_name(name: str) -> dict[str, str]:
    if _LITERAL.search(name) or " " not in name.strip():
        return {"literal": name}
    given, _, family = name.strip().rpartition(" ")
    return {"family": family, "given": given}


def _markdown_line(listing: Listed) -> str:
    paper = listing.paper
    shown = [*paper.authors[:3], *(["et al."] if len(paper.authors) > 3 else [])]
    url, title = _url(paper), _marked(paper.title)
    link = f"[{title}](<{quote(url, safe='%/:=&?#+~.,;@-_')}>)" if url else title
    parts = (
        ", ".join(_marked(name) for name in shown),
        str(paper.published.year),
        _marked(paper.journal_ref or ""),
        " ".join(f"`#{tag}`" for tag in listing.tags),
        _marked(listing.note),
    )
    return f"- {link} · {' · '.join(filter(None, parts))}\n"


def _url(paper: Paper) -> str:
    """The paper's page if its address is HTTP(S), because reference managers open any address."""
    return paper.url if paper.url.lower().startswith(("https://", "http://")) else ""


def _doi(paper: Paper) -> str:
    """The DOI of the published paper, or of a preprint whose id is a DOI."""
    return paper.doi or (paper.id.removeprefix("doi:") if paper.id.startswith("doi:") else "")


def _surname(name: str) -> str:
    return (name.partition(",")[0] if "," in name else name).strip().rpartition(" ")[2]


def _reversed(name: str) -> str:
    """A name in RIS's order: `Bengio, Yoshua`."""
    parts = _csl_name(_line(name))
    return parts.get("literal") or f"{parts['family']}, {parts['given']}"


def _tex(text: str) -> str:
    return _line(text).translate(_ESCAPES)


def _line(text: str) -> str:
    """`text` in one line, because a line break ends a field of RIS."""
    return " ".join(text.split())


def _marked(text: str) -> str:
    return _MARKDOWN.sub(r"\\\1", _line(text))


def listed(papers: Iterable[Paper]) -> list[Listed]:
    """Return papers as `Listed`, without notes and tags."""
    return [Listed(paper) for paper in papers]

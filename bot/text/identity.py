"""Reads any URL or identifier of a paper and returns its canonical id.

    >>> paper_id("https://export.arxiv.org/pdf/math.GT/0309136v2.pdf?download=1")
    'math/0309136'
    >>> paper_id("https://journals.example.org/doi/full/10.1234%2FABC.5/abstract#refs")
    'doi:10.1234/abc.5'

The canonical ids are arXiv's number without version and subject class (`2403.12345`, `math/0309136`), `doi:10.…` in
lower case without version, `pmid:…`, `pmcid:…`, `openreview:…`, `acl:…`, and Semantic Scholar's `s2:…` and
`corpusid:…`. A canonical id is read as itself. All patterns are linear, and a text that is too long isn't read.
"""

import re
from collections.abc import Callable, Sequence
from urllib.parse import parse_qsl, unquote, urlsplit

from bot.text.identifiers import (
    ARCHIVES,
    ARXIV,
    ARXIV_NUMBER,
    DOI,
    arxiv_number,
    numbered,
    read_acl,
    read_doi,
    read_identifier,
    read_openreview,
    read_pmc,
    read_s2,
    trimmed,
)

MAX_LENGTH = 2048
"""Maximum length in characters of an address or identifier; longer ones aren't read."""
_MAX_FIELDS = 50
"""Maximum number of fields of a query string; addresses with more aren't read."""
_ARXIV_PATH = re.compile(
    rf"(?:arxiv[:.])?(?:{ARXIV_NUMBER})(?:v[0-9]{{1,3}})?(?:\.(?:pdf|ps|html?|md))?(?=/|$)",
    re.IGNORECASE | re.ASCII,
)
_ARXIV_FTP = re.compile(
    rf"/ftp/({ARCHIVES})/papers/[0-9]{{4}}/([0-9]{{7}})\.[a-z]{{2,4}}", re.IGNORECASE | re.ASCII
)
_ARXIV_BIBCODE = re.compile(r"/abs/[0-9]{4}arxiv([0-9]{4})\.?([0-9]{4,5})[a-z.]", re.IGNORECASE | re.ASCII)
_DBLP = re.compile(
    r"/rec/(?:[a-z]{2,8}/)?journals/corr/abs-([0-9]{4})-([0-9]{4,5})(?=[./]|$)", re.IGNORECASE | re.ASCII
)
_NOT_PAPERS = frozenset({"a", "archive", "auth", "catchup", "find", "help", "list", "search", "year"})
"""First parts of paths on arXiv's hosts that aren't a paper's page."""
_PREPRINT = re.compile(
    r"/([0-9]{4})\.([0-9]{2})\.([0-9]{2})\.([0-9]{6,8})|/early/(?:[0-9]+/)*([0-9]{6})(?=[v./]|$)", re.ASCII
)
_NEW_PREFIX = ("2025", "12")
"""Year and month from which bioRxiv and medRxiv register DOIs under 10.64898 instead of 10.1101."""
_HOST = re.compile(r"(?:[a-z0-9_-]{1,63}\.){1,6}[a-z]{2,10}(?::[0-9]{1,5})?[/?]", re.IGNORECASE | re.ASCII)

_LABEL = re.compile(r"^(?:doi|arxiv|pmid|url|link|id) ?: ?(?=https?://)", re.IGNORECASE | re.ASCII)
"""A label before an address: `DOI: https://doi.org/10.1234/x`."""

Query = Sequence[tuple[str, str]]
"""Fields of an address's query string, decoded."""


def paper_id(text: str) -> str | None:
    """Return the canonical id if all of `text` names a single paper, else None."""
    return _read(text, depth=0)


def arxiv_id(text: str) -> str | None:
    """Return the canonical id if `text` names a paper on arXiv, else None."""
    if plain := ARXIV.fullmatch(text.removeprefix("oai:arXiv.org:")):  # arXiv's own spelling
        return arxiv_number(plain)
    found = paper_id(text)
    return found if found and is_arxiv(found) else None


def is_arxiv(canonical: str) -> bool:
    """Whether a canonical id is an arXiv id."""
    return ARXIV.fullmatch(canonical) is not None


def _read(text: str, depth: int) -> str | None:
    if len(text) > MAX_LENGTH:
        return None
    text = _LABEL.sub("", trimmed(text))
    return read_identifier(text) or (_address(text, depth) if depth < 3 else None)


def _address(text: str, depth: int) -> str | None:
    """The paper of a web address, by its host; else by a DOI or another address inside it."""
    text = text.partition("|")[0]  # Slack writes <address|label>
    if "://" not in text:
        text = f"https://{text.lstrip('/')}" if _HOST.match(text.lstrip("/")) else ""
    if " " in text:
        return None
    try:
        parts = urlsplit(text)
        host = (parts.hostname or "").removeprefix("www.")
        query = parse_qsl(parts.query, max_num_fields=_MAX_FIELDS)
    except ValueError:
        return None
    if not host or parts.scheme.lower() not in ("http", "https", "ftp"):
        return None
    path = re.sub(r"/{2,}", "/", unquote(parts.path))
    for hosts, read in _SITES:
        is_on_site = any(host == known or host.endswith(f".{known}") for known in hosts)
        if is_on_site and (found := read(path, query)):
            return found
    return _doi_in(path, query, parts.fragment) or _address_in(path, parts.query, query, depth)


def _on_arxiv(path: str, _query: Query = ()) -> str | None:
    if found := _ARXIV_FTP.match(path):
        return f"{found[1].lower()}/{found[2]}"
    parts = path.strip("/").split("/")
    if parts[0].lower() in _NOT_PAPERS:
        return None
    at = 1
    for part in parts[:8]:
        if found := _ARXIV_PATH.match(path, at):
            return arxiv_number(found)
        at += len(part) + 1
    return None


def _on_hugging_face(path: str, _query: Query) -> str | None:
    return _on_arxiv(path) if path.removeprefix("/api").startswith("/papers/") else None


def _on_semantic_scholar(path: str, _query: Query) -> str | None:
    for part in reversed(path.split("/")):
        if found := read_s2(part) or (read_identifier(part) if ":" in part else None):
            return found
    _, named, doi = path.lower().partition("/doi:")
    return (read_doi(doi) if named else None) or (_on_arxiv(path) if "arxiv" in path.lower() else None)


def _on_openreview(path: str, query: Query) -> str | None:
    if path.strip("/").partition("/")[0] in {
        "forum",
        "pdf",
        "attachment",
        "revisions",
        "references",
        "notes",
    }:
        return next((read_openreview(value) for name, value in query if name == "id"), None)
    return None


def _on_pubmed(path: str, query: Query) -> str | None:
    parts = [part.lower() for part in path.strip("/").split("/")]
    for name, value in zip(["", *parts], parts, strict=False):
        if found := read_pmc(value):
            return found
        if name in {"", "pubmed", "med"} and (found := numbered(value, "pmid", 9)):
            return found
    if parts[0] in {"", "pubmed"}:
        return next((numbered(value, "pmid", 9) for name, value in query if name == "term"), None)
    return None


def _on_acl(path: str, _query: Query) -> str | None:
    parts = path.strip("/").split("/")
    return next((found for part in parts[:6] if (found := read_acl(part))), None)


def _on_openrxiv(path: str, _query: Query) -> str | None:
    if found := _doi_in(path, ()):
        return found
    number = _PREPRINT.search(path)
    if not number:
        return None
    if number[5]:
        return f"doi:10.1101/{number[5]}"
    prefix = "10.64898" if (number[1], number[2]) >= _NEW_PREFIX else "10.1101"
    return f"doi:{prefix}/{number[1]}.{number[2]}.{number[3]}.{number[4]}"


def _on_nature(path: str, _query: Query) -> str | None:
    first, _, slug = path.strip("/").partition("/")
    return read_doi(f"10.1038/{slug.removeprefix('10.1038/')}") if first == "articles" and slug else None


def _on_ads(path: str, _query: Query) -> str | None:
    bibcode = _ARXIV_BIBCODE.match(path)
    return f"{bibcode[1]}.{bibcode[2]}" if bibcode else _on_arxiv(path)


def _on_dblp(path: str, _query: Query) -> str | None:
    found = _DBLP.match(path)
    return f"{found[1]}.{found[2]}" if found else None


_SITES: Sequence[tuple[tuple[str, ...], Callable[[str, Query], str | None]]] = (
    (
        ("arxiv.org", "ar5iv.org", "alphaxiv.org", "xxx.lanl.gov", "xxx.itp.ac.cn", "arxiv-vanity.com", "scirate.com",
         "papers.cool", "emergentmind.com"),
        _on_arxiv,
    ),
    (("huggingface.co", "hf.co"), _on_hugging_face),
    (("semanticscholar.org",), _on_semantic_scholar),
    (("openreview.net",), _on_openreview),
    (("ncbi.nlm.nih.gov", "europepmc.org"), _on_pubmed),
    (("aclanthology.org", "aclweb.org", "aclanthology.info", "aclanthology.coli.uni-saarland.de"), _on_acl),
    (("biorxiv.org", "medrxiv.org"), _on_openrxiv),
    (("nature.com",), _on_nature),
    (("adsabs.harvard.edu",), _on_ads),
    (("dblp.org", "dblp.uni-trier.de"), _on_dblp),
)  # fmt: skip


def _doi_in(path: str, query: Query, fragment: str = "") -> str | None:
    """The DOI in an address: in its path, a field of its query string or its fragment."""
    for text in (path, *(unquote(value) for _, value in query), unquote(fragment)):
        at = text.find("10.")
        while at >= 0:
            if text[at - 1 : at] in ("/", ":", "=", " ", "") and DOI.match(text, at):
                return read_doi(text[at:])
            at = text.find("10.", at + 3)
    return None


def _address_in(path: str, raw: str, query: Query, depth: int) -> str | None:
    """The paper of an address inside another one: an archived page, a redirect, a share button."""
    at = max(path.find("/http:/"), path.find("/https:/"))
    if at >= 0:
        inner = path[at + 1 :].replace(":/", "://", 1) + (f"?{raw}" if raw else "")
        return _read(inner, depth + 1)
    for _, value in query:
        if "://" in value[:8] and (found := _read(value, depth + 1)):
            return found
    return None

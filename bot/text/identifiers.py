"""Reads identifiers of papers as people and publishers write them: arXiv ids, DOIs, and those of other indexes.

`bot.text.identity` reads addresses too and is what other modules import.
"""

import re
from collections.abc import Callable, Mapping
from urllib.parse import unquote

ARCHIVES = (
    "acc-phys|adap-org|alg-geom|ao-sci|astro-ph|atom-ph|bayes-an|chao-dyn|chem-ph|cmp-lg|comp-gas|cond-mat|cs|dg-ga"
    "|funct-an|gr-qc|hep-ex|hep-lat|hep-ph|hep-th|math-ph|math|mtrl-th|nlin|nucl-ex|nucl-th|patt-sol|physics|plasm-ph"
    "|q-alg|q-bio|quant-ph|solv-int|supr-con"
)
"""arXiv's archives from before April 2007, when ids began with one:
https://info.arxiv.org/help/arxiv_identifier.html."""
ARXIV_NUMBER = (
    rf"(?P<new>[0-9]{{4}}\.[0-9]{{4,5}})|(?P<archive>{ARCHIVES})(?:\.[a-z-]{{2,12}})?/(?P<old>[0-9]{{7}})"
)
ARXIV = re.compile(
    rf"(?:{ARXIV_NUMBER})(?:v[0-9]{{1,3}})?(?:\.(?:pdf|ps|ps\.gz|html?|md|tar\.gz))?",
    re.IGNORECASE | re.ASCII,
)
DOI = re.compile(r"10\.[0-9]{4,9}(?:\.[0-9]{1,9})*/[^\s\"“”„‟«»＂，、（）]+", re.ASCII)
_DOI_END = re.compile(
    r"[?#&]|;[a-z]+=|/(?:suppl?|asset|-/dc|tables?|figures?)(?=[/_.\-0-9]|$)", re.IGNORECASE | re.ASCII
)
_DOI_TAILS = (
    *("/full", "/fulltext", "/full-text", "/full.html", "/abstract", "/abs", "/summary", "/pdf", "/pdfft", "/epdf", "/epub"),
    *("/pdfdirect", "/html", "/xml", "/meta", "/references", "/figures", "/metrics", "/media", "/citations", "/citation"),
    *("/related", "/download", "/reader", "/export", "/short", "/long", "/ris", "/bibtex", "/info", "/preview", "/"),
    *(".pdf", ".pdf+html", ".html", ".htm", ".xml", ".epub", ".full", ".full+html", ".full-text", ".abstract", ".short"),
    *(".long", ".extract", ".article-info", ".article-metrics", ".supplementary-material"),
)  # fmt: skip
"""Suffixes that publishers append to a DOI in a paper's URLs."""
_VERSIONS = re.compile(
    r"(?P<preprint>10\.(?:1101|64898)/(?:[0-9]{4}\.[0-9]{2}\.[0-9]{2}\.[0-9]{6,8}|[0-9]{6}))(?:v[0-9]{1,3})?(?:[./].*)?"
    r"|(?P<dash>10\.26434/chemrxiv[^/]*?)-v[0-9]{1,2}"
    r"|(?P<slash>10\.21203/rs\.[^/]+)/v[0-9]{1,2}"
    r"|(?P<dot>10\.(?:20944/preprints[0-9.]+?|12688/[a-z0-9]+\.[0-9]+|6084/m9\.figshare\.[0-9]+))\.v?[0-9]{1,2}"
    r"|(?P<under>10\.[0-9]{5}/osf\.io/[a-z0-9]+)_v[0-9]{1,2}"
    r"|(?P<oup>10\.1093/[^/]+/[^/]+)/[0-9]{5,9}(?:/.*)?"
)
"""DOIs that end in a version, and Oxford's, which are followed by the page's number in URLs."""
_VERSION = re.compile(r"(?<=[0-9])v[0-9]{1,2}$", re.ASCII)

_ACL = re.compile(
    r"([a-z][0-9]{2}-[0-9]{4}|[0-9]{4}\.[a-z0-9_]+-[a-z0-9_]+\.[0-9]+)(?:v[0-9])?(?:\.[a-z]{2,5})?",
    re.IGNORECASE | re.ASCII,
)
_S2 = re.compile(r"[0-9a-f]{40}", re.ASCII)
_OPENREVIEW = re.compile(r"[A-Za-z0-9_-]{6,40}", re.ASCII)
_PREFIX = re.compile(
    r"(?P<name>arxiv|e-print|preprint|doi|pmid|pmcid|pubmed|openreview|acl|s2|corpusid|id|abs|hf|info:doi|urn:doi|oai:arxiv\.org|oai:doi)"
    r"(?:\s*[:/]\s*|\s+)",
    re.IGNORECASE | re.ASCII,
)
_OPENERS, _CLOSERS = "<([{\"'“«‘", ">)]}\"'”»’"
_PAIRS = dict(zip(">)]}", "<([{", strict=True))


def trimmed(text: str) -> str:
    """Remove what surrounds an identifier in sentences and citations: brackets, quotes, `[cs.CL]`, a full stop."""
    text = _unwrapped("".join(filter(str.isprintable, text.replace("\n", " ").replace("\t", " "))).strip())
    if text.endswith("]") and (at := text.rfind(" [")) > 0:
        return _unwrapped(text[:at])
    return text


def _unwrapped(text: str) -> str:
    """`text` without quotes, punctuation and unbalanced brackets at its ends."""
    start, end = 0, len(text)
    while start < end and text[start] in _OPENERS:
        start += 1
    opened = {opener: text.count(opener, start) for opener in _PAIRS.values()}
    closed = {closer: text.count(closer, start) for closer in _PAIRS}
    while start < end:
        last = text[end - 1]
        if last in _PAIRS:
            if closed[last] <= opened[_PAIRS[last]]:
                break
            closed[last] -= 1
        elif last not in ".,;: " and last not in _CLOSERS:
            break
        end -= 1
    return text[start:end]


def read_identifier(text: str) -> str | None:
    """Return the canonical id for an identifier, with or without its name: `arXiv:2403.12345v2`, `10.1234/x`."""
    kind = ""
    for _ in range(3):  # "arXiv preprint arXiv:2403.12345"
        if not (prefix := _PREFIX.match(text)):
            break
        kind, text = prefix["name"].lower(), text[prefix.end() :]
    if " " in text:
        return None
    if found := ARXIV.fullmatch(text):
        return arxiv_number(found)
    if DOI.match(text) or (kind.endswith("doi") and DOI.match(unquote(text))):
        return read_doi(text if "%" not in text else unquote(text))
    if kind in _NAMED:
        return _NAMED[kind](text)
    found = _ACL.fullmatch(text)
    return f"acl:{found[1].lower()}" if found and "." in found[1] else None


def arxiv_number(found: re.Match[str]) -> str:
    """Return the canonical id of a match of `ARXIV_NUMBER`."""
    return found["new"] or f"{found['archive'].lower()}/{found['old']}"


def numbered(text: str, name: str, most: int = 12) -> str | None:
    """Return `name:123` for a number of at most `most` digits, else None."""
    digits = text.lstrip("0")
    return f"{name}:{digits}" if digits.isascii() and digits.isdecimal() and len(digits) <= most else None


def _read_pubmed(text: str) -> str | None:
    return read_pmc(text) or numbered(text.partition("/")[0], "pmid", 9)


def read_pmc(text: str) -> str | None:
    """Return the canonical id for an id of PubMed Central, which begins with PMC."""
    letters, number = text[:3].lower(), text[3:].partition(".")[0]
    found = numbered(number, "pmcid", 10) if letters == "pmc" else None
    return found and found.replace(":", ":pmc")


def read_openreview(text: str) -> str | None:
    """Return the canonical id for an id of OpenReview, which is case-sensitive."""
    return f"openreview:{text}" if _OPENREVIEW.fullmatch(text) else None


def read_acl(text: str) -> str | None:
    """Return the canonical id for an id of the ACL Anthology: `P19-1001`, `2020.acl-main.1`."""
    found = _ACL.fullmatch(text)
    return f"acl:{found[1].lower()}" if found else None


def read_s2(text: str) -> str | None:
    """Return the canonical id for an id of Semantic Scholar, which is a SHA-1 digest."""
    return f"s2:{text.lower()}" if _S2.fullmatch(text.lower()) else None


_NAMED: Mapping[str, Callable[[str], str | None]] = {
    "pmid": _read_pubmed,
    "pubmed": _read_pubmed,
    "pmcid": read_pmc,
    "openreview": read_openreview,
    "acl": read_acl,
    "s2": read_s2,
    "corpusid": lambda text: numbered(text, "corpusid"),
}


def read_doi(text: str) -> str | None:
    """Return the canonical id for a text that begins with a DOI."""
    found = DOI.match(text)
    if not found:
        return None
    doi = found[0].lower()
    if end := _DOI_END.search(doi, doi.index("/") + 1):
        doi = doi[: end.start()]
    doi = _without_tails(doi)
    registrant, _, suffix = doi.partition("/")
    if registrant == "10.48550" and (number := ARXIV.fullmatch(suffix.removeprefix("arxiv."))):
        return arxiv_number(number)
    if registrant == "10.18653" and (anthology := read_acl(suffix.removeprefix("v1/"))):
        return anthology
    if versioned := _VERSIONS.fullmatch(doi):
        doi = next(group for group in versioned.groups() if group)
    elif registrant != "10.48550":
        doi = _VERSION.sub("", doi)
    return f"doi:{doi}" if doi.partition("/")[2] else None


def _without_tails(doi: str) -> str:
    for _ in range(6):
        shorter = _unwrapped(doi)
        for tail in _DOI_TAILS:
            if shorter.endswith(tail) and "/" in shorter[: -len(tail)]:
                shorter = shorter[: -len(tail)]
                break
        if shorter == doi:
            break
        doi = shorter
    return doi

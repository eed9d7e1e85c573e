"""The papers and the code that a text names, by links and identifiers among other words.

>>> papers_in("See <https://arxiv.org/abs/2403.12345v2|this> and PMID 38123456.")
('2403.12345', 'pmid:38123456')
"""

import re
from collections.abc import Iterator

from bot.text.identity import paper_id

MAX_TEXT = 50_000
"""Characters of a text that are read; the longest message of a supported platform has 40,000."""
MAX_PAPERS = 20
"""Papers that are read from one text."""
_LINK = re.compile(r"https?://[^\s<>|\"`]+", re.IGNORECASE)
"""A link within markup: `[title](https://…)`, `<https://…|title>`."""
_NAMES = frozenset({"arxiv", "corpusid", "doi", "pmcid", "pmid", "pubmed"})
"""Words that say which kind of identifier the next word is."""
_MARKS = "*|~`"
"""Markup around a word: bold, hidden, struck out, code. An underscore counts only at both ends: ids can end with one."""
MAX_CODE_TEXT = 4000
"""Characters of a text in which links to code are looked for."""
_REPOSITORY = re.compile(
    r"(?<![\w.-])(?:https?://)?(?:www\.)?(github\.com|gitlab\.com|codeberg\.org|bitbucket\.org)/([\w.-]{1,60})/([\w.-]{1,100})",
    re.IGNORECASE | re.ASCII,
)
_NO_OWNERS = frozenset(
    [
        "orgs",
        "topics",
        "features",
        "sponsors",
        "search",
        "collections",
        "marketplace",
        "settings",
        "apps",
        "about",
    ]
)


def papers_in(text: str, most: int = MAX_PAPERS) -> tuple[str, ...]:
    """The canonical ids of the papers that `text` names, each once, in their order; at most `most`."""
    found: dict[str, None] = {}
    for paper in _mentions(text[:MAX_TEXT]):
        found.setdefault(paper)
        if len(found) == most:
            break
    return tuple(found)


def _mentions(text: str) -> Iterator[str]:
    if whole := paper_id(text):
        yield whole
        return
    before = ""
    for word in map(_bare, text.split()):
        named = before.rstrip(":").casefold() in _NAMES
        found = paper_id(word) or (paper_id(f"{before} {word}") if named else None)
        if found:
            yield found
        else:
            yield from filter(None, (paper_id(link[0]) for link in _LINK.finditer(word)))
        before = word


def _bare(word: str) -> str:
    bare = word.strip(_MARKS)
    return bare[1:-1] if bare.startswith("_") and bare.endswith("_") else bare


def code_link(text: str) -> str | None:
    """The address of the first repository that the text names; None if it names none."""
    for host, owner, name in _REPOSITORY.findall(text[:MAX_CODE_TEXT]):
        repository = name.rstrip(".-_").removesuffix(".git")
        if owner.casefold() not in _NO_OWNERS and repository:
            return f"https://{host.lower()}/{owner}/{repository}"
    return None

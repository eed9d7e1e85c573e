"""Finds the papers and the code repositories that a text links to or names by identifier.

>>> papers_in("See <https://arxiv.org/abs/2403.12345v2|this> and PMID 38123456.")
('2403.12345', 'pmid:38123456')
"""

import re
from collections.abc import Iterator

from bot.text.identity import paper_id

MAX_TEXT = 50_000
"""Maximum number of characters read. The longest message of a supported platform has 40,000."""
MAX_PAPERS = 20
"""Maximum number of papers read from one text."""
_LINK = re.compile(r"https?://[^\s<>|\"`]+", re.IGNORECASE)
"""A link within markup: `[title](https://…)`, `<https://…|title>`."""
_NAMES = frozenset({"arxiv", "corpusid", "doi", "pmcid", "pmid", "pubmed"})
"""Words that say which kind of identifier the next word is."""
_MARKS = "*|~`"
"""Markup around a word: bold, spoiler, strikethrough, code. An underscore only counts at both ends: ids can end in
one."""
MAX_CODE_TEXT = 4000
"""Maximum number of characters searched for links to code."""
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
    """Return the distinct canonical ids of the papers that `text` names, in order; at most `most`."""
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
    """Return the address of the first repository that the text names; None if it names none."""
    for host, owner, name in _REPOSITORY.findall(text[:MAX_CODE_TEXT]):
        repository = name.rstrip(".-_").removesuffix(".git")
        if owner.casefold() not in _NO_OWNERS and repository:
            return f"https://{host.lower()}/{owner}/{repository}"
    return None

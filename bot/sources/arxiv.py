"""What all of arXiv's formats share: identifiers, addresses, categories and author lines."""

import re
from collections.abc import Iterable

_CATEGORY = re.compile(r"[a-z-]+(\.[A-Za-z-]+)?")
_SUFFIX = re.compile(r"(?:Jr|Sr|Ph\.?D|M\.?D|I{2,3}|IV)\.?", re.IGNORECASE)
_AFFILIATION = re.compile(r"\s*\((?:[^()]|\([^()]*\))*\)\s*$")


def abstract_url(paper_id: str) -> str:
    """Where arXiv wants links to go."""
    return f"https://arxiv.org/abs/{paper_id}"


def pdf_url(paper_id: str) -> str:
    return f"https://arxiv.org/pdf/{paper_id}"


def categories(terms: Iterable[str], primary: str = "") -> tuple[str, ...]:
    """arXiv's categories among `terms`, each once, the primary one first. MSC and ACM classes are left out."""
    ordered = dict.fromkeys((primary, *terms))
    return tuple(term for term in ordered if _CATEGORY.fullmatch(term))


def author_names(line: str) -> tuple[str, ...]:
    """The names in arXiv's one line of authors, raw.

    Commas inside parentheses (affiliations, which are dropped) and braces (TeX) don't part names, and
    neither does the one before "Jr." and its like. A colon parts a collaboration from its members.
    """
    names: list[str] = []
    for part in _parts(line):
        name = _AFFILIATION.sub("", part).strip()
        if names and _SUFFIX.fullmatch(name):
            names[-1] += f", {name}"
        elif name:
            names.append(name)
    return tuple(names)


def _parts(line: str) -> list[str]:
    """`line` cut at the separators that stand outside of all brackets."""
    separators = r",|:(?=\s)|\s+and\s+"
    depth, start, parts = 0, 0, []
    for match in re.finditer(rf"[({{]|[)}}]|{separators}", line):
        if match[0] in "({":
            depth += 1
        elif match[0] in ")}":
            depth -= 1
        elif depth == 0:
            parts.append(line[start : match.start()])
            start = match.end()
    if depth != 0:  # unbalanced: brackets say nothing here
        return re.split(separators, line)
    return [*parts, line[start:]]

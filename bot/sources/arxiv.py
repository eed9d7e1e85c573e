"""What all of arXiv's formats share: addresses and categories."""

import re
from collections.abc import Iterable

_CATEGORY = re.compile(r"[a-z-]+(\.[A-Za-z-]+)?")


def abstract_url(paper_id: str) -> str:
    """The page of the abstract, to which arXiv asks others to link."""
    return f"https://arxiv.org/abs/{paper_id}"


def pdf_url(paper_id: str) -> str:
    return f"https://arxiv.org/pdf/{paper_id}"


def categories(terms: Iterable[str], primary: str = "") -> tuple[str, ...]:
    """arXiv's categories among `terms`, each once, the primary one first. MSC and ACM classes are left out."""
    ordered = dict.fromkeys((primary, *terms))
    return tuple(term for term in ordered if _CATEGORY.fullmatch(term))

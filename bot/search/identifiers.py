"""The paper that an id or a link names: arXiv, Hugging Face or DOI, in the forms that people paste."""

import re
from urllib.parse import unquote

_ARXIV = r"(\d{4}\.\d{4,5}|[a-z-]+(?:\.[a-z]{2})?/\d{7})(?:v\d+)?"
_ARXIV_DOI = r"10\.48550/arxiv\."
_FORMS = re.compile(
    rf"(?:(?:arxiv|id|abs|doi)\s*:\s*)?(?:{_ARXIV_DOI})?{_ARXIV}(?:\.pdf)?"
    rf"|(?:https?://)?(?:[\w-]+\.)*(?:arxiv|alphaxiv)\.org/(?:abs|pdf|html|overview|format)/{_ARXIV}(?:\.pdf)?"
    rf"|(?:https?://)?ar5iv\.(?:labs\.arxiv\.)?org/(?:abs|html)/{_ARXIV}"
    rf"|(?:https?://)?(?:huggingface\.co|hf\.co)/papers/{_ARXIV}(?:\.md)?"
    rf"|(?:https?://)?(?:dx\.)?doi\.org/{_ARXIV_DOI}{_ARXIV}",
    re.IGNORECASE | re.ASCII,
)
_DOI = re.compile(r"(?:(?:https?://)?(?:dx\.)?doi\.org/|doi\s*:\s*)?(10\.\d{4,9}/[^\s\"<>]+)", re.IGNORECASE)
_TAIL = re.compile(r"[?#].*$|[/.,;:)\]>]+$")
_CATEGORY_NOTE = re.compile(r"\s*\[[a-z-]+(?:\.[a-z-]+)?\]\s*$", re.IGNORECASE)
"""As citations have it: `arXiv:2401.00001v2 [cs.CL]`."""


def paper_id(typed: str) -> str | None:
    """The id, in small letters, of the one paper that all of `typed` names; None where it is something else."""
    text = unquote(_CATEGORY_NOTE.sub("", typed.strip()).strip("<>()[]\"'“”"))
    text = _TAIL.sub("", _TAIL.sub("", text))
    if found := _FORMS.fullmatch(text):
        return next(group for group in found.groups() if group).lower()
    if found := _DOI.fullmatch(text):
        return f"doi:{found[1].lower()}"
    return None

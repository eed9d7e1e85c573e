"""Removes the text that publishers add to an abstract in their feeds, or use instead of one."""

import re
from typing import NamedTuple

from bot.text.sentences import MONTHS

LONGEST = 1_000
"""Maximum length in characters of a notice at the start or the end of an abstract."""


class Notice(NamedTuple):
    """An abstract without its publisher's notices, and the information in those."""

    abstract: str
    authors: str = ""
    """A line of authors."""
    date: str = ""
    """A date as written."""


_MONTH = rf"(?:{'|'.join(MONTHS)})[a-z]{{0,6}}\.?"
_DATE = rf"(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]{{0,6}},? )?(?:\d{{1,2}} {_MONTH} \d{{4}}|{_MONTH} \d{{1,2}}, \d{{4}}|{_MONTH} \d{{4}}|\d{{4}}-\d\d-\d\d)"
_RECORD = re.compile(
    rf"\A(?:publication date: (?:available online )?(?P<date>{_DATE}|\d{{4}}))? ?(?:source: (?P<source>.{{1,300}}?))? ?"
    r"(?:author\(s\): (?P<authors>.{1,2000}))?\Z",
    re.IGNORECASE,
)
"""ScienceDirect: `Publication date: … Source: … Author(s): …`, which has no abstract."""
_ONLINE = re.compile(
    rf"\A[^;.]{{2,80}}, published online: (?P<date>{_DATE}); ?(?:doi: ?10\.\d{{4,9}}/\S{{1,100}}|https?://\S{{1,200}}) ?",
    re.IGNORECASE,
)
"""Nature's journals."""
_NAME = r"(?-i:[A-Z][\w.'’-]{0,20}(?: (?:[A-Z]\.|de|van|von|der|den|la|da|di)){0,4} [A-Z][\w'’-]{1,30})"
_SIGNED = re.compile(
    rf"\Aauthor\(s\): (?P<authors>{_NAME}(?:, {_NAME}){{0,20}}(?:,? and {_NAME}|,? et al\.)?) ", re.IGNORECASE
)
_IN_ISSUE = re.compile(rf" ?\[[A-Z][^\[\]]{{5,80}}\] published (?P<date>{_DATE})\.?\Z", re.IGNORECASE)
"""The Physical Review: `[Phys. Rev. Lett. 131, 1] Published Fri Nov 27, 2026` after the abstract."""
_PLACE = re.compile(
    rf"\A[A-Z][^.;:]{{2,80}}, (?:earlyview|ahead of print|volume \d{{1,4}}, (?:issue|number) [\w-]{{1,8}}"
    rf"(?:, pages? [\w–-]{{1,20}})?(?:, (?P<date>{_DATE}))?)\.? ?"
    rf"|\Avolume \d{{1,4}}, issue [\w-]{{1,8}}(?:, (?P<day>{_DATE}))?(?:, pages? [\w–-]{{1,20}})? ?\.? ?(?=[A-Z]|\Z)",
    re.IGNORECASE,
)
"""Science, Wiley, Taylor & Francis: volume, issue and pages."""
_LABEL = re.compile(
    r"\A(?:arxiv:\S{5,20} )?(?:announce type: [\w-]{3,14} )?(?:graphical )?(?:abstract|summary)(?:: ?|\. | (?=(?-i:We|The|This|In|Here|Background|Purpose|Objective|Introduction|Aims?|It)\b))|\A(?-i:ABSTRACT|SUMMARY) "
    r"|\Aarxiv:\S{5,20} announce type: [\w-]{3,14} ",
    re.IGNORECASE,
)
_APPEARED = re.compile(
    r" ?the post [^.]{3,300} (?:appeared first|first appeared) on [^.]{2,80}\.?\Z", re.IGNORECASE
)
_OWNER = r"(?:(?:copyright )?(?:©|\(c\)) ?(?:copyright )?|copyright )(?:the authors?(?:\(s\))?,? )?\d{4}[^.]{0,80}(?:\.[A-Z]\.)?\.?(?: published by [^.]{2,80}\.)?(?: all rights reserved\.?)?"
_OWNED_BEFORE = re.compile(rf"\A{_OWNER} ?(?=[A-Z]|\Z)", re.IGNORECASE)
_OWNED_AFTER = re.compile(
    rf"(?<=[.!?]) (?:{_OWNER}|this article is protected by copyright\.(?: all rights reserved\.?)?|all rights reserved\.?)\Z",
    re.IGNORECASE,
)
"""Wiley, Elsevier: the copyright, in a separate sentence."""
_TO_THE_END = r"(?:[^.!?]|\.(?! |\Z)){0,250}\.?\Z"
"""The rest of a last sentence, which can have full stops in numbers and URLs."""
_LICENSED = re.compile(
    r"(?<=[.!?]) (?:(?:(?:this is an|an) open[- ]access article|(?:this|the) (?:article|work|paper|preprint|manuscript)(?: is| was)?)"
    r"(?: (?:is|was|made|freely|available|published|distributed|licensed|released)){0,4}"
    r"|(?:published|distributed|licensed|released|(?:made )?available|open access)(?: open access)?)"
    rf" (?:under|with|by)(?: the terms(?: and conditions)? of)?(?: an?| the)? (?:cc\b|creative commons|open[- ]access licen[cs]e){_TO_THE_END}"
    rf"|(?<=[.!?]) (?-i:Published by) (?-i:[A-Z]){_TO_THE_END}",
    re.IGNORECASE,
)
"""The article's licence or publisher. Sentences about data and code stay."""
_ACCESS = re.compile(r"\Aopen[- ]access(?:[.:] | article ?[.:] )", re.IGNORECASE)
_MORE = re.compile(r" \[?(?:continue reading|read more)(?: ?[→»…]| ?\.\.\.)\]?\Z", re.IGNORECASE)


def split_notices(abstract: str) -> Notice:
    """Separate an abstract, a line of plain text, from its publisher's notices."""
    record = _RECORD.match(abstract) if len(abstract) <= 2 * LONGEST else None
    if record and (record["date"] or record["source"]):
        return Notice("", (record["authors"] or "").strip(), record["date"] or "")
    found = Notice(abstract)
    for pattern in (_ACCESS, _OWNED_BEFORE, _ONLINE, _PLACE, _SIGNED, _LABEL):
        if notice := pattern.match(found.abstract[:LONGEST]):
            parts = notice.groupdict()
            rest = found.abstract[notice.end() :]
            date = parts.get("date") or parts.get("day") or found.date
            found = Notice(rest, parts.get("authors") or found.authors, date)
    cut = max(0, len(found.abstract) - LONGEST)
    for pattern in (_MORE, _LICENSED, _OWNED_AFTER, _IN_ISSUE, _APPEARED):
        if notice := pattern.search(found.abstract, cut):
            date = notice.groupdict().get("date") or found.date
            found = Notice(found.abstract[: notice.start()], found.authors, date)
    return found._replace(abstract=found.abstract.strip())

"""Cards of papers: the same facts in the same order everywhere."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Literal

from bot.cards import Button, Card, PaperBlock
from bot.cards.build import MAX_BUTTON
from bot.cards.sanitize import link, plain
from bot.domain.models import Paper, Reason
from bot.text import core_sentence, shorten, shorten_at_clause
from bot.text.venues import acceptance_of

Detail = Literal["line", "compact", "full"]

TITLE = 250
"""Maximum number of characters; the smallest limit of the supported platforms is 256."""
TITLE_IN_LINE = 120
AUTHOR = 50
VENUE = 60
AUTHORS = 8
"""Maximum number of authors on a full card."""
SUMMARY = 320
SENTENCE = 200
"""Maximum length of the sentence about a paper in a digest or list."""
ABSTRACT = 2000
"""Maximum number of characters. arXiv's limit is 1,920."""
KEYWORDS = 6
KEYWORD = 40
"""Maximum length of a keyword."""
QUERY = 80
NOTICE = 200
CACHED = 500
"""Number of cached core sentences, each with the kilobytes of text that it was chosen from."""
REASONS = 3
"""Maximum number of reasons that are shown; the others are counted."""

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def paper_card(
    paper: Paper,
    reasons: Sequence[Reason],
    now: datetime,
    detail: Literal["compact", "full"] = "compact",
    because: str = "",
) -> Card:
    """Build the card for one paper; `because` is a further reason."""
    block = with_reason(paper_block(paper, reasons, now, detail), because)
    notice = " · ".join((block.title, *block.byline[:1]))
    return Card("paper", shorten(notice, NOTICE), blocks=(block,), entries=((paper, tuple(reasons)),))


def link_card(paper: Paper, now: datetime) -> Card:
    """Build the card that is shown below a pasted link to a paper, so it has no link itself."""
    block = paper_block(paper, (), now)
    notice = " · ".join((block.title, *block.byline[:1]))
    return Card(
        "paper", shorten(notice, NOTICE), blocks=(replace(block, buttons=(), actions=link_buttons(paper)),)
    )


def link_buttons(paper: Paper) -> tuple[Button, ...]:
    """Return buttons for a paper that someone else has posted. Only the person who presses one sees the reply."""
    wanted = (
        Button("Save", f"save {paper.id}"),
        Button("Similar", f"similar {paper.id}"),
        Button("Abstract", f"show {paper.id} detail:full"),
    )
    return tuple(button for button in wanted if len(button.command) <= MAX_BUTTON)


def paper_block(
    paper: Paper, reasons: Iterable[Reason], now: datetime, detail: Detail = "compact"
) -> PaperBlock:
    """Build the block of a paper with its reasons. Dates show their year if it isn't that of `now`."""
    title = f"Withdrawn: {paper.title}" if paper.withdrawn else paper.title
    return PaperBlock(
        paper_id=paper.id,
        title=shorten(plain(title), TITLE_IN_LINE if detail == "line" else TITLE) or paper.id,
        url=link(paper.url) or "",
        byline=byline(paper, now, detail),
        summary=_summary(paper, detail),
        reasons=reason_texts(tuple(reasons)),
        detail=detail,
        abstract=shorten(plain(paper.abstract), ABSTRACT) if detail == "full" else "",
        keywords=_keywords(paper) if detail == "full" else (),
        thumbnail_url=link(paper.thumbnail_url) if detail == "full" else None,
        buttons=() if detail == "line" else _links(paper),
        actions=() if detail == "line" else _actions(paper, detail),
    )


def with_reason(block: PaperBlock, because: str) -> PaperBlock:
    """Return the block with a further reason for the paper."""
    return replace(block, reasons=(*block.reasons, plain(because))) if because else block


def byline(paper: Paper, now: datetime, detail: Detail = "compact") -> tuple[str, ...]:
    """List authors, organization, category, date, version, acceptance, upvotes, comments and code; `sample` if so."""
    parts = (
        _first_authors(paper.authors) if detail == "full" else _authors(paper.authors),
        shorten(plain(paper.organization or ""), AUTHOR),
        shorten(plain(paper.categories[0]), AUTHOR) if paper.categories else "",
        short_date(paper.published, now),
        *_state(paper),
        f"▲ {short_number(paper.upvotes)}" if paper.upvotes else "",
        f"💬 {short_number(paper.comments)}" if paper.comments else "",
        _code(paper),
        "sample" if paper.sources == ("sample",) else "",
    )
    return tuple(part for part in parts if part)


def short_date(moment: datetime, now: datetime) -> str:
    """Format a date like `2 Oct`, in UTC, with the year if it isn't that of `now`."""
    day = moment.astimezone(UTC)
    year = "" if day.year == now.astimezone(UTC).year else f" {day.year}"
    return f"{day.day} {_MONTHS[day.month - 1]}{year}"


def short_number(number: int) -> str:
    """Format a number like `980`, `1.2k`, `34k`, `5.6M`, rounded down."""
    for size, letter in ((1_000_000, "M"), (1_000, "k")):
        if number >= 10 * size:
            return f"{number // size}{letter}"
        if number >= size:
            return f"{number * 10 // size / 10:g}{letter}"
    return str(number)


def reason_text(reason: Reason) -> str:
    """Format the reason for a post: `matched diffusion (#3)`."""
    note = f"{reason.note}: " if reason.note else ""
    return f"{note}matched {shorten(plain(reason.query), QUERY)} (#{reason.number})"


def reason_texts(reasons: Sequence[Reason]) -> tuple[str, ...]:
    """Format the first reasons; the others are counted."""
    shown = tuple(map(reason_text, reasons[:REASONS]))
    rest = len(reasons) - REASONS
    return (*shown, f"and {rest} more of this channel's subscriptions") if rest > 0 else shown


def _authors(names: tuple[str, ...]) -> str:
    shown = [shorten(name, AUTHOR) for name in map(plain, names[:1] + names[1:][-1:]) if name]
    others = len(names) - 2
    return f"{shown[0]} … {shown[-1]} (+{others})" if others > 0 and shown else ", ".join(shown)


def _state(paper: Paper) -> Iterable[str]:
    """Yield the version and publication state: `v2`, `accepted at ICML 2026`."""
    if (paper.versions or 1) > 1:
        yield f"v{paper.versions}"
    if accepted := acceptance_of(paper):
        yield f"accepted at {shorten(plain(str(accepted)), VENUE)}" if accepted.venue else "accepted"
    elif paper.journal_ref or paper.doi:
        yield "published"


def _first_authors(names: tuple[str, ...]) -> str:
    shown = [shorten(name, AUTHOR) for name in map(plain, names[:AUTHORS]) if name]
    others = len(names) - AUTHORS
    return ", ".join(shown) + (f" (+{others})" if others > 0 and shown else "")


def _keywords(paper: Paper) -> tuple[str, ...]:
    return tuple(shorten(word, KEYWORD) for word in map(plain, paper.keywords[:KEYWORDS]) if word)


def _code(paper: Paper) -> str:
    if not link(paper.code_url):
        return ""
    return f"code ★ {short_number(paper.code_stars)}" if paper.code_stars else "code"


def _summary(paper: Paper, detail: Detail) -> str:
    if detail == "full" and paper.abstract and not paper.tldr:
        return ""
    return one_sentence(paper, SENTENCE if detail == "line" else SUMMARY)


def one_sentence(paper: Paper, limit: int) -> str:
    """Return what is new, in at most `limit` characters: the upstream's summary, else the abstract's core sentence."""
    if tldr := plain(paper.tldr or ""):
        return shorten_at_clause(tldr, limit)
    return _core_sentence(plain(paper.abstract), limit, plain(paper.title))


@lru_cache(CACHED)
def _core_sentence(abstract: str, limit: int, title: str) -> str:
    """Cached, since feeds and pages show the same papers repeatedly, and choosing a sentence takes about 0.5 ms."""
    return core_sentence(abstract, limit, title)


def _links(paper: Paper) -> tuple[Button, ...]:
    links = (
        ("Abstract", paper.url),
        ("PDF", paper.pdf_url),
        ("Code", paper.code_url),
        ("Project", paper.project_url),
    )
    return tuple(Button(label, url=safe) for label, url in links if (safe := link(url)))


def _actions(paper: Paper, detail: Detail) -> tuple[Button, ...]:
    wanted = (
        Button("Save", f"save {paper.id}"),
        *(() if detail == "full" else (Button("Full abstract", f"abstract {paper.id}"),)),
        Button("Similar", f"similar {paper.id}"),
        Button("👍", f"up {paper.id}"),
        Button("👎", f"down {paper.id}"),
        Button("Follow", f"followwhat {paper.id}"),
        Button("Mute", f"mutewhat {paper.id}"),
    )
    return tuple(button for button in wanted if len(button.command) <= MAX_BUTTON)

"""Renders a card as the two parts of a mail: plain text and HTML. Pure.

Text goes through Jinja's escaping, links through `bot.cards.sanitize.link`, so a paper can't insert markup or anything
that a mail program would load.
"""

import textwrap
from bisect import bisect_left
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined

from bot.cards import Actions, Block, Bullets, Button, Card, Figure, PaperBlock, Paragraph, Span
from bot.cards.build import paragraph
from bot.cards.sanitize import link, plain, visible
from bot.text import shorten

MAX_HTML = 96_000
"""Maximum size of the HTML, in bytes. Gmail clips a mail at 102 kB and hides the rest, and so the unsubscribe link."""
SUBJECT = 120
"""Maximum number of characters of a subject."""
WIDTH = 76
"""Maximum number of characters of a line of plain text."""
PREVIEW = 140
"""Maximum number of characters of the preview that mail programs show next to the subject."""


@dataclass(frozen=True, slots=True)
class Frame:
    """The frame of a card: the reason why the mail was sent, and the links at its end."""

    reason: str
    links: tuple[tuple[str, str], ...]
    """Label and URL of each link."""
    command: Callable[[str], str] = lambda _line: ""
    """Returns the URL for a button's command; "" if there is none."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """The content of a mail."""

    subject: str
    text: str
    html: str


def render(card: Card, frame: Frame) -> Rendered:
    """Render the whole mail. If the card is too large, omit abstracts first, then papers from its end."""
    subject = shorten(plain(card.notice), SUBJECT)

    def fits(smaller: Card) -> bool:
        return len(_html(smaller, frame, subject).encode()) <= MAX_HTML

    fitting = card
    if not fits(card):
        bare = tuple(
            replace(block, abstract="") if isinstance(block, PaperBlock) else block for block in card.blocks
        )
        fitting = replace(card, blocks=bare)
        if not fits(fitting):
            sizes = range(1, len(bare))
            size = bisect_left(sizes, True, key=lambda size: not fits(_cut(card, bare, size)))
            fitting = _cut(card, bare, max(size, 1))
    return Rendered(subject, _text(fitting, frame), _html(fitting, frame, subject))


def _cut(card: Card, blocks: tuple[Block, ...], size: int) -> Card:
    """Return the card with the first `size` of `blocks`."""
    rest = paragraph(f"and {len(blocks) - size} more that didn't fit into this mail")
    return replace(card, blocks=(*blocks[:size], rest))


@cache
def _templates() -> Environment:
    return Environment(
        loader=PackageLoader("adapters.email"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_harmless,
        trim_blocks=True,
        auto_reload=False,
    )


def _harmless(value: object) -> object:
    """Remove invisible characters, except from `Markup`, which consists of safe parts."""
    return visible(value) if type(value) is str else value


def _html(card: Card, frame: Frame, subject: str) -> str:
    texts = [text for block in card.blocks if (text := _preview(block))]
    return (
        _templates()
        .get_template("mail.html")
        .render(
            card=card,
            blocks=[(type(block).__name__, block) for block in card.blocks],
            frame=frame,
            subject=subject,
            preview=shorten(" · ".join(texts), PREVIEW),
            safe=link,
        )
    )


def _preview(block: Block) -> str:
    match block:
        case PaperBlock():
            return block.summary or block.title
        case Paragraph(text):
            return "".join(span.text for span in text)
        case _:
            return ""


def _text(card: Card, frame: Frame) -> str:
    heading = plain(card.heading)
    parts = [f"{heading}\n{'=' * min(len(heading), WIDTH)}"] if heading else []
    parts += filter(None, map(_block, card.blocks))
    links = [f"{label}:\n{url}" for label, url in frame.links]
    return "\n\n".join((*parts, "\n".join(("-- ", _wrapped(frame.reason), *links)))) + "\n"


def _block(block: Block) -> str:
    match block:
        case Paragraph(text) | Figure(text):
            return _wrapped(_spans(text))
        case Bullets(items):
            return "\n".join(_wrapped(_spans(item), "- ", "  ") for item in items)
        case Actions(buttons):
            return _links(buttons)
        case PaperBlock():
            return _paper(block)


def _paper(block: PaperBlock) -> str:
    dotted = (
        " · ".join(block.byline),
        block.summary,
        block.abstract,
        " · ".join(block.keywords),
        " · ".join(block.reasons),
    )
    lines = [_wrapped(fact) for fact in (block.title, *dotted) if fact]
    # Don't repeat the link of the title.
    others = [button for button in block.buttons if button.url != block.url]
    return "\n".join(filter(None, (*lines, link(block.url), _links(others))))


def _links(buttons: Iterable[Button]) -> str:
    """Render the links only: a plain-text mail has no buttons."""
    return "\n".join(f"{plain(button.label)}: {url}" for button in buttons if (url := link(button.url)))


def _spans(text: Iterable[Span]) -> str:
    return "".join(f"{span.text} <{url}>" if (url := link(span.url)) else span.text for span in text)


def _wrapped(text: str, first: str = "", then: str = "") -> str:
    """Wrap lines so that mail programs don't wrap them again. URLs aren't broken."""
    lines = visible(text).split("\n")
    return "\n".join(
        textwrap.fill(
            line,
            WIDTH,
            initial_indent=first,
            subsequent_indent=then,
            break_long_words=False,
            break_on_hyphens=False,
        )
        for line in lines
    )

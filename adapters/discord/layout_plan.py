"""Plans a card within Discord's limits: pieces of Markdown, pictures and rows of buttons.

Pure. `rendering.py` builds messages from the plan.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from adapters.discord.buttons import IN_A_ROW, Menu, label_of, menu_of, rows
from adapters.discord.markup import address, escape, fitted, running, width
from bot.cards import Actions, Block, Bullets, Button, Card, Figure, PaperBlock, Paragraph
from bot.cards.build import divided

MAX_TEXT = 4000
"""Characters of all text components of a message. See https://docs.discord.com/developers/components/reference."""
MAX_COMPONENTS = 40
"""Components of a message, nested ones too."""
_HEADING, _TITLE, _BYLINE, _SUMMARY, _ABSTRACT, _REASON = 300, 400, 600, 600, 2600, 220
_PARAGRAPH, _BULLET, _KEYWORDS, _ALT = 2400, 600, 300, 200
"""Maximum number of characters in each kind of text."""
_SQUEEZES = (
    (10, 1.0),
    (5, 1.0),
    (3, 1.0),
    (2, 1.0),
    (2, 0.7),
    (1, 0.5),
    (1, 0.35),
    (0, 0.25),
    (0, 0.15),
    (0, 0.08),
)
"""Buttons per paper, and shares of each text's usual length: the first pair with which all fits is used."""
_ROOM_FOR_LINKS = 0.5
"""The smallest share with which links get a line of text."""
_ROOM_FOR_MARK = 2
"""Components reserved for a button that carries the mark."""


@dataclass(frozen=True, slots=True)
class Picture:
    """Text with a small picture next to it."""

    text: str
    url: str


@dataclass(frozen=True, slots=True)
class Separator:
    """A separator."""


@dataclass(frozen=True, slots=True)
class Gallery:
    """A picture as wide as the message."""

    url: str
    alt: str


Row = tuple[Button, ...] | Menu
Piece = str | Picture | Gallery | Separator | Row
Titled = Callable[[PaperBlock, float], str]


def plan_layout(card: Card) -> list[Piece]:
    """Return as much of the card as fits into a message of components."""
    pieces: list[Piece] = []
    for buttons, room in _SQUEEZES:
        pieces = list(_merged(_pieces(card, buttons, room)))
        if not text_of(pieces):
            pieces.insert(0, fitted(card.notice, _PARAGRAPH) or "…")
        if text_of(pieces) <= MAX_TEXT and components_of(pieces) <= MAX_COMPONENTS - _ROOM_FOR_MARK:
            return pieces
    return _cut(pieces)


def text_of(pieces: Iterable[Piece]) -> int:
    """Return the number of characters in all texts together."""
    texts = (p.text if isinstance(p, Picture) else p for p in pieces if isinstance(p, str | Picture))
    return sum(map(width, texts))


def components_of(pieces: Sequence[Piece]) -> int:
    """Return the number of components of the pieces and of the container around them."""
    return 1 + sum(map(_size, pieces))


def _size(piece: Piece) -> int:
    match piece:
        case Picture():
            return 3
        case Menu() | Gallery():
            return 2
        case tuple():
            return 1 + len(piece)
        case _:
            return 1


def paper_text(block: PaperBlock, room: float) -> str:
    """Return a paper's text below its title."""
    small = [
        fitted(" · ".join(block.byline), int(_BYLINE * room)),
        *(fitted(reason, int(_REASON * room)) for reason in block.reasons),
    ]
    byline, *reasons = (f"-# {text}" if text else "" for text in small)
    summary = fitted(block.summary, int(_SUMMARY * room))
    abstract = fitted(block.abstract, int(_ABSTRACT * room))
    if block.detail == "line":
        facts = " · ".join(filter(None, (byline, *(reason.removeprefix("-# ") for reason in reasons))))
        return "\n".join(filter(None, (facts, summary)))
    keywords = fitted(" · ".join(block.keywords), int(_KEYWORDS * room))
    small_print = (f"-# {line}" for line in (keywords, _links(block, room)) if line)
    return "\n".join(filter(None, (byline, summary, abstract, *small_print, *reasons)))


def title(block: PaperBlock, room: float) -> str:
    """Return a paper's title, with a link if it is a line in a list."""
    title_text = fitted(block.title, int(_TITLE * room))
    if block.detail != "line":
        return f"### {title_text}"
    url = address(block.url)
    return f"**{title_text}**" + (f" · [open](<{url}>)" if url and len(url) < 200 else "")


def block_text(block: Block, room: float, titled: Titled = title) -> str:
    """Return a block's text; "" for buttons."""
    match block:
        case Paragraph(text) | Figure(text):
            return running(text, int(_PARAGRAPH * room))
        case Bullets(items):
            return "\n".join(f"- {running(item, int(_BULLET * room))}" for item in items)
        case PaperBlock():
            return "\n".join(filter(None, (titled(block, room), paper_text(block, room))))
        case Actions():
            return ""


@dataclass(frozen=True, slots=True)
class _Arranged:
    """A card's links and actions: one row of buttons, a menu, and links that get no button."""

    row: tuple[Button, ...]
    menu: tuple[Button, ...]
    links: tuple[Button, ...]


def _arranged(block: PaperBlock) -> _Arranged:
    """Give a button to the first action and the emojis, and to as many links as the row then has room for."""
    first, menu = divided(block.actions)
    links = [button for button in block.buttons if address(button.url)]
    if len(links) + len(block.actions) <= IN_A_ROW:
        return _Arranged((*links, *block.actions), (), ())
    first, menu = first[:IN_A_ROW], (*first[IN_A_ROW:], *menu)
    room = IN_A_ROW - len(first)
    return _Arranged((*links[:room], *first), menu, tuple(links[room:]))


def _links(block: PaperBlock, room: float) -> str:
    """Return the links that get no button; their labels are ours."""
    if room < _ROOM_FOR_LINKS:
        return ""
    links = _arranged(block).links
    return " · ".join(f"[{escape(label_of(link))}](<{address(link.url)}>)" for link in links)


def button_rows(block: Block, most: int) -> list[Row]:
    """Return a block's rows of buttons, and its menu if `most` allows a full row."""
    match block:
        case Actions(buttons):
            return [tuple(row) for row in rows(buttons, most=10)]
        case PaperBlock() if block.detail != "line" and most:
            arranged = _arranged(block)
            found: list[Row] = [tuple(row) for row in rows(arranged.row, most=min(most, IN_A_ROW))]
            menu = menu_of(arranged.menu) if most >= IN_A_ROW else None
            return [*found, menu] if menu else found
        case _:
            return []


def heading(card: Card, room: float = 1.0) -> str:
    return fitted(card.heading, int(_HEADING * room))


def _pieces(card: Card, buttons: int, room: float) -> Iterator[Piece]:
    if name := heading(card, room):
        yield f"### {name}"
    before: Block | None = None
    seen: set[str] = set()
    for block in card.blocks:
        if isinstance(before, PaperBlock) and isinstance(block, PaperBlock) and block.detail != "line":
            yield Separator()
        text = block_text(block, room)
        picture = address(block.thumbnail_url) if isinstance(block, PaperBlock) else None
        if text:
            yield Picture(text, picture) if picture else text
        if isinstance(block, Figure) and room == 1.0 and (shown := address(block.url)):
            yield Gallery(shown, fitted(block.alt, _ALT))
        yield from filter(None, (new_buttons(row, seen) for row in button_rows(block, buttons)))
        before = block


def new_buttons(row: Row, seen: set[str]) -> Row:
    """Return the row's buttons that the message doesn't have yet: Discord refuses two with the same `custom_id`."""
    if isinstance(row, Menu):
        return row
    new = tuple(button for button in row if button.url or button.command not in seen)
    seen.update(button.command for button in new)
    return new


def _merged(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """Yield the pieces, with adjacent texts joined into one component."""
    text = ""
    for piece in pieces:
        if isinstance(piece, str):
            text = f"{text}\n{piece}" if text else piece
            continue
        if text:
            yield text
            text = ""
        yield piece
    if text:
        yield text


def _cut(pieces: list[Piece]) -> list[Piece]:
    """Return as many of the first pieces as fit: the last resort for a card with too many blocks."""
    fitting: list[Piece] = []
    for piece in pieces:
        if isinstance(piece, str) and text_of([*fitting, piece]) > MAX_TEXT:
            lines = piece.split("\n")
            while lines and text_of([*fitting, "\n".join(lines)]) > MAX_TEXT:
                lines.pop()
            return [*fitting, "\n".join(lines)] if lines else fitting
        if (
            text_of([*fitting, piece]) > MAX_TEXT
            or components_of([*fitting, piece]) > MAX_COMPONENTS - _ROOM_FOR_MARK
        ):
            return fitting
        fitting.append(piece)
    return fitting

"""Renders a card for a terminal with Rich. Pure: nothing is printed here.

Text goes into `rich.text.Text`, never through Rich's markup, and has no control characters, so a paper can neither
colour the terminal nor move its cursor.
"""

from collections.abc import Iterable

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.style import Style
from rich.table import Table
from rich.text import Text

from bot.cards import Actions, Block, Bullets, Button, Card, Figure, PaperBlock, Paragraph, Span
from bot.cards.sanitize import link, visible

WIDTH = 96
"""Maximum width in columns. Longer lines are hard to read."""
SHORT_ADDRESS = 40
"""Maximum number of characters of an address that is shown instead of its label."""

# Only attributes and the terminal's own colours: its user chose them, for dark or light.
_STYLES = {
    "plain": Style(),
    "bold": Style(bold=True),
    "italic": Style(italic=True),
    "code": Style(color="green"),
    "dim": Style(dim=True),
}
_TITLE = Style(bold=True)
_REASON = Style(color="magenta")
_HEADING = Style(bold=True, underline=True)


def render(card: Card, *, links: bool) -> RenderableType:
    """Render the whole card. Without `links` (if the output isn't a terminal), every address is written out."""
    parts: list[RenderableType] = [Text(visible(card.heading), style=_HEADING)] if card.heading else []
    parts += (_block(block, links=links) for block in card.blocks)
    return Padding(Group(*parts), (0, 1, 1, 1))


def _block(block: Block, *, links: bool) -> RenderableType:
    match block:
        case Paragraph(text) | Figure(text):
            return _text(text, links=links)
        case Bullets(items):
            return _table(("•", _text(item, links=links)) for item in items)
        case Actions(buttons):
            return _buttons(buttons, links=links)
        case PaperBlock():
            return _paper(block, links=links)


def _paper(block: PaperBlock, *, links: bool) -> RenderableType:
    title = Text(visible(block.title), style=_TITLE + _link(block.url, links=links))
    facts = [
        Text(visible(" · ".join(block.byline)), style=_STYLES["dim"]),
        Text(visible(block.summary)),
        Text(visible(block.abstract)),
        Text(visible(" · ".join(block.keywords)), style=_STYLES["dim"]),
        Text(visible(" · ".join(block.reasons)), style=_REASON),
    ]
    shown = [title, *(fact for fact in facts if fact.plain)]
    if block.detail == "line":
        address = [] if links or not block.url else [Text(visible(block.url))]
        return _table([("•", Group(*shown, *address))])
    return Group(*shown, _buttons(block.buttons, links=links))


def _text(spans: Iterable[Span], *, links: bool) -> Text:
    line = Text()
    for span in spans:
        line.append(visible(span.text), _STYLES[span.style] + _link(span.url, links=links))
        if span.url and not links and span.url != span.text:
            line.append(f" ({link(span.url)})")
    return line


def _buttons(buttons: Iterable[Button], *, links: bool) -> RenderableType:
    """Render links to click and commands to type, since a terminal has no buttons."""
    if not links:
        return Text("\n").join(map(_in_full, buttons))
    shown = [_in_short(button, first=n == 0) for n, button in enumerate(buttons)]
    return Text("   ").join(shown)


def _in_full(button: Button) -> Text:
    return Text(f"{visible(button.label)}: {visible(button.command) or link(button.url) or ''}")


def _in_short(button: Button, *, first: bool) -> Text:
    if button.url is None:
        text = Text().append(f"{visible(button.label)}: ", _STYLES["dim"])
        return text.append(visible(button.command), _STYLES["code"])
    address = (link(button.url) or "").partition("://")[2]
    # Not every terminal supports links, so the first link shows its address if that is short.
    label = address if first and len(address) <= SHORT_ADDRESS else visible(button.label)
    return Text(label, Style(underline=True) + _link(button.url, links=True))


def _link(url: str | None, *, links: bool) -> Style:
    safe = link(url) if links else None
    return Style(link=safe) if safe else Style()


def _table(rows: Iterable[tuple[str, RenderableType]]) -> Table:
    """Render rows with a mark in front, so that wrapped lines stay indented."""
    table = Table.grid(padding=(0, 1))
    table.add_column(no_wrap=True)
    table.add_column()
    for mark, row in rows:
        table.add_row(mark, row)
    return table

"""HTML as the text that a reader of it would see."""

from html.parser import HTMLParser

from bot.text.plain import clean

_SILENT = frozenset({"script", "style", "head", "template", "svg", "noscript"})
_INLINE = frozenset(
    {"a", "abbr", "b", "code", "em", "font", "i", "mark", "s", "small", "span", "strong", "sub", "sup", "u"}
)


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, _attrs: object) -> None:
        self._silent += tag in _SILENT
        self.parts.append("" if tag in _INLINE else " ")

    def handle_endtag(self, tag: str) -> None:
        self._silent = max(0, self._silent - (tag in _SILENT))
        self.parts.append("" if tag in _INLINE else " ")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.parts.append(data)


def without_markup(html: str) -> str:
    """One line of plain text: no tags, nothing of what they hide. Never raises."""
    reader = _Text()
    reader.feed(html)
    reader.close()
    return clean("".join(reader.parts))

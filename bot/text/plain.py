"""Converts upstreams' titles and abstracts to one line of plain text."""

import html
import re

_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f"
    "\ufeff\ufff9-\ufffb\ufffe\uffff\ud800-\udfff\U000e0000-\U000e0fff]"
)
"""Control characters, bidirectional overrides, zero-width marks, tags, surrogates. Joiners stay: emoji need them."""
_LATEX = ("\\", "$", "{", "}", "``")
"""Signs of LaTeX in a text."""
_TIE = re.compile(r"((?:https?://|www\.)\S++)|(?<=[A-Za-z.)])~(?=[A-Za-z0-9(])|(?<=\d)~(?=[A-Za-z(])")
"""LaTeX's tie between words, `Fig.~3`, even without other LaTeX. Between numbers, `~` means a range and stays."""


def clean(raw: str) -> str:
    """Return `raw` as one line: LaTeX in Unicode, entities resolved, no invisible characters. Never raises."""
    text = " ".join(_INVISIBLE.sub("", unescaped(raw)).split())
    if not text.isascii():
        text = text.translate(_LIGATURES)
    if "<" in text:
        text = without_formatting(text)
    if any(sign in text for sign in _LATEX):
        # Most papers have no LaTeX, and a process that reads none shouldn't load the tables.
        from bot.text.latex import spelled  # noqa: PLC0415

        text = _INVISIBLE.sub("", spelled(text))
    if "`" in text:
        text = _QUOTED.sub(r"‘\g<inside>’", text)
    if "~" in text:
        text = _TIE.sub(lambda tie: tie[1] or " ", text)
    return " ".join(text.split())


def clean_html(page: str) -> str:
    """Return the visible text of a piece of HTML as `clean` does. Never raises."""
    return clean(without_tags(page))


def _set(names: str) -> frozenset[str]:
    return frozenset(names.split())


_SILENT = _set("script style head template svg noscript annotation annotation-xml")
_INLINE = _set(
    "a abbr acronym b bdi bdo big cite code del dfn em font i ins kbd mark math mi mn mo mrow ms msub msup msubsup "
    "mover munder mfrac msqrt mstyle mtext mspace mpadded q s samp semantics small span strike strong sub sup tt u var "
    "wbr sc"
)
_BLOCK = _set(
    "article aside blockquote br caption center col dd details div dl dt embed fieldset figcaption figure footer form "
    "h1 h2 h3 h4 h5 h6 header hr html body iframe img input li link main meta nav object ol option p picture pre "
    "section select source table tbody td textarea tfoot th thead title tr ul video audio button label time summary "
    "address ruby"
)
_FORMATTING = _set("a b br div em h1 h2 h3 h4 i li ol p s span strong sub sup u ul tt sc small")
"""Tags that upstreams leave in a field of plain text. Other tags there, such as `<image>`, are the abstract's own
text."""

_TAG = re.compile(
    r"<(?P<close>/?)(?P<name>(?:jats:|mml:)?[A-Za-z][A-Za-z0-9-]{0,20}+)"
    r"(?:\s++[A-Za-z_:][\w:.-]*+\s*+(?:=\s*+(?:\"[^\"]*+\"|'[^']*+'|[^\s\"'<>=`]++))?)*+\s*+/?>"
)
_SMALL = re.compile(
    r"<(?:jats:)?su(?P<how>[pb])>(?P<digits>[\d+\-−]{1,5})</(?:jats:)?su[pb]>", re.IGNORECASE | re.ASCII
)
"""Digits in `10<sup>5</sup>`, which isn't 105, and H<sub>2</sub>O."""
_RAISED = str.maketrans("0123456789+-−", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻")
_LOWERED = str.maketrans("0123456789+-−", "₀₁₂₃₄₅₆₇₈₉₊₋₋")
_LIGATURES = str.maketrans({"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "ft", "ﬆ": "st"})
"""Ligatures, which come from copying out of a PDF."""
_QUOTED = re.compile(r"(?<![\w`])`(?P<inside>[^`']{1,80})'(?![\w'])")
"""LaTeX's single quotes, even without other LaTeX."""
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_HIDDEN = (("<!--", "-->"), ("<![CDATA[", ""), ("<!", ">"), ("<?", ">"))


def without_tags(page: str) -> str:
    """Return the text of a piece of HTML, with blanks where blocks begin and end."""
    return _untagged(_SMALL.sub(_small, page), _INLINE | _BLOCK | _SILENT)


def without_formatting(field: str) -> str:
    """Remove the formatting tags that upstreams leave in a field of plain text."""
    return _untagged(_SMALL.sub(_small, field), _FORMATTING)


def _small(found: re.Match[str]) -> str:
    return found["digits"].translate(_RAISED if found["how"] in "pP" else _LOWERED)


def unescaped(text: str) -> str:
    """Resolve the character references of `text`; all else stays."""
    if "&" not in text:
        return text
    return _ENTITY.sub(lambda entity: html.unescape(entity[0]), text)


def _untagged(text: str, names: frozenset[str]) -> str:
    closed = {found["name"].lower() for found in _TAG.finditer(text) if found["close"]}
    parts: list[str] = []
    at, ends = 0, _Ends(text)
    while (place := text.find("<", at)) >= 0:
        parts.append(text[at:place])
        tag = _TAG.match(text, place)
        name = tag["name"].lower() if tag else ""
        if tag is None and (end := ends.of_hidden(place)):
            at = end
            parts.append(" ")
        elif tag is not None and _is_markup(tag, name, names, closed):
            inline = name in _INLINE or name.startswith(("jats:i", "jats:b", "jats:su", "mml:"))
            parts.append("" if inline else " ")
            at = ends.of_element(name, tag.end()) if name in _SILENT and not tag["close"] else tag.end()
        else:
            parts.append("<")
            at = place + 1
    return "".join((*parts, text[at:]))


def _is_markup(tag: re.Match[str], name: str, names: frozenset[str], closed: set[str]) -> bool:
    if name.startswith(("jats:", "mml:")):
        return True
    if name not in names:
        return False
    if (
        len(name) == 1 and "=" not in tag[0]
    ):  # `x<i>y` compares, unless there is an `</i>`; `<b and c>` always does
        return tag[0].strip("</>").strip().lower() == name and (name in closed or name == "p")
    return True


class _Ends:
    """Finds the ends of comments and elements. A missing end is searched for only once, so this takes linear time."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._lower = text.lower() if len(text.lower()) == len(text) else text
        self._endless: set[str] = set()

    def of_hidden(self, place: int) -> int:
        """Return the end of a comment or a declaration that begins at `place`; 0 for anything else."""
        for begin, end in _HIDDEN:
            if self._text.startswith(begin, place) and self._text[place + 2 : place + 3].strip():
                return place + len(begin) if not end else self._find(end, place + len(begin))
        return 0

    def of_element(self, name: str, place: int) -> int:
        """Return the position of the closing tag, or `place` if there is none, so that nothing is hidden."""
        return (self._find(f"</{name}", place) or place + len(name) + 2) - len(name) - 2

    def _find(self, what: str, place: int) -> int:
        if what in self._endless:
            return 0
        found = self._lower.find(what, place)
        if found < 0:
            self._endless.add(what)
            return 0
        return found + len(what)

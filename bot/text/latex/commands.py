"""Macros whose arguments need conversion: fractions, roots, footnotes, environments, verbatim text.

Each function reads the arguments of the macro in its docstring and returns the text for it.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping

from bot.text.latex.macros import BLACKBOARD, MATH_ENVIRONMENTS, SUBSCRIPTS, SUPERSCRIPTS, circled
from bot.text.latex.reader import OPTIONS, LatexReader
from bot.text.latex.units import UNITS

_CODE_POINT = re.compile(r' ?\{?[x"]?([0-9A-Fa-f]{1,6})\}?')
_NUMBER = re.compile(r" ?\{(\d{1,3})\}")
WORD = 3
"""Minimum number of letters of a raised or lowered word; shorter ones are marks, such as `st` or `TM`."""
_LENGTH = re.compile(r" ?-?\d{1,5}\w{0,3} ?")
_VERBATIM = re.compile(r"\*?([^\sA-Za-z*{])(.{0,500}?)\1|\{([^{}]{0,500})\}", re.DOTALL)
_DEFINED = re.compile(r"\s?\{?\\([A-Za-z]++)\}?\s?\{([^{}\\#]{1,80})\}")
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_OPERATION = re.compile(r"[\s+\-−/=]")


def fraction(reader: LatexReader) -> str:
    r"""`\frac{a}{b}`: parts with operators get brackets."""
    above, below = reader.argument().strip(), reader.argument().strip()
    return "/".join(f"({part})" if _OPERATION.search(part) else part for part in (above, below))


def root(reader: LatexReader) -> str:
    r"""`\sqrt[3]{x}`."""
    options = reader.take(OPTIONS)
    order = options[0].strip(" []").translate(SUPERSCRIPTS) if options else ""
    inside = reader.argument()
    return f"{order}√{inside if inside.isalnum() else f'({inside})'}" if inside else "√"


def choose(reader: LatexReader) -> str:
    r"""`\binom{n}{k}`."""
    return f"({reader.argument()} choose {reader.argument()})"


def ket(reader: LatexReader) -> str:
    r"""`\ket{0}`."""
    return f"|{reader.argument()}⟩"


def bra(reader: LatexReader) -> str:
    r"""`\bra{0}`."""
    return f"⟨{reader.argument()}|"


def modulo(reader: LatexReader) -> str:
    r"""`\pmod{n}`."""
    return f" (mod {reader.argument().strip()})"


def blackboard(reader: LatexReader) -> str:
    r"""`\mathbb{R}`: only the sets of numbers keep their own letters."""
    return reader.argument().translate(BLACKBOARD)


def footnote(reader: LatexReader) -> str:
    r"""`\footnote{…}`: shown in place, in brackets."""
    note = reader.argument().strip()
    return f" ({note}) " if note else " "


def typeset_or_plain(reader: LatexReader) -> str:
    r"""`\texorpdfstring{$\alpha$}{alpha}`: the first one is shown; the second is for bookmarks."""
    text = reader.argument()
    reader.argument()
    return text


def raised(reader: LatexReader) -> str:
    r"""`\textsuperscript{2}`: in small characters if each one has a small form."""
    return _small(reader.argument(), SUPERSCRIPTS, "^")


def lowered(reader: LatexReader) -> str:
    r"""`CO\textsubscript{2}`."""
    return _small(reader.argument(), SUBSCRIPTS, "_")


def _small(text: str, forms: Mapping[int, int], mark: str) -> str:
    """`text` in small characters, or unchanged; a word gets `mark`, which separates it from the previous word."""
    small = text.translate(forms)
    if not set(small) & set(text) and not any(map(str.isalpha, text)):
        return small
    return mark + text if len(text) >= WORD and text.isalpha() else text


def negation(reader: LatexReader) -> str:
    r"""`\not=`."""
    negated = reader.argument()
    return f" not {negated}" if negated.isalpha() else unicodedata.normalize("NFC", negated + "\u0338")


def character(reader: LatexReader) -> str:
    r"""`\unicode{x2013}`: a character by its hexadecimal number."""
    code = reader.take(_CODE_POINT)
    number = int(code[1], 16) if code else 0
    return chr(number) if 0 < number < 0x110000 else ""


def dingbat(reader: LatexReader) -> str:
    r"""`\ding{182}`."""
    number = reader.take(_NUMBER)
    return circled(int(number[1])) if number else ""


def kern(reader: LatexReader) -> str:
    r"""`\mkern-2mu `: nothing is shown."""
    reader.take(_LENGTH)
    return ""


def verbatim(reader: LatexReader) -> str:
    r"""`\verb+code+`: shown unchanged."""
    code = reader.take(_VERBATIM)
    if code is None:
        return ""
    return code[2] if code[2] is not None else code[3]


def address(reader: LatexReader) -> str:
    r"""`\url{…}`: shown unchanged, except for escapes."""
    return _ESCAPE.sub(r"\1", reader.raw_group() or "")


def delimiter(reader: LatexReader) -> str:
    r"""`\left.` shows nothing; the bracket of `\left(` is read next."""
    if reader.peek() == ".":
        reader.skip()
    return ""


def begin(reader: LatexReader) -> str:
    r"""`\begin{equation}`."""
    name = reader.raw_group()
    reader.math = name in MATH_ENVIRONMENTS or reader.math
    while reader.take(OPTIONS):
        pass
    if name in ("array", "tabular"):
        reader.argument()
    return " "


def end(reader: LatexReader) -> str:
    r"""`\end{equation}`."""
    reader.math = reader.raw_group() not in MATH_ENVIRONMENTS and reader.math
    return " "


def definition(reader: LatexReader) -> str:
    r"""`\newcommand{\name}{Words}`: the text of the macro from here on."""
    if found := reader.take(_DEFINED):
        reader.defined[found[1]] = found[2]
    return ""


COMMANDS: Mapping[str, Callable[[LatexReader], str]] = {
    "frac": fraction, "tfrac": fraction, "dfrac": fraction, "cfrac": fraction, "nicefrac": fraction, "sfrac": fraction,
    "sqrt": root, "binom": choose, "tbinom": choose, "dbinom": choose, "pmod": modulo, "ket": ket, "bra": bra, "mathbb": blackboard,
    "footnote": footnote, "not": negation, "char": character, "unicode": character,
    "symbol": character, "ding": dingbat, "mkern": kern, "kern": kern, "verb": verbatim, "lstinline": verbatim,
    "url": address, "path": address, "nolinkurl": address, "left": delimiter, "right": delimiter, "begin": begin,
    "end": end, "newcommand": definition, "renewcommand": definition, "providecommand": definition, "def": definition,
    "item": lambda _: " ", "texorpdfstring": typeset_or_plain, "textsuperscript": raised, "textsubscript": lowered,
    **UNITS,
}  # fmt: skip

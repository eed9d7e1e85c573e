"""LaTeX's macros and their Unicode text. The symbols come from pylatexenc; the others are missing there."""

import unicodedata
from functools import cache
from typing import Any

from pylatexenc.latex2text import get_default_latex_context_db


def _set(names: str) -> frozenset[str]:
    return frozenset(names.split())


SILENT = _set(
    "bf bfseries it itshape em tt ttfamily sc scshape sl slshape rm rmfamily sf sffamily cal mdseries upshape "
    "normalfont tiny scriptsize footnotesize small normalsize large Large LARGE huge Huge noindent indent "
    "centering displaystyle textstyle scriptstyle limits nolimits left right middle big Big bigg Bigg bigl "
    "bigr Bigl Bigr biggl biggr xspace protect relax newline linebreak par smash boldmath unboldmath "
    "romannumeral bigskip medskip smallskip item"
)
"""Macros that only change the look. Their argument is text."""

TRANSPARENT = SILENT | _set(
    "mathrm mathbf mathit mathsf mathtt mathcal mathscr mathfrak mathbin mathrel mathop mathord boldsymbol bm "
    "pmb emph text textrm textit textbf textsc textsl texttt textsf textmd textup textnormal mbox hbox fbox makebox "
    "operatorname ensuremath underline uline overline widehat widetilde wideparen overbrace underbrace "
    "enquote num phantom"
)
"""Macros whose argument is shown unchanged. Math alphabets become plain letters, because people search for those."""

DROPPED_ARGUMENTS = {
    "cite": 1, "citep": 1, "citet": 1, "citealp": 1, "citeauthor": 1, "citeyear": 1, "citealt": 1, "parencite": 1,
    "textcite": 1, "ref": 1, "eqref": 1, "autoref": 1, "cref": 1, "Cref": 1, "label": 1, "hspace": 1, "vspace": 1,
    "input": 1, "include": 1, "bibliography": 1, "bibliographystyle": 1, "includegraphics": 1, "usepackage": 1,
    "color": 1, "textcolor": 1, "colorbox": 1, "href": 1, "hyperlink": 1, "hyperref": 0, "footnotemark": 0,
    "foreignlanguage": 1, "raisebox": 1, "scalebox": 1, "rule": 2, "nocite": 1, "thanks": 1, "resizebox": 2,
}  # fmt: skip
"""Macro -> number of its first arguments that aren't text, but a key, a colour or a length."""

REFERENCES = _set(
    "cite citep citet citealp citeauthor citeyear citealt parencite textcite ref eqref autoref cref Cref nocite"
)
"""Macros that print a number that only the compiled document has. The blank or tie before them is also dropped."""

OVERRIDES = {
    "eg": "e.g.", "ie": "i.e.", "etal": "et al.", "deg": "°", "degree": "°", "textdegree": "°", "top": "ᵀ", "ast": "*",
    "colon": ":", "LaTeX": "LaTeX", "TeX": "TeX", "quad": " ", "qquad": " ", "space": " ", "newpage": " ", "and": " and ",
    "textless": "<", "textgreater": ">", "textbar": "|", "textasciitilde": "~", "textasciicircum": "^", "lbrace": "{",
    "textunderscore": "_", "rbrace": "}", "lvert": "|", "rvert": "|", "lVert": "‖", "rVert": "‖", "Vert": "‖", "vert": "|",
    "ne": "≠", "vDash": "⊨", "mod": "mod", "bmod": "mod", "to": "→", "ldots": "…", "dots": "…", "cdots": "⋯", "dotsc": "…", "dotsb": "⋯",
    "bigstar": "★", "star": "⋆", "slash": "/", "micro": "μ", "textmu": "μ", "sim": "∼", "thicksim": "∼",
    "backslash": "∖", "textbackslash": "∖", "setminus": "∖", "euro": "€", "textperiodcentered": "·", "copyright": "©",
    "textregistered": "®", "circledR": "®", "texttrademark": "™", "checkmark": "✓", "faGithub": "",
    "upmu": "μ", "mathellipsis": "…", "textellipsis": "…", "AA": "Å", "angstrom": "Å", "ohm": "Ω", "celsius": "°C", "percent": "%",
}  # fmt: skip
"""Macros that pylatexenc converts differently or doesn't know. A backslash becomes ∖, so that the result has none."""

LETTERS = {
    "o": "ø", "O": "Ø", "l": "ł", "L": "Ł", "i": "ı", "j": "ȷ", "ss": "ß", "ae": "æ", "AE": "Æ", "oe": "œ", "OE": "Œ",
    "aa": "å", "AA": "Å", "th": "þ", "TH": "Þ", "dh": "ð", "DH": "Ð", "ng": "ŋ", "NG": "Ŋ", "dj": "đ", "DJ": "Đ",
}  # fmt: skip
"""Letters inside words: the blank after such a macro only ends the macro."""

ACCENTS = {
    "'": "\u0301", "`": "\u0300", "^": "\u0302", '"': "\u0308", "~": "\u0303", "=": "\u0304", ".": "\u0307",
    "c": "\u0327", "v": "\u030c", "H": "\u030b", "k": "\u0328", "u": "\u0306", "r": "\u030a", "d": "\u0323",
    "b": "\u0331", "t": "\u0361", "hat": "\u0302", "tilde": "\u0303", "bar": "\u0304", "vec": "\u20d7",
    "dot": "\u0307", "ddot": "\u0308", "check": "\u030c", "breve": "\u0306", "acute": "\u0301", "grave": "\u0300", "mathring": "\u030a",
}  # fmt: skip

MATH_ENVIRONMENTS = _set(
    "equation equation* align align* aligned gather gather* gathered multline multline* eqnarray eqnarray* math "
    "displaymath cases matrix pmatrix bmatrix vmatrix array split subequations smallmatrix"
)

SUPERSCRIPTS = str.maketrans("0123456789+-−=()nix", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁼⁽⁾ⁿⁱˣ")
SUBSCRIPTS = str.maketrans("0123456789+-−=()", "₀₁₂₃₄₅₆₇₈₉₊₋₋₌₍₎")
BLACKBOARD = str.maketrans("CHNPQRZ", "ℂℍℕℙℚℝℤ")

_PREFIXES = _set("nabla partial neg langle lvert lVert lceil lfloor")
"""Symbols that belong to the word after them."""
_UNITS = frozenset("mLlgsAVWFHJKNTCMS")
"""Units that can follow a μ or an Ω."""


@cache
def symbol(name: str) -> str | None:
    """Return the character or function name that a macro without arguments prints; None for other macros."""
    if name in OVERRIDES:
        return OVERRIDES[name]
    if name in LETTERS:
        return LETTERS[name]
    spec = _symbols().get_macro_spec(name)
    text = getattr(spec, "simplify_repl", None)
    if not isinstance(text, str) or "%" in text or name == "today":
        return None
    return text.strip()


@cache
def _symbols() -> Any:  # pylatexenc ships no types
    return get_default_latex_context_db()


def accented(base: str, accent: str) -> str:
    """Return `base` with the accent on its first letter."""
    letter, rest = base[:1].translate({ord("ı"): "i", ord("ȷ"): "j"}), base[1:]
    return unicodedata.normalize("NFC", letter + ACCENTS[accent]) + rest


def circled(number: int) -> str:
    """Return the dingbat with this number if it is a circled digit or a check mark, which abstracts use for lists."""
    if 172 <= number <= 211:
        first = "①❶➀➊"[(number - 172) // 10]
        return chr(ord(first) + (number - 172) % 10)
    return {51: "✓", 52: "✔", 55: "✗", 56: "✘"}.get(number, "")


def is_accent(name: str, text: str, place: int, before: str) -> bool:
    r"""Whether `\"` or a similar macro is an accent. In text with escaped quotes it isn't."""
    letter = text[place : place + 1]
    if letter == " ":
        letter = text[place + 1 : place + 2]
    if not (letter.isalpha() or letter == "\\"):
        return False
    if len(unicodedata.normalize("NFC", letter + ACCENTS[name])) > 1 and letter != "\\":
        return False
    return before.isalpha() or letter == "\\" or name not in "\"'`" or letter in "AEOUaeouÉ"


def ends_macro(name: str, char: str, before: str, following: str, *, math: bool) -> bool:
    r"""Whether the blank after a symbol's macro only ends the macro, as in `\ss e`, and isn't a space of the text.

    `before` is the character before the symbol, `following` the two characters after the blank.
    """
    next_letter, alone = following[:1], not following[1:].isalpha()
    if name in LETTERS and not math:
        return next_letter.isalpha() and (name != "AA" or before.isalpha() or following == "ng")
    if name == "textdegree" and next_letter in ("C", "F") and alone:
        return True
    if name in ("mu", "micro", "textmu", "Omega") and next_letter in _UNITS and alone:
        return True
    if not math or next_letter in ("", "$"):
        return False
    if char.isalpha():
        return next_letter.isalpha() and (following.isupper() or alone)
    return before.isalnum() or name in _PREFIXES


def script(mark: str, text: str, before: str, following: str) -> str:
    """Return a superscript (`^`) or subscript (`_`) in Unicode's small characters if it has them, else after its mark.

    `before` and `following` are the characters around it.
    """
    small = text.translate(SUPERSCRIPTS if mark == "^" else SUBSCRIPTS)
    if text in {"∘", "°", "◦"}:
        return "°"
    if text and not set(small) & set(text):
        return small
    if mark == "^" and text in {"st", "nd", "rd", "th"}:
        return f"-{text}" if before.isalpha() else text
    if mark == "^" and (text in {"TM", "ᵀ"} or not any(map(str.isalnum, text))):
        return text
    bare = len(text) == 1 or text.isalnum() or (text.startswith("(") and text.endswith(")"))
    glued = text.isalnum() and following.isalnum()
    return mark + (text if bare and not glued else f"({text})")

"""LaTeX, as authors really write it in abstracts, spelled in Unicode.

pylatexenc knows the macros of LaTeX itself. Around it stands what abstracts need and documents do not: dollars
that are money, a per cent sign that is no comment, macros that only the authors' preamble knew, broken input.
"""

import re
import unicodedata
from contextlib import suppress
from functools import cache

from pylatexenc.latex2text import LatexNodes2Text
from pylatexenc.latexwalker import LatexWalkerError

LONGEST = 20_000
"""Characters that are read as LaTeX; abstracts have 2,000."""

DOLLAR, CARET = "\x00", "\x01"
"""Stand for the characters themselves while the parser, to which they mean something, looks."""


def _set(names: str) -> frozenset[str]:
    return frozenset(names.split())


_UNHEARD = _set(
    "bf bfseries it itshape em tt ttfamily sc scshape sl slshape rm rmfamily sf sffamily mdseries upshape "
    "normalfont tiny scriptsize footnotesize small normalsize large Large LARGE huge Huge noindent indent "
    "centering displaystyle textstyle scriptstyle limits nolimits left right middle big Big bigg Bigg bigl "
    "bigr Bigl Bigr biggl biggr xspace protect relax newline linebreak par item input include"
)
"""Macros that only change how something looks, or must not be obeyed."""

_LETTERS_IN_WORDS = _set("o O l L i j ss ae AE oe OE aa AA th TH dh DH ng NG")
_PLAIN_GROUP = _set(
    "bm boldsymbol mathbf mathrm mathit mathsf mathtt mathcal mathscr mathfrak operatorname text mbox"
)
"""Alphabets become plain letters: a screen reader reads those, and a search finds them."""

_SPOKEN = {
    "eg": "e.g.",
    "ie": "i.e.",
    "etal": "et al.",
    "deg": "°",
    "textdegree": "°",
    "top": "ᵀ",
    "ast": "*",
    "colon": ":",
}
_GROUP = r"\{(?:[^{}]|\{[^{}]*\})*\}"
_SILENT = re.compile(
    r"~?\\(?:cite[a-z]*|[cC]?ref|eqref|autoref|label|[hv]space|mkern|input|include|bibliography|color|textcolor(?=\s*(?:\[|\{))"
    r"|href(?=\s*\{))\*?\s*(?:\[[^\]]*\]\s*)*(?:\{[^{}]*\}|(?<=mkern)-?\d+\w*)?"
)
"""Macros that go with their (first) argument: `\\textcolor{red}{text}` keeps its text."""

_URL = re.compile(r"\\(?:url|path|nolinkurl)\s*\{([^{}]*)\}")
_UNICODE = re.compile(r"\\(?:unicode|symbol)\s*\{x?([0-9A-Fa-f]{2,6})\}")
_MACRO = re.compile(r"(?<!\\)\\([A-Za-z]+)\*?(\s*(?=[{\[]))?( (?=\S))?")
_MATH = re.compile(r"\$\$?((?:[^$\\]|\\.)+?)\$\$?(\d?)", re.DOTALL)
_MARKUP = re.compile(r"[\\^_{}]")
_SCRIPT = re.compile(rf"(?<!\\)([\^_])\s?({_GROUP}|\\[A-Za-z]+(?:{_GROUP})?|[^\s\\{{}}$])")
_SPECIAL = re.compile(r"(?<!\\)[%#&]")
_TIE = re.compile(r"(?<=[^\s\\])~|(?<!\\)~(?!\d)")
_LEFT_OVER = re.compile(r"\\([A-Za-z]+)\*?|\\(.)|[\\{}]", re.DOTALL)
_MATH_LETTERS = re.compile("[\U0001d400-\U0001d7ff]+")
_SUPER = str.maketrans("0123456789+-−=()nix", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁼⁽⁾ⁿⁱˣ")
_SUB = str.maketrans("0123456789+-−=()", "₀₁₂₃₄₅₆₇₈₉₊₋₋₌₍₎")


def spelled(text: str) -> str:
    """`text` without its LaTeX. What can't be parsed loses its backslashes and braces and keeps its words."""
    if len(text) > LONGEST:
        return spelled(text[:LONGEST]) + _LEFT_OVER.sub(_word_of, text[LONGEST:])
    text = _URL.sub(lambda url: _escaped(url[1]), _UNICODE.sub(_character, _SILENT.sub("", text)))
    text = _MATH.sub(_formula, text.replace("\\$", DOLLAR)).replace("$", DOLLAR)
    text = _converted(_TIE.sub(" ", _SCRIPT.sub(_outside_math, text)))
    return text.replace(DOLLAR, "$").replace(CARET, "^")


def _converted(text: str) -> str:
    """The macros of `text`, none of which is `$`, `^` or `_`, as characters."""
    text = _SPECIAL.sub(r"\\\g<0>", _MACRO.sub(_heard, text))
    if "\\" in text:
        # pylatexenc answers broken input with more than its own errors; what follows needs no parser.
        with suppress(LatexWalkerError, RecursionError, LookupError, ValueError, TypeError, AttributeError):
            text = _parser().latex_to_text(text, tolerant_parsing=True)
    text = _MATH_LETTERS.sub(lambda letters: unicodedata.normalize("NFKC", letters[0]), text)
    return _LEFT_OVER.sub(_word_of, text)


@cache
def _parser() -> LatexNodes2Text:
    return LatexNodes2Text(math_mode="text", keep_comments=True)


@cache
def _known(name: str) -> bool:
    return _parser().latex_context.get_macro_spec(name) is not None


def _heard(macro: re.Match[str]) -> str:
    """A macro as pylatexenc should see it: its own stay, unknown ones say their name or their argument."""
    name, has_group, space = macro[1], macro[2] is not None, macro[3] or ""
    if name in _SPOKEN:
        return _SPOKEN[name] + space
    if name in _UNHEARD or (has_group and name in _PLAIN_GROUP):
        return ""
    if _known(name):
        return f"\\{name}{{}} " if space and name not in _LETTERS_IN_WORDS else macro[0]
    return "" if has_group else name + space


def _character(code: re.Match[str]) -> str:
    number = int(code[1], 16)
    return chr(number) if number < 0x110000 else ""


def _escaped(text: str) -> str:
    """`text` such that the parser gives it back as it is; scripts are not looked for in it."""
    return (
        re.sub(r"[_&%#{}]", r"\\\g<0>", text)
        .replace("$", DOLLAR)
        .replace("^", CARET)
        .replace("~", r"\textasciitilde{}")
    )


def _formula(math: re.Match[str]) -> str:
    """Mathematics without its dollars. Two prices in one sentence are not mathematics."""
    content, digit_after = math[1], math[2]
    said = _MARKUP.search(content) or not any(map(str.isalnum, content))
    if not said and (digit_after or content != content.strip()):
        return math[0].replace("$", DOLLAR)
    return _SCRIPT.sub(_script, content) + digit_after


def _outside_math(script: re.Match[str]) -> str:
    """`360^{\\circ}` is raised; `snake_case` stays."""
    return _script(script) if script[1] == "^" or script[2].startswith("{") else script[0]


def _script(script: re.Match[str]) -> str:
    mark, body = script[1], script[2]
    said = _converted(body[1:-1] if body.startswith("{") else body).strip()
    small = said.translate(_SUPER if mark == "^" else _SUB)
    if said in {"∘", "°"}:
        return "°"
    if not set(small) & set(said):
        return small
    if mark == "^" and (said in {"st", "nd", "rd", "th", "TM", "ᵀ"} or not any(map(str.isalnum, said))):
        return said
    return (CARET if mark == "^" else "_") + (said if said.isalnum() else f"({said})")


def _word_of(left_over: re.Match[str]) -> str:
    return left_over[1] or (left_over[2] or "").strip("\\")

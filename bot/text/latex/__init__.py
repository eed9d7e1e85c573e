"""Converts LaTeX, as authors write it in abstracts, to Unicode."""

import re
import unicodedata

from bot.text.latex.commands import COMMANDS
from bot.text.latex.reader import LatexReader

_ESCAPED_FORMULA = re.compile(r"\\\$([A-Za-z][\w^{}-]{0,8})\\\$")
_MATH_LETTERS = re.compile("[\U0001d400-\U0001d7ff]+")
_DASHES = re.compile(r"(?<![-!<])---(?!-)|(?<![-!<\s])--(?![->])|(?<=\s)--(?=\s)")


def spelled(text: str) -> str:
    """Convert the LaTeX in `text`, whose white space is collapsed, to Unicode. Never raises, and takes linear time."""
    plain = LatexReader(_ESCAPED_FORMULA.sub(r"$\1$", text), COMMANDS).read()
    if "`" in plain or "--" in plain:
        plain = _typographic(plain)
    return _MATH_LETTERS.sub(lambda letters: unicodedata.normalize("NFKC", letters[0]), plain)


def _typographic(text: str) -> str:
    """Convert TeX's quotation marks and dashes, except in code fences, options and comments."""
    if "``" in text and "''" in text and "```" not in text:
        text = text.replace("``", "“").replace("''", "”")
    return _DASHES.sub(lambda dashes: "—" if len(dashes[0]) == 3 else "–", text)

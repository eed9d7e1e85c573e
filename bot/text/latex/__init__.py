"""LaTeX, as authors write it in abstracts, spelled in Unicode."""

import re
import unicodedata

from bot.text.latex.commands import COMMANDS
from bot.text.latex.reader import Reader

_ESCAPED_FORMULA = re.compile(r"\\\$([A-Za-z][\w^{}-]{0,8})\\\$")
_MATH_LETTERS = re.compile("[\U0001d400-\U0001d7ff]+")
_DASHES = re.compile(r"(?<![-!<])---(?!-)|(?<![-!<\s])--(?![->])|(?<=\s)--(?=\s)")


def spelled(text: str) -> str:
    """`text`, whose white space is collapsed, without its LaTeX. Never raises, and takes linear time."""
    said = Reader(_ESCAPED_FORMULA.sub(r"$\1$", text), COMMANDS).read()
    if "`" in said or "--" in said:
        said = _typographic(said)
    return _MATH_LETTERS.sub(lambda letters: unicodedata.normalize("NFKC", letters[0]), said)


def _typographic(text: str) -> str:
    """TeX's quotation marks and dashes, outside of code fences, options and comments."""
    if "``" in text and "''" in text and "```" not in text:
        text = text.replace("``", "“").replace("''", "”")
    return _DASHES.sub(lambda dashes: "—" if len(dashes[0]) == 3 else "–", text)

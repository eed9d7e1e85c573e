"""Clean every recorded title and abstract: count words that get lost or joined, and measure the time.

    python -m tests.bench.text --json

The source's words are extracted here by code that shares only the names of macros with the product. Words of three or
more Latin letters are compared, without accents.
"""

import argparse
import gzip
import html
import json
import re
import sys
import time
import unicodedata
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bot.text import clean
from bot.text.latex.commands import COMMANDS
from bot.text.latex.macros import ACCENTS, DROPPED_ARGUMENTS, LETTERS, TRANSPARENT, symbol

PAPERS = Path(__file__).resolve().parents[3] / "shared" / "data" / "arxiv_papers.jsonl.gz"
SHOWN = 20
"""Maximum number of violations in the report."""

_FOLDED = str.maketrans(
    {"ł": "l", "Ł": "L", "ø": "o", "Ø": "O", "ı": "i", "æ": "ae", "Æ": "AE", "œ": "oe", "ß": "ss"}
)
_ARGUMENT = r"\s?\{(?:[^{}]|\{[^{}]*\})*\}"
_DROPPED = re.compile(
    rf"\\(?:{'|'.join(sorted(DROPPED_ARGUMENTS, key=len, reverse=True))})(?![A-Za-z])(?:\s?\[[^\]]*\])*(?:{_ARGUMENT})?"
)
_BARE_LINK = re.compile(r"\\href(\{[^{}]*\}+)(?!\s?\{)")
_FONT = re.compile(r"\{\\(?:small|rm|sc|it|bf|tt|sf|em) ")
_KERN = re.compile(r"\\m?kern ?-?\d+\w+ ?")
_GONE = re.compile(
    r"\\rule(?:\[[^\]]*\])?(?:\{[^{}]*\}){2}|\\(?:begin|end)\{[^}]*\}|\\(?:si|unit)\{(?:\\[a-z]+)+\}|\\char\"[0-9A-F]+|\\unicode\{x\w+\}|\\\\verb\*?"
)
_LINKS = re.compile(r"<(?:a\s[^>]*|/a|/?[bi]|/?su[bp]|/?em)>")
_ACCENT = re.compile(r"\\['\"`^~=.]\s?\{?\\?([A-Za-z])\}?|\\[cvHkudbr](?:\{(\w)\}|\s(\w))")
_MACRO = re.compile(r"\\([A-Za-z]+)(?=(\{\}|\{..?\}|\{|))")
_SCRIPT = re.compile(r"(?:\^|_)\s?\{((?:[^{}]|\{[^{}]*\})*)\}")
_SECOND = re.compile(r"\}\{(?=http|www|github|[A-Z]\} -)")
_FRACTION = re.compile(r"(\\[tdc]?frac\s?\{[^{}]*\})\s?\{")
_PRINTED = {"pmod": " mod ", "binom": " choose ", "mathbb": "", "item": " "}
_RAISED = str.maketrans("ᵀⁿⁱˣ", "    ")
_LEFT = re.compile(r"\\|[{}$]")
_FITTING = re.compile(r"\$ ?[\d.]|(?<=\d)\$|\$(?=[/)\s\"”]|[A-Z]?[a-z]+ coin)")
"""Literal dollar signs."""
_SEEN_GROUP = re.compile(r"\{(?:[^{}]|\{[^{}]*\})*\}")


def violations(raw: str, plain: str) -> list[str]:
    """Return the violations between `raw` and `plain`."""
    before, after = Counter(_source_words(raw)), Counter(_words(plain))
    found = [f"lost {word}" for word in before - after] + [f"made {word}" for word in after - before]
    without_groups = _SEEN_GROUP.sub("", _FITTING.sub("", plain))
    left = {mark for mark in _LEFT.findall(without_groups) if f"\\{mark}" not in raw}
    return found + [f"left {mark}" for mark in sorted(left)]


def papers() -> Iterator[dict[str, Any]]:
    """Yield every recorded paper."""
    with gzip.open(PAPERS, "rt") as lines:
        yield from map(json.loads, lines)


def run() -> dict[str, Any]:
    """Return all figures. `ms_a_paper` is the time for a title and an abstract."""
    count, spent = 0, 0.0
    wrong: list[str] = []
    for paper in papers():
        count += 1
        for text in (paper["title"], paper["abstract"]):
            began = time.perf_counter()
            plain = clean(text)
            spent += time.perf_counter() - began
            if plain != text:
                wrong += [f"{paper['id']}: {one}" for one in violations(text, plain)]
    return {
        "papers": count,
        "violations": len(wrong),
        "ms_a_paper": round(1000 * spent / count, 3),
        "examples": wrong[:SHOWN],
    }


def _words(text: str) -> list[str]:
    text = unicodedata.normalize("NFKD", text.translate(_FOLDED).translate(_RAISED))
    return re.findall(r"[A-Za-z]{3,}", "".join(char for char in text if not unicodedata.combining(char)))


def _source_words(raw: str) -> list[str]:
    text = _LINKS.sub("", " ".join(html.unescape(raw).split()))
    text = _KERN.sub("", _FONT.sub("{", text))
    text = _BARE_LINK.sub(r"\1", text)
    text = _ACCENT.sub(r"\1\2\3", _DROPPED.sub(" ", _GONE.sub(" ", text)))
    text = _SCRIPT.sub(r" \1 ", re.sub(r"\\footnote(?![A-Za-z])|\^\\top", " ", text))
    text = _MACRO.sub(_replaced_macro, _FRACTION.sub(r"\1 {", text))
    text = re.sub(r"\\[,;:! \\\[\]|]", " ", text.replace("\\-", "").replace("\\!", ""))
    return _words(re.sub(r"[{}$\\]", "", _SECOND.sub(" ", text)))


def _replaced_macro(macro: re.Match[str]) -> str:
    name, argument = macro[1], macro[2]
    if name in LETTERS:
        return LETTERS[name]
    if name in TRANSPARENT or name in ACCENTS or name in DROPPED_ARGUMENTS or name in COMMANDS:
        return _PRINTED.get(name, " " if name in COMMANDS else "")
    replacement = symbol(name)
    if replacement is None and (argument == "{" or (argument not in ("", "{}") and name[0].islower())):
        return ""  # an author's own formatting macro
    return f" {name if replacement is None else replacement} "


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true", help="as one line")
    options = parser.parse_args()
    sys.stdout.write(json.dumps(run(), indent=None if options.json else 2, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()

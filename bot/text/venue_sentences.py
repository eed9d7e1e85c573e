"""Where the sentences of a comment end: `Accepted in Trans. Amer. Math. Soc. 12 pages` has two. Pure."""

import re
from collections.abc import Iterator

_END = re.compile(r"[.!?](?=\s|$)|[;|•]|\s/\s")
_ABBREVIATED = re.compile(
    r"(?:(?:\A|[\s.(])[A-Z]|\b(?:[Pp]roc|Conf|Int|Internat|Symp|[Vv]ol|No|al|Phys|Rev|Lett|Nucl|Math|Trans|Sci|Appl|Comput|Commun"
    r"|Astron|Ann|Inst|Acad|Soc|Stat|Statist|Theor|Exp|Mech|Eng|Res|Amer|Roy|Eur|Lang|Geom|Funct|Anal|Combin|Probab|Oper|Inf|Artif|Intell|Mach|Learn|Syst|Autom|Netw|Electron|Biol|Med|Chem|Mater|Philos|Econ|Robot))\.\Z"
)
"""An initial, or a word that is cut short in the names of journals."""
_SHORT_WORD = re.compile(r"\b[A-Z][a-z]{0,7}\.\Z")
_CUT_SHORT_AGAIN = re.compile(r"\s[A-Z](?:[a-z]{1,8}\.|\W|\Z)")
_ACRONYMS = re.compile(r"[A-Z][a-z]*+[A-Z]\w*+ / [A-Z][a-z]*+[A-Z]")
_NEAR = 14
"""Characters of a word before or after a full stop that are looked at."""


def sentences(text: str) -> Iterator[str]:
    """The sentences, without what ends them. A full stop after an abbreviation ends none."""
    at = 0
    for end in _END.finditer(text):
        before, after = text[max(at, end.end() - _NEAR) : end.end()], text[end.end() : end.end() + _NEAR]
        if not _is_abbreviation(before, after) and not _ACRONYMS.search(before + after):
            yield text[at : end.start()].strip()
            at = end.end()
    yield text[at:].strip()


def _is_abbreviation(before: str, after: str) -> bool:
    """Whether a full stop belongs to a word: `Math.`, or `Amer.` with another such word after it."""
    return bool(_ABBREVIATED.search(before) or (_SHORT_WORD.search(before) and _CUT_SHORT_AGAIN.match(after)))

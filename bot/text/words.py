"""Splits text into tokens, the words that `/paper subscribe`, the matcher and the search index compare.

    >>> [token.word for token in tokens("Fine-tuned LLMs")]
    ['fine', 'tuned', 'finetuned', 'llm']

Case, accents and plurals are folded; there is no stemming, because "rating" isn't "rate". A hyphen is optional: the
parts of a hyphenated word are tokens, and so is every run of adjacent parts joined.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from bot.text.plurals import singular


class Token(NamedTuple):
    """A word of a text. Two tokens are adjacent if the `end` of one is the `start` of the other.

    `fine-tuning` at the beginning of a text is fine (0 to 1), tuning (1 to 2) and finetuning (0 to 2).
    """

    word: str
    """Folded, for comparisons."""
    form: str
    """As written, for exact comparisons such as `=ACE`."""
    start: int
    end: int


LONGEST_JOIN = 4
"""Maximum number of a hyphenated word's parts in one joined form. The limit makes `a-a-a-a-…` linear."""

_CJK = re.compile(
    "[\u3005-\u3007\u3041-\u3096\u309d-\u30fa\u30fc-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff]+"
)
_MARKS = re.compile("[\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u064b-\u065f\u0670]+")
"""Accents of alphabets. Those of kana, Hangul and Indic scripts change the word, so they stay."""

_LETTERS = str.maketrans({
    "ł": "l", "Ł": "L", "ø": "o", "Ø": "O", "đ": "d", "Đ": "D", "ð": "d", "Ð": "D", "ħ": "h", "Ħ": "H",
    "ŧ": "t", "Ŧ": "T", "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE", "þ": "th", "Þ": "Th", "ı": "i", "ſ": "s",
    "’": "'", "ʼ": "'", "‘": "'", "ʹ": "'", "′": "'",
    "‐": "-", "‑": "-", "‒": "-", "–": "-", "−": "-", "⁃": "-", "_": "-", "\u00ad": "", "\u200b": "",
})  # fmt: skip

_LETTER = r"(?:[^\W_]|[\u0900-\u0963\u0966-\u0dff])"
_PART = (
    r"(?<![^\W_])[A-Za-z](?:\+\+|[#*])(?![^\W_])"  # C++, C#, A*
    rf"|{_LETTER}+(?:'{_LETTER}+|(?<=\d)[.,]\d{_LETTER}*)*"  # BERT's, Qwen2.5
)
_WORD = re.compile(rf"(?:{_PART})(?:-(?:{_PART}))*")
_PARTS = re.compile(_PART)
_WITH_AMPERSAND = r"(?<![^\W_])[A-Za-z]{1,3}(?:&[A-Za-z]{1,3})+(?![^\W_])|" + _PART
"""R&D and AT&T are one word each; `cats&dogs` is two words."""
_WORD_OR_AMPERSAND = re.compile(rf"(?:{_WITH_AMPERSAND})(?:-(?:{_WITH_AMPERSAND}))*")
_PARTS_OR_AMPERSAND = re.compile(_WITH_AMPERSAND)
_POSSESSIVE = re.compile(r"'[sS]?$")
_ACRONYMS = re.compile(r"(?<![A-Z0-9])(?=[0-9]{0,9}[A-Z])[A-Z0-9]{2,}+s")
"""LMs, APIs: plurals because of their capitals. In lower case, `lms` is another word."""


def tokens(text: str, *, plurals: bool = True) -> list[Token]:
    """Return the words of `text` in order; the joined forms of a hyphenated word follow its parts.

    Runs of Chinese, Japanese or Korean become pairs of characters. Use `plurals=False` for names.
    """
    found: list[Token] = []
    at = 0
    for word, parts in _words(_bare(text)):
        if not word.isascii() and _CJK.match(word):
            pairs = [pair for run in parts for pair in _pairs(run)]
            found += [Token(pair, pair, at + n, at + n + 1) for n, pair in enumerate(pairs)]
            at += len(pairs)
        elif len(parts) == 1:  # nearly all words; the general case below costs twice the time
            form = _form(word)
            found.append(Token(fold(form, plurals=plurals), form, at, at + 1))
            at += 1
        else:
            forms = [_form(part) for part in parts]
            folded = [fold(form, plurals=plurals) for form in forms]
            found += [Token(folded[n], forms[n], at + n, at + n + 1) for n in range(len(parts))]
            found += _joined(folded, forms, at)
            at += len(parts)
    return found


def spell(text: str, *, case: bool = False) -> list[str]:
    """Return the words of `text` in their simplest spelling that has the same tokens.

    Lower case (unless `case`), no accents, `-` for every kind of hyphen; plurals stay as they are.
    """
    words = []
    for _, parts in _words(_bare(text)):
        forms = [_form(part) for part in parts]
        words.append("-".join(form if case else small(form) for form in forms))
    return words


def _words(bare: str) -> Iterator[tuple[str, list[str]]]:
    """Each word with its parts at hyphens."""
    word_pattern, parts_pattern = (
        (_WORD, _PARTS) if "&" not in bare else (_WORD_OR_AMPERSAND, _PARTS_OR_AMPERSAND)
    )
    for word in word_pattern.findall(bare):
        yield word, parts_pattern.findall(word) if "-" in word else [word]


@lru_cache(maxsize=16_384)
def fold(form: str, *, plurals: bool = True) -> str:
    """Return the form of a word without hyphens that is compared."""
    return singular(small(form)) if plurals else small(form)


def _bare(text: str) -> str:
    """`text` without accents, with one kind of hyphen and apostrophe, and spaces around CJK runs."""
    if text.isascii():
        return text.replace("_", "-")
    text = _MARKS.sub("", unicodedata.normalize("NFKD", text))
    text = unicodedata.normalize("NFC", text).translate(_LETTERS)
    return _CJK.sub(r" \g<0> ", text)


def _form(part: str) -> str:
    """A part as written, without possessive, apostrophes and thousands separators."""
    if "'" in part:
        part = _POSSESSIVE.sub("", part).replace("'", "")
    return part.replace(",", "")


@lru_cache(maxsize=16_384)
def small(form: str) -> str:
    """Return a word in lower case with its plural unchanged, except that `LMs` becomes `lm`, since `lms` is LMS."""
    return form[:-1].casefold() if _ACRONYMS.fullmatch(form) else form.casefold()


def _pairs(run: str) -> list[str]:
    return [run[n : n + 2] for n in range(len(run) - 1)] or [run]


def _joined(folded: list[str], forms: list[str], at: int) -> list[Token]:
    count = len(folded)
    return [
        Token("".join(folded[start:end]), "-".join(forms[start:end]), at + start, at + end)
        for start in range(count)
        for end in range(start + 2, min(start + LONGEST_JOIN, count) + 1)
    ]

"""Turns a word of a query, with its field and signs, into a term."""

import re
from collections.abc import Callable
from difflib import get_close_matches
from typing import Literal

from bot.domain.errors import UserError
from bot.query.lexer import Piece
from bot.query.nodes import (
    LAST_RANK,
    MOST_UPVOTES,
    Category,
    Identifier,
    Organization,
    Person,
    Phrase,
    Signal,
    SourceName,
    Term,
)
from bot.text import clean, spell, tokens
from bot.text.identity import paper_id
from bot.text.names import given_first
from bot.text.organizations import organization

Field = Literal["title", "abs", "author", "org", "cat", "source", "id", "min", "top", "code"]

SHORTEST_PREFIX = 3

FIELDS: dict[str, Field] = {
    "title": "title", "ti": "title", "abs": "abs", "abstract": "abs",
    "author": "author", "authors": "author", "au": "author",
    "org": "org", "organization": "org", "organisation": "org", "lab": "org", "cat": "cat", "category": "cat",
    "source": "source", "id": "id", "min": "min", "upvotes": "min", "top": "top", "code": "code",
}  # fmt: skip
"""Name before a colon -> its field."""

_EXAMPLES: dict[Field, str] = {
    "title": 'title:"world model"', "abs": "abs:robot", "author": "author:hinton",
    "org": "org:deepmind", "cat": "cat:cs.CL",
    "source": "source:arxiv", "id": "id:1706.03762", "min": "min:30", "top": "top:10", "code": "code:yes",
}  # fmt: skip

_CATEGORY = re.compile(r"([a-z]+(?:-[a-z]+)*)(?:\.([a-z]+(?:-[a-z]+)*|\*))?", re.IGNORECASE | re.ASCII)
_ARCHIVES = {
    "astro-ph",
    "cond-mat",
    "cs",
    "econ",
    "eess",
    "math",
    "nlin",
    "physics",
    "q-bio",
    "q-fin",
    "stat",
}
_NAME = re.compile(r"[a-z0-9_-]+", re.IGNORECASE | re.ASCII)
_ID = re.compile(r"[^\s(),\"]+", re.ASCII)
_SHORT_NAMES = {"hf": "huggingface"}


def term_of(piece: Piece) -> Term:
    """Return the term for a word piece. Raises UserError with what to type instead."""
    if not piece.field and "://" in piece.text:
        raise _link_error(piece)
    whole = _CATEGORY.fullmatch(piece.text) if piece.text.endswith(".*") else None
    if not (piece.field or piece.quoted) and whole and whole[1].lower() in _ARCHIVES:
        raise UserError(
            f"{piece.text} is an archive of arXiv.", hint=f"cat:{piece.text.lower()}", at=piece.at
        )
    if piece.text or piece.quoted:
        check_field(piece)
    field = FIELDS.get(piece.field.lower())
    if field and not piece.text.strip():
        raise UserError(f"“{field}:” needs a value right after it.", hint=_EXAMPLES[field], at=piece.at)
    if piece.exact and field not in {None, "title", "abs"}:
        raise UserError(
            f"“=” is for exact words; “{field}:” doesn't take it.", hint=f"{field}:{piece.text}", at=piece.at
        )
    return _READERS[field](piece) if field else _phrase(piece)


def check_field(piece: Piece) -> None:
    """Raise UserError if the name before the colon isn't a field."""
    if not piece.field or piece.field.lower() in FIELDS:
        return
    value = f'"{piece.text}"' if piece.quoted else piece.text
    near = get_close_matches(piece.field.lower(), FIELDS, n=1)
    hint = f"{near[0]}:{value}" if near else f'"{piece.field} {piece.text}"'
    names = ", ".join(_EXAMPLES)
    raise UserError(
        f"I don't know the field “{piece.field}:”. The fields are {names}.",
        hint=hint if value else "",
        at=piece.at,
    )


def _phrase(piece: Piece, field: Literal["", "title", "abs"] = "") -> Phrase:
    # A field without a value is part of a pasted title: "LMEB: a benchmark".
    words, prefix = _words(piece, clean(piece.text or piece.field))
    return Phrase(words, field, exact=piece.exact, prefix=prefix)


def _in_title(piece: Piece) -> Phrase:
    return _phrase(piece, "title")


def _in_abstract(piece: Piece) -> Phrase:
    return _phrase(piece, "abs")


_TITLES = re.compile(r"\A(?:(?:dr|prof|professor)\b\.? ){1,3}(?=\S+ \S)", re.IGNORECASE)


def _person(piece: Piece) -> Person:
    name = given_first(_TITLES.sub("", clean(piece.text).replace("_", " ")))  # arXiv writes au:del_maestro
    words, prefix = _words(piece, name)
    return Person(words, prefix)


def _words(piece: Piece, text: str) -> tuple[tuple[str, ...], bool]:
    """The words of a value, and whether they are a prefix."""
    words = spell(text, case=piece.exact)
    if not words:
        raise UserError(f"“{piece.text or piece.field}” has no letters or digits to search for.", at=piece.at)
    stars = text.count("*") - sum(word.count("*") for word in words)  # the star of A* is part of the word
    if not stars:
        return tuple(words), False
    if piece.quoted or piece.exact or stars > 1 or not text.endswith("*"):
        raise UserError("“*” goes at the end of a single word.", hint="diffus*", at=piece.at)
    return (_stem(piece, words),), True


def _stem(piece: Piece, words: list[str]) -> str:
    stem = words[0].replace("-", "")
    if len(words) > 1 or [token.word for token in tokens(stem, plurals=False)] != [stem]:
        raise UserError("“*” goes at the end of a single word.", hint="diffus*", at=piece.at)
    if len(stem) < SHORTEST_PREFIX:
        message = f"“*” needs at least {SHORTEST_PREFIX} letters before it."
        raise UserError(message, hint=f'"{words[0]}"', at=piece.at)
    return stem


def _organization(piece: Piece) -> Organization:
    if "*" in piece.text:
        raise UserError("“org:” takes a whole name, without “*”.", hint=_EXAMPLES["org"], at=piece.at)
    name = organization(clean(piece.text))
    if not name:
        raise UserError(f"“{piece.text}” has no letters or digits to search for.", at=piece.at)
    return Organization(name)


def _nearest_category(typed: str) -> str:
    """The archive of `math.A*`, the category of `cs.CL*`, or the part after the source in `biorxiv:neuroscience`."""
    before, colon, after = typed.partition(":")
    if colon and _CATEGORY.fullmatch(after):
        return f"cat:{after}"
    archive, _, subject = before.rstrip("*").lower().partition(".")
    if archive not in _ARCHIVES:
        return "cat:cs.CL"
    return f"cat:{before.rstrip('*')}" if len(subject) > 1 else f"cat:{archive}.*"


def _category(piece: Piece) -> Category:
    parts = _CATEGORY.fullmatch(re.sub(r"[\s_]+", "-", piece.text.strip()))
    if parts is None:
        raise UserError(
            f"“{piece.text}” isn't an arXiv category.", hint=_nearest_category(piece.text), at=piece.at
        )
    archive, subject = parts[1].lower(), (parts[2] or "").lower()
    if not subject:
        return Category(f"{archive}.*" if archive in _ARCHIVES else archive)
    subject = subject.upper() if len(subject) == 2 else subject  # cs.CL, but physics.optics
    return Category(f"{archive}.{subject}")


def _upstream(piece: Piece) -> SourceName:
    name = piece.text.strip().lower()
    if not _NAME.fullmatch(name):
        raise UserError(f"“{piece.text}” isn't a source.", hint="source:arxiv", at=piece.at)
    return SourceName(_SHORT_NAMES.get(name, name))


def _identifier(piece: Piece) -> Identifier:
    typed = piece.text.strip()
    found = paper_id(typed)
    if not found and not _ID.fullmatch(typed):
        raise UserError(f"“{piece.text}” isn't a paper's id.", hint="id:1706.03762", at=piece.at)
    return Identifier((found or typed).lower())


def _upvotes(piece: Piece) -> Signal:
    return Signal("min", _number(piece, "min", MOST_UPVOTES))


def _rank(piece: Piece) -> Signal:
    return Signal("top", _number(piece, "top", LAST_RANK))


def _number(piece: Piece, field: Field, most: int) -> int:
    typed = piece.text.strip().removesuffix("+")
    if not re.fullmatch(r"[0-9]{1,6}", typed) or not 1 <= int(typed) <= most:
        raise UserError(f"“{field}:” needs a number from 1 to {most}.", hint=_EXAMPLES[field], at=piece.at)
    return int(typed)


def _code(piece: Piece) -> Signal:
    typed = piece.text.strip().lower()
    if typed not in {"yes", "no"}:
        raise UserError("“code:” is yes or no.", hint="code:yes", at=piece.at)
    return Signal("code", int(typed == "yes"))


_READERS: dict[Field, Callable[[Piece], Term]] = {
    "title": _in_title, "abs": _in_abstract, "author": _person,
    "org": _organization, "cat": _category, "source": _upstream,
    "id": _identifier, "min": _upvotes, "top": _rank, "code": _code,
}  # fmt: skip


def _link_error(piece: Piece) -> UserError:
    if found := paper_id(piece.text):
        hint = str(Identifier(found))
        return UserError("That's a link to a paper. Search for it by its id.", hint=hint, at=piece.at)
    return UserError("That's a link. Type words to search for instead.", at=piece.at)

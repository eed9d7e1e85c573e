"""Refuses valid queries that people probably don't mean, and says what to type instead. Pure."""

import re

from bot.domain.errors import UserError
from bot.domain.source_titles import SOURCE_TITLES
from bot.query import Category, Phrase, Query
from bot.query.lexer import Piece, narrow, pieces
from bot.query.nodes import contradiction, terms_of
from bot.query.terms import FIELDS
from bot.sources.categories import CATEGORIES
from bot.text.terms import STOP_WORDS

_STAR = re.compile(r"(?<!\S)([a-z0-9]{1,2})\*(?!\S)")
_CATEGORIES = {name.casefold(): name for name in CATEGORIES if "." in name}
_SOURCES = {**{name: name for name in SOURCE_TITLES}, "hf": "huggingface"}
_VAGUE = STOP_WORDS | frozenset({
    "articles", "everything", "latest", "new", "news", "papers", "preprints", "publications", "recent",
    "research",
})  # fmt: skip


def refuse_vague(query: Query, typed: str) -> None:
    """Raises UserError for a query that is probably not meant: common words only, `a*`, a category without `cat:`."""
    wanted = [term for term, is_wanted in terms_of(query.root) if is_wanted]
    words = [word for term in wanted if isinstance(term, Phrase) for word in term.words]
    if wanted and all(isinstance(term, Phrase) for term in wanted):
        if _VAGUE.issuperset(words):
            raise UserError(f"“{typed}” is too common to look for. Add a word for your subject.")
        if (name := _SOURCES.get(" ".join(words))) is not None:
            raise UserError(
                f"{typed} is a source. To get all its papers, name it as one.", hint=f"source:{name}"
            )
    if (term := contradiction(query.root)) is not None:
        raise UserError(f"No paper can match: this wants {term} and excludes it.")
    if star := _STAR.search(typed):
        raise UserError(
            f"“*” needs at least 3 letters before it. For the name, type {star[0].upper()}.", at=star.span()
        )
    found = pieces(typed)
    _refuse_list_in_field(found, typed)
    named = {term.name for term in wanted if isinstance(term, Category)}  # cat:(cs.CL OR cs.LG)
    for piece in found:
        category = None if piece.field or piece.quoted else _CATEGORIES.get(piece.text.casefold())
        if category and category not in named:
            hint = f"{typed[: piece.at[0]]}cat:{category}{typed[piece.at[1] :]}"
            raise UserError(f"{category} is a category.", hint=hint, at=piece.at)


def _refuse_list_in_field(found: list[Piece], typed: str) -> None:
    """Raises UserError for `author:LeCun,Yann` and `cat:cs.LG,cs.AI`: the field ends at the comma."""
    for first, comma, second in zip(found, found[1:], found[2:], strict=False):
        glued = first.at[1] == comma.at[0] and comma.at[1] == second.at[0]
        field = FIELDS.get(first.field.casefold())
        if not (glued and field and comma.text == "," and second.kind == "word" and not second.field):
            continue
        text = narrow(typed)
        one, other = text[first.at[0] + len(first.field) + 1 : first.at[1]], text[second.at[0] : second.at[1]]
        both = f'{field}:"{one}, {other}"' if field == "author" else f"{field}:({one}, {other})"
        raise UserError(
            f"“{first.field}:” ends at the comma.",
            hint=f"{text[: first.at[0]]}{both}{text[second.at[1] :]}",
            at=first.at,
        )

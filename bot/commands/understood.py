"""How a query was understood: refused where it says nothing, and shown back in the person's spelling. Pure."""

import re

from bot.domain.errors import UserError
from bot.query import Phrase, Query
from bot.query.nodes import terms_of
from bot.sources.categories import CATEGORIES
from bot.text import spell
from bot.text.terms import STOP_WORDS

_WORD = re.compile(r"[^\W_]+")
_STAR = re.compile(r"(?<!\S)([a-z0-9]{1,2})\*(?!\S)")
_CATEGORIES = {name.casefold(): name for name in CATEGORIES if "." in name}


def refuse_vague(query: Query, typed: str) -> None:
    """Raises UserError for a query that is hardly meant: stop words only, `a*`, a category without `cat:`."""
    wanted = [term for term, is_wanted in terms_of(query.root) if is_wanted]
    words = [word for term in wanted if isinstance(term, Phrase) for word in term.words]
    if wanted and all(isinstance(term, Phrase) for term in wanted) and STOP_WORDS.issuperset(words):
        raise UserError(f"“{typed}” is too common to look for. Add a word for your subject.")
    if star := _STAR.search(typed):
        raise UserError(
            f"“*” needs at least 3 letters before it. For the name, type {star[0].upper()}.", at=star.span()
        )
    for word in typed.split():
        if category := _CATEGORIES.get(word.casefold()):
            raise UserError(f"{category} is a category.", hint=_put(typed, word, f"cat:{category}"))


def as_typed(shown: str, typed: str) -> str:
    """`shown`, a text with words of a query, with those words as the person spelled them: Große, not grosse."""
    spelled = {"".join(spell(word)): word for word in _WORD.findall(typed)}
    return _WORD.sub(lambda word: spelled.get(word[0], word[0]), shown)


def _put(typed: str, word: str, instead: str) -> str:
    return " ".join(instead if one == word else one for one in typed.split())

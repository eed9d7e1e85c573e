"""Shows a query as its author spelled it: Große, not grosse. Comparisons use the canonical text."""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import replace

from bot.domain.errors import UserError
from bot.query.lexer import pieces
from bot.query.nodes import And, Node, Not, Or, Organization, Person, Phrase
from bot.query.parser import LONGEST_QUERY, parse
from bot.query.query import Query
from bot.query.terms import FIELDS
from bot.text import clean, spell
from bot.text.organizations import organization

_OPERATORS = frozenset({"OR", "AND", "NOT"})
"""If one of these words is also typed in another case, it is shown in that case."""
_WORD = re.compile(r"[^\W_]+")


def spelled(query: Query) -> str:
    """Return the canonical text with words and names as typed. It parses to an equal query."""
    canonical = str(query)
    as_typed = str(_respelled(query.root, _speller(query.typed), _organizations(query.typed)))
    if as_typed == canonical or len(as_typed) > LONGEST_QUERY:
        return canonical
    try:
        return as_typed if parse(as_typed) == query else canonical
    except UserError:
        return canonical


def respell(text: str, typed: str) -> str:
    """Return `text`, a sentence with words of a query, with those words spelled as in `typed`."""
    return _speller(typed)(text)


def _speller(typed: str) -> Callable[[str], str]:
    words = sorted(
        _WORD.findall(unicodedata.normalize("NFC", typed)), key=lambda word: word not in _OPERATORS
    )
    spelling: Mapping[str, str] = {"".join(spell(word)): word for word in words}
    return lambda text: _WORD.sub(lambda word: spelling.get(word[0], word[0]), text)


def _organizations(typed: str) -> Mapping[str, str]:
    """Each organization's name -> its name as typed: MIT."""
    named = (piece.text.strip() for piece in pieces(typed) if FIELDS.get(piece.field.casefold()) == "org")
    return {organization(clean(text)): text for text in named}


def _respelled(node: Node, spell_as_typed: Callable[[str], str], organizations: Mapping[str, str]) -> Node:
    match node:
        case Not(inner):
            return Not(_respelled(inner, spell_as_typed, organizations))
        case And(nodes) | Or(nodes):
            parts = (_respelled(part, spell_as_typed, organizations) for part in nodes)
            return replace(node, nodes=tuple(parts))
        case Phrase(exact=False) | Person():
            return replace(node, words=tuple(map(spell_as_typed, node.words)))
        case Organization(name):
            return Organization(organizations.get(name, name))
        case _:
            return node

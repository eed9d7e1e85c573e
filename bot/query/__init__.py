"""The subscription language: its parser, its meaning and its canonical text.

>>> str(parse('"diffusion policy" -survey, trending'))
'"diffusion policy" -survey OR top:10'
"""

from bot.query.lexer import capitalized, narrow
from bot.query.nodes import (
    And,
    Category,
    Identifier,
    Node,
    Not,
    Or,
    Organization,
    Person,
    Phrase,
    Signal,
    SourceName,
)
from bot.query.paper_view import PaperView
from bot.query.parser import parse
from bot.query.query import Query
from bot.query.spelling import respell, spelled

__all__ = [
    "And", "Category", "Identifier", "Node", "Not", "Or", "Organization", "PaperView", "Person", "Phrase", "Query", "Signal", "SourceName",
    "capitalized", "narrow", "parse", "respell", "spelled",
]  # fmt: skip

"""Titles as one types."""

from tantivy import Occur, Order, Schema, Searcher
from tantivy import Query as IndexQuery

from bot.search.query_parser import Word, words_in
from bot.search.terms import Terms, both

LONGEST = 200
"""Characters of what was typed that are looked at."""


def complete_title(typed: str, schema: Schema, searcher: Searcher, most: int) -> list[str]:
    """Ids of papers with these words in their titles, of which the last may have just begun; the best first."""
    terms = Terms(schema, searcher)
    words = words_in(typed[:LONGEST])
    if not words:
        return []
    *before, last = words
    beginning = terms.prefix("title", last.joined or last.parts[0])
    query = both([*((Occur.Must, _whole(terms, word)) for word in before), (Occur.Must, beginning)])
    if before:
        hits = searcher.search(query, most, count=False).hits
    else:  # all that begins so is as good; the newest is likeliest to be meant
        hits = searcher.search(query, most, count=False, order_by_field="day", order=Order.Desc).hits
    return [str(searcher.doc(address)["id"][0]) for _, address in hits]


def _whole(terms: Terms, word: Word) -> IndexQuery:
    return terms.parts("title", word.parts, word.joined)

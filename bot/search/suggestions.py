"""Suggestions: corrected spellings, and titles that complete the typed text."""

from collections.abc import Iterable, Iterator, Sequence
from difflib import get_close_matches

from tantivy import Occur, Order, Schema, Searcher
from tantivy import Query as IndexQuery

from bot.domain.models import Paper
from bot.search.fields import words_of
from bot.search.query_parser import ParsedSearch, Word, words_in
from bot.search.ranking import LONGEST_WORD
from bot.search.terms import Terms, both
from bot.text import tokens

CLOSE = 0.75
"""Minimum similarity of a correction, from 0 to 1 (difflib's ratio): about one wrong letter in six."""
MAX_PAPERS = 5
"""Maximum number of found papers whose words are used for corrections."""
PREFIX = 2
"""Number of first letters assumed to be correct if no paper was found."""
MAX_WORDS = 5000
"""Maximum number of words with that prefix read per field."""
CORRECTED = 3
"""Maximum number of words corrected per search."""


def suggest_spelling(parsed: ParsedSearch, found: Sequence[Paper], searcher: Searcher) -> str:
    """Return the search with its unknown words spelled as in papers; "" if nothing changes."""
    text = parsed.text
    unknown = [
        word
        for word in parsed.words
        if 4 <= len(word.typed) <= LONGEST_WORD and not _is_known(word, searcher)
    ]
    for word in unknown[:CORRECTED]:
        known = [w for w in _known_words(found, word, searcher) if abs(len(w) - len(word.typed)) <= 2]
        near = get_close_matches(word.typed, known, n=1, cutoff=CLOSE)
        if near:
            at = text.casefold().find(word.typed)
            text = f"{text[:at]}{near[0]}{text[at + len(word.typed) :]}" if at >= 0 else text
    return text if text != parsed.text else ""


def _is_known(word: Word, searcher: Searcher) -> bool:
    fields = (("title", word.parts), ("abstract", word.parts), ("authors", word.name_parts))
    return any(all(searcher.doc_freq(field, part) for part in parts) for field, parts in fields)


def _known_words(found: Sequence[Paper], word: Word, searcher: Searcher) -> Iterable[str]:
    if found:
        return set(_words_in(found[:MAX_PAPERS]))
    prefix = word.typed[:PREFIX]
    counts = dict(searcher.terms_with_prefix("title", prefix, limit=MAX_WORDS))
    counts |= dict(searcher.terms_with_prefix("authors", prefix, limit=MAX_WORDS))
    return counts


def _words_in(papers: Iterable[Paper]) -> Iterator[str]:
    for paper in papers:
        for text in (paper.title, paper.abstract):
            yield from words_of(tokens(text))
        for name in paper.authors:
            yield from words_of(tokens(name, plurals=False))


LONGEST_TITLE = 200
"""Maximum number of typed characters that are read."""


def complete_title(typed: str, schema: Schema, searcher: Searcher, most: int) -> list[str]:
    """Return the ids of papers with these words in their titles, best first; the last word may be incomplete."""
    terms = Terms(schema, searcher)
    words = words_in(typed[:LONGEST_TITLE])
    if not words:
        return []
    *before, last = words
    beginning = terms.prefix("title", last.joined or last.parts[0])
    query = both([*((Occur.Must, _whole(terms, word)) for word in before), (Occur.Must, beginning)])
    if before:
        hits = searcher.search(query, most, count=False).hits
    else:  # all titles with this prefix match equally well; the newest is the likeliest
        hits = searcher.search(query, most, count=False, order_by_field="day", order=Order.Desc).hits
    return [str(searcher.doc(address)["id"][0]) for _, address in hits]


def _whole(terms: Terms, word: Word) -> IndexQuery:
    return terms.parts("title", word.parts, word.joined)

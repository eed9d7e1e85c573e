"""What was probably meant: words as papers spell them, and titles that begin like what was typed."""

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
"""Of 1, as difflib counts: one letter wrong in six."""
LOOKED_AT = 5
FIRST = 2
"""Letters that are taken for right where no paper was found at all."""
MOST = 5000
CORRECTED = 3
"""Words of one search, at most."""


def suggest_spelling(asked: ParsedSearch, found: Sequence[Paper], searcher: Searcher) -> str:
    """What was typed with its unknown words as papers spell them; empty if all words are known."""
    text = asked.text
    unknown = [
        word for word in asked.words if 4 <= len(word.typed) <= LONGEST_WORD and not _is_known(word, searcher)
    ]
    for word in unknown[:CORRECTED]:
        known = [one for one in _known_words(found, word, searcher) if abs(len(one) - len(word.typed)) <= 2]
        near = get_close_matches(word.typed, known, n=1, cutoff=CLOSE)
        if near:
            at = text.casefold().find(word.typed)
            text = f"{text[:at]}{near[0]}{text[at + len(word.typed) :]}" if at >= 0 else text
    return text if text != asked.text else ""


def _is_known(word: Word, searcher: Searcher) -> bool:
    fields = (("title", word.parts), ("abstract", word.parts), ("authors", word.name_parts))
    return any(all(searcher.doc_freq(field, part) for part in parts) for field, parts in fields)


def _known_words(found: Sequence[Paper], word: Word, searcher: Searcher) -> Iterable[str]:
    if found:
        return set(_words_in(found[:LOOKED_AT]))
    prefix = word.typed[:FIRST]
    counts = dict(searcher.terms_with_prefix("title", prefix, limit=MOST))
    counts |= dict(searcher.terms_with_prefix("authors", prefix, limit=MOST))
    return counts


def _words_in(papers: Iterable[Paper]) -> Iterator[str]:
    for paper in papers:
        for text in (paper.title, paper.abstract):
            yield from words_of(tokens(text))
        for name in paper.authors:
            yield from words_of(tokens(name, plurals=False))


LONGEST_TITLE = 200
"""Characters of what was typed that are looked at."""


def complete_title(typed: str, schema: Schema, searcher: Searcher, most: int) -> list[str]:
    """Ids of papers with these words in their titles, of which the last may have just begun; the best first."""
    terms = Terms(schema, searcher)
    words = words_in(typed[:LONGEST_TITLE])
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

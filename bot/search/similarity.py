"""Papers like a paper: the words that set it apart, and whom and what it shares with others."""

from collections.abc import Iterable

from tantivy import Occur, Schema, Searcher
from tantivy import Query as IndexQuery

from bot.domain.models import Paper
from bot.search.fields import key, links, words_of
from bot.search.terms import Terms, both, either
from bot.text import tokens

WORDS = 25
"""Of the most telling ones."""
COMMON = 0.1
"""Part of all papers. A word that more have tells nothing apart."""
AUTHOR, LINK = 6.0, 8.0
"""Scores of an author or a link in common; the words of near neighbours score 10 to 25."""
MORE = 0.3
"""How much each further author or link in common counts."""


def most_similar(paper: Paper, schema: Schema, searcher: Searcher, most: int) -> list[str]:
    """Ids of the `most` papers that are most like it, itself left out. It need not be in the index."""
    terms = Terms(schema, searcher)
    wanted = [(Occur.Should, _worded(paper, schema, searcher))]
    for field, keys, score in (("names", _names(paper), AUTHOR), ("links", links(paper), LINK)):
        shared = [IndexQuery.const_score_query(terms.term(field, one), score) for one in dict.fromkeys(keys)]
        if shared:
            wanted.append((Occur.Should, either(shared, MORE)))
    query = both([(Occur.Must, both(wanted)), (Occur.MustNot, terms.term("ids", paper.id.lower()))])
    hits = searcher.search(query, most, count=False).hits
    return [str(searcher.doc(address)["id"][0]) for _, address in hits]


def _worded(paper: Paper, schema: Schema, searcher: Searcher) -> IndexQuery:
    few = searcher.num_docs < 100
    texts = {"title": paper.title, "abstract": paper.abstract}
    return IndexQuery.more_like_this_document_fields_query(
        schema,
        {field: [" ".join(words_of(tokens(text)))] for field, text in texts.items()},
        min_doc_frequency=1 if few else 2,
        max_doc_frequency=None if few else int(searcher.num_docs * COMMON),
        min_term_frequency=1,
        max_query_terms=WORDS,
        min_word_length=3,
    )


def _names(paper: Paper) -> Iterable[str]:
    """First and last part of each author's name, by which the index has them."""
    for name in paper.authors:
        parts = words_of(tokens(name, plurals=False))
        if len(parts) > 1:
            yield key((parts[0], parts[-1]))

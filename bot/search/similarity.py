"""Finds papers similar to a paper, by its distinctive words and word pairs."""

from collections import Counter
from collections.abc import Iterator
from math import log

from tantivy import Occur, Schema, Searcher
from tantivy import Query as IndexQuery

from bot.domain.models import Paper
from bot.search.fields import key, links, stemmer, words_of
from bot.search.terms import Terms, both
from bot.text import tokens
from bot.text.terms import pairs, significant_words

WORDS, PAIRS = 100, 300
"""Maximum number of words and of pairs, the most distinctive ones. Pairs are rare, so many of them cost little."""
COMMON = 0.3
"""Words in more than this share of all papers are ignored."""
FEW = 100
"""With fewer papers than this, no word is ignored as common."""
TIE = 0.05
"""Score of a shared author or link: it breaks ties between equally similar papers."""


def most_similar(paper: Paper, schema: Schema, searcher: Searcher, most: int) -> list[str]:
    """Return the ids of the `most` papers that are most similar to `paper`, which need not be in the index."""
    terms = Terms(schema, searcher)
    similar = both((Occur.Should, query) for query in _distinctive(paper, terms, searcher))
    shared = [terms.term("names", name) for name in _names(paper)]
    shared += [terms.term("links", link) for link in links(paper)]
    ties = [(Occur.Should, IndexQuery.const_score_query(one, TIE)) for one in shared]
    itself = (Occur.MustNot, terms.term("ids", paper.id.lower()))
    hits = searcher.search(both([(Occur.Must, similar), itself, *ties]), most, count=False).hits
    return [str(searcher.doc(address)["id"][0]) for _, address in hits]


def _distinctive(paper: Paper, terms: Terms, searcher: Searcher) -> Iterator[IndexQuery]:
    """The paper's terms, weighted by TF-IDF; BM25 weighs them in the other papers."""
    title, abstract = tokens(paper.title), tokens(paper.abstract)
    analyzer = stemmer()
    papers = searcher.num_docs
    limit = papers if papers < FEW else COMMON * papers
    stems = [analyzer.analyze(word)[0] for word in (*significant_words(title), *significant_words(abstract))]
    for field, found, most in (("stems", stems, WORDS), ("pairs", [*pairs(title), *pairs(abstract)], PAIRS)):
        weights = {
            term: count * log(1 + papers / frequency)
            for term, count in Counter(found).items()
            if 0 < (frequency := searcher.doc_freq(field, term)) <= limit
        }
        for term in sorted(weights, key=lambda term: -weights[term])[:most]:
            yield terms.term(field, term, weights[term])


def _names(paper: Paper) -> Iterator[str]:
    """First and last part of each author's name, as in the index's field `names`."""
    for name in paper.authors:
        parts = words_of(tokens(name, plurals=False))
        if len(parts) > 1:
            yield key((parts[0], parts[-1]))

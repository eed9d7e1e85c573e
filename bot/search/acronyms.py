"""What acronyms stand for, as the papers of the index explain them: "retrieval-augmented generation (RAG)"."""

from collections import Counter
from collections.abc import Mapping, Sequence

from tantivy import Schema, Searcher

from bot.policy.synonyms import MOST_PAPERS, Meaning, Synonym, synonyms, usual_meaning
from bot.query import Query
from bot.search.query_parser import ParsedSearch
from bot.search.terms import Terms, count_of, either
from bot.text.acronyms import folded

FEW = 500
"""Papers. An acronym that more of them use needs no help to be found."""
TWICE = 2
"""Papers that must explain it in the same way: a single one may use it differently."""
USUAL = 0.3
"""Share of the explanations that a meaning must have in a search, which only ranks with it."""
READ = 2000
"""Explanations of one acronym that are looked at."""


def meanings(asked: ParsedSearch, searcher: Searcher) -> tuple[tuple[str, Sequence[str]], ...]:
    """The words of a search that are acronyms which few papers use, each with what it usually means."""
    found = []
    for word in asked.words:
        [short, *more] = word.parts
        if more or word.stop or not 2 <= len(short) <= 8 or searcher.doc_freq("abstract", short) > FEW:
            continue
        counts: Counter[Meaning] = Counter()
        for words, papers in _explanations(short, searcher).items():
            counts[folded(words)] += papers
        usual = max(counts, key=lambda words: counts[words], default=())
        if usual and counts[usual] >= max(TWICE, USUAL * counts.total()):
            found.append((short, usual))
    return tuple(found)


def synonyms_of(query: Query, schema: Schema, searcher: Searcher) -> list[Synonym]:
    """What could be as good as a part of `query`, without what would find many times as many papers."""
    terms = Terms(schema, searcher)

    def acronym_of(words: Sequence[str]) -> str | None:
        shorts = dict(searcher.terms_with_prefix("acronyms", f"{'_'.join(words)}=", limit=READ))
        best = max(shorts, key=lambda term: shorts[term], default="").rpartition("=")[2]
        meaning = usual_meaning(_explanations(best, searcher)) if best else None
        return best if meaning and "".join(folded(meaning)) == "".join(words) else None

    def grows_little(one: Synonym) -> bool:
        now = terms.node(one.part)
        with_it = either((now, terms.node(one.other)))
        papers, more = (count_of(searcher.search(asked, 1)) for asked in (now, with_it))
        return papers > 0 and more <= MOST_PAPERS * papers

    found = synonyms(query, lambda short: usual_meaning(_explanations(short, searcher)), acronym_of)
    return [one for one in found if grows_little(one)]


def _explanations(short: str, searcher: Searcher) -> Mapping[Meaning, int]:
    """What papers say that it stands for, each with the number of papers."""
    counts = searcher.terms_with_prefix("acronyms", f"{short}=", limit=READ)
    return {tuple(term.partition("=")[2].split("_")): papers for term, papers in counts}

"""Meanings of acronyms, as the indexed papers explain them: "retrieval-augmented generation (RAG)"."""

from collections import Counter
from collections.abc import Mapping, Sequence

from tantivy import Schema, Searcher

from bot.policy.synonyms import MOST_PAPERS, Meaning, Synonym, synonyms, usual_meaning
from bot.query import Query
from bot.search.query_parser import ParsedSearch
from bot.search.terms import Terms, count_of, either
from bot.text.acronyms import folded

FEW = 500
"""An acronym in more papers than this needs no meaning to be found."""
TWICE = 2
"""Minimum number of papers that explain an acronym in the same way: a single paper may use it differently."""
USUAL = 0.3
"""Minimum share of the explanations for the usual meaning. It can be low because the meaning only affects ranking."""
READ = 2000
"""Maximum number of explanations read per acronym."""


def meanings(parsed: ParsedSearch, searcher: Searcher) -> tuple[tuple[str, Sequence[str]], ...]:
    """Return the words of a search that are acronyms used by few papers, each with its usual meaning."""
    found = []
    for word in parsed.words:
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
    """Return alternatives to parts of `query`, except those that would find many times as many papers."""
    terms = Terms(schema, searcher)

    def acronym_of(words: Sequence[str]) -> str | None:
        shorts = dict(searcher.terms_with_prefix("acronyms", f"{'_'.join(words)}=", limit=READ))
        best = max(shorts, key=lambda term: shorts[term], default="").rpartition("=")[2]
        meaning = usual_meaning(_explanations(best, searcher)) if best else None
        return best if meaning and "".join(folded(meaning)) == "".join(words) else None

    def grows_little(synonym: Synonym) -> bool:
        part = terms.node(synonym.part)
        either_one = either((part, terms.node(synonym.other)))
        papers, more = (count_of(searcher.search(engine_query, 1)) for engine_query in (part, either_one))
        return papers > 0 and more <= MOST_PAPERS * papers

    found = synonyms(query, lambda short: usual_meaning(_explanations(short, searcher)), acronym_of)
    return [one for one in found if grows_little(one)]


def _explanations(short: str, searcher: Searcher) -> Mapping[Meaning, int]:
    """Each meaning that papers give for the acronym, with the number of papers."""
    counts = searcher.terms_with_prefix("acronyms", f"{short}=", limit=READ)
    return {tuple(term.partition("=")[2].split("_")): papers for term, papers in counts}

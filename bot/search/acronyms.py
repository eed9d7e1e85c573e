"""What acronyms stand for, as papers themselves explain them: "retrieval-augmented generation (RAG)"."""

from collections.abc import Sequence

from tantivy import Searcher

from bot.search.query_parser import ParsedSearch

FEW = 500
"""Papers. An acronym that more of them use needs no help to be found."""
TWICE = 2
"""Papers that must explain it in the same way: a single one may use it differently."""
USUAL = 0.3
"""Share of the explanations that a meaning must have."""
READ = 200


def meanings(asked: ParsedSearch, searcher: Searcher) -> tuple[tuple[str, Sequence[str]], ...]:
    """The words of a search that are acronyms which few papers use, each with what it usually means."""
    found = []
    for word in asked.words:
        [short, *more] = word.parts
        if more or word.stop or not 2 <= len(short) <= 8 or searcher.doc_freq("abstract", short) > FEW:
            continue
        counts = dict(searcher.terms_with_prefix("acronyms", f"{short}=", limit=READ))
        usual = max(counts, key=lambda term: counts[term], default="")
        if usual and counts[usual] >= max(TWICE, USUAL * sum(counts.values())):
            found.append((short, tuple(usual.partition("=")[2].split("_"))))
    return tuple(found)

"""Measure whether `/paper similar` finds papers on the same subject, compared with TF-IDF and BM25.

    python -m tests.bench.similar --json

Each paper of Hugging Face's recorded lists has `ai_keywords`, which no method sees. For each paper its first five
neighbours are scored by the keywords that both have, weighted by rarity (`gain5_…` is the mean over all neighbours).
All methods see the same titles and abstracts.
"""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from math import log

import bm25s
import numpy as np

from bot.domain.models import Paper
from bot.search.index import Index
from bot.search.similarity import most_similar
from bot.text.terms import terms
from tests.bench.signal import labelled
from tests.conftest import SHARED_DATA

SHOWN = 5
"""Number of neighbours per paper."""

Neighbours = Callable[[Paper], Sequence[str]]
"""Function from a paper to the ids of the most similar papers, best first; they can include the paper itself."""


def ours(papers: Sequence[Paper]) -> Neighbours:
    """Find neighbours as `/paper similar` does."""
    index = Index()
    index.become_writer()
    index.write(papers, (), 0)
    searcher = index.searcher()
    return lambda paper: most_similar(paper, index.schema, searcher, SHOWN)


def tfidf(papers: Sequence[Paper]) -> Neighbours:
    """Find neighbours by the cosine of TF-IDF vectors over words and word pairs."""
    counts = [Counter(_terms(paper)) for paper in papers]
    frequency = Counter(term for count in counts for term in count)
    postings: dict[str, tuple[list[int], list[float]]] = {}
    vectors: list[dict[str, float]] = []
    for number, count in enumerate(counts):
        weights = {
            term: n * (1 + log((1 + len(papers)) / (1 + frequency[term])))
            for term, n in count.items()
            if frequency[term] > 1
        }
        length = sum(weight**2 for weight in weights.values()) ** 0.5 or 1.0
        vectors.append({term: weight / length for term, weight in weights.items()})
        for term, weight in vectors[-1].items():
            numbers, values = postings.setdefault(term, ([], []))
            numbers.append(number)
            values.append(weight)
    columns = {term: (np.array(numbers), np.array(values)) for term, (numbers, values) in postings.items()}
    places = {paper.id: number for number, paper in enumerate(papers)}

    def find(paper: Paper) -> list[str]:
        scores = np.zeros(len(papers))
        for term, weight in vectors[places[paper.id]].items():
            numbers, values = columns[term]
            scores[numbers] += weight * values
        return [papers[place].id for place in np.argsort(-scores)[: SHOWN + 1]]

    return find


def bm25(papers: Sequence[Paper]) -> Neighbours:
    """Find neighbours by BM25 with the whole text as the query."""
    engine = bm25s.BM25()
    texts = [f"{paper.title} {paper.abstract}" for paper in papers]
    engine.index(bm25s.tokenize(texts, stopwords="en", show_progress=False), show_progress=False)

    def find(paper: Paper) -> list[str]:
        asked = bm25s.tokenize([f"{paper.title} {paper.abstract}"], stopwords="en", show_progress=False)
        places, _ = engine.retrieve(asked, k=SHOWN + 1, show_progress=False)
        return [papers[place].id for place in places[0]]

    return find


METHODS: Mapping[str, Callable[[Sequence[Paper]], Neighbours]] = {
    "paperboy": ours,
    "tfidf_pairs": tfidf,
    "bm25": bm25,
}


def run() -> dict[str, object]:
    """Return the gain of each method."""
    papers, labels = labelled(SHARED_DATA / "hf_daily")
    keywords: dict[str, set[str]] = {paper.id: set() for paper in papers}
    for label, ids in labels.items():
        for paper_id in ids:
            keywords[paper_id].add(label)
    rarity = {label: log(len(papers) / len(ids)) for label, ids in labels.items()}
    judged = [paper for paper in papers if keywords[paper.id]]
    figures: dict[str, object] = {"papers": len(papers), "asked": len(judged)}
    for name, method in METHODS.items():
        find = method(papers)
        gains = [
            sum(rarity[label] for label in keywords[paper.id] & keywords[other])
            for paper in judged
            for other in [other for other in find(paper) if other != paper.id][:SHOWN]
        ]
        figures[f"gain5_{name}"] = round(sum(gains) / (SHOWN * len(judged)), 3)
    return figures


def _terms(paper: Paper) -> Iterator[str]:
    yield from terms(paper.title)
    yield from terms(paper.abstract)


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true", help="only the figures, as one line")
    parser.parse_args()
    if not SHARED_DATA.is_dir():
        sys.exit("the recorded lists are missing (expected in ../shared/data)")
    sys.stdout.write(json.dumps(run()) + "\n")


if __name__ == "__main__":
    main()

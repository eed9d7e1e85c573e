"""Measure the gain and cost of accepting an acronym's long form, on the recorded days of Hugging Face.

    python -m tests.bench.synonyms --json

Acronyms are mined from the recorded papers of arXiv and Hugging Face, in an index as the program builds it. Each
acronym that passes the guards is a topic: the papers whose `ai_keywords` have it or its long form count as right. A
subscription for the acronym alone is compared with one with the accepted offer; likewise for subscriptions for the long
form.
`--papers` takes fewer papers of arXiv.
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence

from bot.policy.synonyms import widened
from bot.query import PaperView, parse
from bot.search.acronyms import synonyms_of
from bot.search.index import Index
from bot.text.acronyms import folded
from tests.bench.search import recorded
from tests.bench.signal import labelled
from tests.conftest import SHARED_DATA

LEAST = 3
"""Minimum number of papers with a topic's label."""
REFUSED = ("lm", "fm", "qa", "sota")
"""Acronyms whose long forms are another, wider subject, or one of several meanings."""
FAMILIES = (
    "robot",
    "robotic",
    "embodied",
    "embodiment",
    "distillation",
    "distilled",
    "quantization",
    "quantized",
)

Offers = Callable[[str], Sequence[str]]
"""Query -> the queries offered for it."""


def scores(
    queries: Mapping[str, str], truth: Mapping[str, set[str]], views: Mapping[str, PaperView]
) -> dict[str, float]:
    """Return pooled precision and recall of each topic's query."""
    right = found = wanted = 0
    for topic, query in queries.items():
        holds = parse(query).holds_for
        ids = {paper_id for paper_id, view in views.items() if holds(view)}
        right, found, wanted = right + len(ids & truth[topic]), found + len(ids), wanted + len(truth[topic])
    return {"precision": round(right / max(1, found), 3), "recall": round(right / max(1, wanted), 3)}


def labelled_with(forms: Iterable[str], labels: Mapping[str, set[str]]) -> set[str]:
    """Return the papers with a label that contains one of these words or phrases."""
    wanted = [_spaced(form) for form in forms]
    return {
        paper_id for label, ids in labels.items() if any(one in label for one in wanted) for paper_id in ids
    }


def _spaced(text: str) -> str:
    return f" {' '.join(folded(text.split()))} "


def offers_of(index: Index) -> Offers:
    """Return a function that returns the program's offers for a query."""
    searcher = index.searcher()

    def offered(query: str) -> Sequence[str]:
        read = parse(query)
        return [str(widened(read, one)) for one in synonyms_of(read, index.schema, searcher)]

    return offered


def run(most: int) -> dict[str, object]:
    """Return the figures."""
    papers, raw_labels = labelled(SHARED_DATA / "hf_daily")
    labels: dict[str, set[str]] = {}
    for label, ids in raw_labels.items():
        labels.setdefault(_spaced(label), set()).update(ids)
    index = Index()
    index.become_writer()
    index.write([*recorded(most), *papers], (), 0)
    offered = offers_of(index)
    views = {paper.id: PaperView.of(paper) for paper in papers}
    shorts = sorted(
        {term.partition("=")[0] for term, _ in index.searcher().terms_with_prefix("acronyms", "")}
    )
    alone, accepted, long_alone, long_accepted = {}, {}, {}, {}
    truth: dict[str, set[str]] = {}
    for short in shorts:
        if "_" in short or not (wider := offered(short)):
            continue
        long = wider[0].removeprefix(f"{short} OR ")
        right = labelled_with((short, long.strip('"')), labels)
        if len(right) < LEAST:
            continue
        truth[short], alone[short], accepted[short] = right, short, wider[0]
        if back := offered(long):
            long_alone[short], long_accepted[short] = long, back[0]
    return {
        "papers": len(papers),
        "topics": len(truth),
        "acronym": scores(alone, truth, views),
        "with_offer": scores(accepted, truth, views),
        "long_form_topics": len(long_alone),
        "long_form": scores(long_alone, truth, views),
        "long_form_with_offer": scores(long_accepted, truth, views),
        "offered_though_refused": {short: offered(short) for short in REFUSED if offered(short)},
        "families": {word: offered(word) for word in FAMILIES},
        "accepted": list(accepted.values()),
    }


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--papers", type=int, default=10**9)
    parser.add_argument("--json", action="store_true", help="only the figures, as one line")
    options = parser.parse_args()
    if not SHARED_DATA.is_dir():
        sys.exit("the recorded lists are missing (expected in ../shared/data)")
    sys.stdout.write(json.dumps(run(options.papers)) + "\n")


if __name__ == "__main__":
    main()

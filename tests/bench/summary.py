"""Measure how often the sentence on a card names the new idea of a paper's abstract.

    python -m tests.bench.summary --json

150 abstracts of all categories were labelled by hand before the rules were written: a short phrase from each sentence
that names the idea. A random half is held out; `ours`, `first_sentence` and `regex` are measured on it. A sentence
counts as naming the idea if it contains one of the phrases after it was shortened for a card.
"""

import argparse
import gzip
import json
import re
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import mean
from typing import Any

from bot.cards.paper import SUMMARY
from bot.text import clean, core_sentence, first_sentence
from bot.text.sentences import sentences, shorten

LABELS = Path(__file__).with_name("core_sentences.json")
PAPERS = Path(__file__).resolve().parents[3] / "shared" / "data" / "arxiv_papers.jsonl.gz"
ROUNDS = 14
"""Number of times that all abstracts are processed to measure the time."""
_CUE = re.compile(
    r"\bwe (?:propose|present|introduce|develop|describe|show)|\bin this (?:paper|work|study)|\bthis (?:paper|work|study)\b",
    re.IGNORECASE,
)


def by_regex(abstract: str) -> str:
    """Return the first sentence with a cue, or else the first sentence."""
    found = list(sentences(abstract))
    return shorten(next((sentence for sentence in found if _CUE.search(sentence)), found[0]), SUMMARY)


def labelled() -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Return each labelled paper with its label."""
    labels = json.loads(LABELS.read_text())
    with gzip.open(PAPERS, "rt") as lines:
        for paper in map(json.loads, lines):
            if paper["id"] in labels:
                yield paper, labels[paper["id"]]


def names_idea(sentence: str, label: dict[str, Any]) -> bool:
    """Whether `sentence` contains one of the label's phrases."""
    return any(phrase.casefold() in sentence.casefold() for phrase in label["phrases"])


def run(*, show: str = "") -> dict[str, Any]:
    """Return all figures; with `show`, print the misses of that part."""
    ways: dict[str, Callable[[str, str], str]] = {
        "ours": lambda abstract, title: core_sentence(abstract, SUMMARY, title),
        "without_title": lambda abstract, _: core_sentence(abstract, SUMMARY),
        "first_sentence": lambda abstract, _: first_sentence(abstract, SUMMARY),
        "regex": lambda abstract, _: by_regex(abstract),
    }
    hits: dict[str, dict[str, list[bool]]] = {}
    abstracts: list[tuple[str, str]] = []
    for paper, label in labelled():
        abstract, title = clean(paper["abstract"]), clean(paper["title"])
        abstracts.append((abstract, title))
        for name, way in ways.items():
            sentence = way(abstract, title)
            hit = names_idea(sentence, label)
            hits.setdefault(label["part"], {}).setdefault(name, []).append(hit)
            if name == "ours" and label["part"] == show and not hit:
                sys.stderr.write(f"{paper['id']} {label['phrases']}\n    {sentence}\n")
    apart = {name: round(mean(found), 3) for name, found in hits["held_out"].items()}
    return apart | {
        "ms": _milliseconds(ways["ours"], abstracts),
        "regex_ms": _milliseconds(ways["regex"], abstracts),
        "labelled": len(abstracts),
        "held_out": len(hits["held_out"]["ours"]),
        "development": {name: round(mean(found), 3) for name, found in hits["development"].items()},
    }


def _milliseconds(way: Callable[[str, str], str], abstracts: list[tuple[str, str]]) -> float:
    """Return the processor time per abstract in the fastest round."""
    times = []
    for _ in range(ROUNDS):
        began = time.process_time()
        for abstract, title in abstracts:
            way(abstract, title)
        times.append(time.process_time() - began)
    return round(1000 * min(times) / len(abstracts), 4)


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true", help="as one line")
    parser.add_argument("--show", default="", help="show the misses of this part: development")
    options = parser.parse_args()
    figures = run(show=options.show)
    sys.stdout.write(json.dumps(figures, indent=None if options.json else 2) + "\n")


if __name__ == "__main__":
    main()

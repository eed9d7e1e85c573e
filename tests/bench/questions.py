"""Questions with judged answers, for all search engines: the Cranfield collection and sentences of abstracts."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from math import log2
from pathlib import Path
from random import Random
from typing import Any

from bot.domain.models import Paper
from bot.text import clean

SEED = 20_261_129
WHEN = datetime(1962, 1, 1, tzinfo=UTC)
"""Approximate date of Cranfield's abstracts."""
TEMPLATES = (
    "how to {}", "papers about {}", "what is known about {}", "is there work where {}?", "why {}", "{}", "does {}?",
    "which methods {}", "I am looking for a paper on {}",
)  # fmt: skip
_SENTENCE = re.compile(r"(?<=[.?!])\s+(?=[A-Z])")
_OPENING = re.compile(
    r"^(?:(?:in this (?:paper|work)|here|to this end|specifically|moreover|furthermore|however|finally|additionally)"
    r",? )?(?:(?:we|our (?:method|approach|results|experiments)|this (?:paper|work)|the authors) (?:also )?"
    r"(?:propose|present|introduce|show|demonstrate|find|develop|study|investigate|describe|argue|prove)s?(?: that)? )?",
    re.IGNORECASE,
)
WORDS = range(8, 29)
"""Minimum and maximum number of words of a sentence that becomes a question."""


@dataclass(frozen=True, slots=True)
class Collection:
    """Papers, and questions with the ids of the papers that answer them."""

    papers: Sequence[Paper]
    questions: Sequence[tuple[str, Mapping[str, int]]]


def cranfield(folder: Path) -> Collection:
    """Read 1,400 abstracts on aerodynamics and 225 questions."""
    papers = [
        Paper(
            id=row["id"],
            title=clean(row["title"]),
            abstract=clean(row["abstract"]),
            authors=(),
            url="",
            published=WHEN,
        )
        for row in _rows(folder / "cranfield_docs.jsonl")
    ]
    rows = _rows(folder / "cranfield_queries.jsonl")
    return Collection(papers, [(row["query"], row["relevant"]) for row in rows])


def from_sentences(papers: Sequence[Paper], count: int) -> Collection:
    """Make questions from sentences of abstracts; their papers are indexed without that sentence.

    So a question shares its paper's subject but not its text. Only that paper counts as right, so the figures are only
    meaningful in comparison.
    """
    random = Random(SEED)
    shelf = list(papers)
    questions: list[tuple[str, Mapping[str, int]]] = []
    for place in random.sample(range(len(shelf)), len(shelf)):
        if len(questions) == count:
            break
        sentences = _SENTENCE.split(shelf[place].abstract)
        fit = [n for n, sentence in enumerate(sentences) if n and len(sentence.split()) in WORDS]
        if len(sentences) < 4 or not fit:
            continue
        chosen = sentences.pop(random.choice(fit))
        shelf[place] = replace(shelf[place], abstract=" ".join(sentences))
        subject = _OPENING.sub("", chosen).rstrip(".!?")
        questions.append(
            (random.choice(TEMPLATES).format(subject[:1].lower() + subject[1:]), {shelf[place].id: 1})
        )
    return Collection(shelf, questions)


def ndcg(found: Sequence[str], relevant: Mapping[str, int], most: int = 10) -> float:
    """Return the nDCG at `most` of one answer."""
    ideal = _gain(sorted(relevant.values(), reverse=True)[:most])
    return _gain([relevant.get(paper_id, 0) for paper_id in found[:most]]) / ideal


def mean_ndcg10(collection: Collection, find: Callable[[str], Sequence[str]]) -> tuple[float, float]:
    """Return the mean nDCG@10 over all questions, and the share of questions without an answer."""
    answers = [(find(text), relevant) for text, relevant in collection.questions]
    scores = [ndcg(found, relevant) for found, relevant in answers]
    return sum(scores) / len(scores), sum(not found for found, _ in answers) / len(answers)


def _gain(grades: Sequence[int]) -> float:
    return sum((2.0**grade - 1) / log2(place + 2) for place, grade in enumerate(grades))


def _rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]

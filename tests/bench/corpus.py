"""Papers and queries for the benchmarks: from the recorded corpus if it is there, else generated; always the same."""

import gzip
import json
import random
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import accumulate, islice

from bot.domain.errors import UserError
from bot.domain.models import ChannelRef, Paper, Subscription
from bot.query import parse
from tests.conftest import SHARED_DATA
from tests.papers import SPRING

CORPUS = SHARED_DATA / "arxiv_papers.jsonl.gz"
COMMONEST = 150
"""Number of the most common words, to which people don't subscribe: the, we, model, …"""
EACH = 20
"""Subscriptions per channel."""
SEED = 20


def papers(count: int) -> list[Paper]:
    """Return the first papers of the corpus, or as many generated ones."""
    if not CORPUS.exists():
        return list(islice(_generated(), count))
    with gzip.open(CORPUS, "rt", encoding="utf-8") as lines:
        return [_paper(json.loads(line)) for line in islice(lines, count)]


def source() -> str:
    """Return the origin of the papers, for a report."""
    return CORPUS.name if CORPUS.exists() else "generated text (the corpus is not here)"


def queries(of: list[Paper], count: int, seed: int = SEED) -> list[str]:
    """Return distinct canonical queries, drawn from the papers' own words.

    22 % words, 35 % phrases, 18 % two words, 9 % either of two, 7 % one without another, the rest authors,
    categories, titles and prefixes. The most common words are left out.
    """
    dice = random.Random(seed)
    texts = [f"{paper.title} {paper.abstract}".split() for paper in of]
    seen = Counter(word for text in texts for word in set(text))
    dull = {word for word, _ in seen.most_common(COMMONEST)}
    found: dict[str, None] = {}
    while len(found) < count:
        number = dice.randrange(len(of))
        text = _query(
            dice, of[number], [word for word in texts[number] if word not in dull and len(word) > 2]
        )
        try:
            found[str(parse(text))] = None
        except UserError:  # a bracket or a quote from the paper
            continue
    return list(found)


def subscriptions(of: list[str], count: int, seed: int = SEED) -> Iterator[Subscription]:
    """Return `count` subscriptions, `EACH` to a channel; the n-th query is n times rarer than the first (Zipf)."""
    dice = random.Random(seed)
    weights = list(accumulate(1 / rank for rank in range(1, len(of) + 1)))
    for start in range(0, count, EACH):
        channel = ChannelRef("bench", f"T{start // EACH % 1000}", f"C{start // EACH}")
        chosen = dice.choices(of, cum_weights=weights, k=min(EACH, count - start))
        for number, query in enumerate(chosen, 1):
            yield Subscription(channel=channel, number=number, query=query, created_at=SPRING)


def _query(dice: random.Random, paper: Paper, words: list[str]) -> str:
    one, other = (dice.choice(words), dice.choice(words)) if words else ("paper", "model")
    at = dice.randrange(max(1, len(words) - 3))
    phrase = " ".join(words[at : at + dice.choice((2, 2, 3))])
    kind = dice.random()
    for share, text in (
        (0.22, one),
        (0.57, f'"{phrase}"'),
        (0.75, f"{one} {other}"),
        (0.84, f"{one} OR {other}"),
        (0.91, f"{one} -{other}"),
        (0.94, f'author:"{dice.choice(paper.authors)}"' if paper.authors else one),
        (0.96, f"{one} cat:{dice.choice(paper.categories)}" if paper.categories else one),
        (0.98, f"title:{one}"),
    ):
        if kind < share:
            return text
    return f"{one[:5]}*"


def _paper(row: dict[str, object]) -> Paper:
    authors, categories = row.get("authors") or (), row.get("categories") or ()
    return Paper(
        id=str(row["id"]),
        title=str(row["title"]),
        abstract=str(row["abstract"]),
        authors=tuple(map(str, authors)) if isinstance(authors, list) else (),
        categories=tuple(map(str, categories)) if isinstance(categories, list) else (),
        url=f"https://arxiv.org/abs/{row['id']}",
        published=datetime(2026, 1, 5, tzinfo=UTC),
        sources=("arxiv",),
    )


def _generated() -> Iterator[Paper]:
    """Yield papers of about 200 words with the word frequencies of real text."""
    dice = random.Random(SEED)
    letters = "abcdefghijklmnopqrstuvwxyz"
    words = ["".join(dice.choices(letters, k=dice.randint(3, 11))) for _ in range(40_000)]
    weights = list(accumulate(1 / rank for rank in range(1, len(words) + 1)))
    for number in range(1_000_000):
        text = dice.choices(words, cum_weights=weights, k=dice.randint(120, 280))
        yield Paper(
            id=f"0000.{number:05}",
            title=" ".join(text[:9]),
            abstract=" ".join(text[9:]),
            authors=tuple(" ".join(dice.choices(words[:5000], k=2)) for _ in range(dice.randint(1, 6))),
            categories=(dice.choice(("cs.AI", "cs.CL", "cs.CV", "cs.LG")),),
            url=f"https://example.org/{number}",
            published=SPRING,
            sources=("arxiv",),
        )

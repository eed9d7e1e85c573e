"""Measure how long it takes to find the subscriptions that a paper matches, and the memory per subscription.

    python -m tests.bench.matching --subs 1000000 --queries 100000 --json

`match_ms` is the time from the paper's text to the list of matching subscriptions; `listed_ms` includes iterating over
that list. The rivals get the same papers in the same run. The worst cases and the growth come last.
"""

import argparse
import ctypes
import gc
import json
import random
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from bot.domain.models import ChannelRef, Paper, Subscription
from bot.matching import Matcher
from tests.bench import corpus
from tests.bench.rivals import Evaluator, Percolated, Substrings
from tests.papers import SPRING

WARM_UP = 30
NAIVE_SUBS, NAIVE_PAPERS = 20_000, 10
"""Numbers of subscriptions and papers on which the substring loop is timed, to be scaled to all subscriptions."""
COMPARED = 40
"""Number of papers whose results are compared with the rivals'."""
CROWD = 60_000
"""Number of queries of the same kind in a worst case."""
CHANGES = 5000


def run(subs: int, distinct: int, papers: int, *, worst: bool) -> dict[str, Any]:
    """Return all figures."""
    everything = corpus.papers(20_000)
    measured = random.Random(corpus.SEED).sample(everything, papers + WARM_UP)
    figures = usual(drawn(everything, distinct), subs, measured)
    if worst:
        figures["worst"] = worst_cases(measured, everything)
        figures["growth"] = [growth(everything, measured, size) for size in (10_000, 100_000, 1_000_000)]
    return figures


def usual(texts: list[str], subs: int, papers: Sequence[Paper]) -> dict[str, Any]:
    """Measure the case for which there are goals, and the rivals in that case."""
    before = resident()
    matcher, load_s = loaded(corpus.subscriptions(texts, subs))
    grown = resident() - before
    for paper in papers[:WARM_UP]:
        matcher.match(paper)
    papers = papers[WARM_UP:]
    took = [milliseconds(partial(matcher.match, paper)) for paper in papers]
    listed = [milliseconds(partial(listing, matcher, paper)) for paper in papers]
    return {
        "subs": len(matcher),
        "distinct": len({subscription.query for subscription in corpus.subscriptions(texts, subs)}),
        "papers": len(papers),
        "text": corpus.source(),
        "bytes_per_sub": round(grown / subs, 1),
        "load_s": round(load_s, 1),
        **spread("match_ms", took),
        **spread("listed_ms", listed),
        "matches_p50": median(len(matcher.match(paper)) for paper in papers),
        **changes(matcher, texts),
        **rivals(matcher, texts, subs, papers, median(took)),
    }


def listing(matcher: Matcher, paper: Paper) -> None:
    """Match, and iterate over the subscriptions found."""
    for _ in matcher.match(paper):
        pass


def rivals(
    matcher: Matcher, texts: Sequence[str], subs: int, papers: Sequence[Paper], ours_ms: float
) -> dict[str, Any]:
    """Match the same papers with the rivals; also return whether they agree."""
    few = papers[:NAIVE_PAPERS]
    sample = [subscription.query for subscription in corpus.subscriptions(list(texts), NAIVE_SUBS)]
    naive = Substrings(sample)
    naive_ms = median(milliseconds(partial(naive.match, paper)) for paper in few) * subs / len(sample)
    evaluator, percolated = Evaluator(texts), Percolated(texts)
    evaluator_ms = median(milliseconds(partial(evaluator.match, paper)) for paper in few)
    percolated_ms = median(milliseconds(partial(percolated.match, paper)) for paper in papers)
    sifted_ms = median(milliseconds(partial(percolated.match, paper, sifted=True)) for paper in papers)
    followed = {subscription.query for subscription in corpus.subscriptions(list(texts), subs)}
    sayable = {texts[place] for place in percolated.places} & followed
    equal = 0
    for paper in papers[:COMPARED]:
        ours = {match.query for match in matcher.match(paper)}
        plain = {texts[place] for place in evaluator.match(paper)} & followed
        theirs = {texts[place] for place in percolated.match(paper)} & followed
        equal += ours == plain and ours & sayable == theirs
    return {
        "naive_ms": round(naive_ms, 1),
        "naive_scaled_from": f"{len(sample)} subscriptions, {len(few)} papers",
        "evaluator_ms": round(evaluator_ms, 1),
        "mokaccino_ms": round(percolated_ms, 2),
        "mokaccino_sifted_ms": round(sifted_ms, 2),
        "mokaccino_queries": len(percolated.places),
        "ratio_vs_naive": round(naive_ms / ours_ms, 1),
        "ratio_vs_evaluator": round(evaluator_ms / ours_ms, 1),
        "ratio_vs_mokaccino": round(percolated_ms / ours_ms, 2),
        "identical": equal,
        "compared": min(COMPARED, len(papers)),
    }


def changes(matcher: Matcher, texts: Sequence[str]) -> dict[str, float]:
    """Time additions and removals; every other query is new."""
    dice = random.Random(corpus.SEED)
    channel = ChannelRef("bench", "T0", "new")
    subscriptions = [
        Subscription(
            channel=channel,
            number=n,
            query=dice.choice(texts) if n % 2 else f"{dice.choice(texts)} unheard{n}",
            created_at=SPRING,
        )
        for n in range(1, CHANGES + 1)
    ]
    adding = [microseconds(partial(matcher.add, s)) for s in subscriptions]
    removing = [microseconds(partial(matcher.remove, channel, s.number)) for s in subscriptions]
    return spread("add_us", adding) | spread("remove_us", removing)


def worst_cases(papers: Sequence[Paper], everything: list[Paper]) -> dict[str, dict[str, float]]:
    """Measure the cases that would break a simpler index."""
    words = list(
        {word.lower() for paper in everything[:5000] for word in paper.abstract.split() if word.isalpha()}
    )
    words = (words * (CROWD // len(words) + 1))[:CROWD]
    million = (numbered("model", n) for n in range(1_000_000))
    cases: dict[str, Iterable[Subscription]] = {
        "a word of nearly every paper, 1,000,000 followers": million,
        f"{CROWD:,} x `model AND word`": (numbered(f"model {word}", n) for n, word in enumerate(words)),
        f"{CROWD:,} x `model -word`": (numbered(f"model -{word}", n) for n, word in enumerate(words)),
    }
    texts = [f"{paper.title} {paper.abstract}, a model" for paper in papers]
    about = [Paper(**{**_facts(paper), "abstract": text}) for paper, text in zip(papers, texts, strict=True)]
    found = {name: measured_on(about, case) for name, case in cases.items()}
    distinct = drawn(everything, 1_000_000)
    found["1,000,000 distinct queries"] = measured_on(
        papers, (numbered(q, n) for n, q in enumerate(distinct))
    )
    return found


def growth(everything: list[Paper], papers: Sequence[Paper], subs: int) -> dict[str, float]:
    """Return a line of the table; a tenth of the queries are distinct."""
    texts = drawn(everything, subs // 10)
    return {"subs": subs, "distinct": len(texts)} | measured_on(papers, corpus.subscriptions(texts, subs))


def drawn(everything: list[Paper], count: int) -> list[str]:
    """Generate distinct queries in a separate process: memory freed here would hide what a matcher takes."""
    with ProcessPoolExecutor(1) as apart:
        return apart.submit(corpus.queries, everything, count).result()


def measured_on(papers: Sequence[Paper], subscriptions: Iterable[Subscription]) -> dict[str, float]:
    """Load, match, discard. The memory can't be measured, because it reuses what the previous matcher freed."""
    matcher, load_s = loaded(subscriptions)
    took = [milliseconds(partial(matcher.match, paper)) for paper in papers]
    return spread("match_ms", took[WARM_UP:] or took) | {"load_s": round(load_s, 1)}


def loaded(subscriptions: Iterable[Subscription]) -> tuple[Matcher, float]:
    """Return a matcher with the subscriptions, and the seconds that loading took."""
    gc.unfreeze()
    gc.collect()
    matcher = Matcher()
    began = time.perf_counter()
    gc.disable()
    for subscription in subscriptions:
        matcher.add(subscription)
    gc.enable()
    gc.freeze()
    return matcher, time.perf_counter() - began


def numbered(query: str, number: int) -> Subscription:
    """Return the n-th subscription, with `corpus.EACH` to a channel."""
    channel = ChannelRef("bench", "T0", f"C{number // corpus.EACH}")
    return Subscription(channel=channel, number=number % corpus.EACH + 1, query=query, created_at=SPRING)


def spread(name: str, values: Sequence[float]) -> dict[str, float]:
    """Return the median and the 99th percentile."""
    return {f"{name}_p50": round(median(values), 3), f"{name}_p99": round(quantiles(values, n=100)[98], 3)}


def milliseconds(do: Callable[[], object]) -> float:
    """Return the time of one call."""
    began = time.perf_counter()
    do()
    return (time.perf_counter() - began) * 1000


def microseconds(do: Callable[[], object]) -> float:
    """Return the time of one call."""
    return milliseconds(do) * 1000


def resident() -> int:
    """Return the resident bytes of this process, after memory freed by Python was returned to the system."""
    ctypes.CDLL(None).malloc_trim(0)
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def _facts(paper: Paper) -> dict[str, Any]:
    return {name: getattr(paper, name) for name in Paper.__dataclass_fields__}


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--subs", type=int, default=1_000_000)
    parser.add_argument("--queries", type=int, default=100_000, help="number of distinct queries")
    parser.add_argument("--papers", type=int, default=400)
    parser.add_argument("--plain", action="store_true", help="skip the worst cases and the growth")
    parser.add_argument("--json", action="store_true", help="as one line")
    options = parser.parse_args()
    figures = run(options.subs, options.queries, options.papers, worst=not options.plain)
    sys.stdout.write(json.dumps(figures, indent=None if options.json else 2) + "\n")


if __name__ == "__main__":
    main()

"""Measure how well a channel's taste separates papers that it will like from others, compared with other signals.

    python -m tests.bench.taste --json

On the recorded lists of Hugging Face, a broad query matches papers, and a channel likes those of them with one
`ai_keyword`, which no method sees. It likes n and dislikes n of the earlier 60 % of the papers; the later ones are
scored, and folded by the product's own threshold. The product's weights and thresholds were chosen with `--tuning`: on
the other half of the keywords, and on the days before those tested here. `auc_n` is the probability that a liked paper
scores higher than another one, `noise_cut_n` the share of the others that are folded, `liked_kept_n` the share of the
liked ones that aren't. `random`, `newest` and `upvotes` fold as many papers as taste does; `exclusions` excludes what
`query_narrowing` proposes. `learn_ms`, `score_us` and `bytes_n` are the cost: to learn from 10 + 10 papers, to score a
paper for the first time, and to store a taste.
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from random import Random
from statistics import mean
from time import process_time
from zlib import crc32

from bot.domain.models import Paper
from bot.policy.query_narrowing import narrower
from bot.policy.taste import Background, idf_among, learn
from bot.query import parse
from tests.bench.signal import labelled, topics
from tests.conftest import SHARED_DATA

SEED = 20_261_129
BROAD = (
    '"language model"',
    "diffusion",
    "agent",
    "reasoning",
    "video",
    '"reinforcement learning"',
    "multimodal",
    "benchmark",
)
SIZES = (3, 10)
EARLIER = 0.6
"""Share of the papers, the earlier ones, that likes and dislikes are drawn from."""
LIKED_LATER = 4
"""Minimum number of liked papers to test on."""
CHANNELS = 30
"""Number of channels, drawn from all possible ones."""
EXCLUDED = 8
"""Number of channels for which exclusions are proposed, from 10 likes and 10 dislikes: that takes seconds each."""
DRAWS = 5
"""Number of draws of likes and dislikes per channel."""
TUNING_DAYS = 0.6
"""Share of the papers, the earlier ones, that weights and thresholds are chosen on. Later ones are tested."""


@dataclass(frozen=True, slots=True)
class Channel:
    """A broad query's papers in time order, and which of them the channel likes."""

    query: str
    earlier: Sequence[Paper]
    later: Sequence[Paper]
    likes: frozenset[str]


def halves(papers: Sequence[Paper], labels: dict[str, set[str]], *, tuning: bool) -> list[Channel]:
    """Return channels for tuning (half of the keywords, earlier days) or testing (the other half, all days)."""
    half = {label: ids for label, ids in labels.items() if crc32(label.encode()) % 2 != tuning}
    ordered = sorted(papers, key=lambda paper: paper.published)
    return list(channels(ordered[: int(TUNING_DAYS * len(ordered))] if tuning else ordered, half))


def channels(papers: Sequence[Paper], labels: dict[str, set[str]]) -> Iterator[Channel]:
    """Return a channel for each keyword that is frequent among a query's papers and isn't a word of the query."""
    for query in BROAD:
        parsed = parse(query)
        matched = sorted(
            (paper for paper in papers if parsed.matches(paper)), key=lambda paper: paper.published
        )
        cut = int(EARLIER * len(matched))
        earlier, later, everything = matched[:cut], matched[cut:], {paper.id for paper in matched}
        for _, ids in sorted(labels.items()):
            if not max(SIZES) <= len(ids & everything) < 0.3 * len(matched):
                continue
            enough = sum(paper.id in ids for paper in earlier) >= max(SIZES)
            tested = sum(paper.id in ids for paper in later) >= LIKED_LATER
            if enough and tested:
                yield Channel(query, earlier, later, frozenset(ids))


def run(*, tuning: bool = False) -> dict[str, object]:
    """Return the means over all channels and draws."""
    papers, labels = labelled(SHARED_DATA / "hf_daily")
    random = Random(SEED)
    every = halves(papers, topics(labels), tuning=tuning)
    drawn = random.sample(every, min(CHANNELS, len(every)))
    idf = idf_among(
        [paper for paper in papers if paper.published < max(c.earlier[-1].published for c in drawn)]
    )
    figures: dict[str, object] = {
        "channels": len(drawn),
        "liked_share": round(mean(mean(p.id in c.likes for p in c.later) for c in drawn), 3),
    }
    backgrounds = {channel.query: Background.of(channel.earlier, idf) for channel in drawn}
    for size in SIZES:
        rows = [_measure(c, backgrounds[c.query], size, random) for c in drawn for _ in range(DRAWS)]
        for name in rows[0]:
            figures[name] = round(mean(row[name] for row in rows), 3)
    figures |= _costs(drawn[0], backgrounds[drawn[0].query], random)
    excluded = [_exclusions(channel, random) for channel in drawn[:EXCLUDED]]
    figures["noise_cut_10_exclusions"] = round(mean(noise for noise, _ in excluded), 3)
    figures["liked_kept_10_exclusions"] = round(mean(liked_kept for _, liked_kept in excluded), 3)
    return figures


def _costs(channel: Channel, background: Background, random: Random) -> dict[str, object]:
    """Return processor milliseconds to learn, and microseconds to score a paper for the first time."""
    liked, disliked = _drawn(channel, max(SIZES), random)
    began = process_time()
    for _ in range(10):
        taste = learn(liked, disliked, background)
    learned = (process_time() - began) / 10
    assert taste is not None
    fresh = [replace(paper, title=f"{paper.title} again") for paper in channel.later]
    began = process_time()
    for paper in fresh:
        _ = taste.score(paper)
    first = (process_time() - began) / len(fresh)
    began = process_time()
    for paper in fresh:
        _ = taste.score(paper)
    again = (process_time() - began) / len(fresh)
    return {
        "learn_ms": round(learned * 1e3, 1),
        "score_us": round(first * 1e6),
        "score_again_us": round(again * 1e6),
    }


def _measure(channel: Channel, background: Background, size: int, random: Random) -> dict[str, float]:
    liked, disliked = _drawn(channel, size, random)
    taste = learn(liked, disliked, background)
    assert taste is not None
    folded = {paper.id for paper in channel.later if taste.folds(paper)}
    noise, liked_kept = _effect(channel, folded)
    found: dict[str, float] = {
        f"auc_{size}": _auc(channel, taste.score),
        f"noise_cut_{size}": noise,
        f"liked_kept_{size}": liked_kept,
        f"bytes_{size}": float(len(taste.dump())),
    }
    others: dict[str, Callable[[Paper], float]] = {
        "random": lambda _: random.random(),
        "newest": lambda paper: paper.published.timestamp(),
        "upvotes": lambda paper: float(paper.upvotes or 0),
    }
    for name, score in others.items():
        scores = {paper.id: score(paper) for paper in channel.later}
        worst = sorted(scores, key=lambda paper_id: scores[paper_id])[: len(folded)]
        found[f"auc_{size}_{name}"] = _auc(channel, lambda paper, scores=scores: scores[paper.id])  # type: ignore[misc]  # a default binds it
        found[f"noise_cut_{size}_{name}"], found[f"liked_kept_{size}_{name}"] = _effect(channel, set(worst))
    return found


def _drawn(channel: Channel, size: int, random: Random) -> tuple[list[Paper], list[Paper]]:
    liked = [paper for paper in channel.earlier if paper.id in channel.likes]
    others = [paper for paper in channel.earlier if paper.id not in channel.likes]
    return random.sample(liked, size), random.sample(others, size)


def _exclusions(channel: Channel, random: Random) -> tuple[float, float]:
    liked, disliked = _drawn(channel, max(SIZES), random)
    offer = narrower(parse(channel.query), liked, disliked, channel.earlier)
    if offer is None:
        return 0.0, 1.0
    narrowed = parse(f"({channel.query}) {offer.exclusions}")
    return _effect(channel, {paper.id for paper in channel.later if not narrowed.matches(paper)})


def _effect(channel: Channel, folded: set[str]) -> tuple[float, float]:
    """Return the share of folded papers among those not liked, and of unfolded ones among the liked."""
    liked = [paper.id for paper in channel.later if paper.id in channel.likes]
    noise = [paper.id for paper in channel.later if paper.id not in channel.likes]
    return mean(i in folded for i in noise), mean(i not in folded for i in liked)


def _auc(channel: Channel, score: Callable[[Paper], float]) -> float:
    liked = [score(paper) for paper in channel.later if paper.id in channel.likes]
    noise = [score(paper) for paper in channel.later if paper.id not in channel.likes]
    return sum((one > other) + 0.5 * (one == other) for one in liked for other in noise) / (
        len(liked) * len(noise)
    )


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true", help="only the figures, as one line")
    parser.add_argument(
        "--tuning", action="store_true", help="measure on the keywords and days used to choose weights"
    )
    options = parser.parse_args()
    if not SHARED_DATA.is_dir():
        sys.exit("the recorded lists are missing (expected in ../shared/data)")
    sys.stdout.write(json.dumps(run(tuning=options.tuning)) + "\n")


if __name__ == "__main__":
    main()

"""Measure how well words show a paper's topic: our matching compared with substrings and Porter's stems.

    python -m tests.bench.signal --json

Each paper of Hugging Face's recorded lists has `ai_keywords`, which are weak labels: they may be incomplete, so recall
is more meaningful than precision, and the figures are only meaningful in comparison. The most common ones become
subscriptions for a phrase in title and abstract. Labels that are two forms of one topic are merged (`topics`);
`as_written` has the figures without merging, where the literal phrase has the advantage that labels were taken from the
text. Counts are pooled over all labels, so that a label's weight is its frequency; `…_macro` are means over labels.
"""

import argparse
import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

from snowballstemmer import stemmer

from bot.domain.models import ChannelRef, Paper, Subscription
from bot.matching import Matcher
from bot.sources.huggingface_papers import parse_list
from tests.conftest import SHARED_DATA
from tests.papers import SPRING

LABELS = 200
_WORD = re.compile(r"[^\W_]+")
_FINAL_S = re.compile(r"s\b")

CHANNEL = ChannelRef("bench", "bench", "bench")
stem = cache(stemmer("porter").stemWord)

Search = Callable[[Sequence[str], Sequence[Paper]], dict[str, set[str]]]
"""Function from lower-case labels and papers to label -> ids of the papers found."""


def ours(labels: Sequence[str], papers: Sequence[Paper]) -> dict[str, set[str]]:
    """Match as `/paper subscribe "label"` does."""
    matcher = Matcher()
    for number, label in enumerate(labels):
        matcher.add(Subscription(channel=CHANNEL, number=number, query=f'"{label}"', created_at=SPRING))
    found: dict[str, set[str]] = {label: set() for label in labels}
    for paper in papers:
        for match in matcher.match(paper):
            found[labels[match.number]].add(paper.id)
    return found


def substring(labels: Sequence[str], papers: Sequence[Paper]) -> dict[str, set[str]]:
    """Match as most feed bots do."""
    texts = {paper.id: f"{paper.title}\n{paper.abstract}".lower() for paper in papers}
    return {label: {paper_id for paper_id, text in texts.items() if label in text} for label in labels}


def porter(labels: Sequence[str], papers: Sequence[Paper]) -> dict[str, set[str]]:
    """Match adjacent words with equal stems, as search engines do."""
    texts = {paper.id: f"{stems(paper.title)}|{stems(paper.abstract)}" for paper in papers}
    return {label: {paper_id for paper_id, text in texts.items() if stems(label) in text} for label in labels}


def stems(text: str) -> str:
    """Return the words' stems between spaces; a hyphen separates words."""
    return " " + " ".join(stem(word) for word in _WORD.findall(text.lower())) + " "


def labelled(folder: Path) -> tuple[list[Paper], dict[str, set[str]]]:
    """Return the papers of all recorded days, and label as written -> ids of the papers that have it."""
    papers: dict[str, Paper] = {}
    labels: dict[str, set[str]] = {}
    for path in sorted(folder.glob("*.json")):
        body = path.read_bytes()
        papers.update({paper.id: paper for paper in parse_list(body)})
        for row in json.loads(body):
            for label in row["paper"].get("ai_keywords") or ():
                labels.setdefault(label.strip().lower(), set()).add(row["paper"]["id"])
    return list(papers.values()), labels


def topics(labels: Mapping[str, set[str]]) -> dict[str, set[str]]:
    """Merge labels that differ only in a final s or a hyphen, under the most common form.

    Half of the labels are `language models`, half `language model`, for papers of the same kind. The rule is
    deliberately cruder than each way of matching, so that it favours none of them.
    """
    forms: dict[str, list[str]] = {}
    for label in labels:
        forms.setdefault(_FINAL_S.sub("", label.replace("-", " ")), []).append(label)
    return {
        max(merged, key=lambda label: (len(labels[label]), label)): set().union(
            *(labels[form] for form in merged)
        )
        for merged in forms.values()
    }


def figures(found: Mapping[str, set[str]], truth: Mapping[str, set[str]]) -> dict[str, float]:
    """Return precision, recall and F1 over all labels, pooled and as means; `{}` in a key stands for the way."""
    right = sum(len(found[label] & truth[label]) for label in truth)
    pooled = _scores(right, sum(map(len, found.values())), sum(map(len, truth.values())))
    each = [
        _scores(len(found[label] & truth[label]), len(found[label]), len(truth[label])) for label in truth
    ]
    means = {name: sum(one[name] for one in each) / len(each) for name in pooled}
    return {f"{name}_{{}}": value for name, value in pooled.items()} | {
        f"{name}_{{}}_macro": value for name, value in means.items()
    }


WAYS: dict[str, Search] = {"ours": ours, "substring": substring, "porter": porter}


def _scores(right: int, found: int, wanted: int) -> dict[str, float]:
    precision, recall = right / found if found else 1.0, right / wanted
    both = precision + recall
    return {"precision": precision, "recall": recall, "f1": 2 * precision * recall / both if both else 0.0}


def run(count: int) -> tuple[dict[str, object], list[str]]:
    """Return the figures, and a line for each topic for which another way has a better F1."""
    papers, labels = labelled(SHARED_DATA / "hf_daily")
    result, lost = compared(topics(labels), papers, count)
    as_written, _ = compared(labels, papers, count)
    return {"labels": count, "papers": len(papers), **result, "as_written": as_written}, lost


def compared(
    labels: Mapping[str, set[str]], papers: Sequence[Paper], count: int
) -> tuple[dict[str, float], list[str]]:
    """Return every way's figures on the `count` most common labels, and the labels for which ours isn't the best."""
    commonest = sorted(labels, key=lambda label: (-len(labels[label]), label))[:count]
    truth = {label: labels[label] for label in commonest}
    found = {way: search(commonest, papers) for way, search in WAYS.items()}
    result = {
        key.format(way): round(value, 4) for way in WAYS for key, value in figures(found[way], truth).items()
    }
    return result, list(_lost(found, truth))


def _lost(found: Mapping[str, Mapping[str, set[str]]], truth: Mapping[str, set[str]]) -> Iterator[str]:
    for label, wanted in truth.items():
        scores = {
            way: _scores(len(of[label] & wanted), len(of[label]), len(wanted))["f1"]
            for way, of in found.items()
        }
        if max(scores.values()) > scores["ours"]:
            summary = ", ".join(f"{way} {score:.2f}" for way, score in scores.items())
            extra = sorted(
                (found["substring"][label] | found["porter"][label]) & wanted - found["ours"][label]
            )
            yield f"{label} ({len(wanted)}): {summary}; right and not ours: {' '.join(extra[:5]) or 'none'}"


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--labels", type=int, default=LABELS)
    parser.add_argument("--json", action="store_true", help="only the figures, as one line")
    options = parser.parse_args()
    if not SHARED_DATA.is_dir():
        sys.exit("the recorded lists are missing (expected in ../shared/data)")
    result, lost = run(options.labels)
    if not options.json:
        sys.stdout.write("\n".join(["where another way has the better F1:", *lost, ""]))
    sys.stdout.write(json.dumps(result) + "\n")


if __name__ == "__main__":
    main()

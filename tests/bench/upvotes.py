"""Measure how early upvotes predict the papers with the most upvotes after a week, compared with chance.

    paperboy export | python -m tests.bench.upvotes --json

Reads an export from standard input: the bot records a paper's upvotes when it is listed, and 6 hours, a day and a week
later. A paper counts as good if it is in the top fifth of its week. `auc_…` is the probability that a good paper had
more upvotes than another one at that time; `caught_…` is the share of the good papers among equally many with the most
upvotes by then; `grew_…` is the same for upvotes added since the listing. `random` is chance, in the same run.
"""

import argparse
import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from random import Random
from statistics import mean

from bot.policy.signals import UPVOTE_MARKS
from bot.store import records
from bot.store.backup.export_records import PaperSeen, read

SEED = 20_261_129
NAMES = ("listing", "6h", "24h")
GOOD = 0.2
"""Share of a week's papers that count as good."""
ENOUGH = 10
"""Minimum number of papers for a week to count."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A paper's upvotes at each time at which the bot records them."""

    listed: datetime
    upvotes: tuple[int, ...]

    @property
    def week(self) -> tuple[int, int]:
        """Return the calendar week in which it was listed."""
        return self.listed.isocalendar()[:2]


def recorded(lines: Iterable[str]) -> list[Recorded]:
    """Return the papers of an export whose upvotes were recorded at every mark."""
    found: dict[str, Recorded] = {}
    for line in lines:
        fact = read(line) if '"upvotes_over_time"' in line else None
        if isinstance(fact, PaperSeen) and fact.record:
            paper = records.load(json.dumps(fact.record))
            marks = [mark.split() for mark in paper.upvotes_over_time]
            if len(marks) == len(UPVOTE_MARKS):
                listed = datetime.strptime(marks[0][0], "%Y-%m-%dT%H:%M%z")
                found[paper.id] = Recorded(listed, tuple(int(count) for _, count in marks))
    return list(found.values())


def figures(papers: Sequence[Recorded]) -> dict[str, object]:
    """Return the means over the weeks; only the numbers of papers and weeks if no week has enough."""
    random, rows = Random(SEED), list[dict[str, float]]()
    for _, group in groupby(sorted(papers, key=lambda paper: paper.week), key=lambda paper: paper.week):
        if len(week := list(group)) >= ENOUGH:
            rows.append(_of_week(week, random))
    means = {name: round(mean(row[name] for row in rows), 3) for name in rows[0]} if rows else {}
    return {"papers": len(papers), "weeks": len(rows), **means}


def _of_week(week: Sequence[Recorded], random: Random) -> dict[str, float]:
    ordered = sorted(week, key=lambda paper: paper.upvotes[-1], reverse=True)
    good = [id(paper) for paper in ordered[: max(1, round(GOOD * len(week)))]]
    scores = {name: [paper.upvotes[mark] for paper in week] for mark, name in enumerate(NAMES)}
    scores |= {
        f"grew_{name}": [paper.upvotes[mark] - paper.upvotes[0] for paper in week]
        for mark, name in enumerate(NAMES)
        if mark
    }
    scores["random"] = random.sample(range(len(week)), len(week))
    row: dict[str, float] = {}
    for name, values in scores.items():
        labelled = [(value, id(paper) in good) for value, paper in zip(values, week, strict=True)]
        row[f"auc_{name}"] = _auc(labelled)
        first = sorted(labelled, key=lambda pair: pair[0], reverse=True)[: len(good)]
        row[f"caught_{name}"] = mean(is_good for _, is_good in first)
    return row


def _auc(labelled: Sequence[tuple[int, bool]]) -> float:
    good = [value for value, is_good in labelled if is_good]
    others = [value for value, is_good in labelled if not is_good]
    wins = sum((one > other) + 0.5 * (one == other) for one in good for other in others)
    return wins / (len(good) * len(others))


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true", help="as one line")
    options = parser.parse_args()
    papers = recorded(sys.stdin)
    if not papers:
        sys.stderr.write("no records yet: no paper of this export has upvotes of a whole week\n")
    sys.stdout.write(json.dumps(figures(papers), indent=None if options.json else 2) + "\n")


if __name__ == "__main__":
    main()

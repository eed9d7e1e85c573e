"""The benchmark of recorded upvotes reads the bot's exports; here the upvotes are simulated."""

import io
import json
import sys
from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest

from bot.domain.models import Paper
from bot.policy.signals import UPVOTE_MARKS, with_upvotes
from bot.store import records
from bot.store.backup.export_records import PaperSeen
from tests.bench import upvotes
from tests.papers import SPRING, a_paper


def simulated(number: int, dice: Random) -> Paper:
    """Return a paper with a week of recorded upvotes: they grow at the paper's own rate, with noise that fades."""
    listed = SPRING + timedelta(hours=number)
    speed, paper = dice.paretovariate(1.2), a_paper(f"2603.{number:05}", published=listed)
    for mark, after in enumerate(UPVOTE_MARKS):
        share = (0.1, 0.3, 0.6, 1.0)[mark]
        count = round(10 * speed * share * dice.uniform(share, 2 - share))
        paper = with_upvotes(replace(paper, upvotes=count), listed + after, is_new=mark == 0)
    return paper


def exported(papers: list[Paper]) -> list[str]:
    return [
        PaperSeen(id=paper.id, seen=paper.published, record=json.loads(records.dump(paper))).model_dump_json()
        for paper in papers
    ]


def test_later_marks_predict_better_than_earlier_ones_and_all_better_than_chance() -> None:
    dice = Random(7)
    lines = exported([simulated(number, dice) for number in range(1500)])
    found = upvotes.figures(upvotes.recorded([*lines, '{"kind": "head", "version": 1}']))
    assert found["papers"] == 1500
    assert 1 > found["auc_24h"] > found["auc_6h"] > found["auc_listing"] > found["auc_random"]  # type: ignore[operator]  # figures
    assert found["caught_24h"] > found["caught_random"]  # type: ignore[operator]  # figures
    assert found["auc_random"] == pytest.approx(0.5, abs=0.1)


def test_the_benchmark_says_if_there_are_no_records(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    young = with_upvotes(a_paper(upvotes=9), SPRING, is_new=True)
    monkeypatch.setattr(sys, "stdin", io.StringIO("\n".join(exported([young, a_paper("2603.00002")]))))
    monkeypatch.setattr(sys, "argv", ["upvotes", "--json"])
    upvotes.main()
    output = capsys.readouterr()
    assert json.loads(output.out) == {"papers": 0, "weeks": 0}
    assert "no records yet" in output.err

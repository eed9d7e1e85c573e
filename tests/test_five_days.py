"""`paperboy run --once`, as cron would run it, over five recorded days of Hugging Face's list."""

import re
import unicodedata
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from bot.sources.huggingface import list_date
from tests.program import NOWHERE, run_once
from tests.replay import HuggingFaceReplay, serve

DAYS = [date(2026, 3, 16) + timedelta(days=n) for n in range(5)]
COMMANDS = '/paper subscribe diffusion\n/paper subscribe "language model" -survey\n'


def words(text: str) -> list[str]:
    """Return the text's words, without using the program's own normalization."""
    plain = unicodedata.normalize("NFKD", text).replace("’", "'").lower()
    return [word.removesuffix("'s") for word in re.findall(r"[a-z0-9']+", plain)]


def wanted(paper: dict[str, Any]) -> bool:
    """Whether either subscription matches the paper."""
    parts = [words(paper["title"]), words(paper["summary"])]
    everything = {word for part in parts for word in part}
    phrase = any(
        pair in {("language", "model"), ("language", "models")} for part in parts for pair in pairwise(part)
    )
    return bool(everything & {"diffusion", "diffusions"}) or (
        phrase and not everything & {"survey", "surveys"}
    )


def posted(printed: list[dict[str, Any]]) -> Counter[str]:
    return Counter(paper for line in printed if line["kind"] == "post" for paper in line["papers"])


@pytest.mark.timeout(180)
async def test_every_matching_paper_is_posted_once_and_no_other(tmp_path: Path, shared_data: Path) -> None:
    replay = HuggingFaceReplay(shared_data / "hf_daily")
    total: Counter[str] = Counter()
    async with serve(replay.app) as upstream:
        for number, day in enumerate(DAYS):
            replay.until = day
            replay.shift = day - list_date(datetime.now(UTC))
            code, printed, log = await run_once(tmp_path, upstream, COMMANDS if number == 0 else "")
            assert code == 0, log
            assert [line["kind"] for line in printed].count("reply") == (2 if number == 0 else 0)
            total += posted(printed)
            expected = {
                row["paper"]["id"]
                for past in DAYS[: number + 1]
                for row in replay.day(past)
                if wanted(row["paper"])
            }
            assert total == Counter(dict.fromkeys(expected, 1))
            code, again, log = await run_once(tmp_path, upstream)
            assert (code, posted(again)) == (0, Counter()), log
    assert len(total) > 20


async def test_it_exits_with_69_and_says_so_if_no_source_can_be_read(tmp_path: Path) -> None:
    code, printed, log = await run_once(tmp_path, NOWHERE)
    assert (code, posted(printed)) == (69, Counter())
    assert "could not be reached" in log

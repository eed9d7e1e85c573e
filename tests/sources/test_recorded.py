"""Every recorded answer is read completely, and every recorded error raises one."""

import json
from datetime import UTC, date, datetime, timedelta
from itertools import cycle
from pathlib import Path

import pytest
from aiohttp import ClientSession
from structlog.testing import capture_logs

from bot.domain.errors import SourceError
from bot.sources.arxiv.announcements import parse_announcements, parse_answer
from bot.sources.context import silent
from bot.sources.http import Upstream
from bot.sources.huggingface import HuggingFace
from bot.sources.huggingface_papers import parse_list
from tests.replay import HuggingFaceReplay, serve
from tests.sources.test_contract import check
from tests.sources.upstreams import Clock


def test_all_recorded_lists_are_read_completely(shared_data: Path) -> None:
    files = [*shared_data.glob("hf_daily/*.json"), *shared_data.glob("samples/hf_*.json")]
    with capture_logs() as logs:
        for file in files:
            rows = json.loads(file.read_bytes())
            papers = parse_list(file.read_bytes())
            assert [paper.id for paper in papers] == [row["paper"]["id"] for row in rows]
            for paper in papers:
                check(paper, "huggingface")
    assert len(files) == 62
    assert not logs


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        ("arxiv_rss_atom_cs.AI_2025-08-20_trimmed.xml", {"cross": 5, "new": 2}),
        ("arxiv_rss20_physics_EMPTY_2025-12-31.xml", {}),
    ],
)
def test_recorded_announcements_are_read_completely(
    shared_data: Path, name: str, kinds: dict[str, int]
) -> None:
    body = (shared_data / "samples" / name).read_bytes()
    announcements = parse_announcements(body).announcements
    assert len(announcements) == body.count(b"<entry>") + body.count(b"<item>")
    for announcement in announcements:
        check(announcement.paper, "arxiv")
        assert "Announce Type" not in announcement.paper.abstract
    found = [announcement.kind for announcement in announcements]
    assert {kind: found.count(kind) for kind in found} == kinds


@pytest.mark.parametrize(
    "file", ["query_100", "query_10", "idlist_single", "idlist_two", "oldstyle_id", "title_zero", "empty"]
)
def test_recorded_search_answers_are_read_completely(shared_data: Path, file: str) -> None:
    body = (shared_data / "samples" / f"arxiv_api_atom_{file}_http200.xml").read_bytes()
    papers = parse_answer(body)
    assert len(papers) == body.count(b"<entry>")
    for paper in papers:
        check(paper, "arxiv")
        assert paper.categories


def test_a_recorded_feed_that_was_cut_is_an_error(shared_data: Path) -> None:
    body = (shared_data / "samples" / "arxiv_rss20_cs.CV_2025-09-18_HEAD_TRUNCATED.xml").read_bytes()
    with pytest.raises(SourceError, match="can't be read"):
        parse_announcements(body)


def test_a_recorded_search_error_is_raised_with_its_reason(shared_data: Path) -> None:
    body = (shared_data / "samples" / "arxiv_api_atom_error_bad_id_http400.xml").read_bytes()
    with pytest.raises(SourceError, match="incorrect id format for abc"):
        parse_answer(body)


async def test_over_all_recorded_days_each_paper_is_announced(shared_data: Path) -> None:
    """Poll after half a day, days and weeks: every paper listed from the first day on is announced."""
    folder = shared_data / "hf_daily"
    days = sorted(date.fromisoformat(file.stem) for file in folder.glob("*.json"))
    recorded = {row["paper"]["id"] for file in folder.glob("*.json") for row in json.loads(file.read_bytes())}
    replay, clock = HuggingFaceReplay(folder), Clock()
    announced: set[str] = set()
    async with ClientSession() as session, serve(replay.app) as url:
        source = HuggingFace(
            Upstream("Hugging Face", session, user_agent="test", now=clock.now), url, clock.now, silent
        )
        clock.at = datetime.combine(days[0], datetime.min.time(), UTC) + timedelta(hours=5)
        cursor = None
        for pause in cycle((0.5, 1, 3, 7, 14)):
            replay.until = clock.at.date()
            more = True
            while more:
                batch = await source.fetch(cursor)
                cursor, more = batch.cursor, batch.more
                announced |= {paper.id for paper in batch.papers}
            if clock.at.date() > days[-1]:
                break
            clock.at += timedelta(days=pause)
    assert announced == recorded

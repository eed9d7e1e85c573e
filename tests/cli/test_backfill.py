"""Backfill stores older papers for search, at a limited rate, in batches, and never posts them."""

import asyncio
import gzip
import json
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, web
from redis.asyncio import Redis

from bot.cli.backfill import BackfillResult, from_days, from_lines
from bot.domain.errors import ConfigurationError, SourceError
from bot.domain.models import Paper
from bot.ports import Batch
from bot.sources import build_histories
from bot.store import keys
from bot.store.papers import Papers
from tests.papers import a_paper
from tests.program import environment, start
from tests.replay import serve
from tests.sources.context import a_context
from tests.sources.searchable import feed_of
from tests.sources.upstreams import app_of, listed

TODAY = date(2026, 5, 20)
DUMPED = {
    "id": "0704.0001",
    "submitter": "Pavel Nadolsky",
    "authors": "C. Bal\\'azs, E. L. Berger, Jean-Pierre Serre Jr.",
    "title": "On the number\n  of $\\alpha$ particles",
    "categories": "hep-ph math.CO",
    "abstract": "  We count\n them. ",
    "versions": [
        {"version": "v1", "created": "Mon, 2 Apr 2007 19:18:42 GMT"},
        {"version": "v2", "created": "Tue, 24 Jul 2007 20:10:27 GMT"},
    ],
    "update_date": "2008-11-26",
    "authors_parsed": [["Balázs", "C.", ""], ["Berger", "E. L.", ""], ["Serre", "Jean-Pierre", "Jr."]],
}


@pytest.fixture
def papers(redis: Redis) -> Papers:
    return Papers(redis)


async def test_a_row_of_arxivs_metadata_becomes_a_paper(papers: Papers) -> None:
    filled = await from_lines([json.dumps(DUMPED)], papers)
    assert str(filled) == "1 new papers, 0 changed, 0 known already"
    paper = (await papers.get(["0704.0001"]))["0704.0001"]
    assert paper.title == "On the number of α particles"
    assert paper.authors == ("C. Balázs", "E. L. Berger", "Jean-Pierre Serre Jr.")
    assert paper.categories == ("hep-ph", "math.CO")
    assert paper.published == datetime(2007, 4, 2, 19, 18, 42, tzinfo=UTC)
    assert (paper.url, paper.sources) == ("https://arxiv.org/abs/0704.0001", ("arxiv",))


async def test_rows_of_other_files_need_only_a_few_fields(papers: Papers) -> None:
    rows = [
        {"id": "2605.00001v3", "title": "One", "authors": ["Ada"], "published": "2026-05-01T00:00:00.000Z"},
        {"id": "doi:10.1/x", "title": "Two", "url": "https://example.org/x", "published": "2026-05-01"},
        {**DUMPED, "id": "math/0309136", "authors_parsed": None, "versions": []},
    ]
    assert (await from_lines(map(json.dumps, rows), papers)).new == 3
    found = await papers.get(["2605.00001", "doi:10.1/x", "math/0309136"])
    assert [paper.authors for paper in found.values()] == [
        ("Ada",),
        (),
        ("C. Balázs", "E. L. Berger", "Jean-Pierre Serre Jr."),
    ]


async def test_backfilled_papers_do_not_count_as_seen_and_repeating_changes_nothing(
    papers: Papers, redis: Redis
) -> None:
    lines = [json.dumps({**DUMPED, "id": f"0704.{n:04}"}) for n in range(1200)]
    assert (await from_lines(lines, papers)).new == 1200
    assert (await from_lines(lines, papers)).known == 1200
    assert await redis.exists(keys.SEEN, keys.PAPERS) == 0
    found = (await papers.get(["0704.0007"]))["0704.0007"]
    assert (await papers.ingest("arxiv", Batch((found,), "c"), 0)).new == 1


async def test_papers_older_than_the_limit_are_skipped(papers: Papers) -> None:
    old, new = {**DUMPED, "id": "0704.0001"}, {"id": "2605.00001", "title": "New", "published": "2026-05-01"}
    lines = [json.dumps(row) for row in (old, new)]
    assert (await from_lines(lines, papers, datetime(2026, 4, 1, tzinfo=UTC))).new == 1


async def test_broken_lines_are_reported_and_the_others_are_stored(papers: Papers) -> None:
    bad = [
        "{",
        "[]",
        "null",
        '{"id": "x"}',
        json.dumps({**DUMPED, "title": ""}),
        "[" * 9999,
        '{"versions": [3]}',
    ]
    filled = await from_lines([*bad, "", json.dumps(DUMPED)], papers)
    assert (filled.new, filled.unread, len(filled.broken)) == (1, 7, 5)
    assert filled.broken[0].startswith("line 1: ")


async def test_a_file_without_papers_is_an_error_that_says_what_is_needed(papers: Papers) -> None:
    endless = ("id,title" for _ in iter(int, 1))
    with pytest.raises(
        ConfigurationError, match=r"No line of the file is a paper; line 1.*must be a JSON object"
    ):
        await from_lines(endless, papers)


class Almanac:
    """An upstream that lists one paper per day; `failing` days raise errors first."""

    name = "Almanac"

    def __init__(self, failing: dict[date, list[SourceError]]) -> None:
        self.failing = failing

    async def of(self, day: date) -> Sequence[Paper]:
        if errors := self.failing.get(day):
            raise errors.pop()
        return [a_paper(f"on/{day}")]


async def test_a_failed_day_is_retried_after_the_upstreams_delay(papers: Papers) -> None:
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    failing = {
        date(2026, 5, 19): [SourceError("busy"), SourceError("busy", retry_after=7)],
        date(2026, 5, 18): [SourceError("broken") for _ in range(9)],
        date(2026, 5, 17): [SourceError("go away", refused=True)],
    }
    steps: list[int] = []
    filled = await from_days([Almanac(failing)], 5, papers, TODAY, advance=steps.append, sleep=sleep)
    assert (filled.new, sum(steps)) == (3, 5)
    assert filled.broken == ["Almanac, 2026-05-18: broken", "Almanac, 2026-05-17: go away"]
    assert waited[:2] == [7, 60.0]


async def test_each_upstream_is_queried_by_day(papers: Papers, redis: Redis) -> None:
    queries: list[dict[str, str]] = []

    async def respond(request: web.Request) -> web.StreamResponse:
        queries.append(dict(request.query))
        if request.path == "/api/daily_papers":
            rows = [listed("2605.00001")] if request.query["date"] == "2026-05-20" else []
            return web.json_response(rows)
        assert "submittedDate:[2026" in request.query["search_query"]
        return web.Response(text=feed_of(["2605.00002"]), content_type="application/atom+xml")

    async with serve(app_of(respond)) as url, ClientSession() as session:
        upstreams = build_histories(a_context(url, session, redis))
        filled = await from_days(upstreams, 1, papers, TODAY)
    assert (filled.new, filled.broken) == (2, [])
    assert (await papers.get(["2605.00001", "2605.00002"])).keys() == {"2605.00001", "2605.00002"}
    assert {"cat:cs.CL" in query.get("search_query", "") for query in queries} == {True, False}


async def test_the_program_reads_a_gzip_file_and_prints_the_result(tmp_path: Path) -> None:
    path = tmp_path / "papers.jsonl.gz"
    rows: list[dict[str, Any]] = [DUMPED, {"id": "nonsense"}]
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.write("\n".join(map(json.dumps, rows)))
    code, out, log = await _result(await start("backfill", "--from", str(path), env=environment(tmp_path)))
    assert code == 0
    assert "1 new papers, 0 changed, 0 known already, 1 lines could not be read." in out
    assert "line 2: " in log


async def test_the_program_explains_bad_arguments(tmp_path: Path) -> None:
    env = environment(tmp_path)
    neither, missing = await asyncio.gather(
        start("backfill", env=env), start("backfill", "--from", str(tmp_path / "nowhere.jsonl"), env=env)
    )
    code, _, log = await _result(neither)
    assert (code, "--days" in log) == (2, True)
    code, _, log = await _result(missing)
    assert (code, "nowhere.jsonl can't be read" in log) == (78, True)


async def _result(process: asyncio.subprocess.Process) -> tuple[int | None, str, str]:
    out, log = await process.communicate()
    return process.returncode, out.decode(), log.decode()


def test_the_result_as_text() -> None:
    assert str(BackfillResult(new=1234, known=5)) == "1,234 new papers, 0 changed, 5 known already"

"""Measure quality and speed of `/paper search`, compared with SQLite's FTS5, tantivy's default and bm25s.

    python -m tests.bench.search --json
    python -m tests.bench.search --only cranfield questions

Known items, speed and random inputs run over the recorded papers of arXiv in ../shared/data, through the whole stack:
records in a Valkey server, the synchronized index, answers with their papers. `--papers` takes fewer. `cranfield`
(judged questions) and `questions` (sentences of abstracts) compare the ranking with the other engines.
"""

import argparse
import asyncio
import gzip
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from datetime import timedelta
from itertools import islice
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings

from bot.domain.errors import UserError
from bot.domain.models import Paper
from bot.search.fields import day_of
from bot.search.index import Index
from bot.search.query_parser import parse_search
from bot.search.ranking import Ranking
from bot.search.search import Search
from bot.sources.fields import moment
from bot.store.connect import connect
from bot.store.embedded import EmbeddedServer
from bot.store.notifications import Notifications
from bot.store.papers import Papers
from bot.text import clean
from tests.bench import known_items
from tests.bench.ndcg import ndcg10
from tests.bench.questions import Collection, cranfield, from_sentences, mean_ndcg10
from tests.bench.search_rivals import Bm25s, Fts5, Fts5Any, Rival, TantivyDefault
from tests.conftest import SHARED_DATA as DATA
from tests.search import typed_inputs

PARTS = ("speed", "known", "inputs", "s2", "cranfield", "questions")
AT_ONCE = 1000
QUESTION_PAPERS, QUESTIONS = 20_000, 300
"""Numbers of papers, and of questions made from their sentences."""
MIXED = 200
ROUNDS = 5
"""Number of times that each of the mixed searches is timed; the median counts, because of other load on the machine."""
DOUBTFUL = 0.1
"""Seconds from which on a random input is timed in all rounds, too."""
WRITES = 50
"""Papers per second that a writer adds meanwhile."""


def recorded(most: int) -> list[Paper]:
    """Return the papers, read by all processors in parallel."""
    with (
        gzip.open(DATA / "arxiv_papers.jsonl.gz", "rt", encoding="utf-8") as lines,
        ProcessPoolExecutor() as pool,
    ):
        return [paper for batch in pool.map(_papers, _batches(islice(lines, most))) for paper in batch]


def _papers(lines: Sequence[str]) -> list[Paper]:
    return [_paper(json.loads(line)) for line in lines]


def _paper(row: Any) -> Paper:
    return Paper(
        id=row["id"],
        title=clean(row["title"]),
        abstract=clean(row["abstract"]),
        authors=tuple(map(clean, row["authors"])),
        url=f"https://arxiv.org/abs/{row['id']}",
        published=moment(row["published"]),
        categories=tuple(row["categories"]),
        sources=("arxiv",),
    )


def _batches(lines: Iterable[str]) -> Iterator[list[str]]:
    lines = iter(lines)
    while batch := list(islice(lines, AT_ONCE)):
        yield batch


async def run(options: argparse.Namespace) -> dict[str, object]:
    """Return the figures of the selected parts."""
    figures: dict[str, object] = {}
    parts = set(options.only)
    if parts & {"speed", "known", "inputs"}:
        figures |= await _on_the_corpus(options, parts)
    if "s2" in parts:
        figures["s2_ndcg10"] = round(ndcg10(DATA / "search" / "s2search.jsonl"), 3)
    if "cranfield" in parts:
        figures |= _compared("cranfield", cranfield(DATA / "search"))
    if "questions" in parts:
        papers = recorded(min(options.papers, QUESTION_PAPERS))
        figures |= _compared("questions", from_sentences(papers, QUESTIONS))
    return figures


def _compared(name: str, collection: Collection) -> dict[str, object]:
    """Return the nDCG@10 of our search and of the other engines on the same questions."""
    papers = {paper.id: paper for paper in collection.papers}
    index = Index()
    index.become_writer()
    index.write(papers.values(), (), 0)
    today = day_of(max(paper.published for paper in papers.values()))
    ranking = Ranking(index.schema, index.searcher(), today)

    def ours(text: str) -> Sequence[str]:
        return ranking.search(ranking.understood(parse_search(text))).ids

    mean, empty = mean_ndcg10(collection, ours)
    figures: dict[str, object] = {f"{name}_ndcg10": round(mean, 3), f"{name}_empty": round(empty, 3)}
    rivals: dict[str, Rival] = {"bm25s": Bm25s(), "fts5": Fts5Any(), "tantivy": TantivyDefault()}
    for rival_name, rival in rivals.items():
        rival.add(collection.papers)
        figures[f"{name}_ndcg10_{rival_name}"] = round(mean_ndcg10(collection, rival.find)[0], 3)
    return figures


async def _on_the_corpus(options: argparse.Namespace, parts: set[str]) -> dict[str, object]:
    papers = recorded(options.papers)
    with TemporaryDirectory() as folder:
        async with EmbeddedServer(Path(folder)) as server:
            redis = await connect(server.url)
            store = Papers(redis)
            latest = max(paper.published for paper in papers)
            search = Search(store, Path(folder) / "search", lambda: latest)
            for start in range(0, len(papers), AT_ONCE):
                await store.remember(papers[start : start + AT_ONCE])
            began = perf_counter()
            await search.catch_up()
            built = perf_counter() - began
            figures: dict[str, object] = {
                "docs": len(papers),
                "build_per_s": round(len(papers) / built),
                "mb": round(size(Path(folder) / "search") / 1e6, 1),
            }
            wake = Notifications(redis)
            roles = [asyncio.create_task(job) for job in (search.run(wake), wake.run())]
            if "known" in parts:
                figures |= await _success(
                    search, known_items.drawn(papers, min(options.items, len(papers) // 2))
                )
            if "inputs" in parts:
                figures |= await _random_inputs(search, options.inputs)
            if "speed" in parts:  # last, because it adds copies with the titles of known items
                figures |= await _speed(search, store, papers, Path(folder))
            for role in roles:
                role.cancel()
            await asyncio.wait(roles)
            await search.close()
            await redis.aclose()
    return figures


async def _speed(search: Search, store: Papers, papers: Sequence[Paper], folder: Path) -> dict[str, object]:
    other = Fts5(folder / "fts5.sqlite")
    other.add(papers)
    typed = known_items.mixed(papers, MIXED)
    ours: list[list[float]] = [[] for _ in typed]
    theirs: list[list[float]] = [[] for _ in typed]
    for round_ in range(ROUNDS):
        for number, text in enumerate(typed):  # alternating, so that other load on the machine affects both
            if round_ < 2:
                theirs[number].append(_timed(other.find, text))
            ours[number].append(await _search_time(search, text))
    other.close()
    writing = asyncio.create_task(_write(store, papers))
    meanwhile = [await _search_time(search, text) for text in typed for _ in range(2)]
    writing.cancel()
    mine, fts5 = [median(times) for times in ours], [median(times) for times in theirs]
    return {
        "p50_ms": _ms(mine, 50),
        "p95_ms": _ms(mine, 95),
        "p99_ms": _ms(mine, 99),
        "p99_writer_ms": _ms(meanwhile, 99),
        "fts5_p50_ms": _ms(fts5, 50),
        "fts5_p99_ms": _ms(fts5, 99),
        "ratio_vs_fts5_p99": round(_percentile(fts5, 99) / _percentile(mine, 99), 1),
    }


async def _search_time(search: Search, text: str) -> float:
    began = perf_counter()
    await search.find(text)
    return perf_counter() - began


def _timed(find: Callable[[str], object], text: str) -> float:
    began = perf_counter()
    find(text)
    return perf_counter() - began


async def _write(store: Papers, papers: Sequence[Paper]) -> None:
    """Store WRITES unseen papers per second, which the index picks up automatically."""
    number = 0
    while True:
        began = perf_counter()
        batch = [_renumbered(paper, number + n) for n, paper in enumerate(papers[number : number + WRITES])]
        number += WRITES
        await store.remember(batch)
        await asyncio.sleep(max(0.0, 1 - (perf_counter() - began)))


def _renumbered(paper: Paper, number: int) -> Paper:
    return replace(paper, id=f"new/{number:07}", published=paper.published + timedelta(days=1))


async def _random_inputs(search: Search, count: int) -> dict[str, object]:
    """Search for random inputs. Returns the number that raised anything but an error of the person, and the slowest."""
    drawn: list[str] = []

    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @seed(known_items.SEED)
    @given(typed_inputs.typed)
    def draw(text: str) -> None:
        drawn.append(text)

    draw()
    times, failed = [], 0

    async def find(text: str) -> float:
        nonlocal failed
        began = perf_counter()
        try:
            await search.find(text)
        except UserError:
            pass
        except Exception:  # noqa: BLE001  # any error is counted
            failed += 1
        return perf_counter() - began

    for text in drawn:
        seconds = await find(text)
        if seconds > DOUBTFUL:
            seconds = median([seconds, *[await find(text) for _ in range(ROUNDS - 1)]])
        times.append(seconds)
    return {
        "inputs": len(drawn),
        "inputs_failed": failed,
        "inputs_p99_ms": _ms(times, 99),
        "inputs_slowest_ms": round(1000 * max(times), 1),
    }


async def _success(search: Search, papers: Sequence[Paper]) -> dict[str, object]:
    kinds = {
        "title": known_items.full_titles(papers),
        "typo": known_items.typos(papers),
        "words3": known_items.three_words(papers),
        "author": known_items.last_authors(papers),
        "id": known_items.ids(papers),
    }
    figures: dict[str, object] = {"items": len(papers)}
    for kind, items in kinds.items():
        places = [_place(wanted, await search.find(typed)) for typed, wanted in items]
        figures[f"{kind}_at1"] = round(sum(place == 0 for place in places) / len(places), 3)
        figures[f"{kind}_at5"] = round(sum(0 <= place < 5 for place in places) / len(places), 3)
    return figures


def _place(wanted: str, found: Any) -> int:
    return next((place for place, paper in enumerate(found.papers) if paper.id == wanted), -1)


def _percentile(times: Sequence[float], percent: int) -> float:
    return quantiles(times, n=100, method="inclusive")[percent - 1]


def _ms(times: Sequence[float], percent: int) -> float:
    return round(1000 * _percentile(times, percent), 1)


def size(folder: Path) -> int:
    """Return the bytes of all files."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--papers", type=int, default=10**9)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, help="parts to run (all)")
    parser.add_argument("--items", type=int, default=1000, help="papers drawn for each kind of known item")
    parser.add_argument("--inputs", type=int, default=10_000, help="random inputs")
    parser.add_argument("--json", action="store_true", help="only the figures, as one line")
    options = parser.parse_args()
    if not DATA.is_dir():
        sys.exit(f"the recorded papers are not here (expected in {os.path.relpath(DATA)})")
    figures = asyncio.run(run(options))
    sys.stdout.write(json.dumps(figures) + "\n")


if __name__ == "__main__":
    main()

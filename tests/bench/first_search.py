"""Measure how soon `/paper search` finds papers after a start that has to build the index from all recorded papers.

    python -m tests.bench.first_search --json

Redis has the papers already; the index's folder is empty. Searches are repeated through the platform's interface while
the index is built. The baseline is the same searches once the index is complete.
"""

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from time import perf_counter

from bot.commands.core import Commands
from bot.domain.models import ChannelRef, Paper, User
from bot.search.search import Search
from bot.store.connect import connect
from bot.store.embedded import EmbeddedServer
from bot.store.notifications import Notifications
from bot.store.papers import Papers
from tests.bench.search import AT_ONCE, recorded
from tests.commands.conftest import card_text, services_on
from tests.conftest import SHARED_DATA

SEARCHES = (
    "graph neural networks", "reinforcement learning", "dark matter halo", "protein folding", "how do transformers scale",
    "bayesian inference for galaxies", "monetary policy", "robot manipulation",
)  # fmt: skip
PAUSE = 0.25
"""Seconds between an answer and the next search."""
PERSON = User("U1", "bench")
CHANNEL = ChannelRef("bench", "bench", "bench")


async def run(papers: Sequence[Paper], folder: Path) -> dict[str, object]:
    """Return all figures. `folder` gets the server's data and the index."""
    async with EmbeddedServer(folder) as server:
        redis = await connect(server.url)
        store = Papers(redis)
        for start in range(0, len(papers), AT_ONCE):
            await store.remember(papers[start : start + AT_ONCE])
        latest = max(paper.published for paper in papers)
        wake = Notifications(redis)
        began = perf_counter()
        search = Search(store, folder / "search", lambda: latest)
        core = Commands(replace(services_on(redis, store, lambda: latest), search=search))
        roles = [asyncio.create_task(job) for job in (search.run(wake), wake.run())]
        figures = await _search_while_indexing(core, search, began)
        for role in roles:
            role.cancel()
        await asyncio.wait(roles)
        await search.close()
        await redis.aclose()
    return {"papers": len(papers), **figures}


async def _search_while_indexing(core: Commands, search: Search, began: float) -> dict[str, object]:
    times: list[float] = []
    first_found, with_progress = 0.0, 0
    while True:
        text = SEARCHES[len(times) % len(SEARCHES)]
        took, answer = await _ask(core, text)
        if not first_found and "* " in answer:
            first_found = perf_counter() - began
        if (await search.find(text)).progress is None:
            break
        times.append(took)
        with_progress += "Still indexing: " in answer
        await asyncio.sleep(PAUSE)
    whole = perf_counter() - began
    after = [(await _ask(core, text))[0] for text in SEARCHES for _ in range(5)]
    return {
        "first_answer_ms": round(1000 * times[0], 1) if times else None,
        "first_found_s": round(first_found, 2),
        "whole_s": round(whole, 1),
        "answers_meanwhile": len(times),
        "said_how_far": with_progress,
        "meanwhile_p50_ms": round(1000 * median(times), 1) if times else None,
        "meanwhile_p95_ms": round(1000 * quantiles(times, n=20)[18], 1) if len(times) > 1 else None,
        "after_p50_ms": round(1000 * median(after), 1),
        "load": round(os.getloadavg()[0], 1),
    }


async def _ask(core: Commands, text: str) -> tuple[float, str]:
    began = perf_counter()
    reply = await core.handle_text(f"/paper search {text}", PERSON, CHANNEL)
    return perf_counter() - began, f"{reply.card.notice}\n{card_text(reply.card)}"


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--papers", type=int, default=10**9)
    parser.add_argument("--json", action="store_true", help="as one line")
    options = parser.parse_args()
    if not SHARED_DATA.is_dir():
        sys.exit(f"the recorded papers are not here (expected in {os.path.relpath(SHARED_DATA)})")
    with TemporaryDirectory() as folder, suppress(KeyboardInterrupt):
        figures = asyncio.run(run(recorded(options.papers), Path(folder)))
        sys.stdout.write(json.dumps(figures, indent=None if options.json else 2) + "\n")


if __name__ == "__main__":
    main()

"""A rolling upgrade: processes of the previous release share a server with this version's, which replace them."""

import asyncio
import io
import shutil
import subprocess
import sys
import tarfile
from asyncio.subprocess import Process
from pathlib import Path

from tests.fake_platform import Weather
from tests.faults.scene import ROLES, Outcome, Scene, Size, alone
from tests.program import ROOT

PREVIOUS = "966b6c2"
"""The commit of 0.1.0."""
WORK = """
import sys
from pathlib import Path
import bot
from tests.faults.worker import Plan, work
assert Path(bot.__file__).is_relative_to(Path.cwd())
redis_url, service_url, log, pace = sys.argv[1:]
roles = ("poller", "fanout", "delivery")
work(Plan(redis_url=redis_url, service_url=service_url, log=Path(log), roles=roles, pace=float(pace)))
"""
"""Program of a process of the previous release: it runs that release's own worker."""


def reason_to_skip() -> str:
    """Return the reason why the previous release can't be had; "" if it can."""
    git = shutil.which("git")
    if git is None:
        return "git isn't installed"
    found = subprocess.run((git, "cat-file", "-e", PREVIOUS), cwd=ROOT, check=False, capture_output=True)
    return "" if found.returncode == 0 else "the history of the repository isn't here"


def unpack(folder: Path) -> Path:
    """Unpack the previous release's files from the repository's history."""
    archive = subprocess.run(
        ("git", "archive", PREVIOUS, "bot", "adapters", "tests"), cwd=ROOT, check=True, capture_output=True
    ).stdout
    with tarfile.open(fileobj=io.BytesIO(archive)) as files:
        files.extractall(folder, filter="data")
    return folder


async def beside_the_previous_release(folder: Path, size: Size) -> Outcome:
    """Processes of this version replace the two of the previous release one by one, while papers arrive throughout."""
    if why := reason_to_skip():
        return Outcome(
            test="a rolling upgrade", deliveries=0, kills=0, lost=0, doubled=0, seconds=0.0, note=why
        )
    tree = await asyncio.to_thread(unpack, folder / "previous")
    log = folder / "previous.log"
    async with alone(folder, size, Weather(lose=0.02, delay=0.01)) as here:
        old = [await _start(here, tree, log) for _ in range(2)]
        try:
            third = len(here.papers) // 3
            await _list_papers(here, here.papers[:third])
            here.start(ROLES)
            await _list_papers(here, here.papers[third : 2 * third])
            alive = [process.returncode is None for process in old]
            old[0].kill()
            here.kills += 1
            here.start(ROLES)
            old[1].terminate()
            await _list_papers(here, here.papers[2 * third :])
            code = await asyncio.wait_for(old[1].wait(), 60)
            await here.until_done()
        finally:
            for process in old:
                if process.returncode is None:
                    process.kill()
                await process.wait()
        running = [process.is_alive() for _, process in here.processes]
        await here.stop()
        log_lines = [*log.read_text().splitlines(), *here.plan.log.read_text().splitlines()]
        ended = [line for line in log_lines if "role_crashed" in line or "Traceback" in line]
        return here.outcome(
            "a rolling upgrade",
            f"beside 0.1.0; {len(ended)} roles ended",
            fine=all(alive) and all(running) and code == 0 and not ended,
        )


async def _start(here: Scene, tree: Path, log: Path) -> Process:
    plan = here.plan
    words = (plan.redis_url, plan.service_url, str(log), str(plan.pace))
    return await asyncio.create_subprocess_exec(
        sys.executable, "-c", WORK, *words, cwd=tree, env={"PYTHONPATH": str(tree), "PATH": ""}
    )


async def _list_papers(here: Scene, papers: list[str]) -> None:
    """List papers one after the other, and wait until half of the channels have the last one."""
    for paper in papers:
        here.service.listed.append(paper)
        await asyncio.sleep(0.1)
    while sum(pair[1] == papers[-1] for pair in here.service.counts()) < len(here.channels) // 2:  # noqa: ASYNC110
        await asyncio.sleep(0.05)

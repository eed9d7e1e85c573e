"""Run the GitHub Action's steps on this machine, and kill them: `python -m tests.deploy.action` kills at every step.

A scheduled run is `deploy/github-action/run.sh` with a bare repository for the branch, and Slack's double to post to.
Each call of `paperboy` or `git` is a step; a run can be killed before or after it, or after a number of posts.
"""

import asyncio
import os
import shutil
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml
from aiohttp import web

from bot.sources.huggingface import list_date
from tests.adapters.slack.double import Slack
from tests.adapters.slack.double.world import Channel
from tests.program import ROOT, environment
from tests.replay import serve
from tests.sources.upstreams import Lists, listed

SCRIPT = ROOT / "deploy" / "github-action" / "run.sh"
PAPERS = 2
STEPS = 17
"""Number of calls of `paperboy` and `git` in a run that finds stored data."""
WRAPPER = """#!/usr/bin/env bash
step=$(($(cat "$STEPS_DONE" 2>/dev/null || echo 0) + 1))
echo $step > "$STEPS_DONE.$$" && mv "$STEPS_DONE.$$" "$STEPS_DONE"  # two steps of a pipe run at the same time
[ "$step" = "$KILL_BEFORE" ] && kill -9 0
{program} "$@"
code=$?
[ "$step" = "$KILL_AFTER" ] && kill -9 0
exit $code
"""


@dataclass
class Repository:
    """A checkout with its remote, a subscribed channel, and the papers that a source lists."""

    folder: Path
    slack: Slack
    room: Channel
    settings: dict[str, str]
    lists: Lists
    listed: list[str] = field(default_factory=list)

    def publish(self) -> None:
        """List some new papers."""
        today = str(list_date(datetime.now(UTC)))
        new = [f"2603.{len(self.listed) + n:05}" for n in range(PAPERS)]
        self.listed += new
        self.lists.days[today] = [listed(one, title=f"Diffusion {one}") for one in self.listed]

    async def run(self, *, before: int = 0, after: int = 0, posts: int = 0) -> tuple[int, int]:
        """Make a scheduled run on a new machine; kill it before or after a step, or after a number of posts.

        Returns the exit code and the number of steps.
        """
        done = self.folder / "steps"
        done.unlink(missing_ok=True)
        data = self.folder / "data"
        shutil.rmtree(data, ignore_errors=True)
        env = {
            **environment(data, **self.settings),
            "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}",
            "HOME": str(self.folder),
            "STEPS_DONE": str(done),
            "KILL_BEFORE": str(before),
            "KILL_AFTER": str(after),
        }
        program = await asyncio.create_subprocess_exec(
            SCRIPT, self.folder / "paperboy.txt", cwd=self.folder / "checkout", env=env, start_new_session=True,
            stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        killer = (
            asyncio.create_task(self._kill_after(program.pid, self.posted().total() + posts))
            if posts
            else None
        )
        code = await program.wait()
        if killer is not None:
            killer.cancel()
        with suppress(ProcessLookupError):
            os.killpg(program.pid, signal.SIGKILL)
        return code, int(done.read_text()) if done.exists() else 0

    async def _kill_after(self, group: int, posts: int) -> None:
        await self.slack.until(lambda: self.posted().total() >= posts)
        os.killpg(group, signal.SIGKILL)

    def posted(self) -> Counter[str]:
        """Return title -> how often it was posted."""
        return Counter(m.text.partition(" · ")[0] for m in self.room.messages if m.only_for is None)

    def wanted(self) -> Counter[str]:
        return Counter(f"Diffusion {one}" for one in self.listed)


@asynccontextmanager
async def repository(folder: Path) -> AsyncIterator[Repository]:
    """Yield a repository in which Paperboy has never run."""
    for words in (
        ("init", "--quiet", "--bare", "remote"),
        ("clone", "--quiet", "remote", "checkout"),
    ):
        made = await asyncio.create_subprocess_exec(
            "git", *words, cwd=folder, stderr=asyncio.subprocess.DEVNULL
        )
        assert await made.wait() == 0
    (folder / "bin").mkdir()
    for name, program in (("paperboy", f"{sys.executable} -m paperboy"), ("git", shutil.which("git"))):
        wrapper = folder / "bin" / name
        wrapper.write_text(WRAPPER.replace("{program}", f"PYTHONPATH={ROOT} {program}"))
        wrapper.chmod(0o755)
    manifest = yaml.safe_load((ROOT / "deploy" / "slack-manifest.yaml").read_text())
    lists = Lists({})
    app = web.Application()
    app.router.add_get("/api/daily_papers", lists.respond)
    async with Slack(manifest).serve() as slack, serve(app) as url:
        lab = slack.workspace()
        ada = slack.person(lab, is_admin=True)
        room = slack.channel(lab, "papers", ada)
        room.members.add(lab.bot_user)
        (folder / "paperboy.txt").write_text(f"# all of ours\nslack:{lab.id}:{room.id} diffusion\n")
        settings = {
            "SLACK_BOT_TOKEN": slack.world.install(lab, ada.user).value,
            "SLACK_APP_TOKEN": slack.app.app_token,
            "SLACK_API_URL": slack.api_url,
            "PAPERBOY_HUGGINGFACE_URL": url,
        }
        yield Repository(folder, slack, room, settings, lists)


async def kill_everywhere(folder: Path, kills: Iterable[dict[str, int]]) -> tuple[int, int, int]:
    """For each kill, make a killed run and then a complete one. Returns the number of kills, lost and doubled posts."""
    count = 0
    async with repository(folder) as here:
        here.publish()
        assert (await here.run())[0] == 0
        for kill in kills:
            here.publish()
            await here.run(**kill)
            code, _ = await here.run()
            assert code == 0, kill
            count += 1
        lost = (here.wanted() - here.posted()).total()
        doubled = (here.posted() - here.wanted()).total()
    return count, lost, doubled


def main() -> None:
    """Kill at every step, and print the result."""
    kills = [
        *({"before": step} for step in range(5, STEPS + 1)),  # nothing was changed before
        *({"after": step} for step in range(4, STEPS + 1)),
        *({"posts": posts} for posts in range(1, PAPERS + 1)),
    ]
    with TemporaryDirectory() as folder:
        count, lost, doubled = asyncio.run(kill_everywhere(Path(folder), kills))
    sys.stdout.write(f"{count} kills: lost {lost}, doubled {doubled}\n")


if __name__ == "__main__":
    main()

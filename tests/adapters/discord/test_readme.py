"""The README's Discord section, followed word for word up to the first post."""

import asyncio
import json
import re
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from bot.sources.huggingface import list_date
from tests.adapters.discord.double.interactions import interaction
from tests.adapters.discord.double.payloads import guild_payload
from tests.adapters.discord.double.service import DiscordDouble
from tests.program import ROOT, environment
from tests.replay import HuggingFaceReplay, serve
from tests.waiting import until

DAY = date(2026, 3, 17)
PAPERBOY = Path(sys.executable).parent / "paperboy"


def steps() -> list[str]:
    """Return the numbered steps of the section."""
    section = (ROOT / "README.md").read_text().partition("## Discord\n")[2].partition("\n## ")[0]
    return [
        " ".join(step.split())
        for step in re.findall(r"^\d\. (.+?)(?=^\d\. |^$)", section, re.MULTILINE | re.DOTALL)
    ]


def code(step: str) -> list[str]:
    """Return the code in a step."""
    return re.findall(r"`([^`]+)`", step)


@asynccontextmanager
async def run_line(
    line: str, folder: Path, env: Mapping[str, str]
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a command line in a folder. `make run` is replaced by its recipe."""
    words = {"make run": ("run",)}.get(line) or tuple(line.split()[1:])
    program = await asyncio.create_subprocess_exec(
        PAPERBOY,
        *words,
        cwd=folder,
        env=env,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        yield program
    finally:
        if program.returncode is None:
            program.terminate()
        await program.wait()


@pytest.mark.timeout(120)
async def test_four_steps_lead_to_the_first_post(tmp_path: Path, shared_data: Path) -> None:
    create, write, look, begin = steps()
    assert "**Reset Token**" in create
    assert "paperboy run" in (ROOT / "Makefile").read_text().partition("\nrun:")[2].partition("\n\n")[0]
    replay = HuggingFaceReplay(shared_data / "hf_daily", until=DAY)
    replay.shift = DAY - list_date(datetime.now(UTC))
    async with DiscordDouble().serve() as double, serve(replay.app) as upstream:
        env = environment(tmp_path, upstream, DISCORD_API_URL=double.url)
        install, line, name = code(write)
        assert (install, name) == ("make install", ".env")
        (tmp_path / name).write_text(f"{line}{double.token}\n")

        (command,) = code(look)
        async with run_line(command, tmp_path, env) as doctor:
            output = (await doctor.communicate())[0].decode()
        assert "https://discord.com/oauth2/authorize?client_id=900" in output
        double.gateway.guilds = {0: [guild_payload()]}  # the link was opened and Paperboy added

        command, subscribe = code(begin)
        async with run_line(command, tmp_path, env):
            await double.gateway.until(lambda: double.gateway.shards == {0})
            paper, verb, query = subscribe.split()
            assert paper == "/paper"
            await double.gateway.dispatch("INTERACTION_CREATE", interaction("1", verb, query=query))
            _, answer, _ = await double.callbacks.get()
            text = str(answer.get("data", {}).get("components")) + (
                json.dumps((await double.follows.get())[1]) if answer["type"] == 5 else ""
            )
            assert "Subscribed as" in text
        replay.until, replay.shift = DAY + timedelta(days=1), replay.shift + timedelta(days=1)
        async with run_line(command, tmp_path, env), asyncio.timeout(60):
            await until(lambda: double.messages, "a card")
        assert "matched diffusion" in json.dumps(double.messages[0].body)

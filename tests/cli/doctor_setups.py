"""`paperboy doctor` in broken set-ups, each in a separate process: `python -m tests.cli.doctor_setups`."""

import asyncio
import json
import socket
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from tests.program import environment, start

REDIS_NOWHERE = "redis://127.0.0.1:9/0"
TOKENS = {"SLACK_BOT_TOKEN": "xoxb-planted", "SLACK_APP_TOKEN": "xapp-planted"}
MAIL = {
    "PAPERBOY_SECRET_KEY": "planted-planted-planted",
    "PAPERBOY_MAIL_FROM": "bot@example.org",
    "PAPERBOY_PUBLIC_URL": "https://papers.example.org",
}
UPSTREAMS = (
    "PAPERBOY_HUGGINGFACE_URL",
    "PAPERBOY_ARXIV_RSS_URL",
    "PAPERBOY_ARXIV_OAI_URL",
    "PAPERBOY_ARXIV_API_URL",
)
SETUPS: Mapping[str, Mapping[str, str]] = {
    "no network": {"PAPERBOY_ARXIV_CATEGORIES": "cs.CL,cs.AI,cs.LG,cs.CV,cs.RO,cs.NE,stat.ML,eess.AS"},
    "no Redis at its address": {"REDIS_URL": REDIS_NOWHERE},
    "REDIS_URL is a web address": {"REDIS_URL": "https://127.0.0.1"},
    "a mistyped category": {"PAPERBOY_ARXIV_CATEGORIES": "CS.ai"},
    "a mistyped setting": {"PAPERBOY_DATADIR": "papers"},
    "a word as port": {"PORT": "web"},
    "the port is taken": {"PORT": "{port}"},
    "a data folder that is a file": {"PAPERBOY_DATA_DIR": "{file}"},
    "half of Slack's tokens": {"SLACK_BOT_TOKEN": "xoxb-planted"},
    "Slack's tokens swapped": {"SLACK_BOT_TOKEN": "xapp-planted", "SLACK_APP_TOKEN": "xoxb-planted"},
    "no network, with Slack and Discord": {**TOKENS, "DISCORD_TOKEN": "MTAx.planted.planted-planted"},
    "a port that is no number, and a mistyped setting": {"PORT": "web", "PAPERBOY_DATADIR": "papers"},
    "a port in REDIS_URL that is none": {"REDIS_URL": "redis://127.0.0.1:banana"},
    "a key that is too short": {"PAPERBOY_SECRET_KEY": "planted"},
    "nothing answers anywhere": {"PORT": "{port}", **dict.fromkeys(UPSTREAMS, "http://127.0.0.1:{port}")},
    "an address of mail that is none": {**MAIL, "SMTP_URL": "mail.example.org"},
    "a mail server that doesn't answer": {**MAIL, "SMTP_URL": "smtp://127.0.0.1:9"},
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """Result of the doctor in one set-up."""

    setup: str
    seconds: float
    code: int
    failed: Sequence[str]
    """A line for each failed finding."""


async def run(setup: str, folder: Path, port: int) -> Outcome:
    """Run the doctor in one set-up, as an operator would."""
    changes = {
        name: value.format(port=port, file=folder / "file") if "{" in value else value
        for name, value in SETUPS[setup].items()
    }
    began = monotonic()
    process = await start("doctor", "--json", env=environment(folder, **changes))
    out, log = await process.communicate()
    seconds = monotonic() - began
    findings = json.loads(out) if out.strip().startswith(b"[") else []
    failed = [
        f"{finding['name']}: {finding['message']}" for finding in findings if finding["level"] == "fail"
    ]
    return Outcome(setup, seconds, process.returncode or 0, failed or log.decode().splitlines())


def _create_folder(folder: str, setup: str) -> Path:
    """Create a folder for one set-up, with a file in it."""
    own = Path(folder, str([*SETUPS].index(setup)))
    own.mkdir()
    (own / "file").write_text("")
    return own


async def run_all(at_once: int = 1) -> list[Outcome]:
    """Run the doctor in all set-ups, `at_once` of them in parallel."""
    turn = asyncio.Semaphore(at_once)

    async def in_turn(setup: str, folder: Path, port: int) -> Outcome:
        async with turn:
            return await run(setup, folder, port)

    with socket.create_server(("0.0.0.0", 0)) as occupied, tempfile.TemporaryDirectory() as folder:  # noqa: S104
        port = occupied.getsockname()[1]
        runs = (in_turn(setup, _create_folder(folder, setup), port) for setup in SETUPS)
        return await asyncio.gather(*runs)


def main() -> None:
    """Print a table."""
    sys.stdout.write("| set-up | seconds | exit code | lines |\n|---|---|---|---|\n")
    for outcome in asyncio.run(run_all()):
        lines = "<br>".join(line.replace("|", "\\|") for line in outcome.failed)
        sys.stdout.write(f"| {outcome.setup} | {outcome.seconds:.1f} | {outcome.code} | {lines} |\n")


if __name__ == "__main__":
    main()

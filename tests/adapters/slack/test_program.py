"""The program with Slack: the README's four steps, the log, and exit codes."""

import asyncio
import json
import re
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml
from aiohttp import web

from adapters.slack.manifest import manifest
from bot.sources.huggingface import list_date
from tests.adapters.slack.double import Message, Person, Slack
from tests.adapters.slack.double.people import words
from tests.adapters.slack.running import SECRET_KEY, install
from tests.ports import free_port
from tests.program import ROOT, environment
from tests.replay import serve
from tests.sources.upstreams import Lists, listed

README = (ROOT / "README.md").read_text()
PAPERBOY = Path(sys.executable).with_name("paperboy")


def steps() -> list[str]:
    """Return the numbered steps of the README's section about Slack."""
    section = README.partition("\n## Slack\n")[2].partition("\n## ")[0]
    return re.split(r"\n\d\. ", section.partition("To let many workspaces")[0])[1:]


@asynccontextmanager
async def running_program(folder: Path, *words_: str, **settings: str) -> AsyncIterator[Process]:
    """Run `paperboy` in a folder, and kill it at the end if it still runs."""
    env = {**environment(folder / "data", **settings), "HOME": str(folder)}
    process = await asyncio.create_subprocess_exec(
        PAPERBOY, *words_, env=env, cwd=folder, stdin=PIPE, stdout=PIPE, stderr=PIPE
    )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


async def wait_for_answer(slack: Slack, person: Person, trigger: str) -> Message:
    """Wait for the answer that a person sees, and return it."""
    await slack.until(lambda: person.answers(trigger))
    found = person.answers(trigger)[-1]
    assert isinstance(found, Message)
    return found


async def test_the_readmes_four_steps_lead_to_the_first_post(tmp_path: Path) -> None:
    make, take, run, subscribe = steps()
    (path,) = set(re.findall(r"deploy/[a-z-]+\.yaml", make))
    async with Slack(yaml.safe_load((ROOT / path).read_text())).serve() as slack:
        lab = slack.workspace()
        ada = slack.person(lab, is_admin=True)
        room = slack.channel(lab, "papers", ada)
        tokens = {"xoxb-…": slack.world.install(lab, ada.user).value, "xapp-…": slack.app.app_token}
        block = re.findall(r"```\n(.*?)```", take, re.DOTALL)[0]
        for placeholder, token in tokens.items():
            block = block.replace(placeholder, token)
        (tmp_path / ".env").write_text("\n".join(line.strip() for line in block.splitlines()))

        assert "`paperboy run`" in run
        line = re.findall(r"`/paper ([^`]+)`", subscribe)[0]
        async with running_program(tmp_path, "run", SLACK_API_URL=slack.api_url) as program:
            await asyncio.wait_for(slack.sockets.opened.wait(), 30)
            answer = await wait_for_answer(slack, ada, await ada.type(room, line))
            assert "language model" in words(answer.blocks)
            program.send_signal(signal.SIGTERM)
            await program.communicate()
            assert program.returncode == 0

        today = str(list_date(datetime.now(UTC)))
        upstream = Lists({today: [listed("2603.00001", title="A language model that reads")]})
        app = web.Application()
        app.router.add_get("/api/daily_papers", upstream.respond)
        async with serve(app) as url:
            settings = {"SLACK_API_URL": slack.api_url, "PAPERBOY_HUGGINGFACE_URL": url}
            async with running_program(tmp_path, "run", "--once", **settings) as program:
                out, log = await program.communicate()
        assert [m.text for m in room.messages if m.only_for is None] == [
            "A language model that reads · Ada Lovelace"
        ], (out, log)


async def test_tokens_are_neither_in_debug_logs_nor_unencrypted_on_disk(tmp_path: Path) -> None:
    async with Slack(manifest("http")).serve() as slack:
        lab = slack.workspace()
        ada = slack.person(lab)
        room = slack.channel(lab, "papers", ada)
        port = free_port()
        settings = {
            "PORT": str(port),
            "PAPERBOY_SECRET_KEY": SECRET_KEY,
            "PAPERBOY_LOG_LEVEL": "debug",
            **slack.http_settings,
        }
        async with running_program(tmp_path, "run", **settings) as program:
            assert program.stderr is not None
            await wait_for_event(program.stderr, "listening")
            slack.at(f"http://127.0.0.1:{port}/slack/events")
            await install(slack, f"http://127.0.0.1:{port}", ada)
            await wait_for_answer(slack, ada, await ada.type(room, "subscribe diffusion"))
            slack.faults.next("oauth.v2.access", "invalid_code")
            await install(slack, f"http://127.0.0.1:{port}", ada)
            slack.faults.next("views.publish", "invalid_auth", "500", "lose", "garbage")
            for _ in range(4):
                await ada.home_opened()
            await slack.until(lambda: len(slack.calls("views.publish")) >= 3)
            program.send_signal(signal.SIGTERM)
            _, log = await program.communicate()
        assert program.returncode == 0
        planted = {slack.app.client_secret, slack.app.signing_secret, SECRET_KEY}
        for token in slack.world.tokens.values():
            planted |= {token.value, str(token.refresh)}
        stored = on_disk(tmp_path)
        assert b"diffusion" in stored
        assert [secret for secret in planted if secret.encode() in log + stored] == []


async def test_a_wrong_token_stops_the_program_with_advice(tmp_path: Path) -> None:
    async with Slack(manifest("socket")).serve() as slack:
        lab = slack.workspace()
        good = slack.world.install(lab, slack.person(lab).user).value
        for bot, app, setting in (
            ("xoxb-wrong", slack.app.app_token, "SLACK_BOT_TOKEN"),
            (good, "xapp-wrong", "SLACK_APP_TOKEN"),
            (good, good, "SLACK_APP_TOKEN"),
        ):
            settings = {"SLACK_BOT_TOKEN": bot, "SLACK_APP_TOKEN": app, "SLACK_API_URL": slack.api_url}
            async with running_program(tmp_path, "run", **settings) as program:
                _, log = await program.communicate()
            assert program.returncode == 78, log
            assert setting in log.decode()
            assert bot not in log.decode()


def on_disk(folder: Path) -> bytes:
    """Return the content of all files."""
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


async def wait_for_event(stream: asyncio.StreamReader, event: str) -> None:
    async for line in stream:
        with suppress(ValueError):
            record: dict[str, Any] = json.loads(line)
            if record.get("event") == event:
                return
    raise AssertionError(f"the program ended without logging {event}")

"""If a Sentry DSN is set, errors are sent there, without secrets."""

import asyncio
import gzip
import json
import sys
from asyncio.subprocess import PIPE
from pathlib import Path
from typing import Any

from aiohttp import web

from tests.program import ROOT, environment
from tests.replay import serve

FAILING = """
import logging, structlog
from bot.cli.process import command_settings
command_settings()
try:
    token = "in a local variable"
    raise RuntimeError("refused: hunter2-planted")
except RuntimeError:
    structlog.get_logger("bot.pipeline.poller").exception("poll failed", source="arxiv", header="Bearer hunter2-planted")
structlog.get_logger("bot.pipeline.poller").warning("not worth a report")
logging.getLogger("aiohttp.server").error("a library's %s", "mistake")
raise KeyError("the end")
"""


class Inbox:
    """A Sentry server that stores the envelopes it receives."""

    def __init__(self) -> None:
        self.raw = b""
        self.events: list[dict[str, Any]] = []
        self.app = web.Application()
        self.app.router.add_post("/api/1/envelope/", self._take)

    async def _take(self, request: web.Request) -> web.Response:
        body = await request.read()
        if request.headers.get("Content-Encoding") == "gzip" and body.startswith(b"\x1f\x8b"):
            body = gzip.decompress(body)
        self.raw += body
        self.events += [event for line in body.splitlines() if "level" in (event := json.loads(line))]
        return web.json_response({})


async def test_errors_are_sent_without_secrets(tmp_path: Path) -> None:
    inbox = Inbox()
    async with serve(inbox.app) as url:
        env = environment(
            tmp_path,
            PAPERBOY_SENTRY_DSN=f"{url.replace('://', '://public@')}/1",
            SLACK_BOT_TOKEN="hunter2-planted",
        )
        program = await asyncio.create_subprocess_exec(
            sys.executable, "-c", FAILING, env=env, cwd=ROOT, stdout=PIPE, stderr=PIPE
        )
        _, log = await program.communicate()
    assert program.returncode == 1, log.decode()
    reported = [
        (event.get("message"), *_exception(event), event.get("tags", {}).get("event"))
        for event in inbox.events
    ]
    assert reported == [
        (None, "RuntimeError", "refused: [redacted]", "poll failed"),
        ("a library's mistake", "", "", None),
        (None, "KeyError", "'the end'", None),
    ]
    assert inbox.events[0]["contexts"]["log"]["source"] == "arxiv"
    assert b"hunter2" not in inbox.raw
    assert b"local variable" not in inbox.raw


def _exception(event: dict[str, Any]) -> tuple[str, str]:
    for value in event.get("exception", {}).get("values", []):
        return value["type"], value["value"]
    return "", ""

"""Attacks on the running program with texts that take long to process: each hostile unit of `tests/growth_inputs.py`,
repeated, through every input. Processor time is measured, which doesn't depend on other load.
"""

import asyncio
import json
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from urllib.parse import quote

import aiohttp
import pytest
from yarl import URL

from tests.adapters.email.test_bounces import RETURN
from tests.attacks.target import VICTIM, Target, sign_up, target
from tests.growth_inputs import OPENERS, UNITS
from tests.program import environment, processor, running

MOST_CPU = 1.0
"""Maximum processor seconds for one text, including everything else that the program does."""
EACH = int(os.environ.get("EACH_HOSTILE_TEXT", "5"))
"""One in EACH units is sent through each input; with 1, all of them."""
LINE, FIELD, MAIL = 1_000, 2_000, 64_000
"""Maximum lengths of a typed line, a field and a report, in characters."""
COMMANDS = ("", "subscribe", "search", "explain", "settings", "mute", "preview", "zotero", "save", "feed")
LAST = "help unwatch"
"""Line typed after each hostile one: its answer is always the same."""
QUERIES = (
    "/?q=",
    "/?cat=",
    "/?q=robots&page=",
    "/papers/",
    "/api/v1/search?q=",
    "/api/v1/papers/",
    "/feeds/search.atom?q=",
    "/email/preview?query=",
    "/email/manage/",
    "/feeds/trending.atom?span=",
)
HEADERS = ("User-Agent", "If-None-Match", "If-Modified-Since", "Accept-Language", "Cookie", "Authorization")


def hostile(length: int, turn: int) -> list[str]:
    """Return one in `EACH` of the repeated and alternating units; which ones depends on `turn`."""
    units = [*UNITS, *(f"{one}{other}" for one, other in pairwise(OPENERS))]
    return [(unit * length)[:length] for unit in units[turn % EACH :: EACH]]


@dataclass
class Measured:
    """The longest processor time seen in a program."""

    pid: int
    worst: float = 0.0
    what: str = ""

    def note(self, began: float, what: str) -> None:
        took = processor(self.pid) - began
        if took > self.worst:
            self.worst, self.what = took, what


@pytest.mark.timeout(240)
async def test_no_typed_line_takes_long(tmp_path: Path) -> None:
    env = environment(tmp_path)
    async with running("run", env=env) as process:
        terminal = Terminal(process)
        await terminal.begin()
        measured = Measured(process.pid)
        for turn, command in enumerate(COMMANDS):
            for text in hostile(LINE - 10, turn):
                line = " ".join(f"{command} {text}".splitlines())
                began = processor(process.pid)
                await terminal.type(line)
                measured.note(began, f"{command} {text[:20]!r}")
        process.terminate()
        await process.communicate()
    assert measured.worst < MOST_CPU, measured


class Terminal:
    """A person at the program's terminal, who waits for each answer."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._stdin, self._stdout = process.stdin, process.stdout
        self._last = ""

    async def begin(self) -> None:
        """Record the answer to the line that marks the end of all other answers."""
        self._stdin.write(f"{LAST}\n".encode())
        while json.loads(line := await self._stdout.readline())["kind"] != "reply":
            pass
        self._last = line.decode()

    async def type(self, line: str) -> None:
        """Type a line, and wait until it is answered."""
        self._stdin.write(f"{line}\n{LAST}\n".encode("utf-8", "replace"))
        async with asyncio.timeout(30):
            while (await self._stdout.readline()).decode() != self._last:
                pass


@pytest.mark.timeout(240)
async def test_no_request_takes_long(tmp_path: Path) -> None:
    async with target(tmp_path, ["Robots"]) as program:
        _, manage = await sign_up(program)
        measured = Measured(program.pid)
        for turn, (way, request) in enumerate(ways(manage).items()):
            for n, text in enumerate(hostile(MAIL if way == "a report" else FIELD, turn)):
                began = processor(program.pid)
                assert await status_of(program, request(text), n) < 500, (way, text[:20])
                measured.note(began, f"{way} {text[:20]!r}")
        await program.answers()
    assert measured.worst < MOST_CPU, measured


Request = tuple[str, str, Mapping[str, str], bytes | Mapping[str, str] | None]
"""Method, path, headers, body."""


def ways(manage: str) -> Mapping[str, Callable[[str], Request]]:
    """Return every input except the platforms' -> function that makes a request with a text."""

    def query(path: str) -> Callable[[str], Request]:
        return lambda text: ("GET", path + quote(text, safe="")[:6_000], {}, None)

    def field(path: str, name: str, **others: str) -> Callable[[str], Request]:
        return lambda text: ("POST", path, {}, {**others, name: text})

    def header(name: str) -> Callable[[str], Request]:
        return lambda text: ("GET", "/feeds/trending.atom", {name: ascii(text)[1:-1]}, None)

    def report(text: str) -> Request:
        return "POST", "/email/bounces", {"Content-Type": "message/rfc822"}, mailed(text)

    return {
        **{path: query(path) for path in QUERIES},
        **{f"header {name}": header(name) for name in HEADERS},
        "a typed line on a page": field(manage, "say"),
        "an option on a page": field(manage, "query", command="subscribe"),
        "an option of a setting": field(manage, "quiet", command="settings"),
        "a paper on a page": field(manage, "paper", command="explain"),
        "an address": field("/email/link", "address"),
        "a zone": field("/email/subscribe", "zone", address=VICTIM),
        "a query of a form": field("/email/subscribe", "query", address=VICTIM, do="preview"),
        "a ticket": field("/email/link", "ticket", address=VICTIM),
        "a report": report,
    }


def mailed(text: str) -> bytes:
    """Return a bounce report with the text in its headers and body."""
    raw = text.encode("utf-8", "replace")
    folded = raw.replace(b"\r", b" ").replace(b"\n", b" ")
    return b"To: <%b> %b\r\nSubject: %b\r\n\r\n%b\r\n" % (RETURN.encode(), folded, folded, raw)


async def status_of(program: Target, request: Request, n: int) -> int:
    """Return the status of the answer. Each request has a different client address, to avoid rate limits."""
    method, path, headers, body = request
    connector = aiohttp.TCPConnector(local_addr=(f"127.{n + 1}.{len(path) % 200}.7", 0))
    async with aiohttp.ClientSession(f"http://127.0.0.1:{program.port}", connector=connector) as session:
        with suppress(aiohttp.ServerDisconnectedError, aiohttp.ClientOSError):  # the head is too long
            async with session.request(
                method, URL(path, encoded=True), headers=headers, data=body, allow_redirects=False
            ) as answer:
                return answer.status
    return 400

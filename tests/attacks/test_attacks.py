"""Attacks on the started program, over its own port: each would once have stopped, stalled, flooded or misled it.

docs/security.md says who would do this, and why. The same attacks are tested closer to the code elsewhere.
"""

import asyncio
import re
import resource
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

import aiohttp
import pytest
from yarl import URL

from tests.adapters.email.mail_server import Mail, MailServer
from tests.adapters.email.test_bounces import HOSTILE, RETURN
from tests.adapters.email.test_message import ENCODED
from tests.adapters.email.test_program import Upstream, browsing, link, mail
from tests.program import environment, running
from tests.replay import serve
from tests.web.site import free_port
from tests.web.test_malformed_requests import NAMED

VICTIM = "victim@example.org"
PATIENCE = 3.0
"""Seconds that an honest request may take during an attack, on a busy machine."""
MAX_LOG = 200_000
"""Bytes that the program may log under attack."""
ATTACKER = "127.0.0.66"
"""Another address than that of honest requests."""


@dataclass
class Target:
    """The running program."""

    port: int
    pid: int
    session: aiohttp.ClientSession
    mail_server: MailServer
    upstream: Upstream

    async def answers(self) -> None:
        """An honest person is answered soon."""
        began = monotonic()
        async with self.session.get("/email/subscribe") as response:
            assert response.status == 200
        assert monotonic() - began < PATIENCE

    async def post(self, path: str, **fields: str) -> tuple[int, str]:
        async with self.session.post(URL(path, encoded=True), data=fields) as response:
            return response.status, await response.text()

    async def send(self, request: bytes) -> bytes:
        """Send raw bytes from the attacker's address; the first line of the answer."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, local_addr=(ATTACKER, 0))
        try:
            writer.write(request)
            async with asyncio.timeout(30):
                return await reader.readline()
        except ConnectionError:
            return b""
        finally:
            await close(writer)


async def close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()


@asynccontextmanager
async def target(folder: Path, titles: Sequence[str] = ()) -> AsyncIterator[Target]:
    """The program with mail, and its log at the end; `titles` are papers of the day."""
    port, upstream = free_port(), Upstream()
    upstream.titles += titles
    async with MailServer().open() as mail_server, serve(upstream.app) as hugging_face:
        settings = {
            "SMTP_URL": mail_server.url,
            "PORT": str(port),
            "PAPERBOY_PUBLIC_URL": f"http://127.0.0.1:{port}",
            "PAPERBOY_MAIL_FROM": "Paperboy <papers@example.org>",
            "PAPERBOY_MAIL_BOUNCE": "bounces@example.org",
            "PAPERBOY_SECRET_KEY": "a key that can't be guessed",
        }
        env = environment(folder, hugging_face, **settings)
        async with running("run", env=env) as process, browsing(f"http://127.0.0.1:{port}") as session:
            yield Target(port, process.pid, session, mail_server, upstream)
            assert process.returncode is None
            process.terminate()
            _, log = await process.communicate()
        assert b"Traceback" not in log, log.decode()[-5_000:]
        assert len(log) < MAX_LOG


@pytest.mark.timeout(180)
async def test_bounce_reports_malformed_requests_and_idle_connections_stop_nothing(tmp_path: Path) -> None:
    async with target(tmp_path) as program:
        await hostile_bounce_reports(program)
        await malformed_requests(program)
        await connections_that_never_send(program)


@pytest.mark.timeout(180)
async def test_strangers_flood_no_inbox_and_old_mails_control_nothing(tmp_path: Path) -> None:
    async with target(tmp_path) as program:
        await flood_an_inbox(program)
        await control_an_address_by_an_old_mail(program)


async def hostile_bounce_reports(program: Target) -> None:
    head = b"POST /email/bounces HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%b"
    reports = [make(RETURN) for make in HOSTILE.values()]
    attack = asyncio.gather(*(program.send(head % (len(report), report)) for report in reports))
    while not attack.done():
        await program.answers()
    assert {answer.split()[1] for answer in await attack} == {b"200"}
    await program.answers()


async def malformed_requests(program: Target) -> None:
    for name, (request, _) in NAMED.items():
        if b"/slack/" not in request:
            status = (await program.send(request)).split()[1]
            assert status < b"500", name
    await program.answers()


async def connections_that_never_send(program: Target) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = min(1_200, (soft if hard == resource.RLIM_INFINITY else min(soft, hard)) // 2)
    writers = []
    for _ in range(wanted):
        with suppress(ConnectionError):
            _, writer = await asyncio.open_connection("127.0.0.1", program.port, local_addr=(ATTACKER, 0))
            writer.write(b"GET / HTTP/1.1\r\nX-Slow: ")
            writers.append(writer)
    await program.answers()
    for writer in writers:
        await close(writer)
    await program.answers()


async def flood_an_inbox(program: Target) -> None:
    spellings = [VICTIM, *(f"victim+{n}@example.org" for n in range(10)), "Victim@Example.org"]
    statuses = [(await program.post("/email/subscribe", address=one, zone="UTC"))[0] for one in spellings]
    assert statuses == [200] + [429] * 11
    await mail(program.mail_server, 1)
    assert len(program.mail_server.mails) == 1
    forged = {"X-Forwarded-For": "198.51.100.1"}
    async with program.session.post("/email/subscribe", data={"address": VICTIM}, headers=forged) as response:
        assert response.status == 429


async def control_an_address_by_an_old_mail(program: Target) -> None:
    confirm = link((await mail(program.mail_server, 1)).part("plain"), "confirm")
    assert (await program.post(confirm))[0] == 200
    manage = await manage_link(program)
    for say in ("settings weekends:on", "subscribe robots every:now"):
        assert (await program.post(manage, say=say))[0] == 200
    program.upstream.titles.append(f"Robots {ENCODED}")
    await program.post("/email/link", address="unknown@example.org")
    assert (await program.post(confirm))[0] == 400
    status, page = await program.post(f"{manage}/forget")
    assert (status, "Forgotten" in page) == (200, True)
    for path in (confirm, manage):
        assert (await program.post(path, say="subscribe robots"))[0] == 400
        async with program.session.get(URL(path, encoded=True)) as response:
            assert response.status == 400
            assert not re.search(r"/email/(manage|act|confirm)/[\w-]{40}", await response.text())


async def manage_link(program: Target) -> str:
    """The link to the account's page, as it is mailed."""
    count = len(program.mail_server.mails) + 1
    assert (await program.post("/email/link", address=VICTIM))[0] == 200
    found: Mail = await mail(program.mail_server, count)
    return link(found.part("plain"), "manage")

"""The running program that is attacked, and a person who gets its mails."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

import aiohttp
from yarl import URL

from tests.adapters.email.mail_server import Mail, MailServer
from tests.adapters.email.test_program import Upstream, browsing, link, mail
from tests.ports import free_port
from tests.program import environment, running
from tests.replay import serve

VICTIM = "victim@example.org"
PATIENCE = 3.0
"""Maximum seconds for an honest request during an attack, on a busy machine."""
MAX_LOG = 200_000
"""Maximum bytes of the program's log during an attack."""
ATTACKER = "127.0.0.66"
"""Client address of the attacker; honest requests have another one."""


@dataclass
class Target:
    """The running program."""

    port: int
    pid: int
    session: aiohttp.ClientSession
    mail_server: MailServer
    upstream: Upstream

    async def answers(self) -> None:
        """Check that an honest request is answered in time."""
        began = monotonic()
        async with self.session.get("/email/subscribe") as response:
            assert response.status == 200
        assert monotonic() - began < PATIENCE

    async def post(self, path: str, **fields: str) -> tuple[int, str]:
        async with self.session.post(URL(path, encoded=True), data=fields) as response:
            return response.status, await response.text()

    async def send(self, request: bytes) -> bytes:
        """Send raw bytes from the attacker's address. Returns the first line of the answer."""
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
    """Start the program with mail, and check its log at the end; `titles` are the day's papers."""
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


async def sign_up(program: Target, *lines: str) -> tuple[str, str]:
    """Let VICTIM sign up and confirm. Returns the same as `confirmed`."""
    await program.post("/email/subscribe", address=VICTIM, zone="UTC")
    return await confirmed(program, *lines)


async def confirmed(program: Target, *lines: str) -> tuple[str, str]:
    """Let VICTIM confirm the first mail and type lines into the account page.

    Returns the confirmation link and the link to the account page.
    """
    confirm = link((await mail(program.mail_server, 1)).part("plain"), "confirm")
    assert (await program.post(confirm))[0] == 200
    manage = await manage_link(program)
    for line in lines:
        assert (await program.post(manage, say=line))[0] == 200
    return confirm, manage


async def manage_link(program: Target) -> str:
    """Return the link to the account page from the mail."""
    count = len(program.mail_server.mails) + 1
    assert (await program.post("/email/link", address=VICTIM))[0] == 200
    found: Mail = await mail(program.mail_server, count)
    return link(found.part("plain"), "manage")

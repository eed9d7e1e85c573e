"""The whole program, from its front page to a mail, without a secret in its log."""

import asyncio
import re
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from bot.sources.huggingface import list_date
from tests.adapters.email.mail_server import Mail, MailServer
from tests.ports import free_port
from tests.program import environment, running
from tests.replay import serve
from tests.waiting import until

ADA = "ada.lovelace@example.org"


class Upstream:
    """Hugging Face's list of the day on which the test started, to which a test adds papers."""

    def __init__(self) -> None:
        self.titles = ["Something old"]
        self.day = str(list_date(datetime.now(UTC)))

    @property
    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/api/daily_papers", self._answer)
        return app

    async def _answer(self, request: web.Request) -> web.Response:
        listed = request.query.get("date") == self.day
        rows = [self._row(n, title) for n, title in enumerate(self.titles)] if listed else []
        return web.json_response(rows)

    def _row(self, n: int, title: str) -> dict[str, Any]:
        moment = datetime.now(UTC).isoformat().replace("+00:00", "Z")
        paper = {"id": f"2611.0000{n}", "title": title, "summary": "We look.", "publishedAt": moment}
        return {"publishedAt": moment, "paper": paper | {"authors": [{"name": "Ada"}], "upvotes": 3}}


@asynccontextmanager
async def browsing(base: str) -> AsyncIterator[aiohttp.ClientSession]:
    """Wait until the site answers, and yield a session for it."""
    async with aiohttp.ClientSession(base) as session:
        async with asyncio.timeout(40):
            while True:
                try:
                    async with session.get("/healthz"):
                        break
                except aiohttp.ClientConnectorError:
                    await asyncio.sleep(0.05)
        yield session


async def mail(mail_server: MailServer, count: int) -> Mail:
    await until(lambda: len(mail_server.mails) >= count, "the mail", within=40)
    return mail_server.mails[count - 1]


async def stop(process: Process) -> str:
    """Stop a process. Returns its log."""
    process.terminate()
    _, log = await process.communicate()
    return log.decode()


def link(text: str, purpose: str) -> str:
    """Return the path of the link with this purpose in a mail."""
    found = re.search(rf"http://127\.0\.0\.1:\d+(/email/{purpose}/\S+)", text)
    assert found
    return found[1]


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
async def test_from_the_front_page_to_a_mail(tmp_path: Path) -> None:
    upstream, port = Upstream(), free_port()
    base = f"http://127.0.0.1:{port}"
    server = MailServer(users={"papers": "very-secret"})
    async with server.open(auth_require_tls=False) as mail_server, serve(upstream.app) as hugging_face:
        settings = {
            "SMTP_URL": f"smtp://papers:very-secret@127.0.0.1:{mail_server.port}",
            "PORT": str(port),
            "PAPERBOY_PUBLIC_URL": base,
            "PAPERBOY_MAIL_FROM": "Paperboy <papers@example.org>",
            "PAPERBOY_SECRET_KEY": "a key that can't be guessed",
        }
        env = environment(tmp_path, hugging_face, **settings)
        async with running("run", env=env) as process, browsing(base) as session:
            async with session.get("/") as response:
                assert 'action="/email/subscribe"' in await response.text()
            form = {"address": ADA, "query": "diffusion", "every": "weekdays", "zone": "UTC"}
            async with session.post("/email/subscribe", data=form) as response:
                assert "Check your inbox" in await response.text()
            confirm = link((await mail(mail_server, 1)).part("plain"), "confirm")
            async with session.post(confirm) as response:
                assert "Confirmed" in await response.text()
            async with session.post("/email/link", data={"address": ADA}) as response:
                assert "Check your inbox" in await response.text()
            manage = link((await mail(mail_server, 2)).part("plain"), "manage")
            # The program uses the real clock, and subscriptions of the form post nothing at weekends.
            for say, answer in (
                ("settings weekends:on", "Papers arrive on weekends too"),
                ("subscribe robots every:now", "Subscribed as"),
            ):
                async with session.post(manage, data={"say": say}) as response:
                    assert answer in await response.text()
            log = await stop(process)
        upstream.titles.append("Robots diffuse")
        async with running("run", env=env) as process:
            posted = await mail(mail_server, 3)
            log += await stop(process)
    assert posted.to == ADA
    assert "Robots diffuse" in posted.part("plain")
    assert link(posted.part("plain"), "unsubscribe")
    assert "started" in log
    for secret in ("very-secret", "can't be guessed", "ada.lovelace"):
        assert secret not in log

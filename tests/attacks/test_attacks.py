"""Attacks on the running program, over its own port: each would once have stopped, stalled, flooded or misled it.

docs/security.md says who would attack, and why. Other tests try the same attacks closer to the code.
"""

import asyncio
import re
import resource
from contextlib import suppress
from pathlib import Path

import pytest
from yarl import URL

from tests.adapters.email.test_bounces import HOSTILE, RETURN
from tests.adapters.email.test_message import ENCODED
from tests.adapters.email.test_program import mail
from tests.attacks.target import ATTACKER, VICTIM, Target, close, confirmed, target
from tests.web.test_malformed_requests import NAMED


@pytest.mark.timeout(180)
async def test_bounce_reports_malformed_requests_and_idle_connections_stop_nothing(tmp_path: Path) -> None:
    async with target(tmp_path) as program:
        await hostile_bounce_reports(program)
        await malformed_requests(program)
        await connections_that_never_send(program)


@pytest.mark.timeout(180)
async def test_strangers_cannot_flood_an_inbox_and_old_mails_control_nothing(tmp_path: Path) -> None:
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
    confirm, manage = await confirmed(program, "settings weekends:on", "subscribe robots every:now")
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

"""Attacks on the running program with malformed connections, compressed and crowded bodies, addresses and paths, and
titles of papers. A successful one would mislead a proxy, a log, a mail or a reader.
"""

import asyncio
import gzip
import json
import re
from pathlib import Path
from time import monotonic

import pytest
from yarl import URL

from tests.adapters.email.test_program import mail
from tests.attacks.target import ATTACKER, VICTIM, Target, close, sign_up, target

EVIL = "evil.example"
BIDI = "\u202egnp.exe\u2066\u200b\u2028"
"""Characters that reverse text, hide a letter or break a line."""
HIDDEN = frozenset("\u202e\u2066\u200b\u2028\x1b\x07")
TITLES = (
    f"Robots {BIDI} and cats",
    "Robots @everyone <!channel> <@U123> [click](https://evil.example) <b>bold</b>",
    '=cmd|"/c calc"!A1 robots } @article{evil, title={x}}',
    "Robots\r\nTY  - JOUR\r\nER  - \r\nBcc: victim@example.org",
    "Robots \x1b[2J\x1b]8;;https://evil.example\x07link",
)
FORM = b"Content-Type: application/x-www-form-urlencoded"
HEAD = b"Host: 127.0.0.1"


@pytest.mark.timeout(240)
async def test_malformed_connections_bodies_hosts_and_paths_mislead_nothing(tmp_path: Path) -> None:
    async with target(tmp_path) as program:
        await requests_within_requests(program)
        await endless_heads(program)
        await compressed_bodies_that_grow(program)
        await forms_of_many_fields(program)
        await bodies_that_trickle(program)
        await forged_hosts(program)
        await paths_that_leave_their_folder(program)
        await responses_split_by_line_breaks(program)
        await odd_methods_and_ranges(program)
        await program.answers()


@pytest.mark.timeout(240)
async def test_titles_are_text_in_mails_pages_and_feeds(tmp_path: Path) -> None:
    async with target(tmp_path) as program:
        await sign_up(program, "settings weekends:on digest:1", "subscribe robots every:now")
    async with target(tmp_path, TITLES) as program:
        await hostile_titles(program)


async def answers_to(program: Target, sent: bytes) -> bytes:
    """Send raw bytes. Returns everything received until the connection ends or nothing more arrives."""
    reader, writer = await asyncio.open_connection("127.0.0.1", program.port, local_addr=(ATTACKER, 0))
    found = b""
    try:
        writer.write(sent)
        async with asyncio.timeout(2):
            while part := await reader.read(65_536):
                found += part
    except (TimeoutError, ConnectionError):
        pass
    finally:
        await close(writer)
    return found


async def requests_within_requests(program: Target) -> None:
    """Bytes that a proxy could split into other requests than we do are refused, and the rest isn't read."""
    inner = b"GET /email/subscribe?smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
    heads = (
        b"Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + inner,
        b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + inner,
        b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n" + inner,
        b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + inner,
        b"Content-Length: 0\r\nContent-Length: 50\r\n\r\n" + inner,
        b"Content-Length: -1\r\n\r\n" + inner,
        b"Content-Length: +0\r\n\r\n" + inner,
        b"Content-Length: 0x0\r\n\r\n" + inner,
        b"Transfer-Encoding: chunked\r\n\r\n-1\r\n\r\n0\r\n\r\n" + inner,
        b"Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nx",
        b"X: a\nContent-Length: 0\r\n\r\n" + inner,
        b"X: a\r\n folded: b\r\nContent-Length: 0\0\r\n\r\n" + inner,
    )
    for head in heads:
        found = await answers_to(
            program, b"POST /email/link HTTP/1.1\r\n" + HEAD + b"\r\n" + FORM + b"\r\n" + head
        )
        statuses = re.findall(rb"HTTP/1\.[01] (\d{3})", found)
        assert not statuses or (statuses[0][:1] == b"4" and len(statuses) == 1), (head[:60], statuses)


async def endless_heads(program: Target) -> None:
    for lines in (b"Cookie: " + b"a" * 200_000, b"\r\n".join(b"X-%d: a" % n for n in range(50_000))):
        status = (await program.send(b"GET / HTTP/1.1\r\n" + HEAD + b"\r\n" + lines + b"\r\n\r\n")).split()
        assert not status or status[1][:1] == b"4"
    status = (await program.send(b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n" + HEAD + b"\r\n\r\n")).split()
    assert not status or status[1][:1] == b"4"


async def compressed_bodies_that_grow(program: Target) -> None:
    bomb = gzip.compress(b"address=" + b"a" * 100_000_000, 9)
    for path, kind in (("/email/link", FORM), ("/email/bounces", b"Content-Type: message/rfc822")):
        for encoding in (b"gzip", b"deflate", b"gzip, gzip", b"br"):
            request = (
                f"POST {path} HTTP/1.1\r\n".encode() + HEAD + b"\r\n" + kind + b"\r\nContent-Encoding: " + encoding
                + b"\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(bomb) + bomb
            )  # fmt: skip
            began = monotonic()
            status = (await program.send(request)).split()
            assert not status or status[1][:1] in b"24", (path, encoding, status)
            assert monotonic() - began < 10
    await program.answers()


async def forms_of_many_fields(program: Target) -> None:
    parts = b"".join(
        b'--x\r\nContent-Disposition: form-data; name="f%d"\r\n\r\na\r\n' % n for n in range(15_000)
    )
    bodies = (
        (FORM, b"&".join(b"f%d=a" % n for n in range(80_000))),
        (FORM, b"%" * 500_000),
        (b"Content-Type: multipart/form-data; boundary=x", parts + b"--x--"),
        (b"Content-Type: application/json", b"[" * 100_000 + b"]" * 100_000),
    )
    for kind, body in bodies:
        request = (
            b"POST /email/link HTTP/1.1\r\n" + HEAD + b"\r\n" + kind
            + b"\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body
        )  # fmt: skip
        status = (await program.send(request)).split()
        assert not status or status[1][:1] == b"4", (kind, status)
        await program.answers()


async def bodies_that_trickle(program: Target) -> None:
    head = (
        b"POST /email/link HTTP/1.1\r\n" + HEAD + b"\r\n" + FORM + b"\r\nContent-Length: 1000\r\n\r\naddress="
    )
    writers = []
    for _ in range(90):
        _, writer = await asyncio.open_connection("127.0.0.1", program.port, local_addr=(ATTACKER, 0))
        writer.write(head)
        writers.append(writer)
    for _ in range(3):
        for writer in writers:
            writer.write(b"a")
        await program.answers()
    for writer in writers:
        await close(writer)


async def forged_hosts(program: Target) -> None:
    """Links have the public address, whatever a request says; otherwise a mail would lead to the attacker."""
    forged = {
        "Host": EVIL,
        "X-Forwarded-Host": EVIL,
        "X-Forwarded-Proto": "https",
        "X-Original-URL": "/metrics",
        "X-Rewrite-URL": "/metrics",
        "Forwarded": f"host={EVIL};for=1.2.3.4",
        "X-HTTP-Method-Override": "DELETE",
    }
    for path in (
        "/",
        "/email/subscribe",
        "/feeds/trending.atom",
        "/feeds/trending.json",
        "/api/v1/openapi.json",
    ):
        async with program.session.get(path, headers=forged) as response:
            assert response.status == 200, path
            assert EVIL not in await response.text(), path
            assert EVIL not in str(response.headers), path
    data = {"address": "forged@example.org"}
    async with program.session.post("/email/subscribe", data=data, headers=forged) as response:
        assert response.status == 200
    sent = await mail(program.mail_server, len(program.mail_server.mails) or 1)
    assert EVIL not in sent.part("plain") + sent.part("html")


async def paths_that_leave_their_folder(program: Target) -> None:
    ups = (
        "../" * 8,
        "..%2f" * 8,
        "%2e%2e/" * 8,
        "..%5c" * 8,
        "%252e%252e%252f" * 8,
        "....//" * 8,
        "/" * 3,
        "%00/",
    )
    for up in ups:
        for base in ("/", "/static/", "/papers/", "/feeds/", "/api/v1/papers/", "/email/static/"):
            request = f"GET {base}{up}etc/passwd HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode()
            found = await answers_to(program, request)
            status = found.split(b" ", 2)[1]
            assert status in {b"400", b"404"}, (base, up, status)
            assert b"root:" not in found


async def responses_split_by_line_breaks(program: Target) -> None:
    for path in (
        "/?q=a%0d%0aSet-Cookie:%20evil=1",
        "/?span=%0d%0aX-Evil:%201",
        "/papers/2611.00000%0d%0aX-Evil:%201",
        "/feeds/search.atom?q=a%0aX-Evil:%201",
        "/email/subscribe?query=a%0d%0aX-Evil:%201&next=//evil.example",
    ):
        async with program.session.get(URL(path, encoded=True), allow_redirects=False) as response:
            assert response.status < 500
            assert "X-Evil" not in response.headers
            assert "evil" not in response.headers.get("Set-Cookie", "")
            assert EVIL not in response.headers.get("Location", "")


async def odd_methods_and_ranges(program: Target) -> None:
    for line in (
        b"TRACE / HTTP/1.1",
        b"CONNECT evil.example:443 HTTP/1.1",
        b"GET http://evil.example/ HTTP/1.1",
        b"PROPFIND / HTTP/1.1",
        b"GET / HTTP/9.9",
        b"GET /",
        b"PRI * HTTP/2.0",
        b"GET / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade",
        b"GET / HTTP/1.1\r\nExpect: 100-continue\r\nExpect: evil",
        b"GET / HTTP/1.1\r\nRange: bytes=" + b",".join([b"0-"] * 1_000),
    ):
        found = await answers_to(program, line + b"\r\n" + HEAD + b"\r\nConnection: close\r\n\r\n")
        status = found.split(b" ", 2)[1] if found.startswith(b"HTTP") else b""
        assert status[:1] in (b"", b"1", b"2", b"4"), (line[:60], status)
        assert b"\r\nLocation: http://evil.example" not in found


async def hostile_titles(program: Target) -> None:
    posted = await mail(program.mail_server, 1)
    assert "bold" in posted.part("plain")
    paths = ("/", "/?q=robots", "/feeds/trending.atom", "/feeds/search.atom?q=robots", "/papers/2611.00002")
    texts = [await read(program, path) for path in paths]
    texts += [part for one in program.mail_server.mails for part in (one.part("plain"), one.part("html"))]
    for text in texts:
        assert not set(text) & HIDDEN, sorted(set(text) & HIDDEN)
        assert "<b>bold</b>" not in text
        assert 'href="https://evil.example' not in text
    for received in program.mail_server.mails:
        assert received.to == VICTIM
        assert received.message["Bcc"] is None
        assert not set(str(received.message["Subject"])) & (HIDDEN | {"\r", "\n"})
    entries = json.loads(await read(program, "/feeds/search.json?q=robots"))["items"]
    assert len(entries) == len(TITLES)
    for entry in entries:
        assert not set(entry["title"]) & (HIDDEN | {"\r", "\n"})


async def read(program: Target, path: str) -> str:
    async with program.session.get(path) as response:
        assert response.status == 200
        return await response.text()


@pytest.mark.timeout(240)
async def test_a_flood_of_sign_ups_makes_honest_people_wait_half_a_minute(tmp_path: Path) -> None:
    async with target(tmp_path) as program:
        statuses = await asyncio.gather(
            *(twenty_sign_ups(program, f"127.{n}.{n}.1", n) for n in range(1, 18))
        )
        assert 503 in {status for some in statuses for status in some}, "the hourly limit of mails is reached"
        form = {"address": VICTIM, "query": "robots", "zone": "UTC"}
        status, page = await program.post("/email/subscribe", **form)
        assert status == 503
        assert "half a minute" in page or "30 seconds" in page
        ticket = re.search(r'name="ticket" value="([^"]+)"', page)
        assert ticket
        status, page = await program.post("/email/subscribe", **form, ticket=ticket[1])
        assert status == 503, "a script that doesn't wait gets nothing"
        async with asyncio.timeout(60):
            while status == 503:
                await asyncio.sleep(1)
                status, page = await program.post("/email/subscribe", **form, ticket=ticket[1])
        assert (status, "Check your inbox" in page) == (200, True)
        async with asyncio.timeout(60):
            while all(one.to != VICTIM for one in program.mail_server.mails):  # noqa: ASYNC110  # the server knows
                await asyncio.sleep(0.2)


async def twenty_sign_ups(program: Target, peer: str, first: int) -> list[int]:
    """Sign up twenty times from one address, the hourly limit."""
    found = []
    for n in range(20):
        body = f"address=flood{first}-{n}@example{first}.org&zone=UTC".encode()
        reader, writer = await asyncio.open_connection("127.0.0.1", program.port, local_addr=(peer, 0))
        writer.write(
            b"POST /email/subscribe HTTP/1.1\r\n" + HEAD + b"\r\n" + FORM
            + b"\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body
        )  # fmt: skip
        found.append(int((await reader.readline()).split()[1]))
        await close(writer)
    return found

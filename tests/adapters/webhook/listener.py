"""A webhook receiver, as strict as the Standard Webhooks specification, and as unreliable as a test wants."""

import asyncio
import base64
import hashlib
import hmac
import json
import ssl
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from ipaddress import ip_address
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

HOST = "127.0.0.1"
TOLERANCE = 300
"""Maximum difference of a request's timestamp from now, in seconds, as in the reference libraries."""
BIG = b"x" * 3_000_000


@cache
def certificate() -> Path:
    """Return the file of a key and a self-signed certificate for the loopback address."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    begin = datetime(2020, 1, 1, tzinfo=UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + timedelta(days=36_500))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(HOST))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = Path(mkdtemp(prefix="paperboy-tls-")) / "server.pem"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(private + signed.public_bytes(Encoding.PEM))
    return path


def client_context(known: Path | None = None) -> ssl.SSLContext:
    """Return the TLS context of a client that trusts this process's double, or the one with the certificate `known`."""
    return ssl.create_default_context(cafile=str(known or certificate()))


def _server_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate())
    return context


@dataclass(frozen=True, slots=True)
class Taken:
    """A request that was accepted."""

    path: str
    id: str
    timestamp: int
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Refused(Exception):
    """The signature, the timestamp or a header of a request is invalid."""


@dataclass
class Listener:
    """Records each delivery once, by its id. `secrets` maps paths to secrets; `now` is its clock."""

    secrets: dict[str, str] = field(default_factory=dict)
    now: Callable[[], float] = lambda: datetime.now(UTC).timestamp()
    faults: list[str] = field(default_factory=list)
    """Faults of the next requests: `lose`, `drop` (not recorded), `hang`, `loris`, `giant`, `html`, or a status."""
    always: str = ""
    """A fault of every request that has none in `faults`."""
    chance: Callable[[], str] = lambda: ""
    """Returns the fault of a request that has no other."""
    blocked_word: bytes = b""
    """Posts that contain this word are answered 400, as by a firewall."""
    hanging: set[str] = field(default_factory=set)
    """Paths whose requests are never answered."""
    taken: list[Taken] = field(default_factory=list)
    """The first request of each id, in the order of arrival."""
    seen: Counter[str] = field(default_factory=Counter)
    """Id -> number of requests."""
    bodies: dict[str, set[bytes]] = field(default_factory=dict)
    asked: int = 0
    """Number of requests."""
    refused: list[str] = field(default_factory=list)
    """The reason of each refusal."""
    retry_after: str = "7"
    redirect: str = ""
    """Target of redirects; by default, another path of this server."""
    url: str = ""

    @asynccontextmanager
    async def open(self) -> AsyncIterator["Listener"]:
        app = web.Application(client_max_size=10_000_000)
        app.router.add_route("*", "/{path:.*}", self._respond)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, HOST, 0, ssl_context=_server_context()).start()
        self.url = f"https://{HOST}:{runner.addresses[0][1]}"
        try:
            yield self
        finally:
            await runner.cleanup()

    def verify(self, path: str, headers: Any, body: bytes) -> Taken:
        """Verify a request as the reference libraries do. Raises Refused."""
        identity, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
        if not identity or not timestamp.isdigit():
            raise Refused("a header is missing")
        if abs(int(timestamp) - self.now()) > TOLERANCE:
            raise Refused("too old, or too early")
        key = base64.b64decode(self.secrets[path].removeprefix("whsec_"), validate=True)
        if not 24 <= len(key) <= 64:
            raise Refused("the secret's length")
        expected = hmac.new(key, f"{identity}.{timestamp}.".encode() + body, hashlib.sha256).digest()
        signatures = [part.split(",", 1) for part in headers.get("webhook-signature", "").split(" ")]
        for version, signature in signatures:
            if version == "v1" and hmac.compare_digest(base64.b64decode(signature), expected):
                return Taken(path, identity, int(timestamp), body)
        raise Refused("the signature")

    async def _respond(self, request: web.Request) -> web.StreamResponse:
        self.asked += 1
        fault = self.faults.pop(0) if self.faults else self.always or self.chance()
        if request.path in self.hanging:
            fault = "hang"
        body = await request.read()
        if request.method != "POST" or request.content_type != "application/json":
            self.refused.append("not a POST of JSON")
            return web.Response(status=405)
        if request.path in self.secrets:
            try:
                taken = self.verify(request.path, request.headers, body)
            except Refused as error:
                self.refused.append(str(error))
                return web.Response(status=401)
        else:
            taken = Taken(
                request.path, request.headers["webhook-id"], int(request.headers["webhook-timestamp"]), body
            )
        if self.blocked_word and self.blocked_word in body:
            fault = "400"
        if fault.isdigit():
            return self._status(int(fault))
        if fault == "drop":
            return _drop(request)
        if not self.seen[taken.id]:
            self.taken.append(taken)
        self.seen[taken.id] += 1
        self.bodies.setdefault(taken.id, set()).add(body)
        return await self._respond_after_recording(request, fault)

    def _status(self, status: int) -> web.Response:
        headers = {"Retry-After": self.retry_after} if status in {429, 503} else {}
        if 300 <= status < 400:
            headers["Location"] = self.redirect or f"{self.url}/elsewhere"
        return web.Response(status=status, text="<html>no</html>", content_type="text/html", headers=headers)

    async def _respond_after_recording(self, request: web.Request, fault: str) -> web.StreamResponse:
        match fault:
            case "lose":
                return _drop(request)
            case "hang":
                await asyncio.sleep(30)
            case "loris":
                assert request.transport is not None
                for byte in b"HTTP/1.1 200 OK\r\nX-Slow: " + b"x" * 600:
                    request.transport.write(bytes([byte]))
                    await asyncio.sleep(0.05)
            case "giant":
                return web.Response(body=BIG)
            case "html":
                return web.Response(text="<html>a proxy</html>", content_type="text/html")
        return web.Response(status=204)


def _drop(request: web.Request) -> web.StreamResponse:
    """End the connection without an answer."""
    if request.transport is not None:  # it is None if the client was killed meanwhile
        request.transport.abort()
    return web.Response()

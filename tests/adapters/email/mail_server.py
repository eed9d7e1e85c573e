"""A real mail server on the loopback that has the usual faults on demand, and records the mails that it accepts."""

import asyncio
import ssl
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, Literal

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

Fault = Literal[
    "421 at sender",
    "450 at sender",
    "550 at sender",
    "421 at recipient",
    "450 at recipient",
    "550 at recipient",
    "554 policy at recipient",
    "hang at recipient",
    "cut at recipient",
    "cut at data",
    "cut in data",
    "451 at end",
    "550 at end",
    "554 at end",
    "lose at end",
    "hang at end",
    "nonsense at end",
]
"""A fault, and the step at which it happens. `cut` ends the connection; `lose` does so after accepting the message."""

REPLIES = {
    "421": "421 4.3.2 Service shutting down",
    "450": "450 4.2.0 Mailbox busy, try again",
    "451": "451 4.3.0 Local error",
    "550": "550 5.1.1 <{to}>: no such user",
    "554": "554 5.6.0 Message for {to} refused",
    "554 policy": "554 5.7.1 <{to}>: Relay access denied",
    "nonsense": "250-half an answer\r\nhello",
}


@dataclass(frozen=True, slots=True)
class Mail:
    """A message that was accepted."""

    sender: str
    to: str
    source: bytes

    @property
    def message(self) -> EmailMessage:
        return message_from_bytes(self.source, policy=policy.default)

    def part(self, kind: Literal["plain", "html"]) -> str:
        """Return one of its two parts, decoded."""
        part = self.message.get_body((kind,))
        assert part is not None
        return str(part.get_content()).replace("\r\n", "\n")


@dataclass
class MailServer:
    """A mail server. `faults` maps recipients to faults, each for one message."""

    port: int = 0
    mails: list[Mail] = field(default_factory=list)
    faults: dict[str, list[Fault]] = field(default_factory=dict)
    greeting: str = ""
    """If set, every connection is refused with this greeting."""
    connections: int = 0
    chance: Callable[[], Fault | None] = lambda: None
    """Returns the fault of a message that has none in `faults`."""
    fault_counts: Counter[str] = field(default_factory=Counter)
    """Fault -> number of times that it happened."""
    users: dict[str, str] = field(default_factory=dict)
    """User -> password. If empty, no login is required."""
    logins: list[str] = field(default_factory=list)
    """The user name of each attempt to log in."""

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    def to(self, address: str) -> list[Mail]:
        """Return the mails to an address, the oldest first."""
        return [mail for mail in self.mails if mail.to == address]

    @asynccontextmanager
    async def open(self, tls: ssl.SSLContext | None = None, **options: Any) -> AsyncIterator["MailServer"]:
        """Listen on a free port. `tls` offers STARTTLS; `ssl=` is TLS from the first byte."""
        direct = options.pop("ssl", None)
        if self.users:
            options |= {"authenticator": self._authenticate, "auth_required": True}
        transports: list[asyncio.Transport] = []

        def serve() -> asyncio.Protocol:
            self.connections += 1
            return (
                _RefusedConnection(self)
                if self.greeting
                else _Connection(self, transports, tls_context=tls, **options)
            )

        server = await asyncio.get_running_loop().create_server(serve, "127.0.0.1", 0, ssl=direct)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            for transport in transports:
                transport.abort()
            await asyncio.sleep(0)

    def _authenticate(
        self, _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: Any
    ) -> AuthResult:
        assert isinstance(data, LoginPassword)
        self.logins.append(data.login.decode())
        accepted = self.users.get(data.login.decode()) == data.password.decode()
        return AuthResult(
            success=accepted, handled=False, message=None if accepted else "535 5.7.8 Wrong password"
        )

    def next_fault(self, to: str) -> Fault | None:
        """Return the fault of the next message to an address."""
        faults = self.faults.get(to)
        return faults.pop(0) if faults else self.chance()


class _RefusedConnection(asyncio.Protocol):
    """A connection that is refused."""

    def __init__(self, mail_server: MailServer) -> None:
        self._mail_server = mail_server

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        transport.write(f"{self._mail_server.greeting}\r\n".encode())
        transport.close()


class _Handler:
    """aiosmtpd's hooks."""

    def __init__(self, mail_server: MailServer) -> None:
        self._mail_server = mail_server
        self._fault: Fault | None = None

    async def handle_RCPT(  # noqa: N802  # aiosmtpd's name
        self, server: "_Connection", _session: Session, envelope: Envelope, to: str, _options: list[str]
    ) -> str:
        self._fault = self._mail_server.next_fault(to)
        answer = await self._fail_at("sender", server, to) or await self._fail_at("recipient", server, to)
        if answer:
            return answer
        server.cut = self._fault if self._fault in {"cut at data", "cut in data"} else None
        envelope.rcpt_tos.append(to)
        return "250 OK"

    async def handle_DATA(self, server: "_Connection", _session: Session, envelope: Envelope) -> str:  # noqa: N802
        to = envelope.rcpt_tos[0]
        if self._fault not in {"451 at end", "550 at end", "554 at end"}:
            assert isinstance(envelope.content, bytes)
            self._mail_server.mails.append(Mail(envelope.mail_from or "", to, envelope.content))
        return await self._fail_at("end", server, to) or "250 2.0.0 Taken"

    async def _fail_at(self, step: str, server: "_Connection", to: str) -> str:
        fault, _, fault_step = (self._fault or "").partition(" at ")
        if fault_step != step:
            return ""
        self._mail_server.fault_counts[self._fault or ""] += 1
        if fault in {"cut", "lose"}:
            server.abort()
        if fault == "hang":
            await asyncio.sleep(3600)
        return REPLIES.get(fault, "").format(to=to)


class _Connection(SMTP):
    """One connection."""

    def __init__(self, mail_server: MailServer, transports: list[asyncio.Transport], **options: Any) -> None:
        super().__init__(_Handler(mail_server), hostname="mx.example.org", **options)
        self.mail_server = mail_server
        self.transports = transports
        self.cut: Fault | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        assert isinstance(transport, asyncio.Transport)
        self.transports.append(transport)

    def abort(self) -> None:
        """End the connection as a crash would."""
        transport: Any = self.transport
        transport.abort()

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802  # aiosmtpd's name
        if self.cut:
            self.mail_server.fault_counts[self.cut] += 1
            if self.cut == "cut in data":
                await self.push("354 Go on")
                reader: Any = self._reader
                await reader.readline()
            self.abort()
            await asyncio.Event().wait()
        await super().smtp_DATA(arg)

"""PAPERBOY_MAIL_BOUNCE: where mail comes back to, and how it is read there where no server passes it on."""

import asyncio
import poplib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from urllib.parse import parse_qs, unquote, urlsplit

from structlog import get_logger

from adapters.email.address import Address
from adapters.email.bounces import LARGEST
from bot.domain.errors import ConfigurationError, UserError

EVERY = 300.0
"""Seconds between two looks."""
STEP = 10.0
"""Seconds that the server may take for an answer."""
AT_ONCE = 100
"""Mails of one look; the rest is for the next."""
LINES = 500
"""Of a mail that is larger than what is looked at."""
FORM = "bounces@example.org, or pop3s://user:password@host?address=bounces@example.org"

Handle = Callable[[bytes], Awaitable[bool]]

log = get_logger()


@dataclass(slots=True)
class Mailbox:
    """A mailbox that is read by POP3. What was a report of ours is deleted there, everything else stays."""

    host: str
    port: int
    secure: bool
    user: str
    password: str = field(repr=False)
    _known: set[str] = field(default_factory=set)
    """Mails that are none of ours, by the server's name for them."""

    async def watch(self, handle: Handle) -> None:
        """Give every mail to `handle`, which says whether it was a report of ours, until cancelled."""
        while True:
            try:
                await self.empty(handle)
            except (poplib.error_proto, OSError) as error:
                log.warning("bounces_unread", host=self.host, error=str(error))
            await asyncio.sleep(EVERY)

    async def empty(self, handle: Handle) -> int:
        """The same once. -> how many were ours. Raises poplib.error_proto or OSError."""
        pop = await asyncio.to_thread(self._enter)
        try:
            found = await asyncio.to_thread(self._fetch, pop)
            ours = []
            for number, name, mail in found:
                if await handle(mail):
                    ours.append(number)
                else:
                    self._known.add(name)
            await asyncio.to_thread(_delete, pop, ours)
            return len(ours)
        finally:
            pop.close()

    def _enter(self) -> poplib.POP3:
        kind = poplib.POP3_SSL if self.secure else poplib.POP3
        pop = kind(self.host, self.port, timeout=STEP)
        try:
            pop.user(self.user)
            pop.pass_(self.password)
        except BaseException:
            pop.close()
            raise
        return pop

    def _fetch(self, pop: poplib.POP3) -> list[tuple[int, str, bytes]]:
        names = dict(_pair(line) for line in pop.uidl()[1])
        sizes = dict(_pair(line) for line in pop.list()[1])
        fresh = [number for number, name in names.items() if name not in self._known][:AT_ONCE]
        return [
            (number, names[number], self._read(pop, number, names[number], int(sizes[number])))
            for number in fresh
        ]

    def _read(self, pop: poplib.POP3, number: int, name: str, size: int) -> bytes:
        try:
            lines = pop.retr(number)[1] if size <= LARGEST else pop.top(number, LINES)[1]
        except poplib.error_proto:
            self._known.add(name)  # its lines are longer than any report's: not again
            raise
        return b"\r\n".join(lines)


def parse(setting: str) -> tuple[Address, Mailbox | None]:
    """From PAPERBOY_MAIL_BOUNCE. Raises ConfigurationError, without the value: there may be a password in it."""
    try:
        if "://" not in setting:
            return Address.parse(setting), None
        parts = urlsplit(setting)
        user = unquote(parts.username or "")
        address = Address.parse(parse_qs(parts.query).get("address", [user])[0])
        secure = {"pop3s": True, "pop3": False}[parts.scheme]
        port = parts.port or (poplib.POP3_SSL_PORT if secure else poplib.POP3_PORT)
        return address, Mailbox(parts.hostname or "", port, secure, user, unquote(parts.password or ""))
    except (UserError, ValueError, KeyError):
        raise ConfigurationError(f"PAPERBOY_MAIL_BOUNCE can't be read; it is {FORM}") from None


def _pair(line: bytes) -> tuple[int, str]:
    number, _, rest = line.decode("ascii", "replace").partition(" ")
    return int(number), rest.strip()


def _delete(pop: poplib.POP3, numbers: list[int]) -> None:
    for number in numbers:
        pop.dele(number)
    pop.quit()  # only now are they gone

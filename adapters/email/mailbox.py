"""PAPERBOY_MAIL_BOUNCE: the return address, and the POP3 mailbox from which bounces are read."""

import asyncio
import poplib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from urllib.parse import parse_qs, unquote, urlsplit

from redis.exceptions import RedisError
from structlog import get_logger

from adapters.email.address import Address
from adapters.email.bounces import MAX_REPORT, TooManyReports
from bot.domain.errors import ConfigurationError, UserError

INTERVAL = 300.0
"""Seconds between two polls of the mailbox."""
STEP_TIMEOUT = 10.0
"""Timeout of one answer of the server, in seconds."""
MAX_MAILS = 100
"""Maximum number of mails read per poll; the rest waits for the next one."""
LINES = 500
"""Number of lines read from a mail larger than MAX_REPORT."""
FORM = "bounces@example.org, or pop3s://user:password@host?address=bounces@example.org"

Handle = Callable[[bytes], Awaitable[bool]]

log = get_logger()


@dataclass(slots=True)
class Mailbox:
    """A POP3 mailbox. Reports about our mails are deleted once they have been handled; other mail stays."""

    host: str
    port: int
    secure: bool
    user: str
    password: str = field(repr=False)
    _read: set[str] = field(default_factory=set)
    """Unique ids of mails that stay in the mailbox, so that they aren't fetched again."""

    async def watch(self, handle: Handle) -> None:
        """Pass every mail to `handle`, which returns whether it was a report about our mail, until cancelled."""
        while True:
            try:
                await self.read(handle)
            except Exception as error:  # noqa: BLE001  # the loop's edge: a server can answer anything
                log.warning("bounce_mailbox_unreadable", host=self.host, error=repr(error))
            await asyncio.sleep(INTERVAL)

    async def read(self, handle: Handle) -> int:
        """Read the mailbox once; return the number of handled reports.

        A mail that can't be fetched or handled is logged, counts as read, and doesn't affect the others. Raises
        poplib.error_proto or OSError if the server refuses us, RedisError if Redis is away.
        """
        handled: list[str] = []
        session = await asyncio.to_thread(self._open)
        try:
            for name in [name for name in session.sizes if name not in self._read][:MAX_MAILS]:
                try:
                    mail = await asyncio.to_thread(session.fetch, name)
                except poplib.error_proto as error:  # such as a line longer than poplib reads
                    log.warning("bounce_mail_unreadable", host=self.host, error=repr(error))
                    self._read.add(name)
                    session.close()  # the rest of the mail is still on its way
                    session = await asyncio.to_thread(self._open)
                    continue
                if await self._handle(mail, handle):
                    handled.append(name)
                else:
                    self._read.add(name)
            await asyncio.to_thread(session.delete, handled)
            return len(handled)
        finally:
            session.close()

    async def _handle(self, mail: bytes, handle: Handle) -> bool:
        try:
            return await handle(mail)
        except (RedisError, OSError, TooManyReports):  # not the mail's fault, so it is read again
            raise
        except Exception:
            log.exception("bounce_mail_failed", host=self.host)
            return False

    def _open(self) -> "_Session":
        kind = poplib.POP3_SSL if self.secure else poplib.POP3
        pop = kind(self.host, self.port, timeout=STEP_TIMEOUT)
        try:
            pop.user(self.user)
            pop.pass_(self.password)
            return _Session(pop)
        except BaseException:
            pop.close()
            raise


class _Session:
    """One connection to the mailbox. Its methods block."""

    def __init__(self, pop: poplib.POP3) -> None:
        self._pop = pop
        numbered = dict(_pair(line) for line in pop.uidl()[1])
        sizes = dict(_pair(line) for line in pop.list()[1])
        self._numbers = {name: number for number, name in numbered.items()}
        self.sizes = {name: int(sizes[number]) for number, name in numbered.items()}
        """Size of each mail in bytes, by unique id."""

    def fetch(self, name: str) -> bytes:
        """Return the mail; only its beginning if it is large."""
        number = self._numbers[name]
        large = self.sizes[name] > MAX_REPORT
        return b"\r\n".join((self._pop.top(number, LINES) if large else self._pop.retr(number))[1])

    def delete(self, names: list[str]) -> None:
        """Delete these mails and end the session, which makes the deletion effective."""
        for name in names:
            self._pop.dele(self._numbers[name])
        self._pop.quit()

    def close(self) -> None:
        """End the session without deleting anything."""
        self._pop.close()


def parse_mailbox(setting: str) -> tuple[Address, Mailbox | None]:
    """Parse PAPERBOY_MAIL_BOUNCE. Raises ConfigurationError without the value, which can contain a password."""
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
        raise ConfigurationError(f"PAPERBOY_MAIL_BOUNCE can't be read. It is {FORM}") from None


def _pair(line: bytes) -> tuple[int, str]:
    number, _, rest = line.decode("ascii", "replace").partition(" ")
    return int(number), rest.strip()

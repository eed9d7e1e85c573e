"""Hands messages in at a mail server, and knows at any moment how far one has come."""

import asyncio
import re
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from time import monotonic

from aiosmtplib import SMTP, SMTPException, SMTPResponseException

from adapters.email.errors import Phase, on_answer, on_silence
from adapters.email.smtp_url import SmtpServer

CONNECTIONS = 8
"""At the same time, of one process. Providers allow 10 and more."""
TURN, PATIENCE = 4.0, 9.0
"""Seconds that a message waits for a connection, and then takes. The core gives up after 15, knowing less than we do."""
FRESH = 30.0
"""Seconds that a connection waits for the next message. Whatever is between may forget a longer silence, and not say so."""
LOOK = 5.0
"""Seconds for each step of a check."""
START_MAIL, TAKEN = 354, 250

_LEADING_DOT = re.compile(rb"^\.", re.MULTILINE)


@dataclass(slots=True)
class _Progress:
    phase: Phase = "turn"


class SmtpClient:
    """One mail server. Connections are kept for the next message, as long as the server keeps them.

    `tls` is for a server whose certificate the system's authorities don't vouch for.
    """

    def __init__(
        self, server: SmtpServer, *, tls: ssl.SSLContext | None = None, patience: float = PATIENCE
    ) -> None:
        self._server = server
        self._tls = tls
        self._patience = patience
        self._turns = asyncio.Semaphore(CONNECTIONS)
        self._idle: list[tuple[float, SMTP]] = []
        """Each with when it was used last."""

    async def deliver(self, message: bytes, *, sender: str, to: str) -> None:
        """Hand in one message, whose lines end in CRLF, for one address.

        Raises a SendError: RetryLater wherever it was certainly not taken, Unclear once its end is out.
        """
        progress = _Progress()
        try:
            async with self._turn():
                progress.phase = "connect"
                async with asyncio.timeout(self._patience), self._connection() as smtp:
                    await _transact(smtp, message, sender, to, progress)
        except SMTPResponseException as error:
            raise on_answer(progress.phase, error.code, error.message) from error
        except TimeoutError as error:
            raise on_silence(progress.phase, f"nothing for {self._patience:g} s") from error
        except (SMTPException, OSError) as error:
            raise on_silence(progress.phase, str(error) or type(error).__name__) from error

    async def check(self) -> None:
        """Connect, with all that belongs to it. Raises SendError."""
        try:
            smtp = await self._connect(timeout=LOOK)
        except SMTPResponseException as error:
            raise on_answer("connect", error.code, error.message) from error
        except (SMTPException, OSError) as error:
            raise on_silence("connect", str(error) or type(error).__name__) from error
        await _leave(smtp)

    async def close(self) -> None:
        """End the connections that are open."""
        idle, self._idle = self._idle, []
        await asyncio.gather(*(_leave(smtp) for _, smtp in idle))

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        async with asyncio.timeout(TURN):
            await self._turns.acquire()
        try:
            yield
        finally:
            self._turns.release()

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[SMTP]:
        """A connection that is kept as long as both ends agree about where they are."""
        smtp = await self._kept() or await self._connect(timeout=self._patience)
        try:
            yield smtp
        except SMTPResponseException as error:
            if error.code < 400:
                smtp.close()
            raise
        except BaseException:
            smtp.close()
            raise
        finally:
            if smtp.is_connected:
                self._idle.append((monotonic(), smtp))

    async def _kept(self) -> SMTP | None:
        while self._idle:
            since, smtp = self._idle.pop()
            if monotonic() - since > FRESH:
                smtp.close()
                continue
            try:
                await smtp.rset()
            except (SMTPException, OSError):  # the server ended it meanwhile
                smtp.close()
            except BaseException:
                smtp.close()
                raise
            else:
                return smtp
        return None

    async def _connect(self, timeout: float) -> SMTP:  # noqa: ASYNC109  # for each step of aiosmtplib's
        server = self._server
        smtp = SMTP(
            hostname=server.host,
            port=server.port,
            username=server.user,
            password=server.password,
            use_tls=server.security == "tls",
            start_tls=server.security == "starttls",
            tls_context=self._tls,
            timeout=timeout,
        )
        try:
            await smtp.connect()
        except BaseException:
            smtp.close()
            raise
        return smtp


async def _transact(smtp: SMTP, message: bytes, sender: str, to: str, progress: _Progress) -> None:
    progress.phase = "sender"
    await smtp.mail(sender)
    progress.phase = "recipient"
    await smtp.rcpt(to)
    progress.phase = "data"
    await _write(smtp, message, progress)


async def _write(smtp: SMTP, message: bytes, progress: _Progress) -> None:
    """The DATA command, step by step: aiosmtplib's own can't say whether the final dot had been written."""
    answer = await smtp.execute_command(b"DATA")
    if answer.code != START_MAIL:
        raise SMTPResponseException(answer.code, answer.message)
    protocol = smtp.protocol
    if protocol is None:
        raise ConnectionError("the connection ended")
    protocol.write(_LEADING_DOT.sub(b"..", message))
    await asyncio.sleep(0)  # a connection that has ended by now shows
    protocol.write(b".\r\n")
    progress.phase = "end"
    answer = await protocol.read_response()
    if answer.code != TAKEN:
        raise SMTPResponseException(answer.code, answer.message)


async def _leave(smtp: SMTP) -> None:
    with suppress(SMTPException, OSError, TimeoutError):
        async with asyncio.timeout(1):
            await smtp.quit()
    smtp.close()

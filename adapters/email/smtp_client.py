"""Delivers messages to a mail server, and keeps track of the phase of each delivery."""

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
from bot.domain.network_errors import network_reason

CONNECTIONS = 8
"""Maximum number of concurrent SMTP connections per process. Providers allow 10 or more."""
TURN, PATIENCE = 4.0, 9.0
"""Timeouts of waiting for a connection and of the delivery, in seconds. In total, they are shorter than the core's 15
seconds, since we know better than the core what went wrong."""
FRESH = 30.0
"""Seconds for which an idle connection can be reused. Middleboxes silently drop connections that idle for longer."""
LOOK = 4.0
"""Timeout of each step of `check`, in seconds."""
START_MAIL, TAKEN = 354, 250

_LEADING_DOT = re.compile(rb"^\.", re.MULTILINE)


@dataclass(slots=True)
class _Progress:
    phase: Phase = "turn"


class SmtpClient:
    """A client of one mail server. Connections are reused.

    `tls` is needed for a server whose certificate isn't signed by an authority that the system trusts.
    """

    def __init__(
        self, server: SmtpServer, *, tls: ssl.SSLContext | None = None, patience: float = PATIENCE
    ) -> None:
        self._server = server
        self._tls = tls
        self._patience = patience
        self._turns = asyncio.Semaphore(CONNECTIONS)
        self._idle: list[tuple[float, SMTP]] = []
        """Time of last use and connection, for each idle connection."""

    async def deliver(self, message: bytes, *, sender: str, to: str) -> None:
        """Deliver one message, whose lines end in CRLF, to one address.

        Raises a SendError: RetryLater if it was certainly not accepted, DeliveryUncertain after its end was sent.
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
            raise on_silence(progress.phase, f"no answer for {self._patience:g} s") from error
        except (SMTPException, OSError) as error:
            raise on_silence(progress.phase, str(error) or type(error).__name__) from error

    async def check(self) -> None:
        """Connect, including TLS and log-in. Raises SendError."""
        try:
            smtp = await self._connect(timeout=LOOK)
        except SMTPResponseException as error:
            raise on_answer("connect", error.code, error.message) from error
        except (SMTPException, OSError) as error:
            server = f"{self._server.host}:{self._server.port}"
            raise on_silence("connect", f"can't connect to {server}: {network_reason(error)}") from error
        await _quit(smtp)

    async def close(self) -> None:
        """Close idle connections."""
        idle, self._idle = self._idle, []
        await asyncio.gather(*(_quit(smtp) for _, smtp in idle))

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
        """Provide a connection. Keep it for reuse if both ends still agree on the protocol state."""
        smtp = await self._reusable() or await self._connect(timeout=self._patience)
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

    async def _reusable(self) -> SMTP | None:
        while self._idle:
            since, smtp = self._idle.pop()
            if monotonic() - since > FRESH:
                smtp.close()
                continue
            try:
                await smtp.rset()
            except (SMTPException, OSError):  # the server has closed it
                smtp.close()
            except BaseException:
                smtp.close()
                raise
            else:
                return smtp
        return None

    async def _connect(self, timeout: float) -> SMTP:  # noqa: ASYNC109  # aiosmtplib applies it to each step
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
    """Send the DATA command step by step, since aiosmtplib's own doesn't tell us whether the final dot was written."""
    answer = await smtp.execute_command(b"DATA")
    if answer.code != START_MAIL:
        raise SMTPResponseException(answer.code, answer.message)
    protocol = smtp.protocol
    if protocol is None:
        raise ConnectionError("the connection ended")
    protocol.write(_LEADING_DOT.sub(b"..", message))
    await asyncio.sleep(0)  # gives a closed connection the chance to report that
    protocol.write(b".\r\n")
    progress.phase = "end"
    answer = await protocol.read_response()
    if answer.code != TAKEN:
        raise SMTPResponseException(answer.code, answer.message)


async def _quit(smtp: SMTP) -> None:
    with suppress(SMTPException, OSError, TimeoutError):
        async with asyncio.timeout(1):
            await smtp.quit()
    smtp.close()

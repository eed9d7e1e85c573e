"""Explains connection errors to an operator: libraries' own texts are meant for programmers."""

import os
import re
import socket
import ssl
from collections.abc import Iterator, Sequence

from aiohttp import ClientConnectorDNSError

_NUMBER = re.compile(r"\[Errno (\d{1,4})\]")
"""asyncio joins the errors of a host's several addresses into one text."""
_LONGEST = 200
"""Maximum number of characters of a library's text, the last resort."""


_REASONS: Sequence[tuple[type[BaseException] | tuple[type[BaseException], ...], str]] = (
    ((ClientConnectorDNSError, socket.gaierror), "unknown host name"),
    (ssl.SSLCertVerificationError, "its certificate isn't trusted"),
    (ssl.SSLError, "it doesn't speak TLS"),
    (ConnectionRefusedError, "connection refused"),
    ((ConnectionResetError, BrokenPipeError, ConnectionAbortedError), "the connection was cut off"),
    (TimeoutError, "no answer"),
)
"""Explanations by type of error; the first match is used."""


class ExplainedError(OSError):
    """An error whose text is already meant for an operator: `ExplainedError(errno, text)`."""


def network_reason(error: BaseException) -> str:
    """Return what is wrong, without a full stop: `connection refused`, `unknown host name`, `no answer`."""
    errors = list(_chain(error))
    for cause in errors:
        if isinstance(cause, ExplainedError):
            return str(cause.strerror)
        for kind, reason in _REASONS:
            if isinstance(cause, kind):
                return reason
    numbers = (one.errno or _number(str(one)) for one in errors if isinstance(one, OSError))
    if number := next(filter(None, numbers), None):
        return os.strerror(number).lower()
    return (" ".join(str(error).split()).rstrip(".") or type(error).__name__)[:_LONGEST]


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yield the error and its causes."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        inner = getattr(error, "os_error", None)
        before = None if error.__suppress_context__ else error.__context__
        error = inner if isinstance(inner, BaseException) else error.__cause__ or before


def _number(text: str) -> int | None:
    found = _NUMBER.search(text)
    return int(found[1]) if found else None

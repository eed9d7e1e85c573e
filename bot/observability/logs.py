"""Logging: one line per event, to standard error, with secrets redacted."""

import logging
import re
import sys
from collections.abc import Iterable
from time import monotonic
from typing import Literal, TextIO

import structlog
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.web import RequestPayloadError
from structlog.typing import EventDict, Processor, WrappedLogger

from bot.observability.error_tally import tally

REDACTED = "[redacted]"
MALFORMED = (HttpProcessingError, RequestPayloadError)
"""Errors that aiohttp raises for a malformed request, which it answers with 400."""
RATE_LIMITED = ("aiohttp.server", "asyncio")
"""Loggers whose output strangers can cause, such as a line for each connection when no file descriptor is left."""

LOOKS_SECRET = re.compile(r"(?<=://)[^\s/@'\":]*+:[^\s/@'\"]++(?=@)")
"""User and password in a URL. Possessive quantifiers keep the time linear."""


class Redact:
    """Replaces every secret anywhere in an event before it leaves the process."""

    def __init__(self, secrets: Iterable[str], patterns: Iterable[str] = ()) -> None:
        """`secrets` are literal strings; `patterns` are regular expressions that match other secrets."""
        self._secrets = tuple(sorted((s for s in secrets if len(s) >= 6), key=len, reverse=True))
        self._pattern = re.compile("|".join((LOOKS_SECRET.pattern, *patterns)))

    def __call__(self, _logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        """Redact one event. Values that aren't text are converted to text if they contain a secret."""
        return {key: self._clean(value) for key, value in event.items()}

    def text(self, text: str) -> str:
        """Return the text without secrets."""
        for secret in self._secrets:
            text = text.replace(secret, REDACTED)
        return self._pattern.sub(REDACTED, text)

    def _clean(self, value: object) -> object:
        text = value if isinstance(value, str) else repr(value)
        cleaned = self.text(text)
        return value if cleaned == text else cleaned


class LogRateLimit(logging.Filter):
    """Passes at most `most` records per `seconds` of a library's logs about strangers' connections."""

    def __init__(self, most: int = 10, seconds: float = 60.0) -> None:
        super().__init__()
        self._most = most
        self._seconds = seconds
        self._until = 0.0
        self._count = 0
        self._dropped = 0

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether to log the record. The first record after a gap says how many were dropped."""
        if monotonic() >= self._until:
            if self._dropped:
                record.msg = f"{record.getMessage()} ({self._dropped} more such lines were not logged)"
                record.args = ()
            self._until, self._count, self._dropped = monotonic() + self._seconds, 0, 0
        self._count += 1
        if self._count > self._most:
            self._dropped += 1
            return False
        return True


def _is_our_fault(record: logging.LogRecord) -> bool:
    """Whether a record of the HTTP server is more than a malformed request, which was answered with 400."""
    return not (record.exc_info and isinstance(record.exc_info[1], MALFORMED))


class _StandardError(logging.StreamHandler[TextIO]):
    """Writes to the current `sys.stderr`: the terminal's prompt replaces it while it is open."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:  # type: ignore[override]  # logging stores it; this looks it up at each write
        return sys.stderr


def configure(
    form: Literal["auto", "text", "json"],
    level: str,
    secrets: Iterable[str] = (),
    patterns: Iterable[str] = (),
) -> None:
    """Set up logging for this process, including libraries."""
    as_text = form == "text" or (form == "auto" and sys.stderr.isatty())
    renderer: Processor = (
        structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
        if as_text
        else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    redact = Redact(secrets, patterns)
    handler = _StandardError()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                redact,
                renderer,
            ],
        )
    )
    logging.basicConfig(handlers=[handler, tally], level=level.upper(), force=True)
    # The access log would contain every health check.
    logging.getLogger("aiohttp.access").setLevel(logging.WARNING)
    # It logs each request, and warnings about malformed ones, which strangers can send.
    logging.getLogger("mcp").setLevel(logging.ERROR)
    for name in RATE_LIMITED:
        library = logging.getLogger(name)
        for old in tuple(library.filters):
            library.removeFilter(old)
        library.addFilter(_is_our_fault)
        library.addFilter(LogRateLimit())
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )

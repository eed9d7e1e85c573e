"""Counts this process's errors by name. Errors' texts aren't stored: they could hold a secret or a title."""

import logging
import re
import sys
from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

MOST = 40
"""Maximum number of error kinds counted at a time; all further ones are counted as one kind."""

_NAME = re.compile(r"[a-z][a-z0-9_]{0,49}")
_ORIGINS = ("platform", "source", "role", "worker", "upstream")
"""Fields of a log event that name its origin."""
MAX_ORIGIN = 50
"""Maximum length of an origin."""


class ErrorKind(NamedTuple):
    """A kind of error, which is counted."""

    origin: str
    """A source, a platform, a role, or the part of the program that logged it."""
    name: str
    """A log event, or an error class."""


OTHERS = ErrorKind("others", "other errors")


class ErrorTally(logging.Handler):
    """Counts logged errors and calls of `count`, until the counts are taken."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self._counts: Counter[ErrorKind] = Counter()

    def count(self, origin: str, name: str, times: int = 1) -> None:
        """Count an error."""
        kind = ErrorKind(origin[:MAX_ORIGIN], name)
        if kind not in self._counts and len(self._counts) >= MOST:
            kind = OTHERS
        self._counts[kind] += times

    def emit(self, record: logging.LogRecord) -> None:
        """Count a log record."""
        fields = record.msg if isinstance(record.msg, dict) else {}
        event = fields.get("event")
        name = event if isinstance(event, str) and _NAME.fullmatch(event) else "logged_error"
        error = fields.get("exc_info")
        if error is True:
            error = sys.exception()
        if isinstance(error, BaseException):
            name = f"{name} {type(error).__name__}"
        origin = next((str(fields[field]) for field in _ORIGINS if field in fields), "")
        self.count(origin or record.name.rpartition(".")[2], name)

    def take(self) -> Mapping[ErrorKind, int]:
        """Return the counts since the last call."""
        taken, self._counts = self._counts, Counter()
        return taken


tally = ErrorTally()
"""This process's tally."""

"""Set-up and exit codes that all commands of the command line share."""

import asyncio
import sys
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from bot.domain.errors import ConfigurationError

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from bot.settings import Settings

T = TypeVar("T")

EX_CONFIG = 78
"""sysexits.h: the configuration is wrong. Supervisors should not restart the program."""
EX_UNAVAILABLE = 69
"""sysexits.h: a required service is unavailable."""
EX_DATAERR = 65
"""sysexits.h: the input was incorrect."""


def command_settings(roles: list[str] | None = None, *, quiet: bool = False) -> "Settings":
    """Read the settings and set up logging; `quiet` suppresses log lines that would disrupt a command's output."""
    from bot.app import read_settings
    from bot.observability import logs

    settings = read_settings()
    terminal_is_channel = sys.stdin.isatty() and sys.stderr.isatty() and not (settings.connected or roles)
    level = "critical" if quiet else "error" if terminal_is_channel else "info"
    logs.configure(
        settings.log_format,
        settings.log_level or level,
        settings.secrets(),
        settings.secret_patterns(),
    )
    if settings.sentry_dsn is not None:
        _report_errors(settings.sentry_dsn.get_secret_value(), settings)
    return settings


def run_with_spinner(what: str, work: Coroutine[Any, Any, T]) -> T:
    """Run `work` and return its result, with a spinner for the description `what` at a terminal."""
    from bot.observability.progress import working

    with working(what):
        return asyncio.run(work)


@asynccontextmanager
async def opened(settings: "Settings") -> AsyncIterator["Redis"]:
    """Open the server like `open_server`, with a spinner: a large data folder takes a while to load."""
    from bot.app import open_server
    from bot.observability.progress import working

    async with AsyncExitStack() as stack:
        with working("Opening the database"):
            redis = await stack.enter_async_context(open_server(settings))
        yield redis


def _report_errors(dsn: str, settings: "Settings") -> None:
    try:
        from bot.observability import sentry
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            "PAPERBOY_SENTRY_DSN is set, but the library isn't there. Install it with: pip install 'paperboy[sentry]'"
        ) from error
    sentry.start(dsn, settings.secrets(), settings.secret_patterns())

"""Reports errors to Sentry if the operator wants it: logged errors, and uncaught exceptions."""

import logging
import sys
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import sentry_sdk
from sentry_sdk.integrations.atexit import AtexitIntegration
from sentry_sdk.integrations.dedupe import DedupeIntegration
from sentry_sdk.integrations.excepthook import ExcepthookIntegration

from bot.observability.logs import Redact

if TYPE_CHECKING:
    from sentry_sdk.types import Event


def start(dsn: str, secrets: Iterable[str], patterns: Iterable[str] = ()) -> None:
    """Report errors from now on. Call it after `logs.configure`. Sends no local variables, personal data or secrets."""
    redact = Redact(secrets, patterns)

    def clean(event: "Event", _hint: dict[str, Any]) -> "Event":
        cleaned: Event = _cleaned(event, redact)
        return cleaned

    sentry_sdk.init(
        dsn,
        release=f"paperboy@{version('paperboy')}",
        before_send=clean,
        default_integrations=False,  # its logging can't read structlog's records; others slow commands
        integrations=[AtexitIntegration(), DedupeIntegration(), ExcepthookIntegration()],
        include_local_variables=False,
        max_breadcrumbs=0,
        server_name="",
    )
    logging.getLogger().addHandler(_Reporter(logging.ERROR))


class _Reporter(logging.Handler):
    """Reports log records of structlog and of libraries."""

    def emit(self, record: logging.LogRecord) -> None:
        fields: Mapping[str, Any] = record.msg if isinstance(record.msg, dict) else {}
        with sentry_sdk.new_scope() as scope:
            scope.set_tag("logger", record.name)
            scope.set_context(
                "log", {key: str(value) for key, value in fields.items() if key not in {"exc_info", "event"}}
            )
            text = str(fields.get("event", "")) or record.getMessage()
            if error := _error(record.exc_info or fields.get("exc_info")):
                scope.set_tag("event", text)
                sentry_sdk.capture_exception(error)
            else:
                sentry_sdk.capture_message(text, "error")


def _error(exc_info: Any) -> BaseException | None:
    """Return the exception of a log record, in any of the forms that logging accepts."""
    match exc_info:
        case BaseException():
            return exc_info
        case (_, BaseException() as error, _):
            return error
    return sys.exc_info()[1] if exc_info else None


def _cleaned(value: Any, redact: Redact) -> Any:
    if isinstance(value, str):
        return redact.text(value)
    if isinstance(value, Mapping):
        return {key: _cleaned(part, redact) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_cleaned(part, redact) for part in value]
    return value

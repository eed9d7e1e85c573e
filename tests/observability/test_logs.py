"""Logs are one line per event and contain no secrets."""

import json
import logging
from collections.abc import Callable, Iterator

import pytest
import structlog
from aiohttp.http_exceptions import BadHttpMessage

from bot.observability import logs

SECRET = "xoxb-planted-secret"
Lines = Callable[[], list[dict[str, str]]]


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str]) -> Iterator[Lines]:
    before = logging.getLogger().handlers[:]
    logs.configure("json", "info", [SECRET])
    yield lambda: [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    logging.getLogger().handlers[:] = before
    structlog.reset_defaults()


def test_an_event_is_one_json_line(lines: Lines) -> None:
    structlog.get_logger("bot.pipeline.poller").info("polled", source="huggingface", new="3")
    (line,) = lines()
    assert line["event"] == "polled"
    assert line["source"] == "huggingface"
    assert line["new"] == "3"
    assert line["level"] == "info"


def test_logs_of_libraries_have_the_same_format(lines: Lines) -> None:
    logging.getLogger("some.package").warning("careful: %s", "a thing")
    (line,) = lines()
    assert line["event"] == "careful: a thing"


def test_secrets_are_redacted_in_events_values_and_tracebacks(lines: Lines) -> None:
    log = structlog.get_logger()
    log.info(f"token {SECRET}", header={"Authorization": f"Bearer {SECRET}"})
    try:
        raise RuntimeError(f"refused: {SECRET}")
    except RuntimeError:
        log.exception("failed")
    logging.getLogger("slack_sdk").error("body %s", {"token": SECRET})
    entries = lines()
    assert len(entries) == 3
    assert SECRET not in json.dumps(entries)
    assert logs.REDACTED in entries[0]["event"]


def test_a_password_in_a_url_is_redacted(lines: Lines) -> None:
    structlog.get_logger().info("sent", body={"to": "redis://postman:hunter2@db:6379/0"})
    (line,) = lines()
    assert "hunter2" not in line["body"]
    assert "@db:6379/0" in line["body"]


@pytest.mark.parametrize(
    "harmless", ["https://arxiv.org/abs/2503.01234", "at 12:30, me@example.org", "xox-ray"]
)
def test_harmless_text_is_not_redacted(lines: Lines, harmless: str) -> None:
    structlog.get_logger().info(harmless)
    (line,) = lines()
    assert line["event"] == harmless


def test_repeated_errors_are_rate_limited(lines: Lines) -> None:
    library = logging.getLogger("asyncio")
    for n in range(1_000):
        library.error("socket.accept() out of system resource %d", n)
    assert len(lines()) == 10


def test_a_malformed_request_is_not_logged_as_an_error(lines: Lines) -> None:
    library = logging.getLogger("aiohttp.server")
    for error in (BadHttpMessage("nonsense"), ValueError("ours")):
        library.error("Error handling request", exc_info=error)
    (line,) = lines()
    assert "ValueError" in line["exception"]

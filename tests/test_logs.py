"""Logs are one line per event and hold no secret."""

import json
import logging
from collections.abc import Callable, Iterator

import pytest
import structlog

from bot import logs

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
    structlog.get_logger("bot.poller").info("polled", source="huggingface", new="3")
    (line,) = lines()
    assert line["event"] == "polled"
    assert line["source"] == "huggingface"
    assert line["new"] == "3"
    assert line["level"] == "info"


def test_what_libraries_log_looks_the_same(lines: Lines) -> None:
    logging.getLogger("some.library").warning("careful: %s", "a thing")
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
    written = lines()
    assert len(written) == 3
    assert SECRET not in json.dumps(written)
    assert logs.REDACTED in written[0]["event"]

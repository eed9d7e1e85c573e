"""Errors are counted by name and origin, without their texts."""

import logging
from collections.abc import Iterator

import pytest
import structlog

from bot.observability import logs
from bot.observability.error_tally import MOST, OTHERS, ErrorKind, tally

SECRET = "xoxb-planted-secret"


@pytest.fixture(autouse=True)
def logging_() -> Iterator[None]:
    before = logging.getLogger().handlers[:]
    logs.configure("json", "info", [SECRET])
    tally.take()
    yield
    tally.take()
    logging.getLogger().handlers[:] = before
    structlog.reset_defaults()


def test_a_logged_error_is_counted_by_origin_and_class() -> None:
    log = structlog.get_logger("bot.pipeline.delivery")
    log.error("delivery_failed", platform="slack", exc_info=ValueError(f"with {SECRET}"))
    log.error("delivery_failed", platform="slack", exc_info=ValueError("another text"))
    log.error("record_unreadable", reason=SECRET)
    try:
        raise KeyError(SECRET)
    except KeyError:
        log.exception("command_failed", channel="discord:1:2")
    log.warning("paused", platform="slack")
    assert dict(tally.take()) == {
        ErrorKind("slack", "delivery_failed ValueError"): 2,
        ErrorKind("delivery", "record_unreadable"): 1,
        ErrorKind("delivery", "command_failed KeyError"): 1,
    }
    assert not tally.take(), "the counts are reset"


def test_errors_logged_by_libraries_are_counted_without_text() -> None:
    logging.getLogger("discord.client").error("Ignoring exception for %s", SECRET)
    structlog.get_logger("bot.web").error(f"a sentence with {SECRET}")
    assert dict(tally.take()) == {
        ErrorKind("client", "logged_error"): 1,
        ErrorKind("web", "logged_error"): 1,
    }


def test_the_number_of_kinds_is_limited() -> None:
    for n in range(500):
        tally.count(f"feed{n}", "poll_failed")
    tally.count("x" * 10_000, "poll_failed")
    counts = tally.take()
    assert len(counts) == MOST + 1
    assert counts[OTHERS] == 500 - MOST + 1
    assert sum(counts.values()) == 501

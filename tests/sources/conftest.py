"""Each test of sources reads the log from its beginning."""

import pytest

from bot.sources import fields


@pytest.fixture(autouse=True)
def _nothing_was_logged_before() -> None:
    """Let rows be logged again that another test has had skipped: a process logs each once."""
    fields._log_once.cache_clear()

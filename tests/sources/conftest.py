"""Tests of sources start with an empty log."""

import pytest

from bot.sources import fields


@pytest.fixture(autouse=True)
def _forget_logged_rows() -> None:
    """Forget which skipped rows were logged by other tests: a process logs each only once."""
    fields._log_once.cache_clear()

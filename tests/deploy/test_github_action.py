"""Scheduled runs without a server, with data on a branch. `python -m tests.deploy.action` kills them at every step."""

from pathlib import Path

import pytest

from tests.deploy.action import kill_everywhere


@pytest.mark.timeout(180)
async def test_a_run_killed_while_posting_is_completed_by_the_next_one(tmp_path: Path) -> None:
    assert await kill_everywhere(tmp_path, [{"posts": 1}]) == (1, 0, 0)

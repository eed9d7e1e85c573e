"""Posting while answers are lost, the server fails and the posting process is killed. The bench posts more."""

import pytest

from tests.bench.discord_posts import measure


@pytest.mark.timeout(120)
async def test_no_post_is_lost_or_duplicated() -> None:
    result = await measure(40, 1, naive=False)
    assert (result["lost"], result["doubled"], result["kills"], result["over_bots_limit"]) == (0, 0, 1, 0)

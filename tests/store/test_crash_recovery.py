"""After a kill and a restart, claimed deliveries are posted at once, and not only when their leases expire."""

import asyncio
from pathlib import Path

from adapters.console.platform import CHANNEL
from bot.domain.deliveries import PlannedDelivery
from bot.domain.models import Reason
from bot.ports import Batch
from bot.store import keys
from bot.store.connect import connect
from bot.store.embedded import EmbeddedServer
from bot.store.lease import Lease
from bot.store.outbox.outbox import Outbox
from bot.store.papers import Papers
from tests.papers import a_paper
from tests.program import environment, first, running

SOON = 25.0
"""Maximum seconds to start and to post, on a busy machine: less than half a lease."""
LEASE = 3600.0


async def test_claims_of_a_killed_program_are_released_when_it_restarts(tmp_path: Path) -> None:
    env = environment(tmp_path)
    async with running("run", env=env) as app:
        assert app.stdin is not None
        app.stdin.write(b"/paper subscribe nothing-like-it\n")
        await first(app, "reply")
        app.kill()
        await app.wait()
    redis = await connect(EmbeddedServer(tmp_path).url)
    outbox = Outbox(redis, durable=True, lease=LEASE)
    await Papers(redis).ingest(
        "test", Batch(papers=(a_paper(title="A lost paper"),), cursor="1"), fence=1 << 40
    )
    papers = (("2603.00001", (Reason(1, "x"),)),)
    await outbox.enqueue([PlannedDelivery(channel=CHANNEL, papers=papers, due=0, label="2603.00001")])
    claims = await outbox.claim(
        CHANNEL.platform, 1, range(keys.SHARDS), token="the dead"
    )  # identifies a claim
    assert len(claims.deliveries) == 1
    assert not (await outbox.claim(CHANNEL.platform, 1, range(keys.SHARDS), token="late")).deliveries
    await redis.delete(keys.LEASE)
    assert await Lease(redis).acquire()
    await redis.persist(keys.LEASE)
    await redis.aclose()
    async with asyncio.timeout(SOON), running("run", env=env) as app:
        posted = await first(app, "post")
        assert "A lost paper" in str(posted)

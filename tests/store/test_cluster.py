"""On a Cluster everything works as on one server: no command spans two slots."""

from pathlib import Path
from uuid import uuid4

from bot.domain.deliveries import Outcome, PlannedDelivery
from bot.domain.models import MessageRef
from bot.ports import Batch, Rate
from bot.store import keys
from bot.store.backup.export import facts
from bot.store.backup.import_ import Restore
from bot.store.connect import connect
from bot.store.limits import RateLimiter
from bot.store.outbox.outbox import Outbox
from bot.store.papers import Papers
from bot.store.reactions import Annotation, PaperList, ReadingLists
from bot.store.subscriptions import Subscriptions
from tests.papers import a_channel, a_paper
from tests.servers import cluster

CHANNELS = [a_channel(f"C{n}", f"T{n % 3}") for n in range(20)]


async def test_stored_data_can_be_read_exported_and_changed(tmp_path: Path) -> None:
    async with cluster(tmp_path) as servers:
        redis = await connect(servers.url)
        outbox, subscriptions = Outbox(redis), Subscriptions(redis)
        known = tuple(a_paper(f"p{n}") for n in range(10))
        await Papers(redis).ingest("hf", Batch(papers=known, cursor="c", trending=("p1", "p2")), 0)
        await ReadingLists(redis).add(PaperList(CHANNELS[0], shared=True), "p1", Annotation("a note"))
        for channel in CHANNELS:
            await subscriptions.add(channel, "diffusion", "now", "U1")
        await outbox.enqueue(
            PlannedDelivery(channel=c, papers=(("p1", ()),), due=0, label="p1") for c in CHANNELS
        )
        claims = await outbox.claim("fake", 64, range(keys.SHARDS), token=uuid4().hex)
        sent, stuck, *_ = claims.deliveries
        assert await outbox.begin(sent)
        await outbox.done(sent, MessageRef("m1"))
        await outbox.record_outcome(stuck, Outcome(state="dead", why="invalid blocks"))
        await outbox.pause_workspace("fake", "T1", "uninstalled")
        assert await outbox.open() + await outbox.overdue("fake") > 0
        assert (await outbox.status(stuck.channel)).dead_letters == 1
        assert await RateLimiter(redis).turn(Rate(1, 1.0), "post", "fake") == 0
        assert [one.key async for one in outbox.dead_letters()] == [stuck.key]
        assert await outbox.retry(stuck.key)

        lines = [fact.model_dump_json() async for fact in facts(redis)]
        for server in servers.servers[:3]:
            async with server.client() as primary:
                await primary.flushall()
        await Restore(redis).write(lines)
        assert sorted([fact.model_dump_json() async for fact in facts(redis)]) == sorted(lines)
        await redis.aclose()

"""The server dies: a single one, one of a Cluster, and one watched by sentinels."""

import asyncio
from pathlib import Path
from time import monotonic

from tests.fake_platform import Weather
from tests.faults.scene import Outcome, Scene, Size, alone, scene
from tests.servers import Server, cluster, until_a_server_says, watched
from tests.waiting import until

WITHIN = 10.0
"""Maximum number of seconds until posting resumes."""


async def start_all(here: Scene) -> asyncio.Task[None]:
    """Start two processes with all roles, and a source that lists papers throughout."""
    for _ in range(2):
        here.start(("poller", "fanout", "delivery"))
    listing = asyncio.create_task(here.list_papers(over=2.0 * here.size.kills))
    await until(lambda: here.service.posts, "the first post")
    return listing


async def next_post(here: Scene) -> float:
    """Wait for the next post, if papers are left to post. Returns the seconds."""
    began, posts = monotonic(), len(here.service.posts)
    while len(here.service.posts) == posts and not set(here.wanted) <= set(here.service.counts()):  # noqa: ASYNC110
        await asyncio.sleep(0.02)
    return monotonic() - began


async def of_a_server(folder: Path, size: Size) -> Outcome:
    """Redis is killed repeatedly, and restarted at once. It syncs once a second, as most servers do."""
    async with alone(folder, size, Weather(lose=0.03, delay=0.01)) as here:
        listing = await start_all(here)
        slowest = 0.0
        for _ in range(size.kills):
            await asyncio.sleep(here.random.uniform(0.3, 1.5))
            assert here.server is not None
            await here.server.kill()
            here.kills += 1
            await here.server.start()
            slowest = max(slowest, await next_post(here))
        await listing
        await here.until_done()
        await here.stop()
        return here.outcome("Redis killed", f"goes on within {slowest:.1f} s", fine=slowest <= WITHIN)


async def of_a_cluster(folder: Path, size: Size) -> Outcome:
    """In a Cluster of six, the primary of the papers and then one of the deliveries dies, and replicas take over."""
    async with (
        cluster(folder / "cluster") as servers,
        scene(servers.url, folder, size, Weather(lose=0.03, delay=0.01)) as here,
    ):
        listing = await start_all(here)
        slowest = 0.0
        for key in ("pb:{ingest}:seen", "pb:{s03}:open"):
            primary = await servers.primary_of(key)
            await primary.kill()
            here.kills += 1
            slowest = max(slowest, await next_post(here))

            async def taken_over(key: str = key, dead: Server = primary) -> bool:
                return (await servers.primary_of(key)).port != dead.port

            await until_a_server_says(taken_over, "a replica to take over")
            await primary.start()
        await listing
        await here.until_done()
        await here.stop()
        crossed = "CROSSSLOT" in here.plan.log.read_text()
        note = f"goes on within {slowest:.1f} s, {'CROSSSLOT' if crossed else 'no CROSSSLOT'}"
        return here.outcome("Cluster of 6, failovers", note, fine=not crossed)


async def of_a_watched_primary(folder: Path, size: Size) -> Outcome:
    """The primary dies, and the sentinels promote its replica."""
    async with (
        watched(folder / "watched") as servers,
        scene(servers.url, folder, size, Weather(lose=0.03, delay=0.01)) as here,
    ):
        listing = await start_all(here)
        primary = await servers.primary()
        await primary.kill()
        here.kills += 1

        async def replaced() -> bool:
            return (await servers.primary()).port != primary.port

        await until_a_server_says(replaced, "the sentinels to decide")
        slowest = await next_post(here)
        await listing
        await here.until_done()
        await here.stop()
        note = f"goes on {slowest:.1f} s after the sentinels decided"
        return here.outcome("Sentinel, failover", note, fine=slowest <= WITHIN)

"""Unreadable entries are counted at each poll, and `doctor` reports them."""

from aiohttp import web
from redis.asyncio import Redis

from bot.cli.doctor.server import check_server
from bot.pipeline.poller import Poller
from bot.sources.feed import FeedSource
from bot.store.lease import Lease
from bot.store.papers import Papers
from bot.store.polls import last_polls
from tests.replay import serve
from tests.sources.odd_feeds import ODD, WHOLE
from tests.sources.recordings.feeds import LOOPBACK
from tests.sources.upstreams import Clock, app_of


async def test_doctor_shows_unreadable_entries_until_they_are_repaired(redis: Redis) -> None:
    bodies = [ODD["neither title nor text"].body]
    clock = Clock()

    async def respond(_request: web.Request) -> web.StreamResponse:
        return web.Response(body=bodies[-1])

    async def shown() -> str:
        await poller.poll_once()
        findings = {finding.name: finding async for finding in check_server(redis, (), clock.now)}
        assert findings["entries"].ok
        return findings["entries"].message

    async with serve(app_of(respond)) as url:
        feed = FeedSource("journal", url, clock.now, private=(LOOPBACK,))
        poller = Poller((feed,), Papers(redis), Lease(redis), redis, now=clock.now)
        for _ in range(2):  # the feed hasn't changed
            assert await shown() == "can't be read: 1 of journal (it has neither title nor text)"
        poll = (await last_polls(redis))["journal"]
        assert (poll.error, poll.skipped, poll.new) == (None, 1, 0)
        bodies.append(WHOLE)
        assert await shown() == "every entry of the latest lists could be read"

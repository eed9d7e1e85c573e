"""A channel's feed, as one story on every platform: a private address, which can be replaced and revoked."""

import re

from redis.asyncio import Redis

from tests.papers import a_paper
from tests.platform_harness import PUBLIC_URL, PlatformHarness, arrive
from tests.platform_harnesses import Opened
from tests.web.site import site

ADDRESS = re.compile(re.escape(PUBLIC_URL) + r"(/feeds/[\w-]{32})\.atom")


async def read(redis: Redis, address: str) -> tuple[int, str]:
    async with site(redis) as client, client.get(f"{address}.json") as answer:
        return answer.status, await answer.text()


async def address_in(place: PlatformHarness, text: str) -> str:
    found = ADDRESS.search(text)
    assert found, text
    granted = await place.bot.core._services.tokens.find(found[1].rpartition("/")[2])
    assert granted is not None
    assert granted.channel == place.channel
    return found[1]


async def test_a_feed_reader_gets_the_channel_until_its_address_is_revoked(
    redis: Redis, opened: Opened
) -> None:
    async with opened() as place:
        await place.say("subscribe gecko")
        await arrive(place.bot, a_paper("2611.00001", title="A gecko"))
        answer = await place.say("feed")
        assert answer.private
        first = await address_in(place, answer.text)
        status, feed = await read(redis, first)
        assert (status, "A gecko" in feed, "matched gecko (#1)" in feed) == (200, True, True)
        await place.restart()
        second = await address_in(place, (await place.press(answer, "Replace the address")).text)
        assert (await read(redis, first))[0] == 404
        assert (await read(redis, second))[0] == 200
        assert "ended" in (await place.press(answer, "End it")).text
        assert (await read(redis, second))[0] == 404
        assert "token" in (await place.say("api")).text

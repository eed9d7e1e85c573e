"""Posts in forums and announcement channels."""

from datetime import UTC, datetime
from typing import Any

import pytest
from redis.asyncio import Redis

from adapters.discord.platform import DiscordPlatform
from bot.cards.digest import digest_card
from bot.cards.paper import short_date
from bot.domain.errors import (
    DeliveryUncertain,
)
from bot.domain.models import Reason
from tests.adapters.discord.double.payloads import FORUM, NEWS
from tests.adapters.discord.double.service import DiscordDouble
from tests.adapters.discord.posts import HERE, KEY, NOW, a_card, lately
from tests.papers import a_paper


async def test_announcement_channels_get_an_embed(
    platform: DiscordPlatform, double: DiscordDouble, redis: Redis
) -> None:
    await redis.hset("pb:{discord}:kinds", "2000", "news")
    double.kinds[2000] = NEWS
    await platform.send(HERE, a_card(ping="55"), KEY)
    (posted,) = double.messages
    assert posted.body["embeds"][0]["title"] == "On paper 2603.00001"
    assert posted.body["content"] == "<@&55>"
    assert posted.body["allowed_mentions"]["roles"] == [55]
    assert await platform.find(HERE, KEY, lately())


async def test_a_forum_is_detected_and_gets_a_post_for_each_card(
    platform: DiscordPlatform, double: DiscordDouble
) -> None:
    double.kinds[2000] = FORUM
    message = await platform.send(HERE, a_card(topics=("cs.CL",)), KEY)
    digest = digest_card([(a_paper(f"2603.0000{n}"), (Reason(1, "paper"),)) for n in range(3)], NOW)
    before = datetime.now(UTC)
    await platform.send(HERE, digest, f"{KEY} digest")
    days = {short_date(day, day) for day in (before, datetime.now(UTC))}  # midnight can pass in between
    first, second = [thread["name"] for thread in double.threads]
    assert first == "On paper 2603.00001"
    assert second in {f"3 new papers · {day}" for day in days}
    assert message.id == f"{double.threads[0]['id']}/{double.threads[0]['id']}"
    assert await platform.find(HERE, KEY, lately()) == message


@pytest.mark.parametrize("fault", ["lose", "500"])
async def test_a_forum_post_whose_answer_was_lost_is_found(
    platform: DiscordPlatform, double: DiscordDouble, redis: Redis, fault: Any
) -> None:
    double.kinds[2000] = FORUM
    await redis.hset("pb:{discord}:kinds", "2000", "forum")
    double.weather.queue.append(fault)
    double.weather.untaken = 0.0
    with pytest.raises(DeliveryUncertain):
        await platform.send(HERE, a_card(), KEY)
    assert await platform.find(HERE, KEY, lately())
    assert await platform.find(HERE, "another", lately()) is None
    assert len(double.threads) == 1


async def test_a_forum_post_that_was_archived_before_the_lookup_is_found(
    platform: DiscordPlatform, double: DiscordDouble, redis: Redis
) -> None:
    double.kinds[2000] = FORUM
    await redis.hset("pb:{discord}:kinds", "2000", "forum")
    double.weather.queue.append("lose")
    with pytest.raises(DeliveryUncertain):
        await platform.send(HERE, a_card(), KEY)
    await platform.send(HERE, a_card(), f"{KEY} other")
    for thread in double.threads:
        double.archive(thread)
    found = await platform.find(HERE, KEY, lately())
    assert found is not None
    assert found.id.startswith(str(double.threads[0]["id"]))
    assert await platform.find(HERE, "another", lately()) is None


async def test_a_lookup_reads_archived_posts_only_back_to_the_attempt(
    platform: DiscordPlatform, double: DiscordDouble
) -> None:
    double.kinds[2000] = FORUM
    for n in range(3):
        await platform.send(HERE, a_card(), f"{KEY} {n}")
    for number, thread in enumerate(double.threads):
        double.archive(thread)
        thread["thread_metadata"]["archive_timestamp"] = f"2025-01-0{number + 1}T00:00:00+00:00"
    before = len(double.requests)
    assert await platform.find(HERE, f"{KEY} 0", lately()) is None
    archived = [path for _, path in double.requests[before:] if path.endswith("/threads/archived/public")]
    assert len(archived) == 1


async def test_posts_in_an_announcement_channel_are_published_if_that_is_enabled(
    platform: DiscordPlatform, double: DiscordDouble, redis: Redis
) -> None:
    await redis.hset("pb:{discord}:kinds", "2000", "news")
    double.kinds[2000] = NEWS
    await platform.send(HERE, a_card(), f"{KEY} private")
    assert not double.published
    for n in range(12):
        await platform.send(HERE, a_card(publish=True), f"{KEY} {n}")
    assert double.published == [message.id for message in double.messages[1:11]]
    assert len(double.messages) == 13, "posts over the hourly publishing limit are posted, too"
    tried = [path for _, path in double.requests if path.endswith("/crosspost")]
    assert len(tried) == 10, "no publishing requests are made beyond the limit"


async def test_a_post_that_cant_be_published_is_posted(
    platform: DiscordPlatform, double: DiscordDouble, redis: Redis
) -> None:
    await redis.hset("pb:{discord}:kinds", "2000", "news")  # outdated: for Discord, it's an ordinary channel
    message = await platform.send(HERE, a_card(publish=True), KEY)
    assert [str(posted.id) for posted in double.messages] == [message.id]
    assert not double.published

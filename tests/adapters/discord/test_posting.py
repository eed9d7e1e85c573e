"""Posts on the wire: once, whatever becomes of the answer; found again; each error with its consequence."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import discord
import pytest
from redis.asyncio import Redis

from adapters.discord.buttons import mark
from adapters.discord.platform import DiscordPlatform
from bot.cards import Card, Posting
from bot.cards.digest import digest_card
from bot.cards.paper import paper_card, short_date
from bot.domain.errors import (
    CardRefused,
    ChannelGone,
    DeliveryUncertain,
    LookupUnsupported,
    RetryLater,
    SendError,
)
from bot.domain.models import ChannelRef, Reason
from bot.store.subscriptions import Subscriptions
from tests.adapters.discord.double.service import FORUM, GUILD, NEWS, DiscordDouble
from tests.papers import a_paper

NOW = datetime(2026, 10, 5, tzinfo=UTC)
HERE = ChannelRef("discord", str(GUILD), "2000")
KEY = f"{HERE}/2603.00001"
A_MINUTE_AGO = timedelta(minutes=1)


def a_card(**posting: Any) -> Card:
    card = paper_card(a_paper(categories=("cs.CL", "cs.LG")), [Reason(1, "paper")], NOW)
    return Card(card.kind, card.notice, card.heading, card.blocks, Posting(**posting))


def lately() -> datetime:
    return datetime.now(UTC) - A_MINUTE_AGO


async def test_a_post_carries_its_mark_as_nonce_and_in_one_button(
    platform: DiscordPlatform, double: DiscordDouble
) -> None:
    message = await platform.send(HERE, a_card(), KEY)
    (posted,) = double.messages
    assert (str(posted.id), posted.nonce) == (message.id, mark(KEY))
    assert message.url == f"https://discord.com/channels/{GUILD}/2000/{posted.id}"
    assert str(posted.body).count(f"~{mark(KEY)} ") == 1
    assert posted.body["allowed_mentions"] == {"parse": []}


async def test_posting_needs_no_gateway(platform: DiscordPlatform, double: DiscordDouble) -> None:
    await platform.send(HERE, a_card(), KEY)
    assert [path for _, path in double.requests] == [
        "/users/@me",
        "/oauth2/applications/@me",
        "/channels/2000/messages",
    ]
    assert not double.gateway.identifies


async def test_a_lost_answer_is_unclear_and_the_same_post_again_is_none(
    platform: DiscordPlatform, double: DiscordDouble
) -> None:
    double.weather.queue.append("lose")
    with pytest.raises(DeliveryUncertain):
        await platform.send(HERE, a_card(), KEY)
    found = await platform.find(HERE, KEY, lately())
    again = await platform.send(HERE, a_card(), KEY)
    assert found == again
    assert len(double.messages) == 1


async def test_what_was_not_posted_is_not_found(platform: DiscordPlatform, double: DiscordDouble) -> None:
    await platform.send(HERE, a_card(), "another")
    assert await platform.find(HERE, KEY, lately()) is None
    assert await platform.find(HERE, "another", datetime.now(UTC) + A_MINUTE_AGO) is None
    assert len(double.messages) == 1


async def test_a_post_is_found_below_many_others(platform: DiscordPlatform, double: DiscordDouble) -> None:
    sent = await platform.send(HERE, a_card(), KEY)
    for n in range(120):
        await platform.send(HERE, a_card(), f"other {n}")
    assert await platform.find(HERE, KEY, lately()) == sent
    assert len(double.messages) == 121


async def test_where_the_history_may_not_be_read_nobody_can_say(
    platform: DiscordPlatform, double: DiscordDouble
) -> None:
    await platform.send(HERE, a_card(), KEY)
    double.hides_history = True
    with pytest.raises(LookupUnsupported):
        await platform.find(HERE, KEY, lately())


async def test_a_post_that_was_deleted_meanwhile_is_done(
    platform: DiscordPlatform, double: DiscordDouble
) -> None:
    double.weather.refuse[2000] = (404, 10008)
    assert (await platform.send(HERE, a_card(), KEY)).id == "deleted"


@pytest.mark.parametrize("fault", ["500", "502", "503"])
async def test_a_server_that_fails_is_asked_once_and_leaves_it_unclear(
    platform: DiscordPlatform, double: DiscordDouble, fault: Any
) -> None:
    await platform.send(HERE, a_card(), "first")
    double.weather.queue.append(fault)
    with pytest.raises(DeliveryUncertain):
        await platform.send(HERE, a_card(), KEY)
    assert double.requests.count(("POST", "/channels/2000/messages")) == 2


async def test_a_short_limit_is_waited_for(platform: DiscordPlatform, double: DiscordDouble) -> None:
    double.weather.queue.append("429")
    double.weather.retry_after = 0.05
    await platform.send(HERE, a_card(), KEY)
    assert len(double.messages) == 1


async def test_a_long_limit_gives_the_post_back(platform: DiscordPlatform, double: DiscordDouble) -> None:
    double.weather.queue.append("429")
    double.weather.retry_after = 60
    with pytest.raises(RetryLater) as caught:
        await platform.send(HERE, a_card(), KEY)
    assert (caught.value.after, caught.value.counts) == (60, False)


async def test_limits_again_and_again_are_no_block(platform: DiscordPlatform, double: DiscordDouble) -> None:
    double.weather.queue.extend(["429"] * 5)
    double.weather.retry_after = 0.01
    with pytest.raises(RetryLater) as caught:
        await platform.send(HERE, a_card(), KEY)
    assert (caught.value.scope, caught.value.counts) == ("channel", False)


async def test_a_block_stops_the_whole_platform(platform: DiscordPlatform, double: DiscordDouble) -> None:
    double.weather.queue.append("429")
    double.weather.without_via = True
    with pytest.raises(RetryLater) as caught:
        await platform.send(HERE, a_card(), KEY)
    assert (caught.value.scope, caught.value.after) == ("platform", 30)


@pytest.mark.parametrize(
    ("status", "code", "consequence"),
    [
        *((404, code, ChannelGone) for code in (10003, 10004)),
        *((403, code, ChannelGone) for code in (50001, 50013)),
        *((400, code, ChannelGone) for code in (50024, 50083, 160005, 40067)),
        (400, 50008, ChannelGone),
        *((400, code, CardRefused) for code in (50035, 50006)),
        *((400, code, RetryLater) for code in (20016, 20028)),
        (401, 0, RetryLater),
    ],
)
async def test_every_error_has_its_consequence(
    platform: DiscordPlatform, double: DiscordDouble, status: int, code: int, consequence: type[SendError]
) -> None:
    double.weather.refuse[2000] = (status, code)
    with pytest.raises(consequence):
        await platform.send(HERE, a_card(), KEY)


async def test_nobody_listening_is_surely_not_posted(
    platform: DiscordPlatform, double: DiscordDouble
) -> None:
    await platform.send(HERE, a_card(), KEY)
    discord.http.Route.BASE = "http://127.0.0.1:9"
    with pytest.raises(RetryLater):
        await platform.send(HERE, a_card(), KEY)
    assert len(double.messages) == 1


async def test_a_refused_token_waits_and_is_not_tried_all_the_time(
    double: DiscordDouble, redis: Redis
) -> None:
    platform = DiscordPlatform("wrong", redis)
    with pytest.raises(RetryLater, match="DISCORD_TOKEN") as caught:
        await platform.send(HERE, a_card(), KEY)
    assert (caught.value.scope, caught.value.after) == ("platform", 60)
    assert not double.messages


async def test_who_subscribed_is_told_once_that_posting_fails(
    platform: DiscordPlatform, double: DiscordDouble, redis: Redis
) -> None:
    await Subscriptions(redis).add(HERE, "paper", "now", "4242 Joe")
    double.weather.refuse[2000] = (403, 50013)
    for _ in range(2):
        with pytest.raises(ChannelGone):
            await platform.send(HERE, a_card(), KEY)
    (told,) = double.messages
    assert told.channel == 4243
    assert "<#2000>" in told.body["content"]
    assert "Send Messages" in told.body["content"]


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


async def test_a_role_is_told_in_a_message_of_words(platform: DiscordPlatform, double: DiscordDouble) -> None:
    await platform.send(HERE, a_card(ping="55"), KEY)
    card, ping = double.messages
    assert ping.body["content"].startswith("<@&55> On paper")
    assert ping.body["allowed_mentions"] == {"parse": [], "roles": [55]}
    assert ping.body["message_reference"]["message_id"] == card.id


async def test_each_card_may_open_a_thread(platform: DiscordPlatform, double: DiscordDouble) -> None:
    await platform.send(HERE, a_card(threads=True), KEY)
    (thread,) = double.threads
    assert (thread["id"], thread["name"]) == (str(double.messages[0].id), "On paper 2603.00001")
    await platform.send(HERE, a_card(threads=True), KEY)
    assert len(double.threads) == len(double.messages) == 1


async def test_a_forum_is_found_out_and_gets_a_post_for_each_card(
    platform: DiscordPlatform, double: DiscordDouble
) -> None:
    double.kinds[2000] = FORUM
    message = await platform.send(HERE, a_card(topics=("cs.CL",)), KEY)
    digest = digest_card([(a_paper(f"2603.0000{n}"), (Reason(1, "paper"),)) for n in range(3)], NOW)
    before = datetime.now(UTC)
    await platform.send(HERE, digest, f"{KEY} digest")
    days = {short_date(day, day) for day in (before, datetime.now(UTC))}  # it may be midnight
    first, second = [thread["name"] for thread in double.threads]
    assert first == "On paper 2603.00001"
    assert second in {f"3 new papers · {day}" for day in days}
    assert message.id == f"{double.threads[0]['id']}/{double.threads[0]['id']}"
    assert await platform.find(HERE, KEY, lately()) == message


@pytest.mark.parametrize("fault", ["lose", "500"])
async def test_a_forums_post_is_found_where_its_answer_was_lost(
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


async def test_a_forums_post_that_a_moderator_closed_before_the_lookup_is_found(
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


async def test_archived_posts_are_read_no_further_back_than_the_attempt(
    platform: DiscordPlatform, double: DiscordDouble
) -> None:
    double.kinds[2000] = FORUM
    for n in range(3):
        await platform.send(HERE, a_card(), f"{KEY} {n}")
    for number, thread in enumerate(double.threads):
        double.archive(thread)
        thread["thread_metadata"]["archive_timestamp"] = f"2025-01-0{number + 1}T00:00:00+00:00"
    asked = len(double.requests)
    assert await platform.find(HERE, f"{KEY} 0", lately()) is None
    archived = [path for _, path in double.requests[asked:] if path.endswith("/threads/archived/public")]
    assert len(archived) == 1


async def test_posts_in_an_announcement_channel_are_published_where_the_channel_wants_it(
    platform: DiscordPlatform, double: DiscordDouble, redis: Redis
) -> None:
    await redis.hset("pb:{discord}:kinds", "2000", "news")
    double.kinds[2000] = NEWS
    await platform.send(HERE, a_card(), f"{KEY} private")
    assert not double.published
    for n in range(12):
        await platform.send(HERE, a_card(publish=True), f"{KEY} {n}")
    assert double.published == [message.id for message in double.messages[1:11]]
    assert len(double.messages) == 13, "what can't be published any more this hour is posted all the same"
    tried = [path for _, path in double.requests if path.endswith("/crosspost")]
    assert len(tried) == 10, "beyond its limit Discord isn't asked"


async def test_a_post_that_cant_be_published_is_posted(
    platform: DiscordPlatform, double: DiscordDouble, redis: Redis
) -> None:
    await redis.hset("pb:{discord}:kinds", "2000", "news")  # but Discord says that it is an ordinary channel
    message = await platform.send(HERE, a_card(publish=True), KEY)
    assert [str(posted.id) for posted in double.messages] == [message.id]
    assert not double.published


async def test_a_card_is_edited_in_its_own_form(platform: DiscordPlatform, double: DiscordDouble) -> None:
    new = paper_card(a_paper(title="A better title"), [Reason(1, "paper")], NOW)
    message = await platform.send(HERE, a_card(), KEY)
    await platform.edit(HERE, message, new)
    classic = await platform.send(HERE, a_card(embeds=True), f"{KEY} 2")
    await platform.edit(HERE, classic, new)
    first, second = double.messages
    assert "A better title" in str(first.body["components"])
    assert second.body["embeds"][0]["title"] == "A better title"
    assert await platform.find(HERE, KEY, lately()) == message


async def test_many_posts_share_one_login(platform: DiscordPlatform, double: DiscordDouble) -> None:
    await asyncio.gather(*(platform.send(HERE, a_card(), f"{n}") for n in range(20)))
    assert double.requests.count(("GET", "/users/@me")) == 1
    assert len(double.messages) == 20


async def test_a_burst_beyond_the_bots_limit_is_posted_once(redis: Redis) -> None:
    async with DiscordDouble().serve() as double:
        discord.http.Route.BASE = double.url
        platform = DiscordPlatform(double.token, redis)

        async def post(channel: ChannelRef) -> None:
            """As a delivery does: what is limited for too long is tried again when the platform says."""
            while True:
                try:
                    await platform.send(channel, a_card(), str(channel))
                except RetryLater as later:
                    await asyncio.sleep(later.after or 0)
                else:
                    return

        channels = [ChannelRef("discord", str(GUILD), str(number)) for number in range(3000, 3070)]
        await asyncio.gather(*map(post, channels))
        await platform.close()
    assert {message.channel for message in double.messages} == {int(channel.channel) for channel in channels}
    assert len(double.messages) == len(channels)

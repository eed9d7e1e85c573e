"""Posts on the wire: posting once even if the answer is lost, lookups, and outcomes of errors."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import discord
import pytest
from redis.asyncio import Redis

from adapters.discord.buttons import mark
from adapters.discord.platform import DiscordPlatform
from bot.cards.paper import paper_card
from bot.domain.errors import (
    CardRefused,
    ChannelGone,
    DeliveryUncertain,
    LookupUnsupported,
    RetryLater,
    SendError,
)
from bot.domain.models import ChannelRef, MessageRef, Reason
from bot.pipeline.pauses import Pauses
from bot.store.outbox.outbox import Outbox
from bot.store.subscriptions import Subscriptions
from tests.adapters.discord.double.faults import RawAnswer
from tests.adapters.discord.double.payloads import GUILD
from tests.adapters.discord.double.service import DiscordDouble
from tests.adapters.discord.posts import A_MINUTE_AGO, HERE, KEY, NOW, a_card, lately
from tests.papers import a_paper


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


async def test_a_post_whose_answer_was_lost_is_uncertain_and_a_retry_makes_no_duplicate(
    platform: DiscordPlatform, double: DiscordDouble
) -> None:
    double.weather.queue.append("lose")
    with pytest.raises(DeliveryUncertain):
        await platform.send(HERE, a_card(), KEY)
    found = await platform.find(HERE, KEY, lately())
    again = await platform.send(HERE, a_card(), KEY)
    assert found == again
    assert len(double.messages) == 1


async def test_a_post_that_never_happened_is_not_found(
    platform: DiscordPlatform, double: DiscordDouble
) -> None:
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


async def test_without_read_message_history_a_lookup_is_unsupported(
    platform: DiscordPlatform, double: DiscordDouble
) -> None:
    await platform.send(HERE, a_card(), KEY)
    double.hides_history = True
    with pytest.raises(LookupUnsupported):
        await platform.find(HERE, KEY, lately())


async def test_a_post_that_was_deleted_meanwhile_counts_as_posted(
    platform: DiscordPlatform, double: DiscordDouble
) -> None:
    double.weather.refuse[2000] = (404, 10008)
    assert (await platform.send(HERE, a_card(), KEY)).id == "deleted"


@pytest.mark.parametrize("fault", ["500", "502", "503"])
async def test_a_server_error_is_not_retried_by_the_library_and_leaves_the_post_uncertain(
    platform: DiscordPlatform, double: DiscordDouble, fault: Any
) -> None:
    await platform.send(HERE, a_card(), "first")
    double.weather.queue.append(fault)
    with pytest.raises(DeliveryUncertain):
        await platform.send(HERE, a_card(), KEY)
    assert double.requests.count(("POST", "/channels/2000/messages")) == 2


async def test_a_short_rate_limit_is_waited_out(platform: DiscordPlatform, double: DiscordDouble) -> None:
    double.weather.queue.append("429")
    double.weather.retry_after = 0.05
    await platform.send(HERE, a_card(), KEY)
    assert len(double.messages) == 1


async def test_a_long_rate_limit_returns_the_post_to_the_outbox(
    platform: DiscordPlatform, double: DiscordDouble
) -> None:
    double.weather.queue.append("429")
    double.weather.retry_after = 60
    with pytest.raises(RetryLater) as caught:
        await platform.send(HERE, a_card(), KEY)
    assert (caught.value.after, caught.value.counts) == (60, False)


async def test_repeated_rate_limits_stop_only_the_channel(
    platform: DiscordPlatform, double: DiscordDouble
) -> None:
    double.weather.queue.extend(["429"] * 5)
    double.weather.retry_after = 0.01
    with pytest.raises(RetryLater) as caught:
        await platform.send(HERE, a_card(), KEY)
    assert (caught.value.scope, caught.value.counts) == ("channel", False)


async def test_a_blocked_ip_address_stops_the_whole_platform(
    platform: DiscordPlatform, double: DiscordDouble
) -> None:
    double.weather.queue.append("429")
    double.weather.without_via = True
    with pytest.raises(RetryLater) as caught:
        await platform.send(HERE, a_card(), KEY)
    assert (caught.value.scope, caught.value.after) == ("platform", 30)


@pytest.mark.parametrize(
    ("status", "code", "outcome"),
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
async def test_each_error_code_has_its_outcome(
    platform: DiscordPlatform, double: DiscordDouble, status: int, code: int, outcome: type[SendError]
) -> None:
    double.weather.refuse[2000] = (status, code)
    with pytest.raises(outcome):
        await platform.send(HERE, a_card(), KEY)


async def test_a_refused_connection_is_retried_because_nothing_was_posted(
    platform: DiscordPlatform, double: DiscordDouble
) -> None:
    await platform.send(HERE, a_card(), KEY)
    discord.http.Route.BASE = "http://127.0.0.1:9"
    with pytest.raises(RetryLater):
        await platform.send(HERE, a_card(), KEY)
    assert len(double.messages) == 1


async def test_a_refused_token_is_retried_after_a_minute(double: DiscordDouble, redis: Redis) -> None:
    platform = DiscordPlatform("wrong", redis)
    with pytest.raises(RetryLater, match="DISCORD_TOKEN") as caught:
        await platform.send(HERE, a_card(), KEY)
    assert (caught.value.scope, caught.value.after) == ("platform", 60)
    assert not double.messages


async def test_the_subscriber_is_notified_once_if_posting_fails(
    platform: DiscordPlatform, double: DiscordDouble, redis: Redis
) -> None:
    await Subscriptions(redis).add(HERE, "paper", "now", "4242 Joe")
    double.weather.refuse[2000] = (403, 50013)
    for _ in range(3):
        with pytest.raises(ChannelGone) as caught:
            await platform.send(HERE, a_card(), KEY)
        await Pauses(platform, Outbox(redis)).pause(HERE, caught.value)
    (notice,) = double.messages
    assert notice.channel == 4243
    assert "<#2000>" in notice.body["content"]
    assert "Send Messages" in notice.body["content"]


async def test_the_owner_is_notified_if_the_subscriber_left(
    platform: DiscordPlatform, double: DiscordDouble, redis: Redis
) -> None:
    await Subscriptions(redis).add(HERE, "paper", "now", "4242 Joe")
    double.left.add(4242)
    assert await platform.notify(HERE, "This thread is locked. Unlock it.")
    assert [notice.channel for notice in double.messages] == [778]
    double.gone.add(778)
    assert not await platform.notify(HERE, "This thread is locked. Unlock it.")
    double.weather.spell = RawAnswer(status=403, body=b"<html>")
    assert not await platform.notify(HERE, "This thread is locked. Unlock it.")


async def test_a_role_is_pinged_in_a_plain_text_message(
    platform: DiscordPlatform, double: DiscordDouble
) -> None:
    await platform.send(HERE, a_card(ping="55"), KEY)
    card, ping = double.messages
    assert ping.body["content"].startswith("<@&55> On paper")
    assert ping.body["allowed_mentions"] == {"parse": [], "roles": [55]}
    assert ping.body["message_reference"]["message_id"] == card.id


async def test_each_card_can_open_a_thread(platform: DiscordPlatform, double: DiscordDouble) -> None:
    await platform.send(HERE, a_card(threads=True), KEY)
    (thread,) = double.threads
    assert (thread["id"], thread["name"]) == (str(double.messages[0].id), "On paper 2603.00001")
    await platform.send(HERE, a_card(threads=True), KEY)
    assert len(double.threads) == len(double.messages) == 1


async def test_an_edited_card_stays_an_embed_or_a_layout(
    platform: DiscordPlatform, double: DiscordDouble
) -> None:
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


async def test_every_post_of_a_burst_over_the_bots_rate_limit_is_posted_once(redis: Redis) -> None:
    async with DiscordDouble().serve() as double:
        discord.http.Route.BASE = double.url
        platform = DiscordPlatform(double.token, redis)

        async def post(channel: ChannelRef) -> None:
            """Post as a delivery does: after a long rate limit, retry when the platform says."""
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


async def test_news_is_posted_in_the_thread_of_its_card(
    platform: DiscordPlatform, double: DiscordDouble
) -> None:
    card = await platform.send(HERE, a_card(), KEY)
    first = await platform.reply(HERE, card, a_card(), "news 1")
    second = await platform.reply(HERE, card, a_card(), "news 2")
    (thread,) = double.threads
    assert thread["id"] == card.id
    assert [message.channel for message in double.messages[1:]] == [int(card.id)] * 2
    assert first.id == f"{card.id}/{double.messages[1].id}"
    assert await platform.find_reply(HERE, card, "news 2", lately()) == second
    assert await platform.find(HERE, "news 2", lately()) is None


async def test_a_reply_whose_answer_was_lost_is_found_in_the_thread(
    platform: DiscordPlatform, double: DiscordDouble
) -> None:
    card = await platform.send(HERE, a_card(), KEY)
    assert await platform.find_reply(HERE, card, "news", lately()) is None
    await platform.reply(HERE, card, a_card(), "older news")
    double.weather.queue.append("lose")
    with pytest.raises(DeliveryUncertain):
        await platform.reply(HERE, card, a_card(), "news")
    found = await platform.find_reply(HERE, card, "news", lately())
    assert found is not None
    assert found == await platform.reply(HERE, card, a_card(), "news")
    assert len(double.messages) == 3


async def test_news_of_a_deleted_card_is_posted_in_the_channel(
    platform: DiscordPlatform, double: DiscordDouble
) -> None:
    for gone in MessageRef("deleted"), MessageRef("77"):
        double.gone = {77}
        posted = await platform.reply(HERE, gone, a_card(), f"news of {gone.id}")
        assert double.messages[-1].channel == int(HERE.channel)
        assert posted.id == str(double.messages[-1].id)


@pytest.mark.parametrize("code", [50013, 50083, 160005, 10003])
async def test_news_is_posted_in_the_channel_if_its_thread_cannot_be_posted_in(
    platform: DiscordPlatform, double: DiscordDouble, code: int
) -> None:
    card = await platform.send(HERE, a_card(threads=True), KEY)
    double.weather.refuse[int(card.id)] = (403, code)
    posted = await platform.reply(HERE, card, a_card(), "news")
    assert double.messages[-1].channel == int(HERE.channel)
    assert posted.id == str(double.messages[-1].id)

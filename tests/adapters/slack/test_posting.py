"""Posting once with a key, outcomes of errors, and lookups of uncertain posts."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from time import time

import pytest
from redis.asyncio import Redis

from adapters.slack.installations import RedisInstallationStore
from adapters.slack.manifest import HISTORY, JOIN, manifest
from adapters.slack.platform import SlackPlatform
from bot.cards import Card
from bot.cards.paper import paper_card
from bot.domain.errors import (
    CardRefused,
    ChannelGone,
    DeliveryUncertain,
    LookupUnsupported,
    RetryLater,
    SendError,
    WorkspaceGone,
)
from bot.domain.models import ChannelRef, MessageRef
from bot.encryption import Encryptor
from tests.adapters.slack.double import Channel, Message, Slack, Workspace
from tests.adapters.slack.running import SECRET_KEY, Running, install
from tests.papers import SPRING, a_paper

CARD = paper_card(a_paper(title="A paper"), (), SPRING)
FULL = paper_card(a_paper(title="A paper", thumbnail_url="https://cdn.example/t.png"), (), SPRING, "full")


class Poster:
    """A platform that only posts, with a channel of the workspace “lab”."""

    def __init__(self, slack: Slack, redis: Redis) -> None:
        self.slack = slack
        self.workspace: Workspace = slack.workspace("lab")
        self.ada = slack.person(self.workspace)
        self.room: Channel = slack.channel(self.workspace, "papers", self.ada)
        self.token = slack.world.install(self.workspace, self.ada.user)
        self.room.members.add(self.workspace.bot_user)
        self.to = ChannelRef("slack", self.workspace.id, self.room.id)
        self.platform = SlackPlatform(Running(slack, redis).socket(self.token.value), redis)
        self.began = datetime.now(UTC) - timedelta(minutes=1)

    async def send(self, key: str = "k1", card: Card = CARD) -> MessageRef:
        return await self.platform.send(self.to, card, key)

    async def find(self, key: str = "k1") -> MessageRef | None:
        return await self.platform.find(self.to, key, self.began)


@pytest.fixture
async def poster(redis: Redis) -> AsyncIterator[Poster]:
    async with Slack(manifest("socket")).serve() as slack:
        made = Poster(slack, redis)
        yield made
        await made.platform.close()


async def test_a_card_is_posted_with_its_key_and_without_unfurling(poster: Poster) -> None:
    message = await poster.send("slack:T1:C1/2603.00001")
    (posted,) = poster.room.messages
    assert posted.metadata == {
        "event_type": "paperboy_delivery",
        "event_payload": {"key": "slack:T1:C1/2603.00001"},
    }
    assert posted.options == {"unfurl_links": False, "unfurl_media": False, "mrkdwn": False}
    assert posted.text.startswith("A paper")
    assert message.id == posted.ts
    assert message.url == f"https://lab.slack.com/archives/{poster.room.id}/p{posted.ts.replace('.', '')}"


@pytest.mark.parametrize(
    ("fault", "expected", "scope"),
    [
        ("account_inactive", WorkspaceGone, ""),
        ("token_revoked", WorkspaceGone, ""),
        ("invalid_auth", WorkspaceGone, ""),
        ("not_authed", WorkspaceGone, ""),
        ("token_expired", WorkspaceGone, ""),
        ("missing_scope", WorkspaceGone, ""),
        ("no_permission", WorkspaceGone, ""),
        ("team_access_not_granted", WorkspaceGone, ""),
        ("channel_not_found", ChannelGone, ""),
        ("not_in_channel", ChannelGone, ""),
        ("is_archived", ChannelGone, ""),
        ("restricted_action", ChannelGone, ""),
        ("restricted_action_read_only_channel", ChannelGone, ""),
        ("429 7", RetryLater, "channel"),
        ("message_limit_exceeded", RetryLater, "workspace"),
        ("service_unavailable", RetryLater, "workspace"),
        ("internal_error", DeliveryUncertain, ""),
        ("fatal_error", DeliveryUncertain, ""),
        ("request_timeout", DeliveryUncertain, ""),
        ("500", DeliveryUncertain, ""),
        ("500 taken", DeliveryUncertain, ""),
        ("lose", DeliveryUncertain, ""),
        ("garbage", DeliveryUncertain, ""),
        ("something_new", RetryLater, "channel"),
    ],
)
async def test_each_error_of_slack_raises_its_outcome(
    poster: Poster, fault: str, expected: type[SendError], scope: str
) -> None:
    poster.slack.faults.next("chat.postMessage", fault)
    with pytest.raises(expected) as caught:
        await poster.send()
    assert len(poster.slack.calls("chat.postMessage")) <= 1, "the call must not be repeated"
    if isinstance(caught.value, RetryLater):
        assert caught.value.scope == scope
        assert not caught.value.counts
    if fault == "429 7":
        assert isinstance(caught.value, RetryLater)
        assert caught.value.after == 7.0


async def test_an_unreachable_slack_is_retried_platform_wide(redis: Redis) -> None:
    async with Slack(manifest("socket")).serve() as slack:
        poster = Poster(slack, redis)
        await poster.send("k0")
    with pytest.raises((DeliveryUncertain, RetryLater)):
        await poster.send()  # the connection may still have been open
    with pytest.raises(RetryLater) as caught:
        await poster.send()
    assert caught.value.scope == "platform"
    await poster.platform.close()


async def test_a_post_whose_answer_was_lost_is_found_and_never_repeated(poster: Poster) -> None:
    poster.slack.faults.next("chat.postMessage", "lose")
    with pytest.raises(DeliveryUncertain):
        await poster.send()
    found = await poster.find()
    assert found is not None
    assert [m.ts for m in poster.room.messages] == [found.id]
    assert await poster.find("another") is None


async def test_a_post_is_found_behind_hundreds_of_others_even_in_pages_of_15(poster: Poster) -> None:
    posted = await poster.send()
    for n in range(230):
        poster.room.messages.append(
            Message(ts=poster.slack.world.stamp(), channel=poster.room, text=str(n), by=poster.ada.user)
        )
    assert await poster.find() == posted
    poster.slack.methods.history_limit = 15
    assert await poster.find() == posted
    assert await poster.find("k2") is None


async def test_a_rate_limited_lookup_continues_where_it_stopped(poster: Poster) -> None:
    posted = await poster.send()
    for n in range(40):
        poster.room.messages.append(
            Message(ts=poster.slack.world.stamp(), channel=poster.room, text=str(n), by=poster.ada.user)
        )
    poster.slack.methods.history_limit = 15
    for _ in range(2):  # one page a minute
        poster.slack.faults.next("conversations.history", "ok", "429 60")
        with pytest.raises(RetryLater):
            await poster.find()
    assert await poster.find() == posted
    assert [call.answer for call in poster.slack.calls("conversations.history")].count("ok") == 3


@pytest.mark.parametrize("scopes", [set(HISTORY), {"channels:history"}])
async def test_without_the_history_scope_lookup_is_unsupported(poster: Poster, scopes: set[str]) -> None:
    poster.token.scopes -= scopes
    with pytest.raises(LookupUnsupported):
        await poster.find()


async def test_a_post_in_a_public_channel_is_looked_up_by_joining_the_channel(poster: Poster) -> None:
    poster.room.members.discard(poster.workspace.bot_user)
    poster.slack.faults.next("chat.postMessage", "lose")
    with pytest.raises(DeliveryUncertain):
        await poster.send()
    found = await poster.find()
    assert found is not None
    assert [m.ts for m in poster.room.messages] == [found.id]


async def test_an_uncertain_post_is_held_if_the_app_cannot_join(poster: Poster) -> None:
    poster.room.members.discard(poster.workspace.bot_user)
    poster.token.scopes -= {JOIN}
    await poster.send()
    with pytest.raises(LookupUnsupported):
        await poster.find()
    assert poster.platform.on_uncertain == "hold"


async def test_lookup_is_retried_if_joining_fails_temporarily(poster: Poster) -> None:
    poster.room.members.discard(poster.workspace.bot_user)
    for fault in ("internal_error", "html 403", "429 3", "something_new"):
        poster.slack.faults.next("conversations.join", fault)
        with pytest.raises(RetryLater):
            await poster.find()


async def test_a_failed_lookup_never_raises_delivery_uncertain(poster: Poster) -> None:
    poster.slack.faults.next("conversations.history", "500", "500", "429 5", "is_archived")
    for expected in (RetryLater, RetryLater, ChannelGone):
        with pytest.raises(expected):
            await poster.find()


async def test_a_refused_layout_is_simplified_until_slack_accepts_it(poster: Poster) -> None:
    poster.slack.faults.next("chat.postMessage", "invalid_blocks")
    await poster.send(card=FULL)
    assert "accessory" not in str(poster.room.messages[-1].blocks)
    assert poster.room.messages[-1].blocks
    poster.slack.faults.next("chat.postMessage", "invalid_blocks", "msg_blocks_too_long")
    await poster.send("k2", FULL)
    assert poster.room.messages[-1].blocks == []
    assert "https://arxiv.org/abs/" in poster.room.messages[-1].text
    assert [m.metadata and m.metadata["event_payload"]["key"] for m in poster.room.messages] == ["k1", "k2"]
    poster.slack.faults.always["chat.postMessage"] = "msg_too_long"
    with pytest.raises(CardRefused):
        await poster.send("k3")


async def test_an_edited_card_keeps_its_key(poster: Poster) -> None:
    message = await poster.send()
    await poster.platform.edit(poster.to, message, paper_card(a_paper(title="A better title"), (), SPRING))
    (posted,) = poster.room.messages
    assert posted.text.startswith("A better title")
    assert await poster.find() == message
    with pytest.raises(SendError):
        await poster.platform.edit(poster.to, MessageRef("1.000001"), CARD)


async def test_a_token_is_never_used_for_another_workspace(poster: Poster) -> None:
    with pytest.raises(WorkspaceGone):
        await poster.platform.send(ChannelRef("slack", "T9", "C9"), CARD, "k")


class TestRotation:
    """Tokens with a lifetime of 12 hours, of an app that was installed over HTTP."""

    @pytest.fixture
    async def bot(self, redis: Redis) -> AsyncIterator[Running]:
        async with Slack(manifest("http")).serve() as slack:
            running = Running(slack, redis)
            await running.start(running.http())
            yield running
            await running.stop()

    async def lab(self, bot: Running) -> tuple[ChannelRef, Channel]:
        workspace = bot.slack.workspace("lab")
        ada = bot.slack.person(workspace)
        room = bot.slack.channel(workspace, "papers", ada)
        await install(bot.slack, bot.address, ada)
        return ChannelRef("slack", workspace.id, room.id), room

    async def expire(self, bot: Running, to: ChannelRef, *, known: bool) -> None:
        """Expire the token. Unless `known`, only Slack knows that it has expired."""
        for token in bot.slack.world.tokens.values():
            token.expires_at = time() - 1
        if known:
            store = RedisInstallationStore(bot.redis, Encryptor([SECRET_KEY]))
            installed = await store.of(to.workspace)
            assert installed is not None
            installed.bot_token_expires_at = int(time())
            await store.async_save(installed)

    @pytest.mark.parametrize("known", [True, False])
    async def test_a_post_exchanges_an_expired_token_once(self, bot: Running, known: bool) -> None:
        to, room = await self.lab(bot)
        await bot.platform.send(to, CARD, "k1")
        await self.expire(bot, to, known=known)
        await asyncio.gather(*(bot.platform.send(to, CARD, f"k{n}") for n in range(2, 8)))
        assert len(room.messages) == 7
        refreshed = [call for call in bot.slack.calls("oauth.v2.access") if "grant_type" in call.body]
        assert [call.answer for call in refreshed] == ["ok"], "one process exchanges it once"

    async def test_a_token_that_cannot_be_exchanged_pauses_the_workspace(self, bot: Running) -> None:
        to, _ = await self.lab(bot)
        await self.expire(bot, to, known=True)
        bot.slack.faults.next("oauth.v2.access", "invalid_refresh_token")
        with pytest.raises(WorkspaceGone):
            await bot.platform.send(to, CARD, "k1")

    async def test_a_failed_exchange_is_retried(self, bot: Running) -> None:
        to, room = await self.lab(bot)
        await self.expire(bot, to, known=True)
        bot.slack.faults.next("oauth.v2.access", "500")
        with pytest.raises(RetryLater):
            await bot.platform.send(to, CARD, "k1")
        await bot.platform.send(to, CARD, "k1")
        assert len(room.messages) == 1


async def test_news_is_posted_in_the_thread_of_its_card(poster: Poster) -> None:
    card = await poster.send()
    reply = await poster.platform.reply(poster.to, card, CARD, "news")
    assert [message.thread_ts for message in poster.room.messages] == [None, card.id]
    assert await poster.platform.find_reply(poster.to, card, "news", poster.began) == reply
    assert await poster.find("news") is None, "the reply isn't in the channel itself"


async def test_a_reply_whose_answer_was_lost_is_found_in_the_thread(poster: Poster) -> None:
    card = await poster.send()
    poster.slack.faults.next("chat.postMessage", "lose")
    with pytest.raises(DeliveryUncertain):
        await poster.platform.reply(poster.to, card, CARD, "news")
    found = await poster.platform.find_reply(poster.to, card, "news", poster.began)
    assert found is not None
    assert found.id == poster.room.messages[-1].ts
    assert await poster.platform.find_reply(poster.to, card, "other news", poster.began) is None


async def test_news_of_a_deleted_card_is_posted_in_the_channel(poster: Poster) -> None:
    gone = MessageRef("1700000000.000100")
    reply = await poster.platform.reply(poster.to, gone, CARD, "news")
    assert [(message.ts, message.thread_ts) for message in poster.room.messages] == [(reply.id, None)]
    assert await poster.platform.find_reply(poster.to, gone, "news", poster.began) is None
    assert await poster.find("news") == reply


async def test_a_direct_message_whose_answer_was_lost_is_found(poster: Poster) -> None:
    person = ChannelRef.of_person("slack", poster.workspace.id, poster.ada.user)
    poster.slack.faults.next("chat.postMessage", "lose")
    with pytest.raises(DeliveryUncertain):
        await poster.platform.send(person, CARD, "news")
    (message,) = poster.ada.direct()
    found = await poster.platform.find(person, "news", poster.began)
    assert found is not None
    assert found.id == f"{message.channel.id}/{message.ts}"
    assert await poster.platform.find(person, "other news", poster.began) is None


async def test_a_card_in_direct_messages_can_be_edited_and_replied_to(poster: Poster) -> None:
    person = ChannelRef.of_person("slack", poster.workspace.id, poster.ada.user)
    card = await poster.platform.send(person, CARD, "paper")
    await poster.platform.edit(person, card, CARD)
    await poster.platform.reply(person, card, CARD, "news")
    message, news = poster.ada.direct()
    assert message.edited == 1
    assert news.thread_ts == message.ts
    assert await poster.platform.find_reply(person, card, "news", poster.began) is not None


async def test_without_the_optional_scopes_direct_messages_cannot_be_looked_up(poster: Poster) -> None:
    person = ChannelRef.of_person("slack", poster.workspace.id, poster.ada.user)
    await poster.platform.send(person, CARD, "news")
    for token in poster.slack.world.tokens.values():
        token.scopes -= {"im:history", "im:write"}
    with pytest.raises(LookupUnsupported):
        await poster.platform.find(person, "news", poster.began)

"""Posting once, with a key; what errors mean; and looking up an uncertain post."""

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


class Desk:
    """A platform that only posts, in the workspace “lab”."""

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
async def desk(redis: Redis) -> AsyncIterator[Desk]:
    async with Slack(manifest("socket")).serve() as slack:
        made = Desk(slack, redis)
        yield made
        await made.platform.close()


async def test_a_card_is_posted_with_its_key_and_nothing_unfurls(desk: Desk) -> None:
    message = await desk.send("slack:T1:C1/2603.00001")
    (posted,) = desk.room.messages
    assert posted.metadata == {
        "event_type": "paperboy_delivery",
        "event_payload": {"key": "slack:T1:C1/2603.00001"},
    }
    assert posted.options == {"unfurl_links": False, "unfurl_media": False, "mrkdwn": False}
    assert posted.text.startswith("A paper")
    assert message.id == posted.ts
    assert message.url == f"https://lab.slack.com/archives/{desk.room.id}/p{posted.ts.replace('.', '')}"


@pytest.mark.parametrize(
    ("fault", "meaning", "scope"),
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
async def test_errors_raise_what_the_delivery_should_do(
    desk: Desk, fault: str, meaning: type[SendError], scope: str
) -> None:
    desk.slack.faults.next("chat.postMessage", fault)
    with pytest.raises(meaning) as caught:
        await desk.send()
    assert len(desk.slack.calls("chat.postMessage")) <= 1, "the call was repeated"
    if isinstance(caught.value, RetryLater):
        assert caught.value.scope == scope
        assert not caught.value.counts
    if fault == "429 7":
        assert isinstance(caught.value, RetryLater)
        assert caught.value.after == 7.0


async def test_an_unreachable_slack_is_retried_by_the_whole_platform(redis: Redis) -> None:
    async with Slack(manifest("socket")).serve() as slack:
        desk = Desk(slack, redis)
        await desk.send("k0")
    with pytest.raises((DeliveryUncertain, RetryLater)):
        await desk.send()  # it may have met a connection that was still open
    with pytest.raises(RetryLater) as caught:
        await desk.send()
    assert caught.value.scope == "platform"
    await desk.platform.close()


async def test_a_post_whose_answer_was_lost_is_found_and_never_repeated(desk: Desk) -> None:
    desk.slack.faults.next("chat.postMessage", "lose")
    with pytest.raises(DeliveryUncertain):
        await desk.send()
    found = await desk.find()
    assert found is not None
    assert [m.ts for m in desk.room.messages] == [found.id]
    assert await desk.find("another") is None


async def test_a_post_is_found_behind_hundreds_of_others_even_by_pages_of_15(desk: Desk) -> None:
    posted = await desk.send()
    for n in range(230):
        desk.room.messages.append(
            Message(ts=desk.slack.world.stamp(), channel=desk.room, text=str(n), by=desk.ada.user)
        )
    assert await desk.find() == posted
    desk.slack.methods.history_limit = 15
    assert await desk.find() == posted
    assert await desk.find("k2") is None


async def test_a_rate_limited_lookup_continues_where_it_stopped(desk: Desk) -> None:
    posted = await desk.send()
    for n in range(40):
        desk.room.messages.append(
            Message(ts=desk.slack.world.stamp(), channel=desk.room, text=str(n), by=desk.ada.user)
        )
    desk.slack.methods.history_limit = 15
    for _ in range(2):  # one page a minute
        desk.slack.faults.next("conversations.history", "ok", "429 60")
        with pytest.raises(RetryLater):
            await desk.find()
    assert await desk.find() == posted
    assert [call.answer for call in desk.slack.calls("conversations.history")].count("ok") == 3


@pytest.mark.parametrize("scopes", [set(HISTORY), {"channels:history"}])
async def test_without_the_history_scope_lookup_is_unsupported(desk: Desk, scopes: set[str]) -> None:
    desk.token.scopes -= scopes
    with pytest.raises(LookupUnsupported):
        await desk.find()


async def test_a_post_in_a_public_channel_that_the_app_never_joined_is_found_by_joining(desk: Desk) -> None:
    desk.room.members.discard(desk.workspace.bot_user)
    desk.slack.faults.next("chat.postMessage", "lose")
    with pytest.raises(DeliveryUncertain):
        await desk.send()
    found = await desk.find()
    assert found is not None
    assert [m.ts for m in desk.room.messages] == [found.id]


async def test_an_uncertain_post_is_held_if_the_app_may_not_join(desk: Desk) -> None:
    desk.room.members.discard(desk.workspace.bot_user)
    desk.token.scopes -= {JOIN}
    await desk.send()
    with pytest.raises(LookupUnsupported):
        await desk.find()
    assert desk.platform.on_uncertain == "hold"


async def test_lookup_is_retried_if_joining_fails_for_now(desk: Desk) -> None:
    desk.room.members.discard(desk.workspace.bot_user)
    for fault in ("internal_error", "html 403", "429 3", "something_new"):
        desk.slack.faults.next("conversations.join", fault)
        with pytest.raises(RetryLater):
            await desk.find()


async def test_a_failed_lookup_is_never_an_uncertain_post(desk: Desk) -> None:
    desk.slack.faults.next("conversations.history", "500", "500", "429 5", "is_archived")
    for meaning in (RetryLater, RetryLater, ChannelGone):
        with pytest.raises(meaning):
            await desk.find()


async def test_a_refused_layout_is_simplified_until_slack_takes_it(desk: Desk) -> None:
    desk.slack.faults.next("chat.postMessage", "invalid_blocks")
    await desk.send(card=FULL)
    assert "accessory" not in str(desk.room.messages[-1].blocks)
    assert desk.room.messages[-1].blocks
    desk.slack.faults.next("chat.postMessage", "invalid_blocks", "msg_blocks_too_long")
    await desk.send("k2", FULL)
    assert desk.room.messages[-1].blocks == []
    assert "https://arxiv.org/abs/" in desk.room.messages[-1].text
    assert [m.metadata and m.metadata["event_payload"]["key"] for m in desk.room.messages] == ["k1", "k2"]
    desk.slack.faults.always["chat.postMessage"] = "msg_too_long"
    with pytest.raises(CardRefused):
        await desk.send("k3")


async def test_an_edited_card_keeps_its_key(desk: Desk) -> None:
    message = await desk.send()
    await desk.platform.edit(desk.to, message, paper_card(a_paper(title="A better title"), (), SPRING))
    (posted,) = desk.room.messages
    assert posted.text.startswith("A better title")
    assert await desk.find() == message
    with pytest.raises(SendError):
        await desk.platform.edit(desk.to, MessageRef("1.000001"), CARD)


async def test_a_token_is_never_used_for_another_workspace(desk: Desk) -> None:
    with pytest.raises(WorkspaceGone):
        await desk.platform.send(ChannelRef("slack", "T9", "C9"), CARD, "k")


class TestRotation:
    """Tokens that live 12 hours, of an app that was installed over HTTP."""

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
        """Let 12 hours pass. Unless `known`, only Slack knows that the token has expired."""
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
        assert [call.answer for call in refreshed] == ["ok"], "one process, once"

    async def test_a_token_that_can_not_be_exchanged_pauses_the_workspace(self, bot: Running) -> None:
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


async def test_news_are_posted_in_the_thread_of_their_card(desk: Desk) -> None:
    card = await desk.send()
    reply = await desk.platform.reply(desk.to, card, CARD, "news")
    assert [message.thread_ts for message in desk.room.messages] == [None, card.id]
    assert await desk.platform.find_reply(desk.to, card, "news", desk.began) == reply
    assert await desk.find("news") is None, "no one sees it in the channel"


async def test_a_reply_whose_answer_was_lost_is_found_in_the_thread(desk: Desk) -> None:
    card = await desk.send()
    desk.slack.faults.next("chat.postMessage", "lose")
    with pytest.raises(DeliveryUncertain):
        await desk.platform.reply(desk.to, card, CARD, "news")
    found = await desk.platform.find_reply(desk.to, card, "news", desk.began)
    assert found is not None
    assert found.id == desk.room.messages[-1].ts
    assert await desk.platform.find_reply(desk.to, card, "other news", desk.began) is None


async def test_news_of_a_card_that_is_gone_are_posted_in_the_channel(desk: Desk) -> None:
    gone = MessageRef("1700000000.000100")
    reply = await desk.platform.reply(desk.to, gone, CARD, "news")
    assert [(message.ts, message.thread_ts) for message in desk.room.messages] == [(reply.id, None)]
    assert await desk.platform.find_reply(desk.to, gone, "news", desk.began) is None
    assert await desk.find("news") == reply


async def test_a_direct_message_whose_answer_was_lost_is_found(desk: Desk) -> None:
    person = ChannelRef.of_person("slack", desk.workspace.id, desk.ada.user)
    desk.slack.faults.next("chat.postMessage", "lose")
    with pytest.raises(DeliveryUncertain):
        await desk.platform.send(person, CARD, "news")
    (message,) = desk.ada.direct()
    found = await desk.platform.find(person, "news", desk.began)
    assert found is not None
    assert found.id == f"{message.channel.id}/{message.ts}"
    assert await desk.platform.find(person, "other news", desk.began) is None


async def test_a_card_in_direct_messages_is_edited_and_replied_to(desk: Desk) -> None:
    person = ChannelRef.of_person("slack", desk.workspace.id, desk.ada.user)
    card = await desk.platform.send(person, CARD, "paper")
    await desk.platform.edit(person, card, CARD)
    await desk.platform.reply(person, card, CARD, "news")
    message, news = desk.ada.direct()
    assert message.edited == 1
    assert news.thread_ts == message.ts
    assert await desk.platform.find_reply(person, card, "news", desk.began) is not None


async def test_without_the_optional_scopes_direct_messages_can_not_be_looked_up(desk: Desk) -> None:
    person = ChannelRef.of_person("slack", desk.workspace.id, desk.ada.user)
    await desk.platform.send(person, CARD, "news")
    for token in desk.slack.world.tokens.values():
        token.scopes -= {"im:history", "im:write"}
    with pytest.raises(LookupUnsupported):
        await desk.platform.find(person, "news", desk.began)

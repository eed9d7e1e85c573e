"""Events about channels and workspaces lead to the right state, and the right person is notified."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from redis.asyncio import Redis

from adapters.slack.http import EVENTS
from adapters.slack.notices import helpers
from bot.domain.models import ChannelRef, Subscription
from bot.store.outbox.outbox import Outbox
from tests.adapters.slack.double import Message
from tests.adapters.slack.harness import slack_harness
from tests.adapters.slack.installed_app import InstalledApp, installed_app
from tests.adapters.slack.running import Running, install
from tests.papers import SPRING, a_paper
from tests.platform_harness import arrive, deliver


@pytest.fixture
async def app(redis: Redis) -> AsyncIterator[InstalledApp]:
    async with installed_app(redis) as made:
        yield made


async def test_the_person_who_installs_the_app_learns_how_to_start(app: InstalledApp) -> None:
    assert "/paper subscribe" in app.text_of(app.ada.direct())
    assert app.ben.direct() == []


async def test_an_archived_channel_is_paused_announced_and_resumed(app: InstalledApp) -> None:
    await app.subscribe(app.room)
    await app.publish_paper()
    await app.ada.archive(app.room)
    for _ in range(3):
        await app.publish_paper()
    assert app.cards(app.room) == ["Diffusion 1"]
    (notice,) = app.ben.direct()
    assert "the channel is archived" in app.text_of([notice])
    assert "archived" not in app.text_of(app.ada.direct())
    await app.ada.archive(app.room, archived=False)
    await app.running.settled()
    await deliver(app.running.bot)
    assert sorted(app.cards(app.room)) == [f"Diffusion {n}" for n in range(1, 5)]


async def test_a_private_channel_is_paused_until_the_app_is_invited_back(app: InstalledApp) -> None:
    await app.ben.invite(app.den)
    await app.running.settled()
    await app.subscribe(app.den)
    await app.ada.remove(app.den)
    await app.running.settled()
    await app.publish_paper()
    assert "/invite @Paperboy" in app.text_of(app.ben.direct())
    assert app.cards(app.den) == []
    await app.ben.invite(app.den)
    await app.running.settled()
    assert "1 subscription is active again" in app.text_of(app.den.messages)
    await deliver(app.running.bot)
    assert app.cards(app.den) == ["Diffusion 1"]


async def test_a_public_channel_that_removed_the_app_gets_no_posts(app: InstalledApp) -> None:
    """Slack itself would accept such posts."""
    await app.subscribe(app.room)
    await app.ada.remove(app.room)
    await app.running.settled()
    await app.publish_paper()
    await app.publish_paper()
    assert app.cards(app.room) == []
    (notice,) = app.ben.direct()
    assert "/invite @Paperboy" in app.text_of([notice])
    await app.ben.type(app.room, "subscribe robots")
    await app.running.settled()
    await deliver(app.running.bot)
    assert sorted(app.cards(app.room)) == ["Diffusion 1", "Diffusion 2"]


async def test_an_outdated_removal_event_is_ignored_while_the_app_is_in_the_channel(
    app: InstalledApp,
) -> None:
    await app.subscribe(app.room)
    await app.send_event({"type": "channel_left", "channel": app.room.id, "actor_id": app.ada.user})
    await app.publish_paper()
    assert app.cards(app.room) == ["Diffusion 1"]


async def test_a_missed_removal_is_detected_by_the_next_post(app: InstalledApp) -> None:
    await app.ben.invite(app.den)
    await app.running.settled()
    await app.subscribe(app.den)
    app.den.members.discard(app.workspace.bot_user)
    await app.publish_paper()
    before = len(app.slack.calls("chat.postMessage"))
    await app.publish_paper()
    assert len(app.slack.calls("chat.postMessage")) == before
    await app.ben.invite(app.den)
    await app.running.settled()
    await deliver(app.running.bot)
    assert sorted(app.cards(app.den)) == ["Diffusion 1", "Diffusion 2"]


async def test_a_deleted_channel_is_forgotten_and_its_subscriber_is_notified(app: InstalledApp) -> None:
    await app.subscribe(app.room)
    for _ in range(2):
        await app.send_event({"type": "channel_deleted", "channel": app.room.id})
    assert await app.running.bot.core.subscriptions([app.ref(app.room)]) == {}
    (notice,) = app.ben.direct()
    assert "was deleted, and its 1 subscription with it: diffusion" in app.text_of([notice])


async def test_an_event_that_stops_posts_is_announced_before_the_next_post(app: InstalledApp) -> None:
    for channel in (app.room, app.den):
        await app.ben.invite(channel)
        await app.running.settled()
        await app.subscribe(channel)
    await app.ada.archive(app.room)
    await app.running.settled()
    assert "the channel is archived" in app.text_of(app.ben.direct())
    await app.ada.remove(app.den)
    await app.running.settled()
    assert "/invite @Paperboy" in app.text_of(app.ben.direct())
    paused = await Outbox(app.running.redis).paused_counts()
    assert paused["slack", "channel"][0] == 2
    for _ in range(2):
        await app.publish_paper()
    await app.ada.archive(app.room, archived=False)
    await app.ada.archive(app.room)
    await app.running.settled()
    assert len(app.ben.direct()) == 2, "one message per problem"


async def test_events_of_channels_without_subscriptions_notify_nobody(app: InstalledApp) -> None:
    await app.ben.invite(app.den)
    await app.ada.archive(app.room)
    await app.ada.remove(app.den)
    await app.send_event({"type": "channel_deleted", "channel": app.room.id})
    await app.running.settled()
    assert app.ben.direct() == []
    assert await Outbox(app.running.redis).paused_counts() == {}


async def test_a_channel_whose_id_changes_keeps_its_subscriptions_and_sent_records(app: InstalledApp) -> None:
    await app.ben.invite(app.den)
    await app.running.settled()
    await app.subscribe(app.den)
    await app.answer_to(app.ben, app.den, "mute robots")
    await app.publish_paper()
    assert app.cards(app.den) == ["Diffusion 1"]
    old = app.ref(app.den)
    await app.ben.change_id(app.den)
    await app.running.settled()
    assert "diffusion" in await app.answer_to(app.ben, app.den, "list")
    await app.publish_paper()
    await arrive(app.running.bot, a_paper("2603.00001", title="Diffusion 1", upvotes=90))
    assert app.cards(app.den) == ["Diffusion 1", "Diffusion 2"]
    core = app.running.bot.core
    assert await core.subscriptions([old]) == {}
    await core.move(old, app.ref(app.den))  # a repeated move
    assert len((await core.subscriptions([app.ref(app.den)]))[app.ref(app.den)]) == 1


async def test_an_uncertain_post_is_looked_up_under_its_channels_new_id(app: InstalledApp) -> None:
    await app.ben.invite(app.den)
    await app.running.settled()
    await app.subscribe(app.den)
    app.slack.faults.next("chat.postMessage", "lose")
    app.slack.faults.always["conversations.history"] = "fatal_error"
    await app.publish_paper()
    old = app.ref(app.den)
    await app.ben.change_id(app.den)
    await app.running.settled()
    waiting = await Outbox(app.running.redis).open_deliveries(app.ref(app.den))
    assert [delivery.state for delivery in waiting] == ["unknown"]
    assert await Outbox(app.running.redis).open_deliveries(old) == []
    app.slack.faults.always.clear()
    assert await app.running.platform.find(app.ref(app.den), waiting[0].key, SPRING)


async def test_an_uninstallation_takes_effect_at_once_in_all_processes(
    app: InstalledApp, redis: Redis
) -> None:
    other = Running(app.slack, redis)
    await other.start(other.http())
    first = app.running.address
    for address in (other.address, first):
        app.slack.at(address + EVENTS)
        trigger = await app.ben.type(app.room, "list")
        await asyncio.gather(other.settled(), app.running.settled())
        assert "subscriptions" in app.text_of([a for a in app.ben.answers(trigger) if isinstance(a, Message)])
    await app.ada.uninstall()  # the first process receives the event
    await app.running.settled()
    for address in (other.address, first):
        app.slack.at(address + EVENTS)
        trigger = await app.ben.type(app.room, "list")
        assert ["isn't installed" in str(a) for a in app.ben.answers(trigger)] == [True]
    await other.stop()


async def test_an_uninstalled_single_workspace_app_is_unavailable_until_it_starts_with_a_valid_token(
    redis: Redis,
) -> None:
    async with slack_harness(redis) as harness:
        await harness.say("subscribe diffusion")
        await harness.slack.event(harness.workspace, {"type": "app_uninstalled"})
        await harness.settled()
        trigger = await harness.person.type(harness.room, "list")
        await harness.settled()
        (answer,) = harness.person.answers(trigger)
        assert isinstance(answer, Message)
        assert "isn't installed" in answer.text
        await harness.restart()
        assert "diffusion" in (await harness.say("list")).text


async def test_renaming_a_channel_changes_nothing(app: InstalledApp) -> None:
    await app.subscribe(app.room)
    app.room.name = "reading"
    await app.send_event({"type": "channel_rename", "channel": {"id": app.room.id, "name": "reading"}})
    await app.publish_paper()
    assert app.cards(app.room) == ["Diffusion 1"]
    assert f"<#{app.room.id}>" in (await app.ben.open_home()).text


async def test_other_members_who_join_are_not_greeted(app: InstalledApp) -> None:
    await app.send_event({"type": "member_joined_channel", "user": app.ben.user, "channel": app.room.id})
    assert app.room.messages == []


async def test_a_repeated_event_is_handled_once(app: InstalledApp) -> None:
    joined: dict[str, Any] = {
        "type": "member_joined_channel",
        "user": app.workspace.bot_user,
        "channel": app.room.id,
    }
    joined["inviter"] = app.ben.user
    for _ in range(3):
        await app.slack.event(app.workspace, joined, event_id="Ev1")
        await app.running.settled()
    assert len(app.room.messages) == 1


async def test_a_late_uninstall_event_does_not_undo_a_new_installation(app: InstalledApp) -> None:
    await app.subscribe(app.room)
    await app.send_event({"type": "app_uninstalled", "event_ts": 1_700_000_000})
    await app.publish_paper()
    assert app.cards(app.room) == ["Diffusion 1"]


async def test_a_revoked_personal_token_changes_nothing(app: InstalledApp) -> None:
    await app.subscribe(app.room)
    await app.send_event({"type": "tokens_revoked", "tokens": {"oauth": [app.ben.user], "bot": []}})
    await app.publish_paper()
    assert app.cards(app.room) == ["Diffusion 1"]


async def test_commands_after_an_uninstallation_get_an_explanation(app: InstalledApp) -> None:
    other = app.slack.workspace("other")
    eve = app.slack.person(other, "eve")
    room = app.slack.channel(other, "x", eve)
    trigger = await eve.type(room, "list")
    (answer,) = eve.answers(trigger)
    assert isinstance(answer, Message)
    assert "isn't installed" in answer.text


async def test_a_missing_scope_pauses_the_workspace_and_notifies_the_installer(app: InstalledApp) -> None:
    await app.subscribe(app.room)
    app.slack.faults.always[f"chat.postMessage {app.room.id}"] = "missing_scope"
    await app.publish_paper()
    before = len(app.slack.calls("chat.postMessage"))
    await app.publish_paper()
    assert len(app.slack.calls("chat.postMessage")) == before
    assert "permission" in app.text_of(app.ada.direct())
    app.slack.faults.always.clear()
    await install(app.slack, app.running.address, app.ada)
    await deliver(app.running.bot)
    assert sorted(app.cards(app.room)) == ["Diffusion 1", "Diffusion 2"]


def test_recent_subscribers_are_tried_before_the_installer() -> None:
    channel = ChannelRef("slack", "T1", "C1")
    made = [
        Subscription(channel=channel, number=n, query="x", created_by=f"U{n % 8} name", created_at=SPRING)
        for n in range(20)
    ]
    assert helpers(made, "U9") == ["U3", "U2", "U1", "U0", "U7", "U9"]
    assert helpers(made[:1], "U0") == ["U0"]
    assert helpers([], "U9") == ["U9"]
    assert helpers([], "") == []

"""What happens to channels and workspaces ends in the right state, and the right person hears of it."""

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
from tests.adapters.slack.running import Running, install
from tests.adapters.slack.stage import slack_stage
from tests.adapters.slack.town import Town, opened
from tests.papers import SPRING, a_paper
from tests.platform_harness import arrive, deliver


@pytest.fixture
async def town(redis: Redis) -> AsyncIterator[Town]:
    async with opened(redis) as made:
        yield made


async def test_whoever_installs_it_is_told_how_to_begin(town: Town) -> None:
    assert "/paper subscribe" in town.told(town.ada.direct())
    assert town.ben.direct() == []


async def test_an_archived_channel_rests_its_people_hear_of_it_and_it_goes_on_after(town: Town) -> None:
    await town.subscribe(town.room)
    await town.paper()
    await town.ada.archive(town.room)
    await town.running.settled()
    assert "archived" in town.told(town.ben.direct())
    assert len(town.ben.direct()) == 1
    assert "archived" not in town.told(town.ada.direct())
    await town.paper()
    assert town.cards(town.room) == ["Diffusion 1"]
    assert town.slack.calls("chat.postMessage")[-1].body["channel"] != town.room.id
    await town.ada.archive(town.room, again=False)
    await town.running.settled()
    await deliver(town.running.bot)
    assert town.cards(town.room) == ["Diffusion 1", "Diffusion 2"]


async def test_removed_from_a_private_channel_it_rests_until_it_is_invited_back(town: Town) -> None:
    await town.ben.invite(town.den)
    await town.running.settled()
    await town.subscribe(town.den)
    await town.ada.remove(town.den)
    await town.running.settled()
    assert "/invite @Paperboy" in town.told(town.ben.direct())
    await town.paper()
    assert town.cards(town.den) == []
    await town.ben.invite(town.den)
    await town.running.settled()
    assert "1 subscription is active again" in town.told(town.den.messages)
    await deliver(town.running.bot)
    assert town.cards(town.den) == ["Diffusion 1"]


async def test_removed_from_a_public_channel_a_new_subscription_brings_it_back(town: Town) -> None:
    await town.subscribe(town.room)
    await town.ada.invite(town.room)
    await town.ada.remove(town.room)
    await town.running.settled()
    await town.paper()
    assert town.cards(town.room) == []
    await town.ben.type(town.room, "subscribe robots")
    await town.running.settled()
    await deliver(town.running.bot)
    assert town.cards(town.room) == ["Diffusion 1"]


async def test_a_channel_that_was_left_while_nobody_listened_is_paused_by_the_first_post(town: Town) -> None:
    await town.ben.invite(town.den)
    await town.running.settled()
    await town.subscribe(town.den)
    town.den.members.discard(town.lab.bot_user)
    await town.paper()
    before = len(town.slack.calls("chat.postMessage"))
    await town.paper()
    assert len(town.slack.calls("chat.postMessage")) == before
    await town.ben.invite(town.den)
    await town.running.settled()
    await deliver(town.running.bot)
    assert sorted(town.cards(town.den)) == ["Diffusion 1", "Diffusion 2"]


async def test_a_deleted_channel_and_one_without_subscriptions_trouble_nobody(town: Town) -> None:
    await town.happens({"type": "channel_deleted", "channel": town.room.id})
    assert town.ben.direct() == []


async def test_a_channel_whose_id_changes_takes_everything_along(town: Town) -> None:
    await town.ben.invite(town.den)
    await town.running.settled()
    await town.subscribe(town.den)
    await town.says(town.ben, town.den, "mute robots")
    await town.paper()
    assert town.cards(town.den) == ["Diffusion 1"]
    old = town.ref(town.den)
    await town.ben.change_id(town.den)
    await town.running.settled()
    assert "diffusion" in await town.says(town.ben, town.den, "list")
    await town.paper()
    await arrive(town.running.bot, a_paper("2603.00001", title="Diffusion 1", upvotes=90))
    assert town.cards(town.den) == ["Diffusion 1", "Diffusion 2"]
    core = town.running.bot.core
    assert await core.subscriptions([old]) == {}
    await core.move(old, town.ref(town.den))  # again
    assert len((await core.subscriptions([town.ref(town.den)]))[town.ref(town.den)]) == 1


async def test_what_waited_for_a_channel_is_posted_under_its_new_id(town: Town) -> None:
    await town.ben.invite(town.den)
    await town.running.settled()
    await town.subscribe(town.den)
    town.slack.faults.next("chat.postMessage", "lose")
    town.slack.faults.always["conversations.history"] = "fatal_error"
    await town.paper()
    old = town.ref(town.den)
    await town.ben.change_id(town.den)
    await town.running.settled()
    waiting = await Outbox(town.running.redis).open_deliveries(town.ref(town.den))
    assert [delivery.state for delivery in waiting] == ["unknown"]
    assert await Outbox(town.running.redis).open_deliveries(old) == []
    town.slack.faults.always.clear()
    assert await town.running.platform.find(town.ref(town.den), waiting[0].key, SPRING)


async def test_after_an_uninstallation_no_process_answers_any_more(town: Town, redis: Redis) -> None:
    other = Running(town.slack, redis)
    await other.start(other.http())
    first = town.running.address
    for address in (other.address, first):
        town.slack.at(address + EVENTS)
        trigger = await town.ben.type(town.room, "list")
        await asyncio.gather(other.settled(), town.running.settled())
        assert "subscriptions" in town.told([a for a in town.ben.answers(trigger) if isinstance(a, Message)])
    await town.ada.uninstall()  # the first process hears of it
    await town.running.settled()
    for address in (other.address, first):
        town.slack.at(address + EVENTS)
        trigger = await town.ben.type(town.room, "list")
        assert ["isn't installed" in str(a) for a in town.ben.answers(trigger)] == [True]
    await other.stop()


async def test_an_uninstalled_app_of_one_workspace_answers_no_more_until_a_start_with_a_good_token(
    redis: Redis,
) -> None:
    async with slack_stage(redis) as stage:
        await stage.say("subscribe diffusion")
        await stage.slack.event(stage.workspace, {"type": "app_uninstalled"})
        await stage.settled()
        trigger = await stage.person.type(stage.room, "list")
        await stage.settled()
        (answer,) = stage.person.answers(trigger)
        assert isinstance(answer, Message)
        assert "isn't installed" in answer.text
        await stage.restart()
        assert "diffusion" in (await stage.say("list")).text


async def test_slacks_own_rate_limit_is_acknowledged(town: Town) -> None:
    await town.slack.rate_limited(town.lab)


async def test_a_new_name_changes_nothing(town: Town) -> None:
    await town.subscribe(town.room)
    town.room.name = "reading"
    await town.happens({"type": "channel_rename", "channel": {"id": town.room.id, "name": "reading"}})
    await town.paper()
    assert town.cards(town.room) == ["Diffusion 1"]
    assert f"<#{town.room.id}>" in (await town.ben.open_home()).text


async def test_somebody_else_who_joins_is_not_greeted(town: Town) -> None:
    await town.happens({"type": "member_joined_channel", "user": town.ben.user, "channel": town.room.id})
    assert town.room.messages == []


async def test_an_event_that_is_told_again_is_acted_on_once(town: Town) -> None:
    joined: dict[str, Any] = {
        "type": "member_joined_channel",
        "user": town.lab.bot_user,
        "channel": town.room.id,
    }
    joined["inviter"] = town.ben.user
    for _ in range(3):
        await town.slack.event(town.lab, joined, event_id="Ev1")
        await town.running.settled()
    assert len(town.room.messages) == 1


async def test_an_old_word_of_an_uninstall_does_not_undo_a_new_installation(town: Town) -> None:
    await town.subscribe(town.room)
    await town.happens({"type": "app_uninstalled", "event_ts": 1_700_000_000})
    await town.paper()
    assert town.cards(town.room) == ["Diffusion 1"]


async def test_a_revoked_personal_token_is_none_of_ours(town: Town) -> None:
    await town.subscribe(town.room)
    await town.happens({"type": "tokens_revoked", "tokens": {"oauth": [town.ben.user], "bot": []}})
    await town.paper()
    assert town.cards(town.room) == ["Diffusion 1"]


async def test_a_command_in_a_workspace_that_is_gone_is_answered_in_words(town: Town) -> None:
    other = town.slack.workspace("other")
    eve = town.slack.person(other, "eve")
    room = town.slack.channel(other, "x", eve)
    trigger = await eve.type(room, "list")
    (answer,) = eve.answers(trigger)
    assert isinstance(answer, Message)
    assert "isn't installed" in answer.text


async def test_a_missing_scope_pauses_the_workspace_and_its_installer_hears_why(town: Town) -> None:
    await town.subscribe(town.room)
    town.slack.faults.always[f"chat.postMessage {town.room.id}"] = "missing_scope"
    await town.paper()
    before = len(town.slack.calls("chat.postMessage"))
    await town.paper()
    assert len(town.slack.calls("chat.postMessage")) == before
    assert "permission" in town.told(town.ada.direct())
    town.slack.faults.always.clear()
    await install(town.slack, town.running.address, town.ada)
    await deliver(town.running.bot)
    assert sorted(town.cards(town.room)) == ["Diffusion 1", "Diffusion 2"]


def test_those_who_subscribed_are_tried_first_then_the_installer() -> None:
    channel = ChannelRef("slack", "T1", "C1")
    made = [
        Subscription(channel=channel, number=n, query="x", created_by=f"U{n % 8} name", created_at=SPRING)
        for n in range(20)
    ]
    assert helpers(made, "U9") == ["U3", "U2", "U1", "U0", "U7", "U9"]
    assert helpers(made[:1], "U0") == ["U0"]
    assert helpers([], "U9") == ["U9"]
    assert helpers([], "") == []

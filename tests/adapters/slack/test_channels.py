"""Membership of the app, of people who left, and of other workspaces that share a channel."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from adapters.slack.manifest import JOIN, OPTIONAL
from bot.domain.errors import AccessUnknown
from bot.domain.models import User
from bot.ports import Access, AccessChecked, Joining, Notifying
from tests.adapters.slack.double import Message
from tests.adapters.slack.installed_app import InstalledApp, installed_app

READS = Access(member=True, may_manage=False, may_edit=True)
MANAGES = Access(member=True, may_manage=True, may_edit=True)
NOTHING = Access(member=False, may_manage=False)


@pytest.fixture
async def app(redis: Redis) -> AsyncIterator[InstalledApp]:
    async with installed_app(redis) as made:
        yield made


async def test_the_app_joins_a_public_channel_when_someone_subscribes(app: InstalledApp) -> None:
    assert isinstance(app.running.platform, Joining)
    assert app.workspace.bot_user not in app.room.members
    answer = await app.answer_to(app.ben, app.room, "subscribe diffusion")
    assert "couldn't join" not in answer
    assert app.workspace.bot_user in app.room.members
    assert [m for m in app.room.messages if m.only_for is None] == [], "it greets a channel only when invited"


async def test_if_the_app_cannot_join_the_answer_asks_for_an_invitation(app: InstalledApp) -> None:
    (token,) = app.slack.world.tokens.values()
    token.scopes -= {JOIN}
    answer = await app.answer_to(app.ben, app.room, "subscribe diffusion")
    assert "couldn't join" in answer
    assert "/invite @Paperboy" in answer
    await app.ben.invite(app.room)
    assert "couldn't join" not in await app.answer_to(app.ben, app.room, "subscribe robots")


async def test_a_private_channel_that_the_app_is_in_needs_no_joining(app: InstalledApp) -> None:
    await app.ben.invite(app.den)
    await app.running.settled()
    answer = await app.answer_to(app.ben, app.den, "subscribe diffusion")
    assert "Subscribed" in answer
    assert "couldn't join" not in answer


async def test_optional_scopes_can_be_declined(app: InstalledApp) -> None:
    (token,) = app.slack.world.tokens.values()
    assert set(OPTIONAL) <= token.scopes
    token.scopes -= set(OPTIONAL)
    assert "Subscribed" in await app.answer_to(app.ben, app.room, "subscribe diffusion")
    await app.publish_paper()
    assert app.cards(app.room) == ["Diffusion 1"]


async def test_a_shared_channel_subscribed_by_two_workspaces_at_once_gets_each_paper_once(
    app: InstalledApp,
) -> None:
    _, eve = await app.add_partner()
    triggers = await asyncio.gather(
        app.ben.type(app.room, "subscribe diffusion"), eve.type(app.room, "subscribe diffusion")
    )
    await app.running.settled()
    answers = [
        app.text_of([a for a in person.answers(trigger) if isinstance(a, Message)])
        for person, trigger in zip((app.ben, eve), triggers, strict=True)
    ]
    assert sorted("Subscribed" in answer for answer in answers) == [False, True]
    assert any("shared with another workspace" in answer for answer in answers)
    await app.publish_paper()
    assert app.cards(app.room) == ["Diffusion 1"]


async def test_a_shared_channel_can_be_subscribed_after_the_other_workspace_uninstalls(
    app: InstalledApp,
) -> None:
    _, eve = await app.add_partner()
    await app.subscribe(app.room)
    assert "shared with another workspace" in await app.answer_to(eve, app.room, "subscribe diffusion")
    await app.ada.uninstall()
    await app.running.settled()
    assert "Subscribed" in await app.answer_to(eve, app.room, "subscribe diffusion")


async def test_slack_membership_and_roles_decide_who_can_read_and_manage_a_channel(app: InstalledApp) -> None:
    platform = app.running.platform
    assert isinstance(platform, AccessChecked)
    await app.ben.invite(app.den)
    await app.running.settled()
    guest = app.slack.person(app.workspace, "guest", is_restricted=True)
    zoe = app.slack.person(app.workspace, "zoe")
    _, eve = await app.add_partner()

    async def access(person_id: str, channel: str) -> Access:
        ref = app.ref(app.room if channel == "room" else app.den)
        return await platform.access(User(person_id, ""), ref)

    assert await access(app.ben.user, "den") == MANAGES  # the creator
    assert await access(app.ada.user, "den") == MANAGES  # an admin
    assert await access(zoe.user, "den") == NOTHING
    assert await access(zoe.user, "room") == READS, "anyone in a workspace can read its public channels"
    assert await access(guest.user, "room") == NOTHING
    app.room.members.add(guest.user)
    assert await access(guest.user, "room") == READS
    assert await access(eve.user, "room") == NOTHING, "she needs to act in her own workspace"
    assert await access("U0NOBODY", "room") == NOTHING
    await app.ben.leave(app.den)
    await app.ada.leave(app.den)
    assert await access(app.ben.user, "den") == NOTHING
    assert await access(app.ada.user, "den") == NOTHING
    app.slack.faults.always["conversations.members"] = "fatal_error"
    with pytest.raises(AccessUnknown):
        await access(app.ada.user, "den")


async def test_in_a_private_channel_without_the_app_a_typed_command_proves_membership(
    app: InstalledApp,
) -> None:
    platform = app.running.platform
    user = User(app.ben.user, "ben")
    assert await platform.access(user, app.ref(app.den)) == NOTHING
    assert "no subscriptions" in await app.answer_to(app.ben, app.den, "list")
    assert await platform.access(user, app.ref(app.den)) == READS


async def test_a_person_who_left_cannot_use_an_old_app_home_or_form(app: InstalledApp) -> None:
    await app.ben.invite(app.den)
    await app.running.settled()
    await app.subscribe(app.den)
    home = await app.ada.open_home()
    assert "diffusion" in home.text
    await app.ada.press(home, "Settings")
    await app.running.settled()
    form = app.ada.modals()[-1]
    assert form.view["callback_id"] == "form"
    await app.ada.leave(app.den)
    _forget_answers(app)
    refused = await app.ada.submit(form, zone="Europe/Berlin")
    assert refused is not None
    assert "not in this channel" in refused.text
    assert (await app.running.bot.core.settings(app.ref(app.den))).zone == "UTC"
    await app.ada.press(home, "All subscriptions")
    await app.running.settled()
    assert "diffusion" not in app.ada.modals()[-1].text
    assert "diffusion" not in (await app.ada.open_home()).text


async def test_a_person_from_another_workspace_cannot_use_a_button_in_a_shared_channel(
    app: InstalledApp,
) -> None:
    await app.subscribe(app.room)
    _, eve = await app.add_partner()
    await app.publish_paper()
    card = next(m for m in app.room.messages if m.metadata)
    trigger = await eve.press(card, "Mute", app_of=app.workspace)
    await app.running.settled()
    answers = [m for m in app.room.messages if m.options.get("trigger") == trigger]
    assert "not in this channel" in app.text_of(answers)


async def test_only_one_person_who_can_help_is_notified(app: InstalledApp) -> None:
    platform = app.running.platform
    assert isinstance(platform, Notifying)
    await app.subscribe(app.room)
    before = len(app.ada.direct())
    assert await platform.notify(app.ref(app.room), "the channel was archived")
    (message,) = app.ben.direct()
    assert "archived" in app.text_of([message])
    assert len(app.ada.direct()) == before


async def test_the_installer_is_notified_if_no_subscriber_can_be_reached(app: InstalledApp) -> None:
    await app.subscribe(app.room)
    del app.workspace.people[app.ben.user]
    assert await app.running.platform.notify(app.ref(app.room), "the channel was archived")
    assert "archived" in app.text_of(app.ada.direct())


def _forget_answers(app: InstalledApp) -> None:
    """Expire the cached access checks, as after a minute."""
    app.running.bot.core._services.access._answers.clear()

"""Membership: the app's own, people who left, and other workspaces that share a channel."""

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


async def test_a_public_channel_is_joined_when_someone_subscribes_it(app: InstalledApp) -> None:
    assert isinstance(app.running.platform, Joining)
    assert app.workspace.bot_user not in app.room.members
    answer = await app.says(app.ben, app.room, "subscribe diffusion")
    assert "couldn't join" not in answer
    assert app.workspace.bot_user in app.room.members
    assert [m for m in app.room.messages if m.only_for is None] == [], "it greets only where it was invited"


async def test_if_the_app_may_not_join_the_answer_says_what_that_means(app: InstalledApp) -> None:
    (token,) = app.slack.world.tokens.values()
    token.scopes -= {JOIN}
    answer = await app.says(app.ben, app.room, "subscribe diffusion")
    assert "couldn't join" in answer
    assert "/invite @Paperboy" in answer
    await app.ben.invite(app.room)
    assert "couldn't join" not in await app.says(app.ben, app.room, "subscribe robots")


async def test_a_private_channel_that_the_app_is_in_needs_no_joining(app: InstalledApp) -> None:
    await app.ben.invite(app.den)
    await app.running.settled()
    answer = await app.says(app.ben, app.den, "subscribe diffusion")
    assert "Subscribed" in answer
    assert "couldn't join" not in answer


async def test_optional_scopes_can_be_declined(app: InstalledApp) -> None:
    (token,) = app.slack.world.tokens.values()
    assert set(OPTIONAL) <= token.scopes
    token.scopes -= set(OPTIONAL)
    assert "Subscribed" in await app.says(app.ben, app.room, "subscribe diffusion")
    await app.paper()
    assert app.cards(app.room) == ["Diffusion 1"]


async def test_two_workspaces_that_subscribe_a_shared_channel_at_once_get_each_paper_once(
    app: InstalledApp,
) -> None:
    _, eve = await app.partner()
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
    await app.paper()
    assert app.cards(app.room) == ["Diffusion 1"]


async def test_a_shared_channel_is_free_again_once_the_other_workspace_has_left(app: InstalledApp) -> None:
    _, eve = await app.partner()
    await app.subscribe(app.room)
    assert "shared with another workspace" in await app.says(eve, app.room, "subscribe diffusion")
    await app.ada.uninstall()
    await app.running.settled()
    assert "Subscribed" in await app.says(eve, app.room, "subscribe diffusion")


async def test_slack_says_who_may_read_and_manage_a_channel(app: InstalledApp) -> None:
    platform = app.running.platform
    assert isinstance(platform, AccessChecked)
    await app.ben.invite(app.den)
    await app.running.settled()
    guest = app.slack.person(app.workspace, "guest", is_restricted=True)
    zoe = app.slack.person(app.workspace, "zoe")
    _, eve = await app.partner()

    async def may(person_id: str, channel: str) -> Access:
        where = app.ref(app.room if channel == "room" else app.den)
        return await platform.access(User(person_id, ""), where)

    assert await may(app.ben.user, "den") == MANAGES  # the creator
    assert await may(app.ada.user, "den") == MANAGES  # an admin
    assert await may(zoe.user, "den") == NOTHING
    assert await may(zoe.user, "room") == READS, "anyone in a workspace can read its public channels"
    assert await may(guest.user, "room") == NOTHING
    app.room.members.add(guest.user)
    assert await may(guest.user, "room") == READS
    assert await may(eve.user, "room") == NOTHING, "she acts through her own workspace"
    assert await may("U0NOBODY", "room") == NOTHING
    await app.ben.leave(app.den)
    await app.ada.leave(app.den)
    assert await may(app.ben.user, "den") == NOTHING
    assert await may(app.ada.user, "den") == NOTHING
    app.slack.faults.always["conversations.members"] = "fatal_error"
    with pytest.raises(AccessUnknown):
        await may(app.ada.user, "den")


async def test_in_a_private_channel_without_the_app_a_typed_command_proves_membership(
    app: InstalledApp,
) -> None:
    platform = app.running.platform
    user = User(app.ben.user, "ben")
    assert await platform.access(user, app.ref(app.den)) == NOTHING
    assert "no subscriptions" in await app.says(app.ben, app.den, "list")
    assert await platform.access(user, app.ref(app.den)) == READS


async def test_a_person_who_left_gets_nothing_from_an_old_home_or_form(app: InstalledApp) -> None:
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


async def test_someone_of_another_workspace_changes_nothing_by_a_button_in_a_shared_channel(
    app: InstalledApp,
) -> None:
    await app.subscribe(app.room)
    _, eve = await app.partner()
    await app.paper()
    card = next(m for m in app.room.messages if m.metadata)
    trigger = await eve.press(card, "Mute", app_of=app.workspace)
    await app.running.settled()
    answers = [m for m in app.room.messages if m.options.get("trigger") == trigger]
    assert "not in this channel" in app.text_of(answers)


async def test_one_person_who_can_help_is_notified(app: InstalledApp) -> None:
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
    """Do as if a minute had passed."""
    app.running.bot.core._services.access._answers.clear()

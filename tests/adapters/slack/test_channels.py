"""Who is in a channel: the app itself, people who left, and other workspaces that share it."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from adapters.slack.manifest import JOIN, OPTIONAL
from bot.domain.errors import AccessUnknown
from bot.domain.models import User
from bot.ports import Access, AccessChecked, Joining, Notifying
from tests.adapters.slack.double import Message
from tests.adapters.slack.town import Town, opened

READS = Access(member=True, may_manage=False, may_edit=True)
MANAGES = Access(member=True, may_manage=True, may_edit=True)
NOTHING = Access(member=False, may_manage=False)


@pytest.fixture
async def town(redis: Redis) -> AsyncIterator[Town]:
    async with opened(redis) as made:
        yield made


async def test_a_public_channel_is_joined_when_someone_subscribes_it(town: Town) -> None:
    assert isinstance(town.running.platform, Joining)
    assert town.lab.bot_user not in town.room.members
    answer = await town.says(town.ben, town.room, "subscribe diffusion")
    assert "couldn't join" not in answer
    assert town.lab.bot_user in town.room.members
    assert [m for m in town.room.messages if m.only_for is None] == [], (
        "it doesn't greet where it joined itself"
    )


async def test_where_it_may_not_join_the_answer_says_what_that_means(town: Town) -> None:
    (token,) = town.slack.world.tokens.values()
    token.scopes -= {JOIN}
    answer = await town.says(town.ben, town.room, "subscribe diffusion")
    assert "couldn't join" in answer
    assert "/invite @Paperboy" in answer
    await town.ben.invite(town.room)
    assert "couldn't join" not in await town.says(town.ben, town.room, "subscribe robots")


async def test_in_a_private_channel_that_it_is_in_there_is_nothing_to_join(town: Town) -> None:
    await town.ben.invite(town.den)
    await town.running.settled()
    answer = await town.says(town.ben, town.den, "subscribe diffusion")
    assert "Subscribed" in answer
    assert "couldn't join" not in answer


async def test_optional_scopes_can_be_declined(town: Town) -> None:
    (token,) = town.slack.world.tokens.values()
    assert set(OPTIONAL) <= token.scopes
    token.scopes -= set(OPTIONAL)
    assert "Subscribed" in await town.says(town.ben, town.room, "subscribe diffusion")
    await town.paper()
    assert town.cards(town.room) == ["Diffusion 1"]


async def test_two_workspaces_that_subscribe_a_shared_channel_at_once_get_each_paper_once(town: Town) -> None:
    _, eve = await town.partner()
    triggers = await asyncio.gather(
        town.ben.type(town.room, "subscribe diffusion"), eve.type(town.room, "subscribe diffusion")
    )
    await town.running.settled()
    answers = [
        town.told([a for a in person.answers(trigger) if isinstance(a, Message)])
        for person, trigger in zip((town.ben, eve), triggers, strict=True)
    ]
    assert sorted("Subscribed" in answer for answer in answers) == [False, True]
    assert any("shared with another workspace" in answer for answer in answers)
    await town.paper()
    assert town.cards(town.room) == ["Diffusion 1"]


async def test_a_shared_channel_is_free_again_once_the_other_workspace_has_left(town: Town) -> None:
    _, eve = await town.partner()
    await town.subscribe(town.room)
    assert "shared with another workspace" in await town.says(eve, town.room, "subscribe diffusion")
    await town.ada.uninstall()
    await town.running.settled()
    assert "Subscribed" in await town.says(eve, town.room, "subscribe diffusion")


async def test_slack_says_who_may_read_and_manage_a_channel(town: Town) -> None:
    platform = town.running.platform
    assert isinstance(platform, AccessChecked)
    await town.ben.invite(town.den)
    await town.running.settled()
    guest = town.slack.person(town.lab, "guest", is_restricted=True)
    zoe = town.slack.person(town.lab, "zoe")
    _, eve = await town.partner()

    async def may(person_id: str, channel: str) -> Access:
        where = town.ref(town.room if channel == "room" else town.den)
        return await platform.access(User(person_id, ""), where)

    assert await may(town.ben.user, "den") == MANAGES  # the creator
    assert await may(town.ada.user, "den") == MANAGES  # an admin
    assert await may(zoe.user, "den") == NOTHING
    assert await may(zoe.user, "room") == READS, "anyone in a workspace can read its public channels"
    assert await may(guest.user, "room") == NOTHING
    town.room.members.add(guest.user)
    assert await may(guest.user, "room") == READS
    assert await may(eve.user, "room") == NOTHING, "she acts through her own workspace"
    assert await may("U0NOBODY", "room") == NOTHING
    await town.ben.leave(town.den)
    await town.ada.leave(town.den)
    assert await may(town.ben.user, "den") == NOTHING
    assert await may(town.ada.user, "den") == NOTHING
    town.slack.faults.always["conversations.members"] = "fatal_error"
    with pytest.raises(AccessUnknown):
        await may(town.ada.user, "den")


async def test_of_a_private_channel_that_it_is_not_in_only_a_typed_command_proves_membership(
    town: Town,
) -> None:
    platform = town.running.platform
    user = User(town.ben.user, "ben")
    assert await platform.access(user, town.ref(town.den)) == NOTHING
    assert "no subscriptions" in await town.says(town.ben, town.den, "list")
    assert await platform.access(user, town.ref(town.den)) == READS


async def test_a_person_who_left_gets_nothing_from_an_old_home_or_form(town: Town) -> None:
    await town.ben.invite(town.den)
    await town.running.settled()
    await town.subscribe(town.den)
    home = await town.ada.open_home()
    assert "diffusion" in home.text
    await town.ada.press(home, "Settings")
    await town.running.settled()
    form = town.ada.modals()[-1]
    assert form.view["callback_id"] == "form"
    await town.ada.leave(town.den)
    _forget_answers(town)
    refused = await town.ada.submit(form, zone="Europe/Berlin")
    assert refused is not None
    assert "not in this channel" in refused.text
    assert (await town.running.bot.core.settings(town.ref(town.den))).zone == "UTC"
    await town.ada.press(home, "All subscriptions")
    await town.running.settled()
    assert "diffusion" not in town.ada.modals()[-1].text
    assert "diffusion" not in (await town.ada.open_home()).text


async def test_someone_of_another_workspace_changes_nothing_by_a_button_in_a_shared_channel(
    town: Town,
) -> None:
    await town.subscribe(town.room)
    _, eve = await town.partner()
    await town.paper()
    card = next(m for m in town.room.messages if m.metadata)
    trigger = await eve.press(card, "Mute", app_of=town.lab)
    await town.running.settled()
    answers = [m for m in town.room.messages if m.options.get("trigger") == trigger]
    assert "not in this channel" in town.told(answers)


async def test_one_person_who_can_help_hears_of_a_problem_once(town: Town) -> None:
    platform = town.running.platform
    assert isinstance(platform, Notifying)
    await town.subscribe(town.room)
    before = len(town.ada.direct())
    for _ in range(3):
        assert await platform.notify(town.ref(town.room), "the channel was archived")
    (message,) = town.ben.direct()
    assert "archived" in town.told([message])
    assert len(town.ada.direct()) == before


async def test_without_a_subscriber_to_reach_the_installer_hears_of_it(town: Town) -> None:
    await town.subscribe(town.room)
    del town.lab.people[town.ben.user]
    assert await town.running.platform.notify(town.ref(town.room), "the channel was archived")
    assert "archived" in town.told(town.ada.direct())


def _forget_answers(town: Town) -> None:
    """A minute passes."""
    town.running.bot.core._services.access._answers.clear()

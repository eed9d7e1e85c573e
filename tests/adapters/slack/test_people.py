"""Commands, buttons, forms, App Home, and permissions of people."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.asyncio import Redis

from adapters.slack.render import render
from adapters.slack.replies import Interaction, Replies
from adapters.slack.typed_text import as_typed
from bot.cards import Button, Card
from bot.cards.paper import paper_block
from bot.domain.models import ChannelRef, ChannelSettings, User
from bot.ports import Batch, Reply
from bot.store.channel_rules import ChannelSettingsStore
from tests.adapters.slack.double import Channel, Message, Person, View
from tests.adapters.slack.double.people import words
from tests.adapters.slack.harness import SlackHarness, slack_harness
from tests.papers import SPRING, a_paper
from tests.platform_harness import arrive


@pytest.fixture
async def harness(redis: Redis) -> AsyncIterator[SlackHarness]:
    async with slack_harness(redis) as made:
        yield made
        assert made.slack.refused == []


async def answer_to(harness: SlackHarness, person: Person, line: str) -> str:
    """Return the answer to a command."""
    trigger = await person.type(harness.room, line)
    await harness.settled()
    return "\n".join(words(a.blocks) for a in person.answers(trigger) if isinstance(a, Message))


async def test_everyone_can_change_subscriptions_unless_a_setting_requires_managers(
    harness: SlackHarness, redis: Redis
) -> None:
    ben = harness.slack.person(harness.workspace, "ben")
    eve = harness.slack.person(harness.workspace, "eve", is_admin=True)
    harness.room.members |= {ben.user, eve.user}
    assert "Subscribed" in await answer_to(harness, ben, "subscribe diffusion")
    await ChannelSettingsStore(redis).put(harness.channel, ChannelSettings(editors="managers"))
    assert "who manage this channel" in await answer_to(harness, ben, "subscribe robots")
    assert "diffusion" in await answer_to(harness, ben, "list")
    creator = harness.person
    assert "Subscribed" in await answer_to(harness, creator, "subscribe robots")
    assert "Subscribed" in await answer_to(harness, eve, "subscribe speech")  # an admin
    zoe = harness.slack.person(harness.workspace, "zoe", is_owner=True)
    harness.room.members.add(zoe.user)
    harness.slack.faults.always["users.info"] = "internal_error"
    assert "couldn't check" in await answer_to(harness, zoe, "subscribe audio")
    assert "diffusion" not in await answer_to(harness, zoe, "list")
    harness.slack.faults.always.clear()
    assert "Subscribed" in await answer_to(harness, zoe, "subscribe audio")


async def test_direct_messages_are_a_personal_channel(harness: SlackHarness) -> None:
    """This includes direct messages with a colleague: only the person sees the answer, and the app sends the papers."""
    ben = harness.slack.person(harness.workspace, "ben")
    with_ben = Channel(
        id=harness.slack.world.new_id("D"), name="directmessage", members={harness.person.user, ben.user}
    )
    harness.workspace.channels[with_ben.id] = with_ben
    trigger = await harness.person.type(with_ben, "subscribe diffusion")
    await harness.settled()
    (answer,) = harness.person.answers(trigger)
    assert isinstance(answer, Message)
    assert "come to you as direct messages" in words(answer.blocks)
    assert "diffusion" in (await harness.say_alone("/paper list")).text
    assert await harness.bot.subscriptions.of(harness.channel) == []
    await arrive(harness.bot, a_paper(title="A diffusion model"))
    assert [m for m in with_ben.messages if m.only_for is None] == []
    assert len(harness.direct()) == 1


async def test_a_public_channel_needs_no_invitation(harness: SlackHarness) -> None:
    harness.room.members.discard(harness.workspace.bot_user)
    assert "diffusion" in (await harness.say("subscribe diffusion")).text
    await arrive(harness.bot, a_paper(title="A diffusion model"))
    assert len(await harness.posted()) == 1


async def test_paging_replaces_the_message(harness: SlackHarness) -> None:
    for n in range(40):
        await harness.bot.subscriptions.add(harness.channel, f"topic{n}", "now", "U1 ada")
    listed = await harness.say("list")
    before = len(harness.room.messages)
    turned = await harness.press(listed, "Next")
    assert "page 2" in turned.text
    assert len(harness.room.messages) == before
    assert turned.raw is listed.raw


async def test_a_button_on_a_public_card_answers_privately(harness: SlackHarness) -> None:
    await harness.say("subscribe diffusion")
    await arrive(harness.bot, a_paper(title="A diffusion model"))
    (card,) = await harness.posted()
    text = card.text
    saved = await harness.press(card, "Save")
    assert saved.private
    assert [seen.text for seen in await harness.posted()] == [text]


async def test_every_button_of_a_card_works(harness: SlackHarness) -> None:
    await harness.say("subscribe diffusion")
    await arrive(harness.bot, a_paper("2603.00002", title="Diffusion of heat", abstract="Heat spreads."))
    await arrive(harness.bot, a_paper(title="A diffusion model", abstract="Heat spreads here, too."))
    card = (await harness.posted())[-1]
    answers = {label: await harness.press(card, label) for label in card.buttons}
    assert "Saved" in answers["Save"].text
    assert "Heat spreads here" in answers["Full abstract"].text
    assert "Diffusion of heat" in answers["Similar"].text
    assert "Mute what" in answers["Mute"].text
    assert "Muted here" in (await harness.press(answers["Mute"], answers["Mute"].buttons[0])).text
    assert [label for label in answers if answers[label].raw.edited] == []


def test_a_card_shows_a_few_buttons_and_puts_the_rest_into_a_menu() -> None:
    many = tuple(Button(f"Action {n}", f"do {n}") for n in range(9))
    block = paper_block(a_paper(), (), SPRING)
    row = render(Card("paper", "x", blocks=(replace(block, actions=(*many, Button("👍", "up 1"))),))).blocks[
        -1
    ]
    kinds = [(element["type"], len(element.get("options", ()))) for element in row["elements"]]
    assert kinds == [("button", 0)] * 6 + [("overflow", 5)]


async def test_if_a_thread_is_locked_the_answer_is_private(harness: SlackHarness) -> None:
    await harness.say("subscribe diffusion")
    await arrive(harness.bot, a_paper(title="A diffusion model"))
    (card,) = await harness.posted()
    harness.slack.faults.next("chat.postMessage", "restricted_action_thread_locked")
    full = await harness.press(card, "Full abstract")
    assert "We look at it closely." in full.text


async def test_share_shows_a_paper_to_the_channel_even_if_the_app_is_not_in_it(
    harness: SlackHarness,
) -> None:
    harness.room.members.discard(harness.workspace.bot_user)
    await arrive(harness.bot, a_paper(title="A diffusion model"))
    found = await harness.say("search diffusion")
    assert found.private
    (label,) = [label for label in found.buttons if "hare" in label][:1]
    shared = await harness.press(found, label)
    assert not shared.private
    assert "A diffusion model" in shared.text


async def test_settings_from_app_home_change_the_channel_of_the_button(harness: SlackHarness) -> None:
    await harness.say("subscribe diffusion")
    home = await harness.person.open_home()
    assert f"<#{harness.room.id}>" in home.text
    await harness.person.press(home, "Settings")
    await harness.settled()
    form = harness.person.modals()[-1]
    done = await harness.person.submit(form, zone="Asia/Tokyo")
    assert done is not None
    assert (await harness.bot.core.settings(harness.channel)).zone == "Asia/Tokyo"
    await harness.person.press(done, "Undo")
    await harness.settled()
    assert (await harness.bot.core.settings(harness.channel)).zone == "UTC"
    assert len(harness.person.modals()) == 1


async def test_a_list_opened_from_app_home_is_paged_in_its_modal(harness: SlackHarness) -> None:
    for n in range(40):
        await harness.bot.subscriptions.add(harness.channel, f"topic{n}", "now", "U1 ada")
    await harness.person.press(await harness.person.open_home(), "All subscriptions")
    await harness.settled()
    await harness.person.press(harness.person.modals()[-1], "Next")
    await harness.settled()
    (modal,) = harness.person.modals()
    assert "page 2" in modal.text


async def test_a_slow_form_is_acknowledged_in_time(
    harness: SlackHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    await harness.say("settings")
    monkeypatch.setattr("adapters.slack.listeners.FORM_WAIT", 0.0)
    shown = await harness.person.submit(harness.person.modals()[-1], zone="Asia/Tokyo")
    assert shown is not None
    assert "longer than usual" in shown.text
    await harness.settled()
    assert (await harness.bot.core.settings(harness.channel)).zone == "Asia/Tokyo"


async def test_app_home_links_to_the_whole_reading_list(harness: SlackHarness) -> None:
    await harness.bot.papers.ingest("test", Batch((), "c", history=(a_paper(),)), 0)
    await harness.say('/paper save 2603.00001 note:"read section 3"')
    home = await harness.person.open_home()
    assert "On paper 2603.00001" in home.text
    await harness.person.press(home, "Notes, search and export")
    await harness.settled()
    assert "read section 3" in harness.person.modals()[-1].text


async def test_the_first_view_of_app_home_offers_personal_subscriptions(harness: SlackHarness) -> None:
    ben = harness.slack.person(harness.workspace, "ben")
    home = await ben.open_home()
    assert "I send you new research papers" in home.text
    assert "/invite @Paperboy" in home.text
    await ben.press(home, "Robotics")
    await harness.settled()
    own = ChannelRef.of_person("slack", harness.workspace.id, ben.user)
    (subscription,) = (await harness.bot.core.subscriptions([own]))[own]
    assert "robot" in subscription.query
    home = await ben.open_home()
    assert "I send you new research papers" not in home.text
    assert "Your direct messages" in home.text
    assert "/invite @Paperboy" in home.text, "explains how to start in channels"


async def test_app_home_shows_only_channels_that_the_person_is_in(harness: SlackHarness) -> None:
    await harness.say("subscribe diffusion")
    ben = harness.slack.person(harness.workspace, "ben")
    home = await ben.open_home()
    assert "diffusion" not in home.text
    assert "/invite @Paperboy" in home.text


async def test_a_modal_that_slack_refuses_to_open_becomes_a_message(harness: SlackHarness) -> None:
    harness.slack.faults.next("views.open", "expired_trigger_id")
    assert "Settings of this channel" in (await harness.say("settings")).text
    assert harness.person.modals() == []


async def test_a_later_answer_replaces_the_first_if_soon_and_follows_it_otherwise(
    harness: SlackHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.slack.replies.LATER_WAIT", 0.05)
    never = asyncio.Event()
    platform = harness.platform
    replies = Replies(platform._api, platform._calls, platform._posting)

    async def soon() -> Card | None:
        return Card("reply", "fuller")

    async def late() -> Card | None:
        await never.wait()
        return Card("reply", "fuller")

    async def nothing() -> Card | None:
        return None

    for later, seen in ((soon, ["fuller"]), (nothing, ["first"]), (late, ["first", "fuller"])):
        trigger = harness.slack.trigger(harness.person.user)
        url = harness.slack.response_url(harness.room, harness.person.user, trigger)
        request = Interaction(User(harness.person.user, "ada"), harness.channel, trigger, url)
        delivering = asyncio.create_task(replies.deliver(request, Reply(Card("reply", "first"), later=later)))
        if later is late:
            await harness.slack.until(partial(harness.person.answers, trigger))
            never.set()
        await delivering
        assert [a.text for a in harness.person.answers(trigger) if not isinstance(a, View)] == seen


@pytest.mark.parametrize(
    ("sent", "typed"),
    [
        ("similar <https://arxiv.org/abs/2405.01234>", "similar https://arxiv.org/abs/2405.01234"),
        ("similar <https://arxiv.org/abs/1|this paper>", "similar https://arxiv.org/abs/1"),
        ("search <http://cs.CL|cs.CL> &amp; more &lt;3", "search cs.CL & more <3"),
        ("search <mailto:a@b.org|a@b.org>", "search a@b.org"),
        ('subscribe "a b" -c, d (e OR f)', 'subscribe "a b" -c, d (e OR f)'),
        ("subscribe R&amp;D &amp;lt;", "subscribe R&D &lt;"),
        ("subscribe <@U2|ada> in <#C1|papers> <!here>", "subscribe ada in papers"),
        ("subscribe diffusion <@UBOT|paperboy>", "subscribe diffusion"),
        ("subscribe diffusion @Paperboy", "subscribe diffusion"),
        ("<@UBOT> subscribe diffusion", "subscribe diffusion"),
        ("@paperboy list", "list"),
        ("subscribe a @paperboys b", "subscribe a @paperboys b"),
        ("subscribe <x> < y", "subscribe <x> < y"),
        ("", ""),
    ],
)
def test_slacks_markup_is_removed_from_a_typed_line(sent: str, typed: str) -> None:
    assert as_typed(sent, "UBOT", 5000) == typed


@given(st.text(st.sampled_from("<>@#|&;ab lt"), max_size=60))
def test_removing_markup_never_fails_or_makes_a_line_longer(sent: str) -> None:
    assert len(as_typed(sent, "UBOT", 5000)) <= len(sent)


def test_a_line_that_is_too_long_is_returned_unchanged() -> None:
    assert as_typed("<@" * 3000, "UBOT", 5000) == "<@" * 3000

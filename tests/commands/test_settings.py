"""Every change of a channel's settings is answered with its effect."""

from dataclasses import replace

import pytest
from inline_snapshot import snapshot

import adapters
from bot.commands.core import Commands
from bot.commands.services import Services
from bot.commands.setting_specs import OPTIONAL_SETTINGS, SETTING_SPECS, SettingSpec
from bot.commands.settings import _example
from bot.domain.deliveries import PlannedDelivery
from bot.domain.models import ChannelRef, ChannelSettings, Command, Reason, User
from bot.policy.planner import digest_label
from bot.policy.schedule import due
from bot.store import keys
from tests.commands.conftest import ADA, Ask, card_text, commands_of
from tests.papers import a_channel

GUEST = User("U2", "Guest", may_manage=False)


ALL = tuple(range(keys.SHARDS))


async def enqueue_papers(services: Services, *papers: str, due_now: bool = False) -> None:
    """Enqueue papers of the first subscription for the next digest, or as due now."""
    [subscription] = await services.subscriptions.of(a_channel())
    now = await services.outbox.now()
    at = now if due_now else due("daily", ChannelSettings(), now)
    why = (Reason(subscription.number, subscription.query),)
    await services.outbox.enqueue(
        [
            PlannedDelivery(
                channel=a_channel(),
                papers=tuple((paper, why) for paper in papers),
                due=round(at.timestamp() * 1000),
                label=digest_label(at),
            )
        ]
    )


async def test_settings_alone_shows_them_all(ask: Ask) -> None:
    assert card_text(await ask("settings")) == snapshot("""\
# Settings of this channel
New papers are posted as they come.
When
- every:now – New papers are posted as they come, unless a subscription says otherwise. Change it: every:daily
- hour:9 – Digests arrive at 09:00. Change it: hour:18
- day:monday – Weekly digests arrive on Monday. Change it: day:friday
- zone:UTC – Times are in UTC. Change it: zone:Berlin
- quiet:off – No quiet hours. Change it: quiet:22-7
- weekends:on – Papers arrive on weekends too. Change it: weekends:off
How much
- digest:5 – More than 5 new papers in six hours become one message. Change it: digest:10
- most:off – Every matching paper is posted. Change it: most:3
- always:none – Every subscription counts toward that limit. Change it: always:#1
How it looks
- detail:compact – Cards are compact. Change it: detail:full
- edits:off – Posted cards stay as they are. Change it: edits:on
- links:on – Links to papers get a card. Change it: links:off
- threads:off – Cards get no threads. Change it: threads:on
- embeds:off – Modern card layout. Change it: embeds:on
Who
- publish:no – Posts in announcement channels aren't published to followers. Change it: publish:yes
- ping:none – No role is notified. Change it: ping:@readers
- editors:default – This platform's permissions decide who can edit. Change it: editors:managers
Change several at once: /paper settings every:daily hour:18 zone:Berlin
[Daily digest: settings every:daily]
[Weekly digest: settings every:weekly]\
""")


async def test_a_change_is_explained_and_can_be_undone(ask: Ask, services: Services) -> None:
    card = await ask("settings zone:kathmandu quiet:22-7 hour:6")
    assert card_text(card).splitlines()[:3] == snapshot(
        [
            "- hour:6 – Digests arrive at 07:00, after quiet hours (06:00 is quiet).",
            "- zone:Asia/Kathmandu – Times are in Asia/Kathmandu.",
            "- quiet:22-7 – Quiet from 22:00 to 07:00. Papers found then arrive afterwards in one message.",
        ]
    )
    assert await services.settings.of(a_channel()) == ChannelSettings(
        zone="Asia/Kathmandu", quiet=(22, 7), hour=6
    )
    await ask(commands_of(card)["Undo"])
    assert await services.settings.of(a_channel()) == ChannelSettings()


async def test_waiting_papers_follow_a_new_schedule(ask: Ask, services: Services) -> None:
    await ask("subscribe paper every:daily")
    await enqueue_papers(services, "p1", "p2", "p3")
    card = card_text(await ask("settings zone:Berlin hour:17"))
    assert "17:00 Berlin, 3 papers waiting." in card
    [waiting] = await services.outbox.open_deliveries(a_channel())
    assert len(waiting.papers) == 3
    assert waiting.label.startswith("digest@")
    await ask("subscribe paper every:now")
    assert {one.label for one in await services.outbox.open_deliveries(a_channel())} == {"p1", "p2", "p3"}


async def test_papers_that_are_due_wait_for_the_end_of_new_quiet_hours(ask: Ask, services: Services) -> None:
    await ask("subscribe paper every:now")
    await enqueue_papers(services, "p1", due_now=True)
    assert "02:00 UTC, 1 paper waiting." in card_text(await ask("settings quiet:0-2"))


async def test_unsubscribing_drops_waiting_papers(ask: Ask, services: Services) -> None:
    await ask("subscribe paper every:daily")
    await enqueue_papers(services, "p1")
    await ask("unsubscribe #1")
    assert await services.outbox.open_deliveries(a_channel()) == []


@pytest.mark.parametrize(
    ("typed", "hint"),
    [
        ("zone:Berlinn", "/paper settings zone:Europe/Berlin"),
        ("hour:25", "/paper settings hour:9"),
        ("quiet:late", "/paper settings quiet:22-7"),
        ("quiet:7-7", "/paper settings quiet:22-7"),
        ("day:someday", "/paper settings day:monday"),
        ("digest:0", "/paper settings digest:5"),
        ("ping:<@everyone>", "/paper settings ping:none"),
    ],
)
async def test_an_invalid_value_gets_a_valid_one_as_a_hint(ask: Ask, typed: str, hint: str) -> None:
    card = await ask(f"settings {typed}")
    assert card.kind == "error"
    assert hint in card_text(card)


@pytest.mark.parametrize(
    ("typed", "changed"),
    [
        ("every:weekly day:fri", {"every": "weekly", "weekday": 4}),
        ("hour:5pm", {"hour": 17}),
        ("hour:12am", {"hour": 0}),
        ("quiet:22:00-07:00", {"quiet": (22, 7)}),
        ("quiet:20-24", {"quiet": (20, 0)}),
        ("weekends:off", {"weekends": False}),
        ("digest:12 detail:full edits:on", {"digest_size": 12, "detail": "full", "edits": True}),
        ("ping:<@&123>", {"ping": "123"}),
        ("ping:<!subteam^s01ab>", {"ping": "S01AB"}),
        ("threads:on embeds:on editors:managers", {"threads": True, "embeds": True, "editors": "managers"}),
        ("publish:yes", {"publish": True}),
    ],
)
async def test_values_are_read_as_people_type_them(
    ask: Ask, services: Services, typed: str, changed: dict[str, object]
) -> None:
    await ask(f"settings {typed}")
    expected = replace(ChannelSettings(), **changed)  # type: ignore[arg-type]  # fields by name
    assert await services.settings.of(a_channel()) == expected


async def test_a_form_has_every_setting_and_submits_them_all(core: Commands, services: Services) -> None:
    await services.settings.put(a_channel(), ChannelSettings(quiet=(22, 7), hour=8))
    form = (await core.handle_text("settings", ADA, a_channel())).form
    assert form is not None
    assert [field.name for field in form.fields] == [spec.name for spec in SETTING_SPECS]
    assert all(not f.choices or f.value in {c.value for c in f.choices} for f in form.fields)
    sent = {field.name: field.value for field in form.fields} | {"zone": "Tokyo", "ping": ""}
    await core.handle(Command(form.command, ADA, a_channel(), sent))
    assert await services.settings.of(a_channel()) == ChannelSettings(
        quiet=(22, 7), hour=8, zone="Asia/Tokyo"
    )


async def test_users_who_cannot_change_settings_can_see_them(core: Commands, services: Services) -> None:
    assert (await core.handle_text("settings", GUEST, a_channel())).card.kind == "reply"
    assert (await core.handle_text("settings hour:8", GUEST, a_channel())).card.kind == "error"
    await core.handle_text("settings editors:everyone", ADA, a_channel())
    assert (await core.handle_text("settings hour:8", GUEST, a_channel())).card.kind == "reply"
    refused = (await core.handle_text("settings editors:managers", GUEST, a_channel())).card
    assert "decide who can edit" in refused.notice
    assert (await services.settings.of(a_channel())).editors == "everyone"


PLATFORMS = {name: group for name, group in adapters.platform_settings().items() if name != "webhook"}


@pytest.mark.parametrize("platform", PLATFORMS)
async def test_each_platform_shows_its_settings_and_says_where_others_work(
    services: Services, platform: str
) -> None:
    core, channel = Commands(replace(services, platforms=PLATFORMS)), ChannelRef(platform, "W", "C")
    own = PLATFORMS[platform].channel_settings
    form = (await core.handle_text("settings", ADA, channel)).form
    assert form is not None
    assert {field.name for field in form.fields} & OPTIONAL_SETTINGS == own
    for name in OPTIONAL_SETTINGS - own:
        titles = sorted(group.title for group in PLATFORMS.values() if name in group.channel_settings)
        card = (await core.handle_text(f"settings {name}:banana hour:7", ADA, channel)).card
        assert card.kind == "error"
        assert f"“{name}:” works only on {' and '.join(titles)}." in card.notice
        assert "/paper settings hour:7" in card_text(card), "the hint keeps the valid setting"
        assert (await services.settings.of(channel)).hour == 9, "a refused line changes nothing"


async def test_a_setting_for_channels_only_is_refused_in_direct_messages(services: Services) -> None:
    core = Commands(replace(services, platforms=PLATFORMS))
    own = ChannelRef.of_person("slack", "W", "U1")
    card = (await core.handle_text("settings ping:none", ADA, own)).card
    assert "“ping:” is for channels, not for direct messages." in card.notice


@pytest.mark.parametrize("spec", SETTING_SPECS, ids=lambda spec: spec.name)
def test_each_setting_has_an_example_that_would_change_it(spec: SettingSpec) -> None:
    for now in (
        ChannelSettings(),
        *([] if spec.name == "ping" else [spec.changed(ChannelSettings(), spec.example)]),
    ):
        shown = "".join(span.text for span in _example(spec, now))
        name, _, value = shown.removeprefix(" Change it: ").partition(":")
        assert name == spec.name
        assert value != spec.typed(now)


async def test_an_always_posted_subscription_is_marked_in_answers_and_in_the_list(ask: Ask) -> None:
    assert "Papers of #1 are always posted, even above" in card_text(await ask("subscribe rag always:yes"))
    assert "· always ·" in card_text(await ask("list"))
    again = card_text(await ask("subscribe rag always:no"))
    assert "Already subscribed" in again
    assert "Papers of #1 count toward the daily limit again." in again
    assert "always" not in card_text(await ask("list"))
    assert "Nothing has changed." in card_text(await ask("subscribe rag always:no"))


async def test_always_needs_a_subscription_of_the_channel(ask: Ask) -> None:
    assert "There is no subscription #7 here." in card_text(await ask("settings always:#7"))


async def test_the_effect_of_a_budget_on_a_digest_is_explained(ask: Ask) -> None:
    text = card_text(await ask("settings every:weekly most:3"))
    assert "A digest names the best 3 papers, and counts the others in one line." in text

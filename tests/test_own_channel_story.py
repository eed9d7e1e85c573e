"""A person's own channel: their direct messages with Paperboy, in addition to the channels that they are in."""

from datetime import timedelta
from typing import Any

import pytest
from redis.asyncio import Redis

from bot.domain.models import ChannelRef, User
from bot.store.subscriptions import LIMIT
from tests.adapters.slack.harness import slack_harness
from tests.conftest import MORNING
from tests.papers import a_paper
from tests.platform_harness import arrive, deliver, pass_on
from tests.platform_harnesses import HARNESSES, Opened
from tests.scenario import Clock


@pytest.fixture(params=["slack", "discord"])
def opened(request: pytest.FixtureRequest, redis: Redis, clock: Clock) -> Opened:
    return lambda: HARNESSES[request.param](redis, lambda: clock.now)


def texts(seen: Any) -> str:
    return "\n".join(one.text for one in seen)


async def test_a_person_gets_their_own_digest_in_addition_to_the_channels(
    opened: Opened, clock: Clock
) -> None:
    async with opened() as any_harness:
        harness: Any = any_harness
        assert "no subscriptions" in (await harness.say_alone("/paper list")).text
        reply = (await harness.say_alone("/paper subscribe whales every:daily")).text
        assert "in a daily digest by direct message" in reply
        await harness.say("/paper subscribe robots")
        own = await harness.say_alone("/paper list")
        assert "whales" in own.text
        assert "robots" not in own.text
        assert "whales" not in (await harness.say("/paper list")).text
        settings = (await harness.say_alone("/paper settings hour:9 zone:Berlin most:20")).text
        assert "Berlin" in settings
        papers = [a_paper(f"2611.0000{n}", title=f"Whales, part {n}") for n in (1, 2)]
        await arrive(harness.bot, *papers, a_paper("2611.00009", title="Robots walk"))
        assert harness.direct() == []
        assert "Robots walk" in texts(await harness.posted())
        await clock.set(MORNING + timedelta(hours=1))
        await pass_on(harness.bot, clock, 3)
        [digest] = harness.direct()
        assert "2 new papers" in digest.text
        assert "Whales" not in texts(await harness.posted())

        await harness.restart()
        liked = await harness.say_alone("/paper taste like 2611.00001")
        assert "like" in liked.text.casefold()
        assert "Posted here" in (await harness.say_alone("/paper explain 2611.00001")).text
        assert "Muted" in (await harness.say_alone("/paper mute surveys for:7d")).text
        assert "watch" in (await harness.say_alone("/paper watch 2611.00001")).text.casefold()
        assert "2" in (await harness.say_alone("/paper status")).text


async def test_buttons_work_in_a_persons_own_channel(opened: Opened) -> None:
    async with opened() as any_harness:
        harness: Any = any_harness
        await harness.say_alone("/paper subscribe whales")
        await arrive(harness.bot, a_paper("2611.00001", title="Whales sing", abstract="They sing. " * 40))
        [card] = harness.direct()
        assert "Saved" in (await harness.press(card, "Save")).text
        assert "Whales sing" in (await harness.say_alone("/paper saved")).text
        assert "They sing" in (await harness.press(card, "Full abstract")).text
        await harness.press(card, "👍")
        assert "Undo" in (await harness.say_alone("/paper unsubscribe #1")).buttons


async def test_forget_me_deletes_a_persons_own_channel(opened: Opened) -> None:
    async with opened() as any_harness:
        harness: Any = any_harness
        await harness.say_alone("/paper subscribe whales")
        await harness.say("/paper subscribe whales")
        await harness.press(await harness.say_alone("/paper forget me"), "Forget me")
        await arrive(harness.bot, a_paper("2611.00001", title="Whales sing"))
        assert harness.direct() == []
        assert "Whales sing" in texts(await harness.posted())


async def test_a_person_has_as_many_subscriptions_as_a_channel(opened: Opened) -> None:
    async with opened() as any_harness:
        harness: Any = any_harness
        await harness.say_alone("/paper subscribe whales")
        [own] = {one.channel async for one in harness.bot.subscriptions.load()}
        assert own.person
        for number in range(LIMIT - 1):
            await harness.bot.subscriptions.add(own, f"topic{number}", "now", "U1 ada")
        assert (
            f"already have {LIMIT} subscriptions" in (await harness.say_alone("/paper subscribe bees")).text
        )
        assert "Subscribed" in (await harness.say("/paper subscribe bees")).text


async def test_no_one_else_reads_or_changes_a_persons_own_channel(opened: Opened) -> None:
    """Not even with a form or button that names it."""
    async with opened() as any_harness:
        harness: Any = any_harness
        await harness.say_alone("/paper subscribe whales")
        [own] = {one.channel async for one in harness.bot.subscriptions.load()}
        eve = User("U0EVE", "eve")
        for line in ("list", "subscribe bees", "settings", "explain 2611.00001", "saved here", "feed"):
            reply = (await harness.bot.core.handle_text(line, eve, own)).card
            assert "not in this channel" in reply.notice, line
        assert isinstance(own, ChannelRef)
        await deliver(harness.bot)


async def test_app_home_shows_a_persons_own_channel(redis: Redis, clock: Clock) -> None:
    async with slack_harness(redis, lambda: clock.now) as harness:
        await harness.say_alone("/paper subscribe whales")
        home = await harness.person.open_home()
        assert "Your direct messages" in home.text
        assert "whales" in home.text
        await harness.person.press(home, "Settings")
        await harness.settled()
        form = harness.person.modals()[-1]
        echo = await harness.person.submit(form, every="once a day", zone="Berlin")
        assert echo is not None
        assert "Berlin" in echo.text
        assert "Berlin" in (await harness.say_alone("/paper status")).text
        ben = harness.slack.person(harness.workspace, "ben")
        assert "whales" not in (await ben.open_home()).text

"""A reading list is sent to Zotero; the key is given in the platform's form, or typed if it has no forms."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from redis.asyncio import Redis

from tests.adapters.discord.harness import DiscordHarness, discord_harness, shown
from tests.adapters.slack.harness import slack_harness
from tests.papers import a_paper
from tests.platform_harness import ZOTERO, PlatformHarness, arrive
from tests.platform_harnesses import HARNESSES
from tests.scenario import Clock
from tests.zotero_double import Zotero

WRONG = "AAAAAAAAAAAAAAAAAAAAAAAA"


@pytest.fixture
async def zotero() -> AsyncIterator[Zotero]:
    service = Zotero()
    async with service.serve() as url:
        token = ZOTERO.set(url)
        yield service
        ZOTERO.reset(token)


async def _saved(harness: PlatformHarness) -> None:
    await arrive(
        harness.bot, a_paper("2611.00001", title="Whales sing"), a_paper("2611.00002", title="Robots walk")
    )
    await harness.say('/paper save 2611.00001 note:"For Monday" tag:to-read')
    await harness.say("/paper save 2611.00002")


async def _nothing_leaked(redis: Redis, zotero: Zotero, logged: str) -> None:
    assert zotero.key not in logged
    async for name in redis.scan_iter("*"):
        if await redis.type(name) == "string":
            assert zotero.key not in str(await redis.get(name)), name
        elif await redis.type(name) == "hash":
            assert zotero.key not in str(await redis.hgetall(name)), name


async def test_slack_asks_for_the_key_in_a_modal(
    redis: Redis, clock: Clock, zotero: Zotero, capfd: pytest.CaptureFixture[str]
) -> None:
    async with slack_harness(redis, lambda: clock.now) as harness:
        await _saved(harness)
        form = await harness.press(await harness.say("/paper saved"), "Send to Zotero")
        assert "Zotero key" in form.text
        refused = await harness.person.submit(form.raw, key=WRONG)
        assert refused is not None
        assert "Zotero doesn't take this key" in refused.text
        connected = await harness.person.submit(form.raw, key=zotero.key)
        assert connected is not None
        assert "Connected to the Zotero library of ada" in connected.text
        assert "2 new papers" in (await harness.say("/paper zotero")).text
        assert "were there" in (await harness.say("/paper saved export:zotero")).text
        await _ends(harness, zotero)
        assert not [m for m in harness.room.messages if zotero.key in repr(m)]
    await _nothing_leaked(redis, zotero, "".join(capfd.readouterr()))


async def test_discord_asks_for_the_key_in_a_modal(
    redis: Redis, clock: Clock, zotero: Zotero, capfd: pytest.CaptureFixture[str]
) -> None:
    async with discord_harness(redis, lambda: clock.now) as harness:
        await _saved(harness)
        listed = await harness.say("/paper saved")
        opened = await harness.joe.click(listed.raw, label="Send to Zotero")
        assert opened.modal is not None
        done = await harness.joe.submit_modal(opened, {"key": zotero.key})
        connected = shown(done)
        assert "Connected to the Zotero library of ada" in connected.text
        assert "2 new papers" in (await harness.press(connected, "Send my papers")).text
        assert "were there" in (await harness.press(listed, "Send to Zotero")).text
        assert len(zotero.created) == 2
        assert isinstance(harness, DiscordHarness)
    await _nothing_leaked(redis, zotero, "".join(capfd.readouterr()))


@pytest.mark.parametrize("platform", ["console", "email", "slack"])
async def test_a_key_can_be_typed(
    redis: Redis, clock: Clock, zotero: Zotero, platform: str, capfd: pytest.CaptureFixture[str]
) -> None:
    async with HARNESSES[platform](redis, lambda: clock.now) as harness:
        await _saved(harness)
        if platform == "console":  # it has no forms
            assert "zotero key:" in (await harness.say("/paper zotero")).text
        assert "doesn't take this key" in (await harness.say(f"/paper zotero key:{WRONG}")).text
        reply = await harness.say(f"/paper zotero {zotero.key}")
        assert "Connected" in reply.text
        assert zotero.key not in reply.text
        assert "2 new papers" in (await harness.say("/paper zotero")).text
        await _ends(harness, zotero)
    logged = "".join(capfd.readouterr())
    await _nothing_leaked(redis, zotero, logged)


async def _ends(harness: Any, zotero: Zotero) -> None:
    assert len(zotero.created) == 2
    [noted] = [item for item in zotero.items.values() if "For Monday" in item["extra"]]
    assert noted["tags"] == [{"tag": "to-read"}]
    zotero.may_write = False
    assert "I have deleted it" in (await harness.say("/paper zotero")).text
    assert "No Zotero key" in (await harness.say("/paper zotero off")).text

"""An upgrade loses and repeats nothing: the previous release's data are read, matched and posted."""

import pytest
from redis.asyncio import Redis

from bot.domain.models import ChannelSettings, Mute
from bot.pipeline import delivery as delivering
from bot.store.channel_rules import ChannelRules
from bot.store.outbox.outbox import Outbox
from bot.store.polls import last_polls
from bot.store.reactions import Votes
from bot.store.unreadable import unreadable_records
from tests.scenario import Board, House
from tests.store.previous_release import PAPERS, RECORDED, channel, posted_after_an_upgrade, restored


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivering, "MAX_WAIT", 0.0)


async def test_open_deliveries_of_the_previous_release_are_posted_once(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    posted, expected = await posted_after_an_upgrade(redis, monkeypatch)
    assert posted == expected
    outbox = Outbox(redis)
    assert {dead.key async for dead in outbox.dead_letters()} == {
        key.partition("delivery:")[2] for key in RECORDED["keys"] if "delivery:board:T1:dead/" in key
    }
    assert [record async for record in unreadable_records(redis)] == []
    assert await outbox.open() == 0
    assert await outbox.paused_counts() == {}


async def test_all_data_of_people_survive(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    house, here = House(redis, Board(await restored(redis, monkeypatch))), channel("now")
    [subscription] = await house.subscriptions.of(here)
    assert (subscription.query, subscription.was) == ("diffusion OR language", "diffusion")
    rules = await ChannelRules(redis).of(here)
    assert rules.settings == ChannelSettings(digest_size=20)
    assert rules.mutes == (Mute(text="robots", created_by="U1 Ada"),)
    daily = await house.settings.of(channel("daily"))
    assert (daily.every, daily.zone, daily.edits) == ("daily", "Europe/Berlin", True)
    assert (await house.papers.get(PAPERS)).keys() == set(PAPERS)
    assert [paper.id for paper in await house.papers.trending()] == PAPERS[:1]
    assert [vote.paper for vote in await Votes(redis).of(here)] == PAPERS[:1]
    sent = await Outbox(redis).sent(here, PAPERS[0])
    assert sent is not None
    assert sent.message.id == "m-now"
    assert (await last_polls(redis))["hf"].found == 3
    pause = (await house.outbox.status(channel("gone"))).pause
    assert pause is not None
    assert (pause.scope, pause.why) == ("workspace", "the token was revoked")
    assert pause.next_probe is not None
    counts = {place: count for place, (count, _) in (await house.outbox.paused_counts()).items()}
    assert counts == {("board", "channel"): 1, ("board", "workspace"): 1}

"""A process can be killed at any call between an event about links and the cards: Slack sends the event again."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from itertools import count
from math import inf
from typing import Any

import pytest
from redis.asyncio import Redis
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_sdk.web.async_client import AsyncWebClient

from adapters.slack.http import EVENTS
from adapters.slack.manifest import manifest
from adapters.slack.unfurling import LEASE
from bot.ports import Batch
from tests.adapters.slack.double import Message, Slack
from tests.adapters.slack.double.conversation import post
from tests.adapters.slack.double.links import Ack, Kind, NotAcknowledged
from tests.adapters.slack.double.people import words
from tests.adapters.slack.double.world import Json
from tests.adapters.slack.harness import SlackHarness
from tests.adapters.slack.running import Running
from tests.papers import a_paper
from tests.scenario import Killed, Life, MortalRedis

LINK = "https://arxiv.org/abs/2603.00001"


@pytest.fixture
async def lab(redis: Redis) -> AsyncIterator[SlackHarness]:
    """Ada's workspace, without a bot."""
    async with Slack(manifest("http")).serve() as slack:
        yield SlackHarness(slack, redis)


async def age(redis: Redis, seconds: float) -> None:
    """Bring the expiry of every key forward by `seconds`."""
    async for key in redis.scan_iter("*"):
        left = await redis.pttl(key)
        if left > seconds * 1000:
            await redis.pexpire(key, round(left - seconds * 1000))
        elif left > 0:
            await redis.delete(key)


class KillableProcess(Running):
    """A process that can be killed at any call. A killed process doesn't acknowledge."""

    async def _listen(self) -> None:
        self.slack.link = self
        self._app = self.platform._app(self.bot.core)

    async def send(self, kind: Kind, payload: Json, retry: tuple[int, str] | None = None) -> Ack:
        """Deliver a request without HTTP. Raises NotAcknowledged."""
        del retry
        try:
            answer = await self._app.async_dispatch(AsyncBoltRequest(body=payload, mode="socket_mode"))
        except Killed:
            raise NotAcknowledged("no answer") from None
        if answer.status != 200:
            raise NotAcknowledged(f"HTTP {answer.status}")
        return Ack(kind, 0.0, {})


@dataclass
class Processes:
    """Two processes: `first` is killed at one of its calls, and `second` goes on."""

    lab: SlackHarness
    redis: Redis
    life: Life
    first: KillableProcess
    second: Running

    async def pass_time(self, seconds: float) -> None:
        """Let time pass until Slack sends an event again, to `second` if `first` is dead."""
        await age(self.redis, seconds)
        if self.life.dead and self.lab.slack.link is self.first:
            self.lab.slack.at(self.second.address + EVENTS)

    async def post(self, link: str) -> Message:
        """Post Ada's message with the link. Return it once Slack has stopped sending its event."""
        message = await post(self.lab.person, self.lab.room, link)
        await self.second.settled()
        return message


@asynccontextmanager
async def processes(lab: SlackHarness, redis: Redis, valkey: str, life: Life) -> AsyncIterator[Processes]:
    """Yield both processes. `life` counts calls once both are ready."""
    (token,) = lab.slack.world.tokens
    lifetime = life.calls
    life.calls = inf
    mortal = MortalRedis.living(valkey, life)
    made = Processes(lab, redis, life, KillableProcess(lab.slack, mortal), Running(lab.slack, redis))
    for process in (made.second, made.first):
        await process.start(process.http_alone(token))
    await made.second.bot.papers.ingest("test", Batch((), "c", history=(a_paper(),)), 0)
    lab.slack.pass_time = made.pass_time
    life.calls = lifetime
    try:
        yield made
    finally:
        await made.first.stop()
        await made.second.stop()
        await mortal.aclose()


@pytest.fixture
def life(monkeypatch: pytest.MonkeyPatch) -> Life:
    """Return the life of the process that can be killed. It counts calls to Slack as well as to Redis."""
    life, call = Life(), AsyncWebClient.api_call

    async def step(client: AsyncWebClient, *args: Any, **options: Any) -> Any:
        made = partial(call, client, *args, **options)
        return await (made() if life.dead else life.step(made))

    monkeypatch.setattr(AsyncWebClient, "api_call", step)
    return life


@pytest.mark.timeout(240)
@pytest.mark.parametrize("makes_last", [False, True], ids=["before", "after"])
async def test_a_card_survives_a_kill_at_every_call(
    lab: SlackHarness, redis: Redis, valkey: str, life: Life, *, makes_last: bool
) -> None:
    repeats = []
    for number in count(1):
        await redis.flushall()
        life.calls, life.makes_last, life.dead = number, makes_last, False
        asked = len(lab.slack.calls("chat.unfurl"))
        async with processes(lab, redis, valkey, life) as running:
            message = await running.post(LINK)
        assert list(message.unfurls) == [LINK], number
        assert words(message.unfurls[LINK]["blocks"]), number
        repeats.append(len(lab.slack.calls("chat.unfurl")) - asked - 1)
        if not life.dead:
            break
    assert len(repeats) > 8
    assert sum(repeats) == 1, (
        "only a call that Slack took just before a kill is repeated, and it changes the same cards"
    )


def test_a_lease_expires_before_slack_sends_the_event_again_after_a_minute() -> None:
    assert LEASE < 60

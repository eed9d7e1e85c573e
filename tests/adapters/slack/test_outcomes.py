"""The outcome of every answer for a delivery, its channel and its workspace."""

import re
from collections.abc import AsyncIterator
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.asyncio import Redis
from slack_sdk.errors import SlackApiError

from adapters.slack.manifest import manifest
from adapters.slack.outcomes import BUSY, EXPIRED, LONGEST_WAIT, PERMANENT, UNCERTAIN, outcome, retry_after
from bot.cards import Card
from bot.domain.errors import (
    CardRefused,
    ChannelGone,
    DeliveryUncertain,
    RetryLater,
    SendError,
    WorkspaceGone,
)
from tests.adapters.slack.double import Slack
from tests.adapters.slack.double.faults import BODIES
from tests.adapters.slack.harness import slack_harness
from tests.adapters.slack.test_posting import Poster
from tests.papers import a_paper
from tests.platform_harness import arrive, deliver

STOPS = (ChannelGone, WorkspaceGone, CardRefused)
STATUSES = (200, 201, 400, 401, 403, 404, 407, 408, 413, 429, 451, 500, 502, 503, 504, 520)
UNLISTED = st.text("abcdefghijklmnopqrstuvwxyz_", min_size=1, max_size=30).filter(
    lambda code: code not in {*PERMANENT, *BUSY, *UNCERTAIN}
)
CODES = st.sampled_from(sorted({*PERMANENT, *BUSY, *UNCERTAIN})) | UNLISTED | st.just("")


@given(st.integers(100, 999), CODES, st.none() | st.floats(0.1, LONGEST_WAIT), st.booleans())
def test_only_documented_permanent_codes_stop_posts(
    status: int, code: str, wait: float | None, from_slack: bool
) -> None:
    error = outcome(status, code, retry_after=wait, from_slack=from_slack or code != "")
    if isinstance(error, STOPS):
        assert code in PERMANENT
        assert status < 500
        assert status not in {408, 429}
        assert type(error) is PERMANENT[code].stops
    if isinstance(error, RetryLater):
        assert not error.counts
        assert error.after is not None
        assert 0 < error.after <= LONGEST_WAIT
    if (status >= 500 or status == 408 or code in UNCERTAIN) and code not in BUSY and status != 429:
        assert isinstance(error, DeliveryUncertain)
    if code == "" and status < 400:
        assert isinstance(error, DeliveryUncertain), "Slack may have accepted the post"
    if code == "" and 400 <= status < 500 and status not in {408, 429}:
        assert isinstance(error, RetryLater)
        assert error.scope == "platform"


@given(UNLISTED, st.integers(200, 499).filter(lambda status: status not in {408, 429}))
def test_an_undocumented_code_is_retried_per_channel(code: str, status: int) -> None:
    error = outcome(status, code)
    assert isinstance(error, RetryLater)
    assert error.scope == "channel"
    assert error.unexplained


@given(st.text(max_size=400) | st.floats().map(str) | st.integers().map(str) | st.just("9" * 400))
def test_no_wait_is_longer_than_a_day(text: str) -> None:
    error = SlackApiError("", SimpleNamespace(headers={"Retry-After": text}))  # type: ignore[no-untyped-call]
    wait = retry_after(error)
    assert wait is None or 0 < wait <= LONGEST_WAIT


@pytest.fixture
async def poster(redis: Redis) -> AsyncIterator[Poster]:
    async with Slack(manifest("socket")).serve() as slack:
        made = Poster(slack, redis)
        yield made
        await made.platform.close()


async def post_error(poster: Poster, fault: str) -> SendError:
    """Post over HTTP with a fault. Return the error that the platform raises."""
    poster.slack.faults.next("chat.postMessage", fault)
    with pytest.raises(SendError) as caught:
        await poster.send()
    return caught.value


@pytest.mark.parametrize("body", sorted(BODIES))
async def test_an_answer_that_is_not_from_slack_never_pauses_or_drops_anything(
    poster: Poster, body: str
) -> None:
    for status in STATUSES:
        error = await post_error(poster, f"{body} {status}")
        assert isinstance(error, RetryLater | DeliveryUncertain), (status, error)
        if isinstance(error, RetryLater):
            assert not error.counts
            assert 400 <= status < 500
            assert error.unexplained == (status != 429)
            assert error.scope in {"platform", "channel"} if status == 429 else error.scope == "platform"
    assert poster.room.messages == []
    for status in (200, 500, 502, 504):
        assert isinstance(await post_error(poster, f"{body} {status} taken"), DeliveryUncertain)
    assert len(poster.room.messages) == 4
    assert await poster.find() is not None


async def test_a_firewall_that_rejects_one_card_does_not_stop_the_next(poster: Poster) -> None:
    poster.slack.faults.firewall = "exploit"
    with pytest.raises(RetryLater) as caught:
        await poster.send(card=Card("reply", "How to exploit it"))
    assert caught.value.unexplained
    await poster.send("k2", Card("reply", "How to explore it"))
    assert len(poster.room.messages) == 1


async def test_every_documented_code_has_the_outcome_in_the_table(poster: Poster) -> None:
    layouts = len(poster.slack.calls("chat.postMessage"))
    for code, permanent in PERMANENT.items():
        poster.slack.faults.always["chat.postMessage"] = code
        why = "expired" if code == EXPIRED else re.escape(permanent.why)
        with pytest.raises(permanent.stops, match=why):
            await poster.send()
        poster.slack.faults.always["chat.postMessage"] = f"{code} 403"
        with pytest.raises(permanent.stops, match=why):
            await poster.send()
        poster.slack.faults.always["chat.postMessage"] = f"{code} 502"
        with pytest.raises(DeliveryUncertain):
            await poster.send()
    for code, scope in BUSY.items():
        poster.slack.faults.always["chat.postMessage"] = code
        with pytest.raises(RetryLater) as caught:
            await poster.send()
        assert (caught.value.scope, caught.value.counts) == (scope, False)
    assert poster.room.messages == []
    assert len(poster.slack.calls("chat.postMessage")) > layouts


@pytest.mark.parametrize(
    ("code", "stops"),
    [
        ("invalid_blocks_format", CardRefused),
        ("invalid_arguments", CardRefused),
        ("cannot_reply_to_message", CardRefused),
        ("ekm_access_denied", WorkspaceGone),
        ("org_login_required", WorkspaceGone),
        ("restricted_action_thread_only_channel", ChannelGone),
        ("is_archived", ChannelGone),
    ],
)
def test_each_code_stops_the_card_channel_or_workspace(code: str, stops: type[SendError]) -> None:
    assert isinstance(outcome(200, code), stops)


@pytest.mark.parametrize("fault", ["html 403", "html 404", "plain 400", "html 429", "empty 407"])
async def test_after_a_proxy_outage_every_channel_recovers_automatically(
    redis: Redis, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    monkeypatch.setattr("adapters.slack.outcomes.PROXY_WAIT", 0.05)
    async with slack_harness(redis) as harness:
        rooms = [harness.slack.channel(harness.workspace, f"room{n}", harness.person) for n in range(10)]
        for room in rooms:
            await harness.person.type(room, "subscribe diffusion")
        await harness.settled()
        harness.slack.faults.next("chat.postMessage", *[fault] * 25)
        await arrive(harness.bot, a_paper(title="A diffusion model"))
        while not all(room.messages for room in rooms) or harness.slack.faults.queued["chat.postMessage"]:
            await deliver(harness.bot)
        await deliver(harness.bot)
        assert [sum(m.metadata is not None for m in room.messages) for room in rooms] == [1] * 10
        assert not harness.person.direct()

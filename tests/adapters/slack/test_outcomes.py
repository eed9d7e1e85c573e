"""What every answer means for a delivery, its channel and its workspace: the whole table."""

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
from tests.adapters.slack.test_posting import Desk
from tests.papers import a_paper
from tests.platform_harness import arrive, deliver

STOPS = (ChannelGone, WorkspaceGone, CardRefused)
STATUSES = (200, 201, 400, 401, 403, 404, 407, 408, 413, 429, 451, 500, 502, 503, 504, 520)
UNLISTED = st.text("abcdefghijklmnopqrstuvwxyz_", min_size=1, max_size=30).filter(
    lambda code: code not in {*PERMANENT, *BUSY, *UNCERTAIN}
)
CODES = st.sampled_from(sorted({*PERMANENT, *BUSY, *UNCERTAIN})) | UNLISTED | st.just("")


@given(st.integers(100, 999), CODES, st.none() | st.floats(0.1, LONGEST_WAIT), st.booleans())
def test_only_documented_permanent_codes_stop_anything(
    status: int, code: str, wait: float | None, from_slack: bool
) -> None:
    means = outcome(status, code, retry_after=wait, from_slack=from_slack or code != "")
    if isinstance(means, STOPS):
        assert code in PERMANENT
        assert status < 500
        assert status not in {408, 429}
        assert type(means) is PERMANENT[code].stops
    if isinstance(means, RetryLater):
        assert not means.counts
        assert means.after is not None
        assert 0 < means.after <= LONGEST_WAIT
    if (status >= 500 or status == 408 or code in UNCERTAIN) and code not in BUSY and status != 429:
        assert isinstance(means, DeliveryUncertain)
    if code == "" and status < 400:
        assert isinstance(means, DeliveryUncertain), "it may have been taken"
    if code == "" and 400 <= status < 500 and status not in {408, 429}:
        assert isinstance(means, RetryLater)
        assert means.scope == "platform"


@given(UNLISTED, st.integers(200, 499).filter(lambda status: status not in {408, 429}))
def test_a_code_that_slack_does_not_document_is_retried_in_its_channel(code: str, status: int) -> None:
    means = outcome(status, code)
    assert isinstance(means, RetryLater)
    assert means.scope == "channel"
    assert means.unexplained


@given(st.text(max_size=400) | st.floats().map(str) | st.integers().map(str) | st.just("9" * 400))
def test_no_wait_is_longer_than_a_day(text: str) -> None:
    error = SlackApiError("", SimpleNamespace(headers={"Retry-After": text}))  # type: ignore[no-untyped-call]
    wait = retry_after(error)
    assert wait is None or 0 < wait <= LONGEST_WAIT


@pytest.fixture
async def desk(redis: Redis) -> AsyncIterator[Desk]:
    async with Slack(manifest("socket")).serve() as slack:
        made = Desk(slack, redis)
        yield made
        await made.platform.close()


async def meaning(desk: Desk, fault: str) -> SendError:
    """What a post's answer means to the platform, over HTTP."""
    desk.slack.faults.next("chat.postMessage", fault)
    with pytest.raises(SendError) as caught:
        await desk.send()
    return caught.value


@pytest.mark.parametrize("body", sorted(BODIES))
async def test_an_answer_that_is_not_slacks_never_pauses_drops_or_kills(desk: Desk, body: str) -> None:
    for status in STATUSES:
        means = await meaning(desk, f"{body} {status}")
        assert isinstance(means, RetryLater | DeliveryUncertain), (status, means)
        if isinstance(means, RetryLater):
            assert not means.counts
            assert 400 <= status < 500
            assert means.unexplained == (status != 429)
            assert means.scope in {"platform", "channel"} if status == 429 else means.scope == "platform"
    assert desk.room.messages == []
    for status in (200, 500, 502, 504):
        assert isinstance(await meaning(desk, f"{body} {status} taken"), DeliveryUncertain)
    assert len(desk.room.messages) == 4
    assert await desk.find() is not None


async def test_a_card_that_a_firewall_rejects_may_be_alone_with_it(desk: Desk) -> None:
    desk.slack.faults.firewall = "exploit"
    with pytest.raises(RetryLater) as caught:
        await desk.send(card=Card("reply", "How to exploit it"))
    assert caught.value.unexplained
    await desk.send("k2", Card("reply", "How to explore it"))
    assert len(desk.room.messages) == 1


async def test_every_documented_code_does_what_the_table_says(desk: Desk) -> None:
    layouts = len(desk.slack.calls("chat.postMessage"))
    for code, permanent in PERMANENT.items():
        desk.slack.faults.always["chat.postMessage"] = code
        why = "expired" if code == EXPIRED else re.escape(permanent.why)
        with pytest.raises(permanent.stops, match=why):
            await desk.send()
        desk.slack.faults.always["chat.postMessage"] = f"{code} 403"
        with pytest.raises(permanent.stops, match=why):
            await desk.send()
        desk.slack.faults.always["chat.postMessage"] = f"{code} 502"
        with pytest.raises(DeliveryUncertain):
            await desk.send()
    for code, scope in BUSY.items():
        desk.slack.faults.always["chat.postMessage"] = code
        with pytest.raises(RetryLater) as caught:
            await desk.send()
        assert (caught.value.scope, caught.value.counts) == (scope, False)
    assert desk.room.messages == []
    assert len(desk.slack.calls("chat.postMessage")) > layouts


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
def test_some_codes_stop_what_a_reader_expects(code: str, stops: type[SendError]) -> None:
    assert isinstance(outcome(200, code), stops)


@pytest.mark.parametrize("fault", ["html 403", "html 404", "plain 400", "html 429", "empty 407"])
async def test_after_a_spell_of_a_proxys_answers_every_channel_goes_on_by_itself(
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

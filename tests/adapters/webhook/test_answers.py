"""The meaning of each answer of a webhook receiver."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.webhook.answers import (
    ENDED_AFTER,
    FIRST_WAIT,
    LONGEST_WAIT,
    PAUSED_AFTER,
    Silence,
    confirms,
    on_answer,
    on_silence,
    wait,
)
from bot.domain.errors import (
    CardRefused,
    ChannelEnded,
    ChannelGone,
    DeliveryUncertain,
    RetryLater,
    SendError,
)

NO_TIME, A_DAY = timedelta(), PAUSED_AFTER
HOST = "hooks.example.org"
FAILING = st.timedeltas(timedelta(), timedelta(days=30))
BEFORE = st.timedeltas(timedelta(), PAUSED_AFTER - timedelta(seconds=1))


@pytest.mark.parametrize(
    ("status", "soon", "after_a_day"),
    [
        (301, RetryLater, ChannelGone),
        (308, RetryLater, ChannelGone),
        (400, RetryLater, ChannelGone),
        (401, RetryLater, ChannelGone),
        (403, RetryLater, ChannelGone),
        (404, RetryLater, ChannelGone),
        (408, RetryLater, ChannelGone),
        (410, ChannelEnded, ChannelEnded),
        (413, RetryLater, ChannelGone),
        (429, RetryLater, ChannelGone),
        (500, DeliveryUncertain, ChannelGone),
        (502, DeliveryUncertain, ChannelGone),
        (503, DeliveryUncertain, ChannelGone),
        (504, DeliveryUncertain, ChannelGone),
        (599, DeliveryUncertain, ChannelGone),
    ],
)
def test_the_error_of_a_status_depends_on_how_long_the_webhook_has_failed(
    status: int, soon: type[SendError], after_a_day: type[SendError]
) -> None:
    assert type(on_answer(status, None, NO_TIME, HOST)) is soon
    assert type(on_answer(status, None, A_DAY, HOST)) is after_a_day
    assert type(on_answer(status, None, ENDED_AFTER, HOST)) is ChannelEnded


@pytest.mark.parametrize(("stage", "soon"), [("connect", RetryLater), ("answer", DeliveryUncertain)])
def test_without_an_answer_a_post_is_retried_then_the_webhook_paused_and_removed(
    stage: Silence, soon: type[SendError]
) -> None:
    assert type(on_silence(stage, "hangs", NO_TIME, HOST)) is soon
    assert type(on_silence(stage, "hangs", A_DAY, HOST)) is ChannelGone
    assert type(on_silence(stage, "hangs", ENDED_AFTER, HOST)) is ChannelEnded


@given(st.integers(0, 999), st.none() | st.floats(0, 86_400), FAILING)
def test_no_status_loses_a_post_or_counts_as_a_failed_attempt(
    status: int, retry_after: float | None, failing: timedelta
) -> None:
    if confirms(status):
        return
    error = on_answer(status, retry_after, failing, HOST)
    assert not isinstance(error, CardRefused)
    if isinstance(error, RetryLater):
        assert not error.counts
        assert error.scope == "channel"
    if isinstance(error, RetryLater | DeliveryUncertain):
        assert error.after is not None
        assert error.after >= max(retry_after or 0.0, FIRST_WAIT)
        assert failing < PAUSED_AFTER
    assert isinstance(error, ChannelEnded) == (status == 410 or failing >= ENDED_AFTER)


@pytest.mark.parametrize(
    ("status", "unexplained"),
    [
        (400, True),
        (403, True),
        (404, True),
        (422, True),
        (408, False),
        (425, False),
        (429, False),
        (302, False),
    ],
)
def test_a_refusal_that_may_concern_one_post_delays_only_that_post(status: int, unexplained: bool) -> None:
    error = on_answer(status, None, NO_TIME, HOST)
    assert isinstance(error, RetryLater)
    assert error.unexplained == unexplained


@given(BEFORE, BEFORE)
def test_waits_grow_up_to_an_hour(one: timedelta, other: timedelta) -> None:
    first, second = sorted((one, other))
    assert FIRST_WAIT <= wait(first) <= wait(second) <= LONGEST_WAIT


def test_a_day_of_failures_takes_fewer_than_fifty_attempts() -> None:
    failing, attempts = 0.0, 0
    while failing < PAUSED_AFTER.total_seconds():
        failing, attempts = failing + wait(timedelta(seconds=failing)), attempts + 1
    assert attempts < 50


def test_an_unreachable_host_delays_all_its_webhooks() -> None:
    error = on_silence("connect", "is away", NO_TIME, HOST)
    assert isinstance(error, RetryLater)
    assert error.scope == "workspace"

"""The meaning of every enhanced status code (RFC 3463): only codes about the address pause it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.email.errors import GONE, UNSTATED, Phase, on_answer
from bot.domain.errors import CardRefused, ChannelGone, RetryLater, SendError

MEANINGS: tuple[tuple[str, type[SendError]], ...] = (
    ("550 5.1.1 No such user", ChannelGone),
    ("550 5.1.2 No such domain", ChannelGone),
    ("556 5.1.10 The domain takes no mail", ChannelGone),
    ("551 5.1.6 Moved away", ChannelGone),
    ("550 5.2.1 Mailbox disabled", ChannelGone),
    ("550 No such user", ChannelGone),
    ("550 5.0.0 No", ChannelGone),
    ("552 5.2.2 Mailbox full", RetryLater),
    ("550 5.1.8 Your address is wrong", RetryLater),
    ("554 5.3.0 Trouble in our system", RetryLater),
    ("554 5.4.4 No route to the host", RetryLater),
    ("554 5.4.6 A loop", RetryLater),
    ("501 5.5.2 Syntax error", RetryLater),
    ("550 5.1.0 Address rejected", ChannelGone),
    ("550 5.7.1 Blocked by policy", RetryLater),
    ("550 5.7.26 Not authenticated", RetryLater),
    ("530 Log in first", RetryLater),
    ("552 5.3.4 Message too big", CardRefused),
    ("552 5.2.3 Longer than this mailbox allows", CardRefused),
    ("554 5.6.3 Can't be converted", CardRefused),
    ("550 4.2.1 Try later", RetryLater),
    ("452 4.2.2 Mailbox full", RetryLater),
    ("450 4.1.1 Not known yet", RetryLater),
)

ABOUT_US: tuple[Phase, ...] = ("connect", "sender")
ABOUT_ADDRESS: tuple[Phase, ...] = ("recipient", "data", "end")
DETAILS = st.builds("{}.{}".format, st.integers(0, 9), st.integers(0, 30))


@pytest.mark.parametrize(("answer", "meaning"), MEANINGS)
def test_each_kind_of_status_has_its_error(answer: str, meaning: type[SendError]) -> None:
    code, _, text = answer.partition(" ")
    assert type(on_answer("recipient", int(code), text)) is meaning


@given(st.integers(400, 599), st.sampled_from("245"), DETAILS, st.sampled_from(ABOUT_ADDRESS))
def test_only_a_permanent_answer_about_the_address_pauses_it(
    code: int, kind: str, detail: str, phase: Phase
) -> None:
    error = on_answer(phase, code, f"{kind}.{detail} ada@example.org")
    assert "ada" not in str(error)
    is_gone = code >= 500 and code != 530 and kind != "4" and detail in GONE | UNSTATED
    assert isinstance(error, ChannelGone) == is_gone
    if code < 500:
        assert isinstance(error, RetryLater)


@given(st.integers(400, 599), st.text(max_size=40), st.sampled_from(ABOUT_US))
def test_an_answer_about_the_connection_or_the_sender_never_pauses_an_address(
    code: int, text: str, phase: Phase
) -> None:
    assert isinstance(on_answer(phase, code, text), RetryLater)

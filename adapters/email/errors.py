"""What an answer of a mail server, or none, means for a delivery. Decided here, asked in `relay.py`."""

import re
from typing import Literal

from bot.domain.errors import ChannelGone, DeliveryUncertain, RetryLater, SendError

Phase = Literal["turn", "connect", "sender", "recipient", "data", "end"]
"""How far a message had come. `turn` is before it has a connection, `data` lasts until its final dot is written, `end`
until that is answered."""

CLOSING = 421
"""The server goes down, or has had enough of us."""
NOT_AUTHENTICATED = 530
BUSY_PAUSE = 2.0
SERVER_PAUSE = 60.0
"""Seconds until a server that turned us away is asked again."""
MISCONFIGURED_PAUSE = 300.0
"""The same where somebody has to change something, such as a password."""

_STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}\b")
"""RFC 3463's code, which many servers put before their words."""


def on_answer(phase: Phase, code: int, text: str) -> SendError:
    """The server refused, in `phase`, with an SMTP reply.

    A final answer about one address pauses that address. One about us, such as a wrong password or a relay that doesn't
    know us (`5.7.…`), must not: it would pause everybody.
    """
    found = _STATUS.match(text.lstrip())
    status = found[0] if found else ""
    about_us = phase in {"connect", "sender"}
    # What a server says about an address mostly repeats it, and what is said here is kept.
    said = f"{code} {' '.join(text.split()) if about_us else status}".strip()[:200]
    if code >= 500:
        if about_us:
            return RetryLater(said, after=MISCONFIGURED_PAUSE, scope="platform", counts=False)
        ours = code == NOT_AUTHENTICATED or status.startswith("5.7.")
        return RetryLater(said) if ours else ChannelGone(f"the mail server refused the address: {said}")
    if code >= 400:
        if phase == "connect" or (phase == "sender" and code == CLOSING):
            return RetryLater(said, after=SERVER_PAUSE, scope="platform", counts=False)
        return RetryLater(said)
    return on_silence(phase, f"an answer out of place: {code}")


def on_silence(phase: Phase, why: str) -> SendError:
    """The connection ended or time ran out in `phase`. Only once the final dot is out may the mail be on its way."""
    match phase:
        case "end":
            return DeliveryUncertain(f"no answer to the end of the message: {why}")
        case "connect":
            return RetryLater(why, after=SERVER_PAUSE, scope="platform", counts=False)
        case "turn":
            return RetryLater("all connections are busy", after=BUSY_PAUSE, counts=False)
        case _:
            return RetryLater(f"before the end of the message: {why}")

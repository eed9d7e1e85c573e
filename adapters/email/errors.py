"""What a mail server's answer, or its silence, means for a delivery. Pure; `smtp_client` does the I/O."""

import re
from typing import Literal

from bot.domain.errors import ChannelGone, DeliveryUncertain, RetryLater, SendError

Phase = Literal["turn", "connect", "sender", "recipient", "data", "end"]
"""How far a message got. `turn`: it waits for a connection. `data`: until its final dot is written. `end`: until the
server answers that."""

CLOSING = 421
"""SMTP reply code: the server shuts down, or limits us."""
NOT_AUTHENTICATED = 530
"""SMTP reply code: log in first."""
BUSY_PAUSE = 2.0
"""Seconds until a message that got no connection is tried again."""
SERVER_PAUSE = 60.0
"""Seconds until a server that refused the connection is tried again."""
MISCONFIGURED_PAUSE = 300.0
"""Seconds until the next try if the operator has to fix something, such as a password."""

_STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}\b")
"""An enhanced status code (RFC 3463), which many servers put before their text."""


def on_answer(phase: Phase, code: int, text: str) -> SendError:
    """The error for an SMTP reply that refuses, in `phase`.

    A permanent answer about one address pauses that address. One about us, such as a wrong password or a relay that
    doesn't accept us (`5.7.…`), must not: it would pause every address.
    """
    found = _STATUS.match(text.lstrip())
    status = found[0] if found else ""
    about_us = phase in {"connect", "sender"}
    # Servers repeat the address in their answers about it, and errors are stored: keep the status only.
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
    return on_silence(phase, f"unexpected answer: {code}")


def on_silence(phase: Phase, why: str) -> SendError:
    """The error for a connection that ended, or a timeout, in `phase`. Uncertain only once the final dot is sent."""
    match phase:
        case "end":
            return DeliveryUncertain(f"no answer to the end of the message: {why}")
        case "connect":
            return RetryLater(why, after=SERVER_PAUSE, scope="platform", counts=False)
        case "turn":
            return RetryLater("all connections are busy", after=BUSY_PAUSE, counts=False)
        case _:
            return RetryLater(f"before the end of the message: {why}")

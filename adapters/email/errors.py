"""Maps a mail server's answer, or a missing answer, to a delivery error. Pure; `smtp_client` does the I/O."""

import re
from typing import Literal

from bot.domain.errors import CardRefused, ChannelGone, DeliveryUncertain, RetryLater, SendError

Phase = Literal["turn", "connect", "sender", "recipient", "data", "end"]
"""Phase of a delivery. `turn`: waiting for a connection. `data`: until the final dot is written. `end`: until the
server answers the final dot."""

CLOSING = 421
"""SMTP reply code: the server is shutting down, or limits us."""
NOT_AUTHENTICATED = 530
"""SMTP reply code: log in first."""
BUSY_PAUSE = 2.0
"""Seconds until a message that got no connection is tried again."""
SERVER_PAUSE = 60.0
"""Seconds until a server that refused the connection is tried again."""
MISCONFIGURED_PAUSE = 300.0
"""Seconds until the next attempt if the operator has to fix something, such as a password."""

GONE = frozenset({"1.1", "1.2", "1.3", "1.6", "1.10", "2.1"})
"""Details (RFC 3463, RFC 7505) about the address: no such mailbox or system, bad syntax, moved, a domain without mail,
a disabled mailbox."""
UNSTATED = frozenset({"", "0.0", "1.0", "5.0"})
"""Details that add nothing to the reply code."""
CARD_REFUSED = frozenset({"2.3", "3.4", "6.0", "6.1", "6.2", "6.3", "6.5"})
"""Details about this one message: too long for the mailbox or the system, or it can't be converted."""

_STATUS = re.compile(r"[245]\.(?P<detail>\d{1,3}\.\d{1,3})\b")
"""An enhanced status code (RFC 3463), which many servers put before their text: class, subject and detail."""


def on_answer(phase: Phase, code: int, text: str) -> SendError:
    """Return the error for a negative SMTP reply in `phase`.

    Only a permanent answer about the address pauses it (`GONE`, or no detail at all). Answers about us (`5.7.…`, a wrong
    password) must not, since they would pause every address. Nor must those about the server or the route to it
    (`5.3.…`, `5.4.…`) or about a full mailbox (`5.2.2`), which are temporary.
    """
    found = _STATUS.match(text.lstrip())
    status, detail = (found[0], found["detail"]) if found else ("", "")
    about_us = phase in {"connect", "sender"}
    # Servers repeat the address in their answers about it, and errors are stored: keep the status only.
    reply = f"{code} {' '.join(text.split()) if about_us else status}".strip()[:200]
    if code >= 500:
        if about_us:
            return RetryLater(reply, after=MISCONFIGURED_PAUSE, scope="platform", counts=False)
        is_temporary = code == NOT_AUTHENTICATED or status.startswith("4.")
        return RetryLater(reply) if is_temporary else _permanent(detail, reply)
    if code >= 400:
        if phase == "connect" or (phase == "sender" and code == CLOSING):
            return RetryLater(reply, after=SERVER_PAUSE, scope="platform", counts=False)
        return RetryLater(reply)
    return on_silence(phase, f"unexpected answer: {code}")


def _permanent(detail: str, reply: str) -> SendError:
    if detail in CARD_REFUSED:
        return CardRefused(f"the mail server refused this message: {reply}")
    if detail in GONE | UNSTATED:
        return ChannelGone(f"the mail server refused the address: {reply}")
    return RetryLater(reply)


def on_silence(phase: Phase, why: str) -> SendError:
    """Return the error for a connection that ended or timed out in `phase`. Uncertain only after the final dot."""
    match phase:
        case "end":
            return DeliveryUncertain(f"no answer to the end of the message: {why}")
        case "connect":
            return RetryLater(why, after=SERVER_PAUSE, scope="platform", counts=False)
        case "turn":
            return RetryLater("all connections are busy", after=BUSY_PAUSE, counts=False)
        case _:
            return RetryLater(f"before the end of the message: {why}")

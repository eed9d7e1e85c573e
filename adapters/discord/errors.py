"""What Discord's errors mean for a post. The codes are those of Discord's "Opcodes and Status Codes"."""

import aiohttp
import discord

from bot.domain.errors import CardRefused, ChannelGone, DeliveryUncertain, RetryLater, SendError

DELETED = 10008
"""The message is unknown: on a create with a nonce, it was posted before and has been deleted since."""
OVER = frozenset({10062, 10015, 40060})
"""The interaction is over: its three seconds or fifteen minutes have passed, or another process answered it."""
FORM = 50035
WRONG_KIND = 50008
"""No messages can be sent in a channel of this kind, such as a forum."""
THREAD_EXISTS = 160004
BLOCKED_FOR = 600.0
"""Seconds in which nothing is sent to a server that says it has blocked us (a 429 that is not the API's own)."""
REFUSED_FOR = 300.0
"""Seconds between attempts with a token that is refused: ten thousand of those are a ban."""
SLOW_FOR = 5.0


class Hindered(ChannelGone):
    """Nothing can be posted there until somebody mends it: they are told."""


GONE = {
    10003: "the channel does not exist any more",
    10004: "the server does not exist any more, or Paperboy is not in it",
    50008: "no messages can be sent in a channel of this kind",
    50024: "that can't be done in a channel of this kind",
}
HINDERED = {
    50001: "I may not see the channel: give me View Channel",
    50013: "I lack a permission: give me View Channel, Send Messages and Embed Links",
    50083: "the thread is archived",
    160005: "the thread is locked",
    40067: "the forum wants a tag on each post, and has none that I may use",
}
REFUSED = frozenset({FORM, 50006})
LATER = frozenset({20016, 20028, 40062, 130000, 30033, 160006})
"""Slow mode, write limits, overload, too many open threads."""


def verdict(error: Exception) -> SendError:
    """What is to be done about an error of a post."""
    match error:
        case SendError():
            return error
        case discord.RateLimited():
            return RetryLater("slow down", after=error.retry_after, counts=False)
        case aiohttp.ClientConnectorError():
            return RetryLater(f"not connected: {error}", scope="platform")
        case discord.HTTPException():
            return _answered(error)
        case aiohttp.ClientError() | OSError():
            return DeliveryUncertain(f"no answer: {error!r}")
        case _:
            raise error


def _answered(error: discord.HTTPException) -> SendError:
    """The error that came as an answer, by its status, else by its code."""
    why = f"{error.status} {error.code}: {error.text}"[:300]
    match error.status:
        case 429 if "Via" in error.response.headers:  # its own: discord.py has waited for it several times
            return RetryLater(why, after=SLOW_FOR, counts=False)
        case 429:
            return _wait("Discord blocks this address for now", BLOCKED_FOR)
        case 401:
            return _wait("Discord refuses DISCORD_TOKEN", REFUSED_FOR)
        case status if status >= 500:
            return DeliveryUncertain(why)
        case _:
            return _coded(error, why)


def _coded(error: discord.HTTPException, why: str) -> SendError:
    if error.code in LATER:
        return RetryLater(why, after=SLOW_FOR, counts=False)
    if error.code in HINDERED:
        return Hindered(HINDERED[error.code])
    if error.code in REFUSED or (error.status == 400 and error.code not in GONE):
        return CardRefused(why)
    return ChannelGone(GONE.get(error.code, why))


def _wait(why: str, after: float) -> RetryLater:
    """Nothing can be posted anywhere for so long."""
    return RetryLater(why, after=after, scope="platform", counts=False)

"""The meaning of each of Discord's answers for a delivery, its channel and its server: one table.

Only a code of `BY_CODE`, in Discord's own JSON, pauses a channel or drops a card. Any other answer may come from a
proxy, a firewall or Cloudflare, or from a temporary fault, so the delivery is retried and its attempt doesn't count:

| status        | body                                     | the delivery                                            |
|---------------|------------------------------------------|---------------------------------------------------------|
| 2xx           | the expected result                      | posted                                                  |
| 2xx           | anything else                            | uncertain if it was a post, else retried, platform-wide |
| 3xx, 408      | anything                                 | retried, platform-wide                                  |
| 401           | Discord's JSON                           | retried, platform-wide: the token is refused            |
| 429           | Discord's JSON                           | retried when it says; platform-wide if it says so       |
| 429           | anything else                            | retried, platform-wide: the address is blocked          |
| any other 4xx | a code of `BY_CODE`                      | as the table says                                       |
| any other 4xx | another code                             | retried, for this post only                             |
| any other 4xx | no code, code 0, no JSON, empty, cut off | retried, platform-wide                                  |
| 5xx           | anything                                 | uncertain if it was a post, else retried, platform-wide |

The codes are those of https://docs.discord.com/developers/topics/opcodes-and-status-codes#json.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import aiohttp
import discord

from bot.domain.errors import CardRefused, ChannelGone, DeliveryUncertain, RetryLater, SendError

DELETED = 10008
"""Unknown message. For a post with a nonce: it was posted before and has been deleted since."""
INTERACTION_OVER = frozenset({10062, 10015, 40060, 50027})
"""The interaction has expired (after 3 seconds or 15 minutes, the latter also as an invalid webhook token), or another
process has answered it."""
INVALID_FORM = 50035
WRONG_KIND = frozenset({50008, 40058})
"""The channel doesn't accept plain messages: a forum, for example."""
THREAD_EXISTS = 160004
NO_THREAD = frozenset({10003, 10008, 50001, 50013, 50024, 50083, 160005, 160006})
"""A thread can't be posted in or opened: it or its message is gone, it is archived or locked, permissions are missing,
or the server has the maximum number of threads. Its channel may be fine."""
ALREADY_PUBLISHED = 40033


def is_about_thread(error: discord.HTTPException) -> bool:
    """Whether only the thread is refused, so that the channel can be tried instead."""
    return error.code in NO_THREAD


SPELL = 10.0
"""Seconds between attempts while something between us and Discord answers, so that posting resumes soon afterwards."""
TOKEN_REFUSED = 60.0
"""Seconds between attempts with a refused token. 10,000 refused requests in 10 minutes get the address banned."""
ADDRESS_BLOCKED = 60.0
"""Seconds between attempts while Cloudflare blocks this address, unless it names a time."""
LONGEST = 3600.0
"""Longest wait in seconds, whatever an answer says."""


class Unreachable(ChannelGone):
    """Nothing can be posted in the channel until someone changes something there. `code` is Discord's."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Pause:
    """Pause the channel. `reason` says what is wrong and what to do."""

    reason: str


@dataclass(frozen=True, slots=True)
class Drop:
    """Drop this card: Discord will never accept it."""


@dataclass(frozen=True, slots=True)
class Retry:
    """Try again after `after` seconds. The attempt doesn't count."""

    after: float
    scope: Literal["channel", "workspace", "platform"] = "channel"
    unexplained: bool = False


Meaning = Pause | Drop | Retry

BY_CODE: Mapping[int, Meaning] = {
    # The channel can't be posted in until someone changes something: pause it.
    10003: Pause("This channel no longer exists on Discord."),
    10004: Pause("Paperboy is no longer in this server, or the server no longer exists."),
    40058: Pause("Posts in this forum can't be written as messages. Subscribe again in a text channel."),
    40066: Pause(
        "This forum requires a tag, and only moderators may set its tags. Add one that everyone may use."
    ),
    40067: Pause("This forum requires a tag on each post. Add a tag that everyone may use."),
    50001: Pause("Paperboy can't see this channel. Give it the View Channel permission."),
    50007: Pause("This person doesn't accept direct messages from Paperboy."),
    50008: Pause("Messages can't be posted in a channel of this kind. Subscribe in a text channel."),
    50009: Pause("The server's verification level keeps Paperboy out. Give it a role."),
    50013: Pause("Paperboy lacks a permission here. Give it View Channel, Send Messages and Embed Links."),
    50024: Pause("Messages can't be posted in a channel of this kind. Subscribe in a text channel."),
    50055: Pause("Paperboy is no longer in this server, or the server no longer exists."),
    50083: Pause("This thread is archived. Reopen it."),
    50278: Pause("Paperboy shares no server with this person any more."),
    60003: Pause(
        "The server requires two-factor authentication of its moderators. Give Paperboy fewer permissions."
    ),
    160005: Pause("This thread is locked. Unlock it."),
    160006: Pause("This server has as many open threads as Discord allows. Close some."),
    # Discord will never accept this card: a dead letter.
    20009: Drop(),  # explicit content
    20031: Drop(),  # words that aren't allowed in a name
    40005: Drop(),  # too large
    50006: Drop(),  # empty
    50035: Drop(),  # invalid form
    50045: Drop(),  # a file that is too large
    200000: Drop(),  # automatic moderation: the message
    200001: Drop(),  # automatic moderation: the title
    240000: Drop(),  # harmful links
    # Limits of a channel or a server.
    20016: Retry(30.0),  # slow mode
    20028: Retry(5.0),  # the channel's write limit
    20029: Retry(5.0, "workspace"),  # the server's write limit
    30046: Retry(300.0),  # edits of old messages
    10087: Retry(5.0),  # a tag was deleted between our lookup and our post
    # Faults of Discord's or of the network's.
    0: Retry(SPELL, "platform", unexplained=True),
    40004: Retry(SPELL, "platform"),  # sending is switched off
    40006: Retry(SPELL, "platform"),  # this feature is switched off
    40062: Retry(SPELL, "platform"),  # overload
    40333: Retry(SPELL, "platform", unexplained=True),  # Cloudflare blocks the request
    110000: Retry(SPELL, "platform"),
    110001: Retry(SPELL, "platform"),
    130000: Retry(SPELL, "platform"),  # overload
}
ANY_OTHER_CODE = Retry(60.0, unexplained=True)
"""Discord refuses this request, perhaps because of the card or the channel: other posts continue. The wait doubles."""

NOT_CONNECTED = (
    aiohttp.ClientConnectorError,
    aiohttp.ConnectionTimeoutError,
    aiohttp.ClientHttpProxyError,
)
"""Errors after which it is certain that no request was sent."""
NOT_JSON: Any = object()
"""Stands for a body that isn't JSON, or that ended too early."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer, before it is classified."""

    status: int
    body: Any = NOT_JSON
    """The parsed JSON."""
    retry_after: str = ""
    """The header `Retry-After`."""

    @property
    def code(self) -> int | None:
        """Discord's error code; None if the body isn't Discord's description of an error."""
        code = self.body.get("code") if isinstance(self.body, dict) else None
        return code if type(code) is int else None


def classify(answer: Answer, *, posts: bool) -> SendError | None:
    """Return the error that the answer means, None for a result. `posts` says whether the request creates a post."""
    status = answer.status
    if 200 <= status < 300:
        return None if _is_result(answer, posts=posts) else _uncertain(_described(answer), posts=posts)
    if status >= 500:
        return _uncertain(_described(answer), posts=posts)
    if status == 429:
        return _rate_limited(answer)
    if status < 400 or status == 408 or answer.code is None:
        return not_discord(status)
    if status == 401:
        return _retry(Retry(TOKEN_REFUSED, "platform"), "Discord refuses DISCORD_TOKEN")
    return _error_of_code(answer.code, _described(answer))


def not_discord(status: int) -> RetryLater:
    """Return the error for an answer from something between us and Discord, which never saw the request."""
    return _retry(
        Retry(SPELL, "platform", unexplained=True),
        f"HTTP {status}, and not from Discord itself: a proxy or Cloudflare",
    )


def classify_error(error: Exception, *, posts: bool = True) -> SendError:
    """Return the SendError for an error of a request. `posts` says whether the request creates a post."""
    match error:
        case SendError():
            return error
        case discord.RateLimited():
            return RetryLater("Discord's rate limit", after=_bounded(error.retry_after), counts=False)
        case discord.HTTPException() if error.status == 429:  # the library has waited for it several times
            return RetryLater("Discord's rate limit", after=5.0, counts=False)
        case discord.HTTPException():
            answer = Answer(error.status, {"code": error.code, "message": error.text})
            return classify(answer, posts=posts) or DeliveryUncertain(_described(answer))
        case aiohttp.ClientError() | OSError():
            return _unanswered(error, posts=posts)
        case _:
            raise error


def _unanswered(error: aiohttp.ClientError | OSError, *, posts: bool) -> SendError:
    """Return the error for a connection that couldn't be opened, or that ended without an answer."""
    if isinstance(error, NOT_CONNECTED):
        return _retry(Retry(SPELL, "platform"), f"Discord can't be reached: {error}")
    return _uncertain(f"No answer: {error!r}", posts=posts)


def _error_of_code(code: int, why: str) -> SendError:
    match BY_CODE.get(code, ANY_OTHER_CODE):
        case Pause(reason):
            return Unreachable(reason, code)
        case Drop():
            return CardRefused(why)
        case Retry() as retry:
            return _retry(retry, why)


def _rate_limited(answer: Answer) -> SendError:
    """Return the error for a 429. Discord's own names a time, and whether it applies to the whole bot."""
    body = answer.body if isinstance(answer.body, dict) else {}
    named = body.get("retry_after")
    if isinstance(named, int | float):
        everywhere = body.get("global") is True
        return _retry(Retry(_bounded(named), "platform" if everywhere else "channel"), "Discord's rate limit")
    after = _bounded(_number(answer.retry_after) or ADDRESS_BLOCKED)
    return _retry(Retry(after, "platform"), "Discord blocks this machine's address for now")


def _uncertain(why: str, *, posts: bool) -> SendError:
    """Return the error for a request that Discord may or may not have carried out."""
    return DeliveryUncertain(why) if posts else _retry(Retry(SPELL, "platform"), why)


def _is_result(answer: Answer, *, posts: bool) -> bool:
    if posts:
        return isinstance(answer.body, dict) and str(answer.body.get("id", "")).isdecimal()
    return answer.status == 204 or isinstance(answer.body, dict | list)


def _retry(retry: Retry, why: str) -> RetryLater:
    return RetryLater(why, after=retry.after, scope=retry.scope, counts=False, unexplained=retry.unexplained)


def _bounded(seconds: float) -> float:
    return min(max(seconds, 0.05), LONGEST) if seconds == seconds else LONGEST  # noqa: PLR0124  # NaN isn't a time


def _number(text: str) -> float:
    """Return the seconds in a header; 0 if there are none."""
    return float(text) if len(text) <= 12 and text.replace(".", "", 1).isdecimal() else 0.0


def _described(answer: Answer) -> str:
    """Describe the answer in a short line."""
    message = answer.body.get("message", "") if isinstance(answer.body, dict) else ""
    code = "" if answer.code is None else f" {answer.code}"
    return f"HTTP {answer.status}{code}{': ' if message else ''}{message}"[:300]

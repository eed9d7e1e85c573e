"""The meaning of every answer from Slack: one table, and a rule for everything that isn't in it. Pure.

The codes are those of https://docs.slack.dev/reference/methods/chat.postMessage, and those that only `chat.update` and
`conversations.history` have. The rule has four parts:

1. Only a code of `PERMANENT`, in an answer below HTTP 500, pauses a channel or a workspace, or drops a card.
2. Slack is busy (HTTP 429, a code of `BUSY`): wait, in the scope that is busy.
3. An answer that leaves open whether Slack accepted the message (HTTP 408 and 5xx, a code of `UNCERTAIN`, anything that
   can't be read as Slack's JSON) is uncertain: the message is looked up, never sent again blindly.
4. Any other answer is a refusal, and the post is retried. After a code that Slack doesn't list, only this post waits;
   after HTTP 4xx without Slack's JSON (a proxy's page), the whole platform does. These attempts don't count. (A post
   that is refused for most of a day while others get through becomes a dead letter: see `REFUSED_ALONE`.)
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any, Literal

from aiohttp import ClientConnectorError, ClientError, ClientHttpProxyError, ConnectionTimeoutError
from slack_sdk.errors import SlackApiError

from bot.domain.errors import (
    CardRefused,
    ChannelGone,
    DeliveryUncertain,
    RetryLater,
    SendError,
    WorkspaceGone,
)

CALL_ERRORS = (
    SlackApiError,
    ClientError,
    TimeoutError,
    OSError,
    AttributeError,  # slack_sdk, on plain text and on JSON that isn't an object
    ValueError,  # slack_sdk, on bytes that aren't text
    LookupError,  # aiohttp, on a charset that doesn't exist
    RecursionError,  # json, on deeply nested JSON
)
"""Errors of slack_sdk's calls if Slack, or a proxy in between, answers badly or not at all."""

NOT_CONNECTED = (ClientConnectorError, ClientHttpProxyError, ConnectionTimeoutError)
"""Errors after which it is certain that no request was sent."""

LONGEST_CODE = 80
"""Maximum number of characters read from a code."""
LONGEST_WAIT = 86_400.0
"""Seconds: if an answer asks for a longer wait, it is cut to a day."""
RATE_LIMIT_WAIT = 30.0
"""Seconds to wait after a rate limit that names no time."""
BUSY_WAIT = 60.0
"""Seconds to wait for a busy workspace that names no time."""
REFUSED_WAIT = 60.0
"""Seconds until a message is retried that Slack refused with an undocumented code."""
PROXY_WAIT = 20.0
"""Seconds until a retry after something in between refused a call, or Slack couldn't be reached."""

EXPIRED = "token_expired"
TOKEN_REFUSED = frozenset(
    {
        "account_inactive",
        "invalid_auth",
        "not_allowed_token_type",
        "not_authed",
        EXPIRED,
        "token_revoked",
    }
)
"""Codes that refuse the token itself: a new one is needed."""

Gone = type[WorkspaceGone] | type[ChannelGone] | type[CardRefused]


@dataclass(frozen=True, slots=True)
class Permanent:
    """A permanent error: what it stops, and the reason, as people read it after “Nothing is posted …: ”."""

    stops: Gone
    why: str


_REMOVED = Permanent(WorkspaceGone, "Paperboy was removed from the workspace, or its token was revoked")
_NOT_ALLOWED = Permanent(WorkspaceGone, "the app lacks a permission: an admin has to install it again")
_NOT_HERE = Permanent(ChannelGone, "Paperboy is not in this channel: type /invite @Paperboy there")
_RESTRICTED = Permanent(ChannelGone, "the channel's settings don't let Paperboy post there")
_TOO_LONG = Permanent(CardRefused, "Slack finds the card too long")
_MALFORMED = Permanent(CardRefused, "Slack can't read the card")

PERMANENT: Mapping[str, Permanent] = {
    # Nothing can be posted in the workspace until someone there, or the operator, acts.
    "account_inactive": _REMOVED,
    "token_revoked": _REMOVED,
    "invalid_auth": Permanent(
        WorkspaceGone, "Slack refuses the app's token, or calls from this server's address"
    ),
    "not_authed": _REMOVED,
    "not_allowed_token_type": Permanent(WorkspaceGone, "the token is not a bot token (xoxb-…)"),
    EXPIRED: Permanent(WorkspaceGone, "the app's token has expired: install the app again"),
    "missing_scope": _NOT_ALLOWED,
    "no_permission": _NOT_ALLOWED,
    "access_denied": _NOT_ALLOWED,
    "team_access_not_granted": Permanent(
        WorkspaceGone, "an admin has to give the app access to this workspace"
    ),
    "team_not_found": Permanent(WorkspaceGone, "Slack doesn't know this workspace"),
    "ekm_access_denied": Permanent(WorkspaceGone, "the workspace's admins have suspended posting"),
    "org_login_required": Permanent(
        WorkspaceGone, "the workspace is being moved into an Enterprise organization"
    ),
    "enterprise_is_restricted": Permanent(
        WorkspaceGone, "the workspace's Enterprise organization doesn't allow the app"
    ),
    "two_factor_setup_required": Permanent(
        WorkspaceGone, "the workspace requires two-factor authentication to be set up first"
    ),
    "accesslimited": Permanent(WorkspaceGone, "Slack refuses calls from this server's network"),
    "deprecated_endpoint": Permanent(
        WorkspaceGone, "Slack no longer supports this version of Paperboy: update it"
    ),
    "method_deprecated": Permanent(
        WorkspaceGone, "Slack no longer supports this version of Paperboy: update it"
    ),
    # Nothing can be posted in the channel until something changes there.
    "channel_not_found": _NOT_HERE,
    "not_in_channel": _NOT_HERE,
    "is_archived": Permanent(ChannelGone, "the channel is archived"),
    "restricted_action": _RESTRICTED,
    "restricted_action_read_only_channel": Permanent(ChannelGone, "the channel is read-only"),
    "restricted_action_thread_only_channel": Permanent(ChannelGone, "the channel takes only thread replies"),
    "messages_tab_disabled": Permanent(ChannelGone, "the app's Messages tab is switched off"),
    "cannot_dm_bot": Permanent(ChannelGone, "Slack doesn't let apps write to bots"),
    "user_disabled": Permanent(ChannelGone, "the person's account is deactivated"),
    # Slack will never accept this message; others continue.
    "invalid_blocks": _MALFORMED,
    "invalid_blocks_format": _MALFORMED,
    "invalid_arguments": _MALFORMED,
    "invalid_arg_name": _MALFORMED,
    "invalid_array_arg": _MALFORMED,
    "invalid_charset": _MALFORMED,
    "invalid_form_data": _MALFORMED,
    "invalid_json": _MALFORMED,
    "json_not_object": _MALFORMED,
    "invalid_post_type": _MALFORMED,
    "missing_post_type": _MALFORMED,
    "invalid_metadata_format": _MALFORMED,
    "invalid_metadata_schema": _MALFORMED,
    "metadata_must_be_sent_from_app": _MALFORMED,
    "markdown_text_conflict": _MALFORMED,
    "as_user_not_supported": _MALFORMED,
    "no_text": Permanent(CardRefused, "the card is empty"),
    "msg_too_long": _TOO_LONG,
    "msg_blocks_too_long": _TOO_LONG,
    "metadata_too_large": _TOO_LONG,
    "too_many_attachments": _TOO_LONG,
    "too_many_contact_cards": _TOO_LONG,
    "cannot_reply_to_message": Permanent(CardRefused, "the message can't have replies"),
    "thread_not_found": Permanent(CardRefused, "the message to reply to is gone"),
    "restricted_action_non_threadable_channel": Permanent(CardRefused, "the channel has no threads"),
    "restricted_action_thread_locked": Permanent(CardRefused, "the thread is locked"),
    "slack_connect_canvas_sharing_blocked": Permanent(CardRefused, "a shared channel doesn't allow the card"),
    "slack_connect_file_link_sharing_blocked": Permanent(
        CardRefused, "a shared channel doesn't allow the card's links"
    ),
    "slack_connect_lists_sharing_blocked": Permanent(CardRefused, "a shared channel doesn't allow the card"),
    "message_not_found": Permanent(CardRefused, "the message is gone"),
    "cant_update_message": Permanent(CardRefused, "the message can't be edited"),
    "edit_window_closed": Permanent(CardRefused, "the message is too old to be edited"),
}
"""Slack's documented permanent errors."""

BUSY: Mapping[str, Literal["channel", "workspace"]] = {
    "ratelimited": "channel",
    "rate_limited": "channel",
    "message_limit_exceeded": "workspace",
    "service_unavailable": "workspace",
    "team_added_to_org": "workspace",
}
"""Codes that ask us to wait, and the scope that has to wait."""

UNCERTAIN = frozenset({"internal_error", "fatal_error", "request_timeout"})
"""Codes after which a message may have been posted, according to Slack's reference."""


def outcome(  # noqa: PLR0911  # a line for each part of the rule
    status: int, code: str, *, retry_after: float | None = None, from_slack: bool = True
) -> SendError:
    """Return the error that an answer means for the message of its request.

    `code` is the `error` of Slack's JSON, empty if it has none; `from_slack` is False if the body isn't Slack's JSON.
    """
    reason = f"Slack answers {code}" if code else f"HTTP {status} without an answer from Slack"
    if status == 429 and not from_slack:
        return RetryLater(reason, after=retry_after or PROXY_WAIT, scope="platform", counts=False)
    if status == 429 or code in BUSY:
        scope = BUSY.get(code, "channel")
        wait = RATE_LIMIT_WAIT if scope == "channel" else BUSY_WAIT
        return RetryLater("Slack asks to slow down", after=retry_after or wait, scope=scope, counts=False)
    if status == 408 or status >= 500 or code in UNCERTAIN:
        return DeliveryUncertain(reason)
    if code in PERMANENT:
        permanent = PERMANENT[code]
        return permanent.stops(permanent.why)
    if code:
        return RetryLater(reason, after=REFUSED_WAIT, counts=False, unexplained=True)
    if status >= 400:
        return RetryLater(reason, after=PROXY_WAIT, scope="platform", counts=False, unexplained=True)
    return DeliveryUncertain(reason)


def send_error(error: BaseException) -> SendError:
    """Return the error that a failed call means for the message of its request."""
    if isinstance(error, SendError):
        return error
    if isinstance(error, NOT_CONNECTED):
        return RetryLater("Slack can't be reached", after=PROXY_WAIT, scope="platform", counts=False)
    if not isinstance(error, SlackApiError):
        return DeliveryUncertain(f"no readable answer from Slack ({type(error).__name__})")
    answer = _answer_of(error)
    return outcome(
        status_of(error),
        code_of(error),
        retry_after=retry_after(error),
        from_slack=bool(answer),
    )


def is_about_layout(error: SendError) -> bool:
    """Whether Slack may accept a simpler layout of the same card."""
    return PERMANENT.get(code_of(error)) in {_MALFORMED, _TOO_LONG}


def is_about_workspace(problem: str) -> bool:
    """Whether the text of an error is about the whole workspace, so that its admins have to act."""
    return any(p.why == problem for p in PERMANENT.values() if p.stops is WorkspaceGone)


def certain(error: SendError) -> SendError:
    """Replace an uncertain outcome by a retry, for a call that posts nothing."""
    if isinstance(error, DeliveryUncertain):
        return RetryLater(str(error), after=PROXY_WAIT, scope="workspace", counts=False)
    return error


def code_of(error: BaseException | None) -> str:
    """Return Slack's code of a failed call, or of the call that caused a SendError; empty if there is none."""
    while isinstance(error, SendError):
        error = error.__cause__
    code = _answer_of(error).get("error")
    return code[:LONGEST_CODE] if isinstance(code, str) else ""


def status_of(error: BaseException) -> int:
    """Return the HTTP status of a failed call; 0 if there was no answer."""
    response = getattr(error, "response", None)
    return int(getattr(response, "status_code", 0) or getattr(response, "status", 0) or 0)


def retry_after(error: BaseException) -> float | None:
    """Return the seconds that Slack asks us to wait, at most LONGEST_WAIT; None if it names no valid time."""
    headers = getattr(getattr(error, "response", None), "headers", None) or {}
    try:
        seconds = float(str(headers.get("Retry-After", ""))[:20])
    except ValueError:
        return None
    return min(seconds, LONGEST_WAIT) if isfinite(seconds) and seconds > 0 else None


def _answer_of(error: BaseException | None) -> Mapping[str, Any]:
    """Return Slack's JSON; empty if the body is something else."""
    answer = getattr(getattr(error, "response", None), "data", None)
    return answer if isinstance(answer, dict) and "ok" in answer else {}

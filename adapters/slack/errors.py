"""What Slack's errors mean for a post. Pure.

The codes are those of `chat.postMessage`: https://docs.slack.dev/reference/methods/chat.postMessage
"""

from aiohttp import ClientConnectorError
from slack_sdk.errors import SlackApiError

from bot.domain.errors import (
    CardRefused,
    ChannelGone,
    DeliveryUncertain,
    RetryLater,
    SendError,
    WorkspaceGone,
)

EXPIRED = "token_expired"
GONE = frozenset({"account_inactive", "token_revoked", "invalid_auth", "not_authed"})
NOT_ALLOWED = frozenset({"missing_scope", "no_permission", "team_access_not_granted"})
NOT_THERE = frozenset({"channel_not_found", "not_in_channel", "is_archived"})
REFUSED = frozenset({"invalid_blocks", "msg_too_long", "msg_blocks_too_long", "metadata_too_large"})
BUSY = frozenset({"message_limit_exceeded", "service_unavailable"})
"""For the whole workspace; `ratelimited` is a channel's."""
UNCLEAR = frozenset({"internal_error", "fatal_error", "request_timeout"})

HINTS = {
    "channel_not_found": "Paperboy is not in this channel: /invite @Paperboy there",
    "not_in_channel": "Paperboy is not in this channel: /invite @Paperboy there",
    "is_archived": "the channel was archived",
    "missing_scope": "the app lacks a permission: an admin has to install it again",
    "no_permission": "the workspace does not let the app post",
    "team_access_not_granted": "an admin has to give the app access to this workspace",
}


def code_of(error: BaseException) -> str:
    """Slack's word for what went wrong; empty where the answer had none."""
    answer = getattr(getattr(error, "response", None), "data", None)
    return str(answer.get("error") or "") if isinstance(answer, dict) else ""


def status_of(error: BaseException) -> int:
    """The HTTP status; 0 where there was no answer."""
    response = getattr(error, "response", None)
    return int(getattr(response, "status_code", 0) or getattr(response, "status", 0) or 0)


def retry_after(error: BaseException) -> float | None:
    """Seconds that Slack asks to wait."""
    headers = getattr(getattr(error, "response", None), "headers", None) or {}
    try:
        return float(headers.get("Retry-After", ""))
    except ValueError:
        return None


def send_error(error: Exception) -> SendError:  # noqa: PLR0911  # a line for each row of the table
    """What a failed call means for what was to be posted by it."""
    if isinstance(error, ClientConnectorError):
        return RetryLater("Slack can't be reached", scope="platform")
    if not isinstance(error, SlackApiError):
        return DeliveryUncertain(f"no answer from Slack ({type(error).__name__})")
    code, status = code_of(error), status_of(error)
    said = HINTS.get(code, f"Slack says {code or status}")
    if status == 429 or code in {"ratelimited", "rate_limited"}:
        return RetryLater("Slack asks to slow down", after=retry_after(error) or 30.0, counts=False)
    if code in BUSY:
        return RetryLater(said, after=retry_after(error) or 60.0, scope="workspace", counts=False)
    if status >= 500 or code in UNCLEAR or not code:
        return DeliveryUncertain(said)
    if code in GONE or code == EXPIRED:
        return WorkspaceGone(f"the app was uninstalled or its token revoked ({code})")
    if code in NOT_ALLOWED:
        return WorkspaceGone(said)
    if code in NOT_THERE or code.startswith("restricted_action"):
        return ChannelGone(said)
    if code in REFUSED:
        return CardRefused(said)
    return RetryLater(said)

"""Slack's Web API: connection pools, and clients with and without retries."""

import json
import logging
from typing import Any

from aiohttp import ClientError, ClientSession, ClientTimeout, TCPConnector
from slack_sdk.http_retry.builtin_async_handlers import (
    AsyncConnectionErrorRetryHandler,
    AsyncServerErrorRetryHandler,
)
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient
from structlog import get_logger

from adapters.slack.outcomes import PERMANENT
from adapters.slack.render import Message
from bot.domain.errors import CardRefused

TIMEOUT = ClientTimeout(total=14.0, sock_connect=5.0)
"""Seconds for a call. Less than the outbox's limit for a post, so that the error says what happened."""

POSTING_CONNECTIONS, ASKING_CONNECTIONS = 32, 100
"""Maximum number of connections for posts, and for calls that people wait for, which must not queue behind posts.
Opening many more at once would stall everything else for a moment."""

SILENCED = ("slack_bolt", "slack_sdk", "adapters.slack.sdk")
"""Loggers of Slack's libraries: below the level ERROR they write whole requests and answers, with tokens and
`response_url`s, which are secrets."""
for _name in SILENCED:
    logging.getLogger(_name).setLevel(logging.ERROR)

SDK_LOGGER = logging.getLogger("adapters.slack.sdk")
"""The logger passed to Slack's libraries."""

_log = get_logger()


class Api:
    """Slack's Web API at `url`: Slack's own, or that of a proxy or a test double."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/") + "/"
        self._sessions: dict[int, ClientSession] = {}

    def posting(self, token: str | None) -> AsyncWebClient:
        """Return a client that never retries a call: a post whose answer was lost may have been accepted."""
        return self._client(token, [], self._session(POSTING_CONNECTIONS))

    def asking(self, token: str | None) -> AsyncWebClient:
        """Return a client that retries a call once if the connection or the server fails, for calls that only read."""
        handlers = [AsyncConnectionErrorRetryHandler(), AsyncServerErrorRetryHandler()]
        return self._client(token, handlers, self._session(ASKING_CONNECTIONS))

    async def respond(self, url: str, message: Message, *, private: bool, replace: bool) -> bool:
        """Answer an interaction at its `response_url`. False if Slack refuses this layout, but may accept another."""
        body: dict[str, Any] = {
            "text": message.text,
            "blocks": list(message.blocks),
            "response_type": "ephemeral" if private else "in_channel",
            "replace_original": replace,
            "unfurl_links": False,
            "unfurl_media": False,
        }
        hook = AsyncWebhookClient(
            url, timeout=14, session=self._session(ASKING_CONNECTIONS), logger=SDK_LOGGER, retry_handlers=[]
        )
        try:
            answer = await hook.send_dict(body)
        except (ClientError, TimeoutError, ValueError, LookupError) as error:
            _log.warning("reply_lost", platform="slack", why=type(error).__name__)
            return True
        code = _refusal(answer.status_code, answer.body or "")
        if code:
            _log.warning("reply_refused", platform="slack", status=answer.status_code, why=code)
        return not (code in PERMANENT and PERMANENT[code].stops is CardRefused)

    async def close(self) -> None:
        """Close the connections."""
        for session in self._sessions.values():
            await session.close()

    def _client(self, token: str | None, retry_handlers: list[Any], session: ClientSession) -> AsyncWebClient:
        return AsyncWebClient(
            token, self.url, session=session, logger=SDK_LOGGER, retry_handlers=retry_handlers
        )

    def _session(self, connections: int) -> ClientSession:
        if connections not in self._sessions:
            connector = TCPConnector(limit=connections)
            self._sessions[connections] = ClientSession(connector=connector, timeout=TIMEOUT)
        return self._sessions[connections]


def _refusal(status: int, body: str) -> str:
    """Return the code with which a `response_url` refused a message, as JSON or as text; empty if it accepted it."""
    try:
        answer = json.loads(body[:10_000])
    except ValueError:
        answer = None
    if isinstance(answer, dict) and answer.get("ok") is False:
        return str(answer.get("error") or "error")[:80]
    return "" if status == 200 else body.partition(":")[0].strip()[:80] or f"HTTP {status}"

"""How Slack is called: one pool of connections, and clients that repeat or don't."""

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

from adapters.slack.render import Message

TIMEOUT = ClientTimeout(total=14.0, sock_connect=5.0)
"""Seconds; below the outbox's own limit for a post, so that it is Slack's client that says what happened."""

POSTS, ASKED = 32, 100
"""Connections at most: to post, and for what people wait for, which shall not wait behind posts. Opening very many at
once would hold everything else up for a moment."""

QUIET = logging.getLogger("adapters.slack.sdk")
"""For Slack's libraries: at lower levels they write whole requests and answers, with tokens."""
QUIET.setLevel(logging.ERROR)

_log = get_logger()


class Api:
    """Slack's Web API at `url`, which is another place than Slack for a proxy or a double."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/") + "/"
        self._sessions: dict[int, ClientSession] = {}

    def posting(self, token: str | None) -> AsyncWebClient:
        """Never repeats a call by itself: a post whose answer was lost may be there."""
        return self._client(token, [], self._session(POSTS))

    def asking(self, token: str | None) -> AsyncWebClient:
        """Repeats a call once where the connection or the server failed: for what only looks."""
        handlers = [AsyncConnectionErrorRetryHandler(), AsyncServerErrorRetryHandler()]
        return self._client(token, handlers, self._session(ASKED))

    async def respond(self, url: str, message: Message, *, private: bool, replace: bool) -> bool:
        """Answer an interaction at its `response_url`. False where Slack takes no more there."""
        body: dict[str, Any] = {
            "text": message.text,
            "blocks": list(message.blocks),
            "response_type": "ephemeral" if private else "in_channel",
            "replace_original": replace,
            "unfurl_links": False,
            "unfurl_media": False,
        }
        hook = AsyncWebhookClient(
            url, timeout=14, session=self._session(ASKED), logger=QUIET, retry_handlers=[]
        )
        try:
            answer = await hook.send_dict(body)
        except (ClientError, TimeoutError) as error:
            _log.warning("answer_lost", platform="slack", why=type(error).__name__)
            return False
        if answer.status_code != 200:
            _log.warning("answer_refused", platform="slack", status=answer.status_code, why=answer.body[:200])
        return answer.status_code == 200

    async def close(self) -> None:
        """Give the connections back."""
        for session in self._sessions.values():
            await session.close()

    def _client(self, token: str | None, retry_handlers: list[Any], session: ClientSession) -> AsyncWebClient:
        return AsyncWebClient(token, self.url, session=session, logger=QUIET, retry_handlers=retry_handlers)

    def _session(self, connections: int) -> ClientSession:
        if connections not in self._sessions:
            connector = TCPConnector(limit=connections)
            self._sessions[connections] = ClientSession(connector=connector, timeout=TIMEOUT)
        return self._sessions[connections]

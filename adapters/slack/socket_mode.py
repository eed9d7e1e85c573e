"""Socket Mode: Slack talks to us over a web socket that we open, so no public address is needed."""

import asyncio
from itertools import count

from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from structlog import get_logger

from adapters.slack.api import SDK_LOGGER, Api
from adapters.slack.outcomes import CALL_ERRORS, TOKEN_REFUSED, code_of, send_error
from adapters.slack.tokens import OneToken
from bot.domain.errors import ConfigurationError, SendError
from bot.ports import Core

CHECK_INTERVAL = 10.0
"""Seconds between checks of whether the socket is open."""
LOST_CHECKS = 12
"""Number of checks in a row without a connection after which we make a new one. Slack's library restores a lost one
within seconds, except if its token was revoked meanwhile or its HTTP session is closed: then it retries forever."""
RETRY_WAITS = (1.0, 2.0, 5.0, 15.0, 30.0, 60.0)
"""Seconds between attempts to reach Slack at startup."""

_log = get_logger()


class SocketConnection:
    """One connection, which Slack's library keeps open."""

    def __init__(self, api: Api, app_token: str, bot: OneToken) -> None:
        self._api = api
        self._app_token = app_token
        self._bot = bot
        self._handler: AsyncSocketModeHandler | None = None

    def connected(self) -> bool:
        """Whether the web socket is open at this moment."""
        client = self._handler.client if self._handler else None
        session = client.current_session if client else None
        return bool(client and session and not (client.closed or client.stale or session.closed))

    async def run(self, app: AsyncApp, core: Core) -> None:
        """Listen until cancelled. Raises ConfigurationError if a token is refused: the library would retry forever."""
        while True:
            workspace, address = await self._verified()
            await core.resume_workspace("slack", workspace)
            await self._listen(app, workspace, address)

    async def _listen(self, app: AsyncApp, workspace: str, address: str) -> None:
        """Listen until the connection has been lost for too long: the library's client may never restore it."""
        handler = AsyncSocketModeHandler(
            app,
            self._app_token,
            logger=SDK_LOGGER,
            web_client=self._api.asking(None),
            ping_interval=CHECK_INTERVAL,
        )
        handler.client.wss_uri = address
        self._handler = handler
        try:
            await handler.connect_async()  # type: ignore[no-untyped-call]  # Bolt leaves it untyped
            _log.info("connected", platform="slack", workspace=workspace)
            await self._watch()
        finally:
            await handler.close_async()  # type: ignore[no-untyped-call]  # Bolt leaves it untyped

    async def _watch(self) -> None:
        """Log when the connection is lost and when it is back. Returns once it has been lost for too long."""
        lost = 0
        while lost < LOST_CHECKS:
            await asyncio.sleep(CHECK_INTERVAL)
            if self.connected():
                if lost:
                    _log.warning("socket_restored", platform="slack")
                lost = 0
            else:
                lost += 1
                if lost == 1:
                    _log.warning("socket_lost", platform="slack")
        _log.error("socket_replaced", platform="slack")

    async def _verified(self) -> tuple[str, str]:
        """Return the workspace and the socket's address once both tokens work. Waits while Slack can't be reached."""
        for attempt in count():
            try:
                workspace = await self._bot.verified()
                opened = await self._api.asking(None).apps_connections_open(app_token=self._app_token)
                return workspace, str(opened["url"])
            except (*CALL_ERRORS, SendError) as error:
                self._raise_if_refused(code_of(error))
                _log.warning("slack_unreachable", platform="slack", why=str(send_error(error)))
            await asyncio.sleep(RETRY_WAITS[min(attempt, len(RETRY_WAITS) - 1)])
        raise AssertionError

    def _raise_if_refused(self, code: str) -> None:
        if code == "missing_scope":
            raise ConfigurationError(
                "SLACK_APP_TOKEN lacks the scope connections:write: create a new one under “Basic Information”, "
                "“App-Level Tokens”"
            ) from None
        if code in TOKEN_REFUSED:
            raise ConfigurationError(
                f"Slack refuses SLACK_APP_TOKEN ({code}): copy it again from “Basic Information”, “App-Level Tokens”"
            ) from None

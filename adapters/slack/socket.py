"""Socket Mode: Slack talks to us over a web socket that we open, so no public address is needed."""

import asyncio
from itertools import count

from aiohttp import ClientError
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from structlog import get_logger

from adapters.slack.api import QUIET, Api
from adapters.slack.errors import GONE, code_of, send_error
from adapters.slack.tokens import OneToken
from bot.domain.errors import ConfigurationError, RetryLater
from bot.ports import Core

CHECK = 10.0
"""Seconds between looks at whether the socket is open."""
WAITS = (1.0, 2.0, 5.0, 15.0, 30.0, 60.0)
"""Seconds between attempts to reach Slack at the start."""

_log = get_logger()


class Socket:
    """One connection, kept open by Slack's library."""

    def __init__(self, api: Api, app_token: str, bot: OneToken) -> None:
        self._api = api
        self._app_token = app_token
        self._bot = bot
        self._handler: AsyncSocketModeHandler | None = None

    def connected(self) -> bool:
        """Whether the web socket is open just now."""
        client = self._handler.client if self._handler else None
        session = client.current_session if client else None
        return bool(client and session and not (client.closed or client.stale or session.closed))

    async def run(self, app: AsyncApp, core: Core) -> None:
        """Listen until cancelled. Raises ConfigurationError where a token is refused: the library would loop."""
        workspace, address = await self._checked()
        await core.resume_workspace("slack", workspace)
        handler = AsyncSocketModeHandler(
            app, self._app_token, logger=QUIET, web_client=self._api.asking(None), ping_interval=CHECK
        )
        handler.client.wss_uri = address
        self._handler = handler
        try:
            await handler.connect_async()  # type: ignore[no-untyped-call]  # Bolt leaves it untyped
            _log.info("connected", platform="slack", workspace=workspace)
            await self._watch()
        finally:
            await handler.close_async()  # type: ignore[no-untyped-call]  # as above

    async def _watch(self) -> None:
        """Say when the connection is lost, and when it is back; the library mends it."""
        before = True
        while True:
            await asyncio.sleep(CHECK)
            now = self.connected()
            if now != before:
                _log.warning("socket_back" if now else "socket_lost", platform="slack")
            before = now

    async def _checked(self) -> tuple[str, str]:
        """The workspace, and where the socket is: both tokens work. Waits for as long as Slack can't be reached."""
        for attempt in count():
            try:
                workspace = await self._bot.workspace()
                opened = await self._api.asking(None).apps_connections_open(app_token=self._app_token)
            except SlackApiError as error:
                self._refuse(error)
                why = str(send_error(error))
            except (RetryLater, ClientError, TimeoutError) as error:
                why = str(error) or type(error).__name__
            else:
                return workspace, str(opened["url"])
            _log.warning("slack_unreachable", why=why)
            await asyncio.sleep(WAITS[min(attempt, len(WAITS) - 1)])
        raise AssertionError

    def _refuse(self, error: SlackApiError) -> None:
        code = code_of(error)
        if code == "missing_scope":
            raise ConfigurationError(
                "SLACK_APP_TOKEN lacks the scope connections:write: make a new one under “Basic Information”, "
                "“App-Level Tokens”"
            ) from None
        if code in GONE or code == "not_allowed_token_type":
            raise ConfigurationError(
                f"Slack refuses SLACK_APP_TOKEN ({code}): copy it again from “Basic Information”, “App-Level Tokens”"
            ) from None

"""Calls of Slack's Web API on behalf of a workspace. Every failure is raised as a SendError."""

from collections.abc import Awaitable, Callable
from typing import Any

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse
from structlog import get_logger

from adapters.slack.api import Api
from adapters.slack.outcomes import CALL_ERRORS, EXPIRED, PROXY_WAIT, certain, code_of, send_error, status_of
from adapters.slack.tokens import WorkspaceAccess, WorkspaceTokens
from bot.domain.errors import ConfigurationError, RetryLater, SendError

_log = get_logger()

Answer = dict[str, Any]
Call = Callable[[AsyncWebClient], Awaitable[AsyncSlackResponse]]


class Calls:
    """Finds the workspace's token, makes the call, and interprets the answer."""

    def __init__(self, api: Api, tokens: WorkspaceTokens) -> None:
        self._api = api
        self._tokens = tokens

    async def access(self, workspace: str) -> WorkspaceAccess:
        """Return the workspace's token. Raises WorkspaceGone if there is none, RetryLater if the lookup fails now."""
        try:
            return await self._tokens.of(workspace)
        except ConfigurationError as error:  # no key decrypts it: only the operator can fix that
            raise RetryLater(str(error), after=PROXY_WAIT, scope="workspace", counts=False) from error

    async def post(self, access: WorkspaceAccess, call: Call) -> Answer:
        """Make a call that shows something to people. It is never retried. Raises a SendError."""
        try:
            return await self._call(access, call, self._api.posting)
        except SendError as error:
            _log.info(
                "slack_call_failed",
                platform="slack",
                workspace=access.workspace,
                code=code_of(error),
                why=str(error),
            )
            raise

    async def ask(self, access: WorkspaceAccess, call: Call) -> Answer:
        """Make a call that only reads, or is safe to retry. Raises a SendError, but never DeliveryUncertain."""
        try:
            return await self._call(access, call, self._api.asking)
        except SendError as error:
            raise certain(error) from error.__cause__

    async def _call(
        self, access: WorkspaceAccess, call: Call, client: Callable[[str], AsyncWebClient]
    ) -> Answer:
        """Make the call. If Slack says that the token has expired, the call did nothing: repeat it with a new token."""
        try:
            try:
                return _read(await call(client(access.token)))
            except SlackApiError as error:
                if code_of(error) != EXPIRED or status_of(error) >= 500:
                    raise
            access = await self._tokens.renewed(access)
            return _read(await call(client(access.token)))
        except CALL_ERRORS as error:
            raise send_error(error) from error


def _read(answer: AsyncSlackResponse) -> Answer:
    return answer.data if isinstance(answer.data, dict) else {}

"""Which token speaks for a workspace."""

import asyncio
from dataclasses import dataclass, field
from typing import Any, Protocol

from aiohttp import ClientError
from slack_sdk.errors import SlackApiError, SlackTokenRotationError
from slack_sdk.oauth.installation_store import Installation
from slack_sdk.oauth.token_rotation.async_rotator import AsyncTokenRotator

from adapters.slack.api import Api
from adapters.slack.errors import code_of, send_error
from adapters.slack.installations import RedisInstallationStore
from bot.domain.errors import ConfigurationError, DeliveryUncertain, RetryLater, SendError, WorkspaceGone

EARLY = 120
"""Minutes before its end that a token is exchanged; Slack's live for 12 hours."""
AT_ONCE = 10**7
URL = "url"
"""Where an installation keeps the workspace's address, among its custom values."""
PATIENCE = 10.0
"""Seconds that another process may take to exchange a token."""


@dataclass(frozen=True, slots=True)
class Access:
    """What it takes to speak in a workspace."""

    workspace: str
    token: str = field(repr=False)
    bot_user: str
    url: str
    """`https://lab.slack.com/`: where its messages can be linked to."""
    installer: str = ""
    """The user who installed the app; empty where that is not known."""


class Tokens(Protocol):
    """Knows the token of each workspace."""

    async def of(self, workspace: str) -> Access:
        """Raises WorkspaceGone where there is none, RetryLater where it can't be found out now."""

    async def renewed(self, expired: Access) -> Access:
        """Another token in the place of one that Slack calls expired. Raises the same."""


class OneToken:
    """The token of the one workspace that the operator installed the app into."""

    def __init__(self, api: Api, token: str) -> None:
        self._api = api
        self._token = token
        self._access: Access | None = None
        self._asking = asyncio.Lock()

    async def of(self, workspace: str) -> Access:
        """The token, where it is this workspace's."""
        access = await self.access()
        if workspace != access.workspace:
            raise WorkspaceGone(f"SLACK_BOT_TOKEN is of another workspace, {access.workspace}")
        return access

    async def renewed(self, expired: Access) -> Access:
        """Raises WorkspaceGone: such a token is renewed by its operator."""
        raise WorkspaceGone(f"SLACK_BOT_TOKEN of {expired.workspace} has expired: turn token rotation off")

    async def workspace(self) -> str:
        """Whose token it is. Raises ConfigurationError where Slack refuses it, RetryLater where it doesn't answer."""
        try:
            return (await self.access()).workspace
        except WorkspaceGone as error:
            raise ConfigurationError(
                "Slack refuses SLACK_BOT_TOKEN: copy it again from “OAuth & Permissions”, after “Install to "
                f"Workspace” ({error})"
            ) from None

    async def access(self) -> Access:
        """The token with all that goes with it. Raises a SendError."""
        async with self._asking:
            if self._access is None:
                who = await identify(self._api, self._token)
                self._access = Access(who["team_id"], self._token, who["user_id"], who.get("url") or "")
            return self._access


class InstalledTokens:
    """The tokens that workspaces gave by installing the app; those that expire are exchanged in time."""

    def __init__(self, api: Api, store: RedisInstallationStore, client_id: str, client_secret: str) -> None:
        self._api = api
        self._store = store
        self._client = (client_id, client_secret)

    async def of(self, workspace: str) -> Access:
        """The token as it is now, exchanged where it ends soon."""
        return await self._renewed(workspace, EARLY, None)

    async def renewed(self, expired: Access) -> Access:
        """Exchanged, unless another process did it meanwhile."""
        return await self._renewed(expired.workspace, AT_ONCE, expired.token)

    async def _renewed(self, workspace: str, minutes: int, stale: str | None) -> Access:
        installed = await self._find(workspace)
        expires = installed.bot_token_expires_at
        if (
            stale in {None, installed.bot_token}
            and expires is not None
            and self._store.ends(expires, minutes)
        ):
            installed = await self._exchange(workspace, installed, minutes)
        elif stale == installed.bot_token:
            raise WorkspaceGone(f"the token of {workspace} has expired, and can't be exchanged")
        return Access(
            workspace,
            str(installed.bot_token),
            installed.bot_user_id or "",
            str(installed.custom_values.get(URL) or ""),
            installed.user_id or "",
        )

    async def _find(self, workspace: str) -> Installation:
        installed = await self._store.of(workspace)
        if installed is None or not installed.bot_token:
            raise WorkspaceGone(f"the app is not installed in {workspace}")
        return installed

    async def _exchange(self, workspace: str, installed: Installation, minutes: int) -> Installation:
        """One process does it, for a refresh token can be used once; the others wait for its result."""
        try:
            async with asyncio.timeout(PATIENCE), self._store.alone(workspace):
                now = await self._find(workspace)
                if now.bot_token != installed.bot_token:
                    return now
                rotator = AsyncTokenRotator(
                    client_id=self._client[0], client_secret=self._client[1], client=self._api.posting(None)
                )
                rotated = await rotator.perform_token_rotation(
                    installation=now, minutes_before_expiration=minutes
                )
                if rotated is not None:
                    await self._store.async_save(rotated)
                return rotated or now
        except SlackTokenRotationError as error:
            cause = error.api_error
            if (
                isinstance(send_error(cause), DeliveryUncertain | RetryLater)
                and code_of(cause) != "invalid_refresh_token"
            ):
                raise RetryLater("the token could not be exchanged now", scope="workspace") from None
            raise WorkspaceGone(f"the token can't be exchanged ({code_of(cause)}): install again") from None
        except (TimeoutError, ClientError) as error:
            raise RetryLater("the token could not be exchanged now", scope="workspace") from error


async def identify(api: Api, token: str) -> dict[str, Any]:
    """Slack's `auth.test`. Raises a SendError; nothing was posted, so it is never Unclear."""
    try:
        answer = await api.asking(token).auth_test()
    except (SlackApiError, ClientError, TimeoutError) as error:
        raise certain(send_error(error)) from error
    known = answer.data if isinstance(answer.data, dict) else {}
    return known | {"scopes": answer.headers.get("x-oauth-scopes", "")}


def certain(error: SendError) -> SendError:
    """The same about a call that posts nothing: what is unclear can be tried again."""
    return RetryLater(str(error), scope="workspace") if isinstance(error, DeliveryUncertain) else error

"""The bot tokens of workspaces."""

import asyncio
from dataclasses import dataclass, field
from typing import Any, Protocol

from redis.asyncio import Redis
from slack_sdk.errors import SlackTokenRotationError
from slack_sdk.oauth.installation_store import Installation
from slack_sdk.oauth.token_rotation.async_rotator import AsyncTokenRotator

from adapters.slack.api import Api
from adapters.slack.installations import RedisInstallationStore
from adapters.slack.outcomes import CALL_ERRORS, PROXY_WAIT, TOKEN_REFUSED, certain, code_of, send_error
from bot.clock import Clock
from bot.domain.errors import ConfigurationError, RetryLater, WorkspaceGone
from bot.store import keys

EARLY = 120
"""Minutes before its expiry at which a token is exchanged. Slack's tokens live for 12 hours."""
AT_ONCE = 10**7
"""Minutes: longer than any token lives, so that it is exchanged now."""
URL = "url"
"""Name of an installation's custom value with the workspace's address."""
ROTATION_REFUSED = TOKEN_REFUSED | {"invalid_refresh_token", "bad_client_secret", "invalid_client_id"}
"""Codes after which a token can't be exchanged any more."""


@dataclass(frozen=True, slots=True)
class WorkspaceAccess:
    """A workspace's bot token, and what comes with it."""

    workspace: str
    token: str = field(repr=False)
    bot_user: str
    url: str
    """Start of the links to its messages, such as `https://lab.slack.com/`."""
    installer: str = ""
    """The user who installed the app; empty if that is unknown."""


class WorkspaceTokens(Protocol):
    """Finds, renews and drops the tokens of workspaces."""

    async def of(self, workspace: str) -> WorkspaceAccess:
        """Return the workspace's token. Raises WorkspaceGone if there is none, RetryLater if the lookup fails now."""

    async def renewed(self, expired: WorkspaceAccess) -> WorkspaceAccess:
        """Return a new token for one that has expired. Raises WorkspaceGone or RetryLater."""

    async def forget(self, workspace: str, uninstalled_at: float) -> bool:
        """Drop the token after an uninstallation, for all processes. False if the app was installed again since."""


class OneToken:
    """The token of the one workspace that the operator installed the app into."""

    def __init__(self, api: Api, token: str, redis: Redis) -> None:
        self._api = api
        self._token = token
        self._redis = redis
        self._access: WorkspaceAccess | None = None
        self._lock = asyncio.Lock()

    async def of(self, workspace: str) -> WorkspaceAccess:
        """Return the token. Raises WorkspaceGone if it isn't for this workspace or the app was uninstalled."""
        access = await self._identified()
        if workspace != access.workspace:
            raise WorkspaceGone(f"SLACK_BOT_TOKEN belongs to another workspace, {access.workspace}")
        if await self._redis.exists(keys.uninstalled("slack", workspace)):
            raise WorkspaceGone("the app was uninstalled")
        return access

    async def renewed(self, expired: WorkspaceAccess) -> WorkspaceAccess:
        """Raise WorkspaceGone: only the operator can renew this token."""
        raise WorkspaceGone(f"SLACK_BOT_TOKEN of {expired.workspace} has expired: turn token rotation off")

    async def forget(self, workspace: str, uninstalled_at: float) -> bool:  # noqa: ARG002  # the protocol has it
        """Stop using the token until it is found to work at a later start."""
        await self._redis.set(keys.uninstalled("slack", workspace), "1")
        return True

    async def verified(self) -> str:
        """Return the token's workspace, once Slack confirms that the token works.

        Raises ConfigurationError if Slack refuses it, RetryLater if Slack doesn't answer.
        """
        try:
            workspace = (await self._identified()).workspace
        except WorkspaceGone as error:
            if code_of(error) not in TOKEN_REFUSED:
                raise RetryLater(str(error), scope="platform") from error
            raise ConfigurationError(
                "Slack refuses SLACK_BOT_TOKEN: copy it again from “OAuth & Permissions”, after “Install to "
                f"Workspace” ({error})"
            ) from None
        await self._redis.delete(keys.uninstalled("slack", workspace))
        return workspace

    async def _identified(self) -> WorkspaceAccess:
        async with self._lock:
            if self._access is None:
                identity = await identify(self._api, self._token)
                if identity.get("is_enterprise_install"):
                    raise ConfigurationError(
                        "SLACK_BOT_TOKEN is of a whole Enterprise organization, which Paperboy doesn't support: "
                        "install the app into one workspace"
                    )
                self._access = WorkspaceAccess(
                    identity["team_id"], self._token, identity["user_id"], identity.get("url") or ""
                )
            return self._access


class InstalledTokens:
    """The tokens of workspaces that installed the app. Each is read from Redis whenever it is needed, so that an
    uninstallation takes effect at once in all processes; tokens that expire are exchanged in time."""

    def __init__(
        self, api: Api, store: RedisInstallationStore, client_id: str, client_secret: str, now: Clock
    ) -> None:
        self._now = now
        self._api = api
        self._store = store
        self._client = (client_id, client_secret)

    async def of(self, workspace: str) -> WorkspaceAccess:
        """Return the workspace's token; exchange it first if it expires soon."""
        return await self._current(workspace, EARLY, None)

    async def renewed(self, expired: WorkspaceAccess) -> WorkspaceAccess:
        """Exchange the token, unless another process has already done so."""
        return await self._current(expired.workspace, AT_ONCE, expired.token)

    async def forget(self, workspace: str, uninstalled_at: float) -> bool:
        """Delete the workspace's installation."""
        found = await self._store.of(workspace)
        if found is not None and int(found.installed_at) > uninstalled_at:
            return False
        await self._store.async_delete_bot(enterprise_id=None, team_id=workspace)
        return True

    async def _current(self, workspace: str, minutes: int, stale: str | None) -> WorkspaceAccess:
        installed = await self._find(workspace)
        expires = installed.bot_token_expires_at
        deadline = self._now().timestamp() + minutes * 60
        if stale in {None, installed.bot_token} and expires is not None and expires <= deadline:
            installed = await self._exchange(workspace, installed, minutes)
        elif stale == installed.bot_token:
            raise WorkspaceGone(f"the token of {workspace} has expired, and can't be exchanged")
        return WorkspaceAccess(
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
        """Exchange a token. A refresh token works only once: one process uses it, the others wait for the result."""
        try:
            async with self._store.exclusive(workspace):
                current = await self._find(workspace)
                if current.bot_token != installed.bot_token:
                    return current
                rotator = AsyncTokenRotator(
                    client_id=self._client[0], client_secret=self._client[1], client=self._api.posting(None)
                )
                rotated = await rotator.perform_token_rotation(
                    installation=current, minutes_before_expiration=minutes
                )
                if rotated is not None:
                    await self._store.async_save(rotated)
                return rotated or current
        except SlackTokenRotationError as error:
            code = code_of(error.api_error)
            if code not in ROTATION_REFUSED:
                raise RetryLater("the token could not be exchanged now", scope="workspace") from None
            raise WorkspaceGone(f"the token can't be exchanged ({code}): install the app again") from None
        except CALL_ERRORS as error:
            raise RetryLater("the token could not be exchanged now", scope="workspace") from error


async def identify(api: Api, token: str) -> dict[str, Any]:
    """Return Slack's `auth.test` with the token's `scopes`, None if Slack doesn't name them. Raises a SendError."""
    try:
        answer = await api.asking(token).auth_test()
    except CALL_ERRORS as error:
        raise certain(send_error(error)) from error
    data = answer.data if isinstance(answer.data, dict) else {}
    if not (isinstance(data.get("team_id"), str) and isinstance(data.get("user_id"), str)):
        raise RetryLater(
            "Slack's answer names no workspace", after=PROXY_WAIT, scope="workspace", counts=False
        )
    granted = answer.headers.get("x-oauth-scopes")
    return data | {"scopes": granted if granted is None else frozenset(granted.replace(" ", "").split(","))}

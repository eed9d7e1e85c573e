"""Installations of the app, one encrypted record per workspace in Redis; and the states that guard an installation."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from logging import Logger
from secrets import token_urlsafe
from typing import Any
from urllib.parse import unquote

from redis.asyncio import Redis
from redis.exceptions import LockError
from slack_sdk.oauth.installation_store import Bot, Installation
from slack_sdk.oauth.installation_store.async_installation_store import AsyncInstallationStore
from slack_sdk.oauth.state_store.async_state_store import AsyncOAuthStateStore

from adapters.slack.api import SDK_LOGGER
from bot.clock import Clock
from bot.domain.errors import ConfigurationError
from bot.encryption import Encryptor
from bot.store import keys

STATE = "install state"
"""Purpose for which states are encrypted, so that no other encrypted value can pass as a state, or the reverse."""
STATE_LIFE = 600
"""Seconds within which an installation in a browser has to be completed."""
ROTATION_LIFE = 15.0
"""Seconds after which a process that is exchanging a token is considered dead."""
ROTATION_WAIT = 10.0
"""Seconds to wait for another process to exchange a token."""


class RedisInstallationStore(AsyncInstallationStore):
    """The latest installation of each workspace."""

    def __init__(self, redis: Redis, encryptor: Encryptor) -> None:
        self._redis = redis
        self._encryptor = encryptor

    @property
    def logger(self) -> Logger:
        """The logger for Slack's library."""
        return SDK_LOGGER

    async def of(self, workspace: str) -> Installation | None:
        """Return the workspace's installation. Raises ConfigurationError if no key decrypts it."""
        sealed: Any = await self._redis.get(keys.installation("slack", workspace))
        return Installation(**json.loads(self._encryptor.unseal(sealed))) if sealed else None

    async def async_save(self, installation: Installation) -> None:
        """Store the installation in place of an earlier one."""
        key = keys.installation("slack", installation.team_id or "")
        await self._redis.set(key, self._encryptor.seal(json.dumps(vars(installation))))

    async def async_find_installation(
        self,
        *,
        enterprise_id: str | None,  # noqa: ARG002  # Slack's interface
        team_id: str | None,
        user_id: str | None = None,
        is_enterprise_install: bool | None = False,  # noqa: ARG002  # Slack's interface
    ) -> Installation | None:
        """Return the workspace's installation; with a user, only if that user made it."""
        found = await self.of(team_id or "")
        return found if found is None or user_id in {None, found.user_id} else None

    async def async_find_bot(
        self, *, enterprise_id: str | None, team_id: str | None, is_enterprise_install: bool | None = False
    ) -> Bot | None:
        """Return the bot's part of the installation."""
        found = await self.async_find_installation(
            enterprise_id=enterprise_id, team_id=team_id, is_enterprise_install=is_enterprise_install
        )
        return found.to_bot() if found else None

    async def async_save_bot(self, bot: Bot) -> None:
        """Store a bot's new token in the existing installation."""
        found = await self.of(bot.team_id or "")
        if found is not None:
            renewed = {
                name: getattr(bot, name)
                for name in ("bot_token", "bot_refresh_token", "bot_token_expires_at")
            }
            await self.async_save(Installation(**vars(found) | renewed))

    async def async_delete_bot(self, *, enterprise_id: str | None, team_id: str | None) -> None:  # noqa: ARG002  # as above
        """Delete the workspace's installation."""
        await self._redis.delete(keys.installation("slack", team_id or ""))

    async def async_delete_installation(
        self, *, enterprise_id: str | None, team_id: str | None, user_id: str | None = None
    ) -> None:
        """Delete the workspace's installation. A revoked user token needs nothing: those are never stored."""
        if user_id is None:
            await self.async_delete_bot(enterprise_id=enterprise_id, team_id=team_id)

    async def reseal(self) -> None:
        """Encrypt every record with the newest key, if several are set."""
        if not self._encryptor.rotating:
            return
        async for key in self._redis.scan_iter("pb:{slack:*}:installation"):
            async with self.exclusive(_workspace_in(key)):
                sealed: Any = await self._redis.get(key)
                if sealed:
                    await self._redis.set(key, self._encryptor.reseal(sealed), xx=True)

    @asynccontextmanager
    async def exclusive(self, workspace: str) -> AsyncIterator[None]:
        """Lock the workspace's record against changes by other processes. Raises TimeoutError."""
        lock = self._redis.lock(
            keys.rotation("slack", workspace), timeout=ROTATION_LIFE, blocking_timeout=ROTATION_WAIT
        )
        if not await lock.acquire():
            raise TimeoutError(f"another process is exchanging the token of {workspace}")
        try:
            yield
        finally:
            with suppress(LockError):  # it has expired
                await lock.release()


class OneTimeStates(AsyncOAuthStateStore):
    """Proves that the browser that completes an installation also began it.

    A state is an encrypted time: nothing is stored until one comes back, so that requests can't fill the memory.
    """

    def __init__(self, redis: Redis, encryptor: Encryptor, now: Clock) -> None:
        self._redis = redis
        self._encryptor = encryptor.for_purpose(STATE)
        self._now = now

    @property
    def logger(self) -> Logger:
        """The logger for Slack's library."""
        return SDK_LOGGER

    async def async_issue(self, *_args: Any, **_kwargs: Any) -> str:
        """Return a new state, valid for STATE_LIFE seconds."""
        return self._encryptor.seal(json.dumps([self._now().timestamp(), token_urlsafe(12)])).rstrip("=")

    async def async_consume(self, state: str) -> bool:
        """Whether we issued the state recently, and it is used for the first time."""
        try:
            issued, nonce = json.loads(self._encryptor.unseal(state + "=" * (-len(state) % 4)))
        except (ConfigurationError, ValueError):
            return False
        if not 0 <= self._now().timestamp() - issued <= STATE_LIFE:
            return False
        used = keys.install_state("slack", nonce)
        return await self._redis.set(used, "1", nx=True, ex=STATE_LIFE) is not None


def _workspace_in(key: str) -> str:
    """Return the workspace whose installation is stored at `key`."""
    return unquote(key.partition("{")[2].partition("}")[0].partition(":")[2])

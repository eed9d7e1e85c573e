"""Who installed the app, kept in Redis: one record for each workspace, sealed, for its token is in it."""

import json
from asyncio import sleep
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from logging import Logger
from secrets import token_urlsafe
from time import time
from typing import Any
from urllib.parse import unquote
from uuid import uuid4

from redis.asyncio import Redis
from slack_sdk.oauth.installation_store import Bot, Installation
from slack_sdk.oauth.installation_store.async_installation_store import AsyncInstallationStore
from slack_sdk.oauth.state_store.async_state_store import AsyncOAuthStateStore

from adapters.slack.api import QUIET
from bot.encryption import Encryptor
from bot.store import keys

STATE_LIVES = 600
"""Seconds from the beginning of an installation to its end."""
HELD = 15
"""Seconds after which a process that holds the right to exchange a token is taken for dead."""


class RedisInstallationStore(AsyncInstallationStore):
    """The latest installation of each workspace, or of each organisation that installed the app for all of its."""

    def __init__(self, redis: Redis, seal: Encryptor) -> None:
        self._redis = redis
        self._seal = seal

    @property
    def logger(self) -> Logger:
        """For Slack's library."""
        return QUIET

    async def of(self, workspace: str) -> Installation | None:
        """The workspace's, or None. Raises ConfigurationError where no key unseals it."""
        sealed: Any = await self._redis.get(keys.installation("slack", workspace))
        return Installation(**json.loads(self._seal.unseal(sealed))) if sealed else None

    async def async_save(self, installation: Installation) -> None:
        """Keep it in the place of an earlier one."""
        key = keys.installation("slack", _home(installation.enterprise_id, installation.team_id))
        await self._redis.set(key, self._seal.seal(json.dumps(vars(installation))))

    async def async_find_installation(
        self,
        *,
        enterprise_id: str | None,
        team_id: str | None,
        user_id: str | None = None,
        is_enterprise_install: bool | None = False,
    ) -> Installation | None:
        """The workspace's, or its organisation's; with a user, only where they installed it."""
        home = _home(enterprise_id, None if is_enterprise_install else team_id)
        found = await self.of(home)
        return found if found is None or user_id in {None, found.user_id} else None

    async def async_find_bot(
        self, *, enterprise_id: str | None, team_id: str | None, is_enterprise_install: bool | None = False
    ) -> Bot | None:
        """The part of it that is the bot's."""
        found = await self.async_find_installation(
            enterprise_id=enterprise_id, team_id=team_id, is_enterprise_install=is_enterprise_install
        )
        return found.to_bot() if found else None

    async def async_save_bot(self, bot: Bot) -> None:
        """Keep a bot's new token within the installation that is there."""
        found = await self.of(_home(bot.enterprise_id, bot.team_id))
        if found is not None:
            renewed = {
                name: getattr(bot, name)
                for name in ("bot_token", "bot_refresh_token", "bot_token_expires_at")
            }
            await self.async_save(Installation(**vars(found) | renewed))

    async def async_delete_bot(self, *, enterprise_id: str | None, team_id: str | None) -> None:
        """Forget the workspace's token."""
        await self._redis.delete(keys.installation("slack", _home(enterprise_id, team_id)))

    async def async_delete_installation(
        self, *, enterprise_id: str | None, team_id: str | None, user_id: str | None = None
    ) -> None:
        """A person's own token was revoked: nothing is kept of those. Without a user: the workspace's."""
        if user_id is None:
            await self.async_delete_bot(enterprise_id=enterprise_id, team_id=team_id)

    async def reseal(self) -> None:
        """Seal all of it with the newest key, where several are set."""
        if not self._seal.rotating:
            return
        async for key in self._redis.scan_iter("pb:{slack:*}:installation"):
            async with self.alone(_workspace_in(key)):
                sealed: Any = await self._redis.get(key)
                if sealed:
                    await self._redis.set(key, self._seal.reseal(sealed), xx=True)

    def ends(self, expires_at: int, minutes: int) -> bool:
        """Whether a token ends within so many minutes."""
        return expires_at <= time() + minutes * 60

    @asynccontextmanager
    async def alone(self, workspace: str) -> AsyncIterator[None]:
        """Waits until no other process exchanges the workspace's token."""
        key, mine = keys.rotation("slack", workspace), uuid4().hex
        while not await self._take(key, mine):  # noqa: ASYNC110  # another process holds it
            await sleep(0.1)
        try:
            yield
        finally:
            if await self._redis.get(key) == mine:
                await self._redis.delete(key)

    async def _take(self, key: str, mine: str) -> bool:
        return await self._redis.set(key, mine, nx=True, ex=HELD, get=True) in {None, mine}


class RedisStateStore(AsyncOAuthStateStore):
    """Proves that whoever ends an installation in a browser also began it."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    @property
    def logger(self) -> Logger:
        """For Slack's library."""
        return QUIET

    async def async_issue(self, *_args: Any, **_kwargs: Any) -> str:
        """A new one, for STATE_LIVES seconds."""
        state = token_urlsafe(24)
        await self._redis.set(keys.install_state("slack", state), "1", nx=True, ex=STATE_LIVES)
        return state

    async def async_consume(self, state: str) -> bool:
        """Whether it was issued, and not used before."""
        return await self._redis.getdel(keys.install_state("slack", state)) is not None


def _workspace_in(key: str) -> str:
    """The workspace whose installation lies at `key`."""
    return unquote(key.partition("{")[2].partition("}")[0].partition(":")[2])


def _home(enterprise_id: str | None, team_id: str | None) -> str:
    """What stands for the workspace in a `ChannelRef`: for an organisation-wide installation, the organisation."""
    return team_id or enterprise_id or ""

"""Keeps Discord's commands in sync with ours, without ever preventing the bot from working."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Any

import aiohttp
import discord
import structlog
from discord import app_commands
from redis.asyncio import Redis
from redis.exceptions import RedisError

from adapters.discord import keys
from adapters.discord.errors import INVALID_FORM

ENTRY_POINT = 4
"""The type of the command that opens an app's Activity. Discord makes it when Activities are switched on, and refuses
an overwrite without it (error 50240)."""
ENTRY_POINT_FIELDS = (
    "id",
    "type",
    "name",
    "name_localizations",
    "description",
    "description_localizations",
    "handler",
    "integration_types",
    "contexts",
)
"""Fields of that command that Discord accepts in an overwrite."""
CREATES_USED_UP = 30034
FIRST_WAIT = 60.0
"""Seconds before the second attempt; each further wait is twice as long."""
LONGEST_WAIT = 6 * 3600.0
RECHECK = 86_400.0
"""Seconds before user install is requested again after Discord refused it."""
TIMEOUT = 60.0
"""Maximum duration of one attempt, in seconds."""

log = structlog.get_logger(__name__)


class CommandSync:
    """Sends the tree's commands to Discord when they have changed. `first_wait` in seconds, as FIRST_WAIT."""

    def __init__(
        self, tree: app_commands.CommandTree[Any], redis: Redis, *, first_wait: float = FIRST_WAIT
    ) -> None:
        self._tree = tree
        self._redis = redis
        self._first_wait = first_wait
        self._attempted = asyncio.Event()

    async def run(self) -> None:
        """Retry until Discord has all of our commands. Never raises: the commands that Discord has still work."""
        wait = self._first_wait
        while True:
            problem, complete = "", False
            try:
                async with asyncio.timeout(TIMEOUT):
                    complete = await self._sync()
            except (discord.HTTPException, aiohttp.ClientError, RedisError, OSError) as error:
                problem = explain(error)
                log.warning("command_sync_failed", problem=problem, retry_after=wait)
            except Exception as error:  # the edge of a loop: the commands that Discord has still work
                problem = explain(error)
                log.exception("command_sync_broke", retry_after=wait)
            await self._note(problem)
            self._attempted.set()
            if complete:
                return
            if problem:
                await asyncio.sleep(wait)
                wait = min(2 * wait, LONGEST_WAIT)
            else:
                await asyncio.sleep(RECHECK)
                wait = self._first_wait

    async def attempted(self, patience: float) -> None:
        """Return after the first attempt, or after `patience` seconds."""
        try:
            async with asyncio.timeout(patience):
                await self._attempted.wait()
        except TimeoutError:
            log.info("command_sync_continues", seconds=patience)

    async def _sync(self) -> bool:
        """Send the commands if they have changed. Returns False if they had to be sent without user install."""
        try:
            await self._send(await self._payload())
        except discord.HTTPException as error:
            if error.code != INVALID_FORM or "integration_types" not in str(error):
                raise
            log.warning("user_install_is_off", error=str(error))
            await self._send([_only_in_servers(command) for command in await self._payload()])
            return False
        return True

    async def _send(self, payload: Sequence[Mapping[str, Any]]) -> None:
        application = str(self._tree.client.application_id)
        digest = blake2b(json.dumps(payload, sort_keys=True).encode(), digest_size=16).hexdigest()
        if await self._redis.hget(keys.COMMANDS, application) == digest:
            return
        http, number = self._tree.client.http, int(application)
        existing: Sequence[Mapping[str, Any]] = await http.get_global_commands(number)
        entry_points = [_sendable(command) for command in existing if command.get("type") == ENTRY_POINT]
        await http.bulk_upsert_global_commands(number, [*map(dict, payload), *entry_points])
        await self._redis.hset(keys.COMMANDS, application, digest)
        log.info("commands_synced", entry_point=bool(entry_points))

    async def _payload(self) -> list[dict[str, Any]]:
        commands, translator = self._tree.get_commands(), self._tree.translator
        if translator is None:
            return [command.to_dict(self._tree) for command in commands]
        return [await command.get_translated_payload(self._tree, translator) for command in commands]

    async def _note(self, problem: str) -> None:
        """Store the problem for `doctor`; "" removes it."""
        application = str(self._tree.client.application_id)
        try:
            if problem:
                await self._redis.hset(keys.SYNC_PROBLEM, application, problem)
            else:
                await self._redis.hdel(keys.SYNC_PROBLEM, application)
        except (RedisError, OSError) as error:
            log.warning("command_sync_not_noted", error=str(error))


def explain(error: Exception) -> str:
    """Return in words why Discord has older commands than ours."""
    if isinstance(error, discord.HTTPException) and error.code == CREATES_USED_UP:
        return "today's 200 new commands are used up"
    if isinstance(error, TimeoutError):
        return "Discord doesn't answer"
    return str(error)[:200] or type(error).__name__


def _only_in_servers(command: Mapping[str, Any]) -> dict[str, Any]:
    """Return the command without user install, which the operator may have disabled in the developer portal."""
    return {**command, "integration_types": [0]}


def _sendable(command: Mapping[str, Any]) -> dict[str, Any]:
    return {name: command[name] for name in ENTRY_POINT_FIELDS if command.get(name) is not None}

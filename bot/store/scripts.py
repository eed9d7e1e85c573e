"""Runs Lua scripts. Each is atomic and idempotent, since redis-py repeats a command whose answer was lost."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha1
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from redis.asyncio import Redis, RedisCluster
from redis.exceptions import NoScriptError, RedisError

BATCH = 16
"""Maximum number of calls that share one round trip: enough to hide its cost, few enough that a person's command
doesn't wait long behind them, on the server or the event loop."""

Argument = str | int | float


@dataclass(frozen=True, slots=True)
class Script:
    """Lua source and its SHA-1, by which a server that has run the script recognizes it."""

    source: str
    sha: str


@cache
def script(*names: str) -> Script:
    """Return the script of these Lua files, joined in order: shared functions first.

    `subscribe` is `bot/store/lua/subscribe.lua`, and `outbox/claim` is `bot/store/outbox/lua/claim.lua`.
    """
    source = "\n".join(_file(name).read_text("utf-8") for name in names)
    return Script(source, sha1(source.encode(), usedforsecurity=False).hexdigest())


def _file(name: str) -> Traversable:
    package, _, leaf = name.rpartition("/")
    folder = files("bot.store")
    return (folder / package if package else folder) / "lua" / f"{leaf}.lua"


@dataclass(frozen=True, slots=True)
class _Call:
    script: Script
    keys: Sequence[str]
    args: Sequence[Argument]
    answer: asyncio.Future[Any]


class Scripts:
    """Runs scripts. Calls that are made during a round trip share the next one.

    Hundreds of deliveries move at the same time, and a round trip costs far more than the script that it carries.
    """

    def __init__(self, redis: Redis) -> None:
        self.redis = redis
        self._waiting: list[_Call] = []
        self._sender: asyncio.Task[None] | None = None

    async def run(self, of: Script, keys: Sequence[str], args: Iterable[Argument] = ()) -> Any:
        """Run a script and return its answer. All `keys` have the same hash tag. Raises RedisError."""
        call = _Call(of, keys, tuple(args), asyncio.get_running_loop().create_future())
        self._waiting.append(call)
        if self._sender is None or self._sender.done():
            self._sender = asyncio.create_task(self._send(), name="scripts")
        return await call.answer

    async def _send(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:BATCH], self._waiting[BATCH:]
            try:
                answers = await self._run_batch([call for call in batch if not call.answer.done()])
            except BaseException as error:
                for call in batch:
                    _settle(call.answer, error)
                if not isinstance(error, RedisError | OSError):
                    raise
            else:
                for call, answer in answers:
                    _settle(call.answer, answer)

    async def _run_batch(self, calls: list[_Call]) -> list[tuple[_Call, Any]]:
        if len(calls) == 1 or isinstance(self.redis, RedisCluster):  # a Cluster's pipeline takes no scripts
            answers = await asyncio.gather(*map(self._run_one, calls), return_exceptions=True)
            return list(zip(calls, answers, strict=True))
        pipeline = self.redis.pipeline(transaction=False)
        for call in calls:
            _ = pipeline.evalsha(call.script.sha, len(call.keys), *call.keys, *call.args)
        answers = await pipeline.execute(raise_on_error=False)
        return [
            (call, await self._run_source(call) if isinstance(answer, NoScriptError) else answer)
            for call, answer in zip(calls, answers, strict=True)
        ]

    async def _run_one(self, call: _Call) -> Any:
        try:
            return await self.redis.evalsha(call.script.sha, len(call.keys), *call.keys, *call.args)
        except NoScriptError:  # a server that has just started knows none
            return await self._run_source(call)

    async def _run_source(self, call: _Call) -> Any:
        return await self.redis.eval(call.script.source, len(call.keys), *call.keys, *call.args)


def _settle(answer: asyncio.Future[Any], result: Any) -> None:
    if answer.done():  # the caller was cancelled
        return
    if isinstance(result, BaseException):
        answer.set_exception(result)
    else:
        answer.set_result(result)

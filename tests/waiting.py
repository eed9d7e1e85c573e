"""Wait for a state that sends no event, such as that of another process, a server or a double."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

LOOK_EVERY = 0.01
"""Seconds between two checks."""


async def until(
    holds: Callable[[], Any | Coroutine[Any, Any, Any]],
    what: str,
    *,
    within: float = 20.0,
    ignore: tuple[type[Exception], ...] = (),
) -> None:
    """Return once `holds`, a function or coroutine function, returns something true.

    Exceptions of `ignore` count as "not yet". Raises AssertionError, which names `what`, after `within` seconds.
    """
    try:
        async with asyncio.timeout(within):
            while not await _check(holds, ignore):  # noqa: ASYNC110  # there is no event to wait for
                await asyncio.sleep(LOOK_EVERY)
    except TimeoutError as error:
        raise AssertionError(f"timed out waiting for {what}") from error


async def _check(holds: Callable[[], Any], ignore: tuple[type[Exception], ...]) -> bool:
    try:
        found = holds()
        return bool(await found if asyncio.iscoroutine(found) else found)
    except ignore:
        return False

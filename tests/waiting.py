"""Waiting for a state that sends no event: another process's, a server's, a double's counts."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

LOOK_EVERY = 0.01
"""Seconds between two looks."""


async def until(
    holds: Callable[[], Any | Coroutine[Any, Any, Any]],
    what: str,
    *,
    within: float = 20.0,
    ignore: tuple[type[Exception], ...] = (),
) -> None:
    """Return once `holds` returns something true; it may be a coroutine function.

    What it raises of `ignore` counts as "not yet". Raises AssertionError, which names `what`, after `within` seconds.
    """
    try:
        async with asyncio.timeout(within):
            while not await _asked(holds, ignore):  # noqa: ASYNC110  # what is waited for sends no event
                await asyncio.sleep(LOOK_EVERY)
    except TimeoutError as error:
        raise AssertionError(f"waited in vain for {what}") from error


async def _asked(holds: Callable[[], Any], ignore: tuple[type[Exception], ...]) -> bool:
    try:
        found = holds()
        return bool(await found if asyncio.iscoroutine(found) else found)
    except ignore:
        return False

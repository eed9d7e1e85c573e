"""The harnesses of all platforms, for stories that run on each; the fixture `opened` opens them."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.platform_harness import PlatformHarness

Opened = Callable[[], AbstractAsyncContextManager["PlatformHarness"]]
"""Opens a harness. Call it within the test: SimCord must be closed in the context in which it was opened."""


def _at(module: str, name: str) -> Callable[..., AbstractAsyncContextManager[Any]]:
    """Return a function that imports the harness's module, and with it the platform's library, when it is called."""

    def opened(*args: Any, **kwargs: Any) -> AbstractAsyncContextManager[Any]:
        harness: AbstractAsyncContextManager[Any] = getattr(import_module(module), name)(*args, **kwargs)
        return harness

    return opened


HARNESSES: dict[str, Callable[..., AbstractAsyncContextManager[Any]]] = {
    "console": _at("tests.platform_harness", "console_harness"),
    "slack": _at("tests.adapters.slack.harness", "slack_harness"),
    "discord": _at("tests.adapters.discord.harness", "discord_harness"),
    "email": _at("tests.adapters.email.harness", "email_harness"),
}
"""Platform -> its harness, which takes a Redis and, if a story needs its own, a clock."""

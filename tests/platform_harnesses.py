"""Every platform's harness, for stories that run on all of them: the fixture `opened` opens each."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.platform_harness import PlatformHarness

Opened = Callable[[], AbstractAsyncContextManager["PlatformHarness"]]
"""Opens a harness. Call it within the test: SimCord minds in whose context it is closed."""


def _at(module: str, name: str) -> Callable[..., AbstractAsyncContextManager[Any]]:
    """A harness whose platform's library is imported when it is opened."""

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
"""Each is given a Redis and, where a story needs its own, a clock."""

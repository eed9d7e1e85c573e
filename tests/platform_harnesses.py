"""Every platform's harness, for stories that run on all of them."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

from tests.adapters.discord.harness import discord_harness
from tests.adapters.email.harness import email_harness
from tests.adapters.slack.harness import slack_harness
from tests.platform_harness import PlatformHarness, console_harness

HARNESSES: dict[str, Callable[..., AbstractAsyncContextManager[Any]]] = {
    "console": console_harness,
    "slack": slack_harness,
    "discord": discord_harness,
    "email": email_harness,
}
"""Each is given a Redis and, where a story needs its own, a clock."""
Opened = Callable[[], AbstractAsyncContextManager[PlatformHarness]]
"""Opens a harness. Call it within the test: SimCord minds in whose context it is closed."""

"""Every platform's harness, for stories that run on all of them."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

from tests.adapters.discord.stage import discord_stage
from tests.adapters.email.stage import email_stage
from tests.adapters.slack.stage import slack_stage
from tests.platform_harness import Stage, console_stage

STAGES: dict[str, Callable[..., AbstractAsyncContextManager[Any]]] = {
    "console": console_stage,
    "slack": slack_stage,
    "discord": discord_stage,
    "email": email_stage,
}
"""Each is given a Redis and, where a story needs its own, a clock."""
Opened = Callable[[], AbstractAsyncContextManager[Stage]]
"""Opens a stage. Call it within the test: SimCord minds in whose context it is closed."""

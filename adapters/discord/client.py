"""The clients: one that listens at the gateway, and one that only speaks REST."""

from collections.abc import Mapping, Sequence
from typing import Any

import discord
import structlog
from discord import app_commands
from redis.asyncio import Redis

from adapters.discord.answers import Answers, Ask, sorry
from adapters.discord.buttons import CUSTOM_ID
from adapters.discord.commands import Interaction, root_command, sync
from adapters.discord.people import refusal, user_of, where
from bot.cards import Choice
from bot.commands.table import CommandSpec, OptionSpec, find
from bot.models import Command
from bot.ports import Core, Reply

log = structlog.get_logger(__name__)


def speaking() -> discord.Client:
    """A client that posts and looks things up; it never connects to the gateway."""
    return discord.Client(intents=discord.Intents.none(), allowed_mentions=discord.AllowedMentions.none())


class Listening(discord.AutoShardedClient):
    """Answers commands and buttons, and tells the core what becomes of channels and servers."""

    def __init__(
        self,
        core: Core,
        redis: Redis,
        answers: Answers,
        *,
        shard_ids: Sequence[int] = (0,),
        shard_count: int = 1,
    ) -> None:
        super().__init__(
            intents=discord.Intents(guilds=True),
            allowed_mentions=discord.AllowedMentions.none(),
            member_cache_flags=discord.MemberCacheFlags.none(),
            chunk_guilds_at_startup=False,
            max_messages=None,
            shard_ids=list(shard_ids),
            shard_count=shard_count,
        )
        self.core = core
        self._redis = redis
        self._answers = answers
        self.tree: app_commands.CommandTree[Listening] = app_commands.CommandTree(self)
        self.tree.add_command(root_command(self._invoke, self._complete))
        self.tree.on_error = self._failed  # type: ignore[method-assign]  # discord.py's own way to say it

    async def setup_hook(self) -> None:
        """Runs once, before the gateway."""
        self.add_dynamic_items(CommandButton)
        if await sync(self.tree, self._redis):
            log.info("commands synced")

    async def pressed(self, interaction: Interaction, line: str) -> None:
        """A button was pressed, whose command is `line`."""
        spec = find(line.split(maxsplit=1)[0])
        await self._answer(interaction, spec, lambda: self._typed(interaction, line), line)

    async def _typed(self, interaction: Interaction, line: str) -> Reply:
        return await self.core.handle_text(line, user_of(interaction), where(interaction))

    async def _invoke(self, interaction: Interaction, spec: CommandSpec, options: Mapping[str, str]) -> None:
        command = Command(spec.name, user_of(interaction), where(interaction), options)
        await self._answer(interaction, spec, lambda: self.core.handle(command))

    async def _answer(
        self, interaction: Interaction, spec: CommandSpec | None, ask: Ask, line: str = ""
    ) -> None:
        refused = refusal(interaction, spec)
        if refused:
            await self._answers.give(interaction, refused, line=line)
            return
        await self._answers.give(interaction, ask, line=line)

    async def _complete(
        self, interaction: Interaction, spec: CommandSpec, option: OptionSpec, typed: str
    ) -> Sequence[Choice]:
        return await self.core.complete(
            spec.name, option.name, typed, user_of(interaction), where(interaction)
        )

    async def _failed(self, interaction: Interaction, error: app_commands.AppCommandError) -> None:
        """The edge: what we got wrong is logged, and the person is told."""
        log.error("interaction failed", exc_info=error)
        await sorry(interaction)


class CommandButton(discord.ui.DynamicItem[discord.ui.Button[Any]], template=CUSTOM_ID):
    """Any button that runs a command, of any message ever sent."""

    def __init__(self, button: discord.ui.Button[Any], line: str) -> None:
        super().__init__(button)
        self._line = line

    @classmethod
    async def from_custom_id(cls, _interaction: Any, item: Any, match: Any, /) -> "CommandButton":
        """The button that was pressed."""
        return cls(item, match["line"])

    async def callback(self, interaction: Any) -> None:
        """Run its command."""
        try:
            await interaction.client.pressed(interaction, self._line)
        except Exception:  # the edge, as above
            log.exception("button failed", line=self._line)
            await sorry(interaction)

"""The client at the gateway. It receives commands, buttons and forms, and the events of servers and channels."""

import asyncio
import sys
import threading
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import discord
import structlog
from discord.gateway import KeepAliveHandler
from redis.asyncio import Redis

from adapters.discord.access import from_payload
from adapters.discord.buttons import CUSTOM_ID, MENU_ID
from adapters.discord.channel_kinds import ChannelKinds, ref
from adapters.discord.command_sync import CommandSync
from adapters.discord.commands import Tree, root_command
from adapters.discord.forms import CUSTOM_ID as FORM
from adapters.discord.forms import sent_in
from adapters.discord.greeting import Greeter
from adapters.discord.lifecycle import SETTLE, Lifecycle
from adapters.discord.message_menus import message_menu
from adapters.discord.permissions import (
    added,
    channel_of,
    refusal,
    roles,
    type_of_channel,
    user_of,
    with_permission_warning,
)
from adapters.discord.responses import Ask, Interaction, Responder, apologize
from adapters.discord.rest import USER_AGENT, identified
from adapters.discord.translations import Translations
from adapters.discord.unreachable import UnreachableChannels, report_deletion
from bot.cards import Choice
from bot.commands.specs import CommandSpec, OptionSpec
from bot.commands.table import find, message_commands
from bot.domain.models import Command
from bot.ports import Core, Reply

Identify = Callable[[int], Awaitable[None]]
"""Waits until a shard may identify itself."""

SYNC_PATIENCE = 2.0
"""Seconds that connecting waits for the first command sync, so that a new command is there as soon as the bot is."""

log = structlog.get_logger(__name__)


class GatewayClient(discord.AutoShardedClient):
    """Passes commands, buttons and forms to the core, and events of servers and channels to Lifecycle."""

    def __init__(
        self,
        core: Core,
        redis: Redis,
        answers: Responder,
        identify: Identify | None = None,
        *,
        greeter: Greeter | None = None,
        settle: float = SETTLE,
        shard_ids: Sequence[int] = (0,),
        shard_count: int = 1,
    ) -> None:
        super().__init__(
            intents=discord.Intents(guilds=True),
            allowed_mentions=discord.AllowedMentions.none(),
            member_cache_flags=discord.MemberCacheFlags.none(),
            chunk_guilds_at_startup=False,
            max_messages=None,
            http_trace=identified(),
            shard_ids=list(shard_ids),
            shard_count=shard_count,
        )
        self.http.user_agent = USER_AGENT
        self._core = core
        self._responder = answers
        self._identify = identify
        self._lifecycle = Lifecycle(
            core, ChannelKinds(redis), UnreachableChannels(redis), greeter=greeter, settle=settle
        )
        self.tree = Tree(self)
        self._sync = CommandSync(self.tree, redis)
        self._syncing: asyncio.Task[None] | None = None
        self.tree.add_command(root_command(self._invoke, self._complete))
        for spec in message_commands():
            self.tree.add_command(message_menu(spec, self._invoke))

    async def setup_hook(self) -> None:
        """Prepare the commands. discord.py calls it once, before it connects."""
        self.add_dynamic_items(CommandButton, CommandMenu, FormButton)
        await self.tree.set_translator(Translations())
        self._syncing = asyncio.create_task(self._sync.run(), name="command sync")
        await self._sync.attempted(SYNC_PATIENCE)

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        """Wait until this shard may identify itself."""
        if self._identify is None:
            await super().before_identify_hook(shard_id, initial=initial)
        else:
            await self._identify(shard_id or 0)

    async def pressed(self, interaction: Interaction, line: str) -> None:
        """Answer a button whose command is `line`."""
        spec = find(line.split(maxsplit=1)[0])
        await self._answer(interaction, spec, lambda: self._typed(interaction, line), line)

    async def opened(self, interaction: Interaction, page: int, line: str) -> None:
        """Open a part of the form that the command `line` shows."""
        await self._responder.open(interaction, lambda: self._typed(interaction, line), page, line)

    async def on_interaction(self, interaction: Interaction) -> None:
        """Answer a submitted form. Commands and buttons are dispatched by discord.py."""
        data: Mapping[str, Any] = interaction.data or {}
        form = FORM.fullmatch(str(data.get("custom_id", "")))
        if interaction.type is not discord.InteractionType.modal_submit or form is None:
            return
        line = form["line"]
        spec = find(line.split(maxsplit=1)[0])

        async def ask() -> Reply:
            reply = await self._typed(interaction, line)
            if reply.form is None:
                return reply
            current = {field.name: field.value for field in reply.form.fields}
            options = current | sent_in(data.get("components", ()))
            command = Command(reply.form.command, user_of(interaction), channel_of(interaction), options)
            with from_payload(interaction):
                return await self._core.handle(command)

        await self._answer(interaction, spec, ask, line)

    async def _typed(self, interaction: Interaction, line: str) -> Reply:
        with from_payload(interaction):
            return await self._core.handle_text(line, user_of(interaction), channel_of(interaction))

    async def _invoke(self, interaction: Interaction, spec: CommandSpec, options: Mapping[str, str]) -> None:
        async def ask() -> Reply:
            command = Command(spec.name, user_of(interaction), channel_of(interaction), options)
            with from_payload(interaction):
                return await self._core.handle(command)

        await self._answer(interaction, spec, ask, line_of(spec, options))

    async def _answer(self, interaction: Interaction, spec: CommandSpec | None, ask: Ask, line: str) -> None:
        async def ask_and_warn() -> Reply:
            return with_permission_warning(await ask(), interaction, spec)

        await self._responder.give(interaction, refusal(interaction, spec) or ask_and_warn, line=line)
        if added(interaction):
            kind = type_of_channel(interaction) if spec and spec.changes else None
            await self._lifecycle.used(channel_of(interaction), kind, interaction.app_permissions)

    async def _complete(
        self, interaction: Interaction, spec: CommandSpec, option: OptionSpec, typed: str
    ) -> Sequence[Choice]:
        if (spec.name, option.name) == ("settings", "ping"):
            return roles(interaction, typed)
        channel = channel_of(interaction)
        with from_payload(interaction):
            return await self._core.complete(spec.name, option.name, typed, user_of(interaction), channel)

    async def on_guild_join(self, guild: discord.Guild) -> None:
        await self._lifecycle.added(guild)

    async def on_guild_available(self, guild: discord.Guild) -> None:
        if self.get_guild(guild.id):  # at startup, discord.py dispatches this event seconds later
            await self._lifecycle.available(guild)

    async def on_guild_remove(self, guild: discord.Guild) -> None:
        await self._lifecycle.removed(guild)

    async def on_guild_channel_delete(self, channel: discord.abc.GuildChannel) -> None:
        await self._deleted(channel.guild.id, channel.id, channel.name)

    async def on_raw_thread_delete(self, thread: discord.RawThreadDeleteEvent) -> None:
        await self._deleted(thread.guild_id, thread.thread_id, thread.thread.name if thread.thread else "")

    async def _deleted(self, guild: int, channel: int, name: str) -> None:
        place = ref(guild, channel)
        subscriptions = (await self._core.subscriptions([place])).get(place, ())
        await self._lifecycle.deleted(guild, channel)
        if subscriptions:
            await report_deletion(self, place, name, subscriptions)

    async def on_guild_channel_update(self, _before: object, after: discord.abc.GuildChannel) -> None:
        await self._lifecycle.changed(after)

    async def on_thread_update(self, _before: object, after: discord.Thread) -> None:
        await self._lifecycle.changed(after)

    async def on_thread_join(self, thread: discord.Thread) -> None:
        """Handle discord.py's event for a thread that it doesn't know, such as one that was reopened."""
        await self._lifecycle.changed(thread)

    async def on_guild_role_update(self, _before: object, after: discord.Role) -> None:
        self._lifecycle.roles_changed(after.guild)

    async def on_guild_role_delete(self, role: discord.Role) -> None:
        self._lifecycle.roles_changed(role.guild)

    async def on_member_update(self, _before: object, after: discord.Member) -> None:
        """Check after a change of Paperboy: without the intent for members, Discord sends no other members' events."""
        self._lifecycle.roles_changed(after.guild)

    async def close(self) -> None:
        """Close the connection, and cancel the sync and the pending checks."""
        if self._syncing is not None:
            self._syncing.cancel()
        await self._lifecycle.close()
        await super().close()
        for heartbeat in [thread for thread in threading.enumerate() if isinstance(thread, KeepAliveHandler)]:
            if heartbeat.ws._connection is self._connection:  # noqa: SLF001  # nothing public says whose it is
                # It was cancelled while connecting: discord.py would leave it running.
                await heartbeat.ws.close(1000)

    async def on_error(self, event_method: str, /, *_args: object, **_kwargs: object) -> None:
        """Log the event that failed; later ones are still handled."""
        log.error("event_failed", gateway_event=event_method, exc_info=sys.exception())


class FormButton(discord.ui.DynamicItem[discord.ui.Button[Any]], template=FORM):
    """A button that opens a part of a form."""

    def __init__(self, button: discord.ui.Button[Any], page: int, line: str) -> None:
        super().__init__(button)
        self._page = page
        self._line = line

    @classmethod
    async def from_custom_id(cls, _interaction: Any, item: Any, match: Any, /) -> "FormButton":
        """Return the button that was pressed."""
        return cls(item, int(match["page"]), match["line"])

    async def callback(self, interaction: Any) -> None:
        """Open the form."""
        try:
            await interaction.client.opened(interaction, self._page, self._line)
        except Exception:  # the edge: discord.py would only print it
            log.exception("form_failed", line=self._line)
            await apologize(interaction)


def line_of(spec: CommandSpec, options: Mapping[str, str]) -> str:
    """Return a command as it would be typed."""
    named = (f"{option.name}:{options[option.name]}" for option in spec.named if option.name in options)
    free = options.get(spec.free.name, "") if spec.free else ""
    return " ".join(filter(None, (spec.name, free, *named)))


class CommandButton(discord.ui.DynamicItem[discord.ui.Button[Any]], template=CUSTOM_ID):
    """A button that runs a command, however old its message is."""

    def __init__(self, button: discord.ui.Button[Any], line: str) -> None:
        super().__init__(button)
        self._line = line

    @classmethod
    async def from_custom_id(cls, _interaction: Any, item: Any, match: Any, /) -> "CommandButton":
        """Return the button that was pressed."""
        return cls(item, match["line"])

    async def callback(self, interaction: Any) -> None:
        """Run the button's command."""
        try:
            await interaction.client.pressed(interaction, self._line)
        except Exception:  # the edge: discord.py would only print it
            log.exception("button_failed", line=self._line)
            await apologize(interaction)


class CommandMenu(discord.ui.DynamicItem[discord.ui.Select[Any]], template=MENU_ID):
    """A menu whose options are commands."""

    @classmethod
    async def from_custom_id(cls, _interaction: Any, item: Any, _match: Any, /) -> "CommandMenu":
        """Return the menu from which an option was chosen."""
        return cls(item)

    async def callback(self, interaction: Any) -> None:
        """Run the chosen command."""
        line = next(iter(interaction.data.get("values", ())), "")
        try:
            await interaction.client.pressed(interaction, line)
        except Exception:  # the edge: discord.py would only print it
            log.exception("menu_failed", line=line)
            await apologize(interaction)

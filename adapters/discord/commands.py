"""`/paper` as Discord's command tree, made of the core's table."""

import json
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from hashlib import blake2b
from inspect import Parameter, Signature
from typing import Any

import discord
import structlog
from discord import app_commands
from redis.asyncio import Redis

from bot.cards import Choice
from bot.commands.table import CommandSpec, OptionSpec, shown
from bot.store import keys
from bot.text import shorten

ROOT = "paper"
MAX_DESCRIPTION = 100
MAX_CHOICES = 25
MAX_CHOICE = 100

log = structlog.get_logger(__name__)

Interaction = discord.Interaction[discord.AutoShardedClient]
AnyCommand = app_commands.Command[Any, ..., Any] | app_commands.ContextMenu | app_commands.Group
Invoke = Callable[[Interaction, CommandSpec, Mapping[str, str]], Awaitable[None]]
Complete = Callable[[Interaction, CommandSpec, OptionSpec, str], Awaitable[Sequence[Choice]]]


def root_command(invoke: Invoke, complete: Complete) -> app_commands.Group:
    """`/paper` with all commands that people are told of, to be used wherever Discord lets one.

    Which of them make sense outside a server that Paperboy was added to is checked when one is used: Discord has that
    choice, and the one of permissions, only for the whole tree.
    """
    group = app_commands.Group(
        name=ROOT,
        description="New papers, in this channel",
        allowed_installs=app_commands.AppInstallationType(guild=True, user=True),
        allowed_contexts=app_commands.AppCommandContext(guild=True, dm_channel=True, private_channel=True),
    )
    for spec in shown():
        group.add_command(_command(spec, invoke, complete))
    return group


async def sync(tree: app_commands.CommandTree[Any], redis: Redis) -> bool:
    """Tell Discord about the tree, unless it is the one that it has. -> whether it was told."""
    payload = [await _payload(command, tree) for command in tree.get_commands()]
    digest = blake2b(json.dumps(payload, sort_keys=True).encode(), digest_size=16).hexdigest()
    application = str(tree.client.application_id)
    if await redis.hget(keys.DISCORD_COMMANDS, application) == digest:
        return False
    try:
        await tree.sync()
    except discord.HTTPException as error:
        log.warning("the application can't be installed by persons, only in servers", error=str(error))
        _only_in_servers(tree)
        await tree.sync()
    await redis.hset(keys.DISCORD_COMMANDS, application, digest)
    return True


def _only_in_servers(tree: app_commands.CommandTree[Any]) -> None:
    """Whether people may install it, too, is switched in Discord's developer portal."""
    for command in tree.get_commands():
        command.allowed_installs = app_commands.AppInstallationType(guild=True, user=False)


async def _payload(command: AnyCommand, tree: app_commands.CommandTree[Any]) -> dict[str, Any]:
    if tree.translator:
        return await command.get_translated_payload(tree, tree.translator)
    return command.to_dict(tree)


def _command(
    spec: CommandSpec, invoke: Invoke, complete: Complete
) -> app_commands.Command[app_commands.Group, ..., None]:
    options = {f"option_{option.name}": option for option in spec.options if not option.hidden}

    async def callback(interaction: Interaction, **given: Any) -> None:
        await invoke(
            interaction,
            spec,
            {options[name].name: str(value) for name, value in given.items() if value is not None},
        )

    callback.__signature__ = Signature(  # type: ignore[attr-defined]  # it is how a callable says what it takes
        [
            Parameter("interaction", Parameter.POSITIONAL_OR_KEYWORD, annotation=Interaction),
            *(_parameter(name, option) for name, option in options.items()),
        ]
    )
    if options:
        app_commands.rename(**{name: option.name for name, option in options.items()})(callback)
        app_commands.describe(**{name: _described(option.help) for name, option in options.items()})(callback)
    for name, option in options.items():
        if option.choices:
            choices = [app_commands.Choice(name=choice, value=choice) for choice in option.choices]
            app_commands.choices(**{name: choices})(callback)
        elif option.kind != "integer":
            app_commands.autocomplete(**{name: _completing(spec, option, complete)})(callback)
    return app_commands.Command(name=spec.name, description=_described(spec.summary), callback=callback)


def _parameter(name: str, option: OptionSpec) -> Parameter:
    wanted: Any = int if option.kind == "integer" else str
    if option.required:
        return Parameter(name, Parameter.KEYWORD_ONLY, annotation=wanted)
    return Parameter(name, Parameter.KEYWORD_ONLY, annotation=wanted | None, default=None)


def _completing(
    spec: CommandSpec, option: OptionSpec, complete: Complete
) -> Callable[[discord.Interaction[Any], str], Coroutine[Any, Any, list[app_commands.Choice[str]]]]:
    async def autocomplete(
        interaction: discord.Interaction[Any], typed: str
    ) -> list[app_commands.Choice[str]]:
        offered = await complete(interaction, spec, option, typed)
        carried = [choice for choice in offered if 0 < len(choice.value) <= MAX_CHOICE]
        return [
            app_commands.Choice(name=shorten(choice.label or choice.value, MAX_CHOICE), value=choice.value)
            for choice in carried[:MAX_CHOICES]
        ]

    return autocomplete


def _described(summary: str) -> app_commands.locale_str:
    """Up to 100 characters, and to be translated where the tree has a translator."""
    return app_commands.locale_str(shorten(summary[:1].upper() + summary[1:], MAX_DESCRIPTION))

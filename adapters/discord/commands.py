"""`/paper` as Discord's command tree, built from the core's table."""

import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from inspect import Parameter, Signature
from typing import TYPE_CHECKING, Any

import discord
import structlog
from discord import app_commands

from adapters.discord.responses import Interaction, apologize, is_not_expired_autocomplete
from adapters.discord.settings import DiscordSettings
from bot.cards import Choice
from bot.commands.setting_specs import OPTIONAL_SETTINGS
from bot.commands.specs import CommandSpec, OptionSpec
from bot.commands.table import shown
from bot.text import shorten

if TYPE_CHECKING:
    from adapters.discord.client import GatewayClient

log = structlog.get_logger(__name__)

ROOT = "paper"
MAX_DESCRIPTION = 100
"""Characters of a command's or option's description. See
https://docs.discord.com/developers/interactions/application-commands."""
MAX_CHOICES = 25
"""Maximum number of choices offered while a person types."""
MAX_CHOICE = 100
"""Characters of a choice."""

Invoke = Callable[[Interaction, CommandSpec, Mapping[str, str]], Awaitable[None]]
Complete = Callable[[Interaction, CommandSpec, OptionSpec, str], Awaitable[Sequence[Choice]]]


def root_command(invoke: Invoke, complete: Complete) -> app_commands.Group:
    """Build `/paper` with all commands that aren't hidden, for every place that Discord allows.

    Discord lets an app choose places and permissions for the whole of `/paper` only. Whether a command makes sense
    outside a server that Paperboy was added to is checked when it is used.
    """
    group = app_commands.Group(
        name=ROOT,
        description="New papers, in this channel",
        allowed_installs=app_commands.AppInstallationType(guild=True, user=True),
        allowed_contexts=app_commands.AppCommandContext(guild=True, dm_channel=True, private_channel=True),
    )
    for spec in shown():
        if spec.typed:  # Discord's limit is 25 subcommands
            continue
        group.add_command(_command(spec, invoke, complete))
    return group


def _command(
    spec: CommandSpec, invoke: Invoke, complete: Complete
) -> app_commands.Command[app_commands.Group, ..., None]:
    options = {f"option_{option.name}": option for option in spec.options if _is_offered(spec, option)}

    async def callback(interaction: Interaction, **values: Any) -> None:
        await invoke(
            interaction,
            spec,
            {options[name].name: str(value) for name, value in values.items() if value is not None},
        )

    callback.__signature__ = Signature(  # type: ignore[attr-defined]  # discord.py reads it; mypy doesn't know it
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


def _is_offered(spec: CommandSpec, option: OptionSpec) -> bool:
    """Whether the option can be used here; some settings are for other platforms only."""
    foreign = OPTIONAL_SETTINGS - DiscordSettings.channel_settings if spec.name == "settings" else ()
    return not option.hidden and option.name not in foreign


def _parameter(name: str, option: OptionSpec) -> Parameter:
    annotation: Any = int if option.kind == "integer" else str
    if option.required:
        return Parameter(name, Parameter.KEYWORD_ONLY, annotation=annotation)
    return Parameter(name, Parameter.KEYWORD_ONLY, annotation=annotation | None, default=None)


def _completing(
    spec: CommandSpec, option: OptionSpec, complete: Complete
) -> Callable[[discord.Interaction[Any], str], Coroutine[Any, Any, list[app_commands.Choice[str]]]]:
    async def autocomplete(
        interaction: discord.Interaction[Any], typed: str
    ) -> list[app_commands.Choice[str]]:
        offered = await complete(interaction, spec, option, typed)
        usable = [choice for choice in offered if 0 < len(choice.value) <= MAX_CHOICE]
        return [
            app_commands.Choice(name=shorten(choice.label or choice.value, MAX_CHOICE), value=choice.value)
            for choice in usable[:MAX_CHOICES]
        ]

    return autocomplete


def _described(summary: str) -> app_commands.locale_str:
    """Return a description of up to 100 characters, for the translator."""
    return app_commands.locale_str(shorten(summary[:1].upper() + summary[1:], MAX_DESCRIPTION))


class Tree(app_commands.CommandTree["GatewayClient"]):
    """The commands. An error in one is logged, and the person sees that something went wrong."""

    def __init__(self, client: "GatewayClient") -> None:
        super().__init__(client)
        logging.getLogger("discord.app_commands.tree").addFilter(is_not_expired_autocomplete)

    async def on_error(self, interaction: Interaction, error: app_commands.AppCommandError, /) -> None:
        """Log the error, and reply that something went wrong."""
        log.error("command_failed", exc_info=error)
        await apologize(interaction)

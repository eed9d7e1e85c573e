"""The tree of commands, with its errors logged."""

import logging
from typing import TYPE_CHECKING

import structlog
from discord import app_commands

from adapters.discord.responses import Interaction, is_no_expired_autocomplete, sorry

if TYPE_CHECKING:
    from adapters.discord.client import GatewayClient

log = structlog.get_logger(__name__)


class Tree(app_commands.CommandTree["GatewayClient"]):
    """The commands. An error in one is logged, and the person sees that something went wrong."""

    def __init__(self, client: "GatewayClient") -> None:
        super().__init__(client)
        logging.getLogger("discord.app_commands.tree").addFilter(is_no_expired_autocomplete)

    async def on_error(self, interaction: Interaction, error: app_commands.AppCommandError, /) -> None:
        """Log the error and say so."""
        log.error("command_failed", exc_info=error)
        await sorry(interaction)

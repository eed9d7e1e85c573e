"""Discord: one bot for any number of servers."""

import logging

import discord
from redis.asyncio import Redis

from adapters.discord.platform import DiscordPlatform
from bot.settings import Settings

__all__ = ["DiscordPlatform", "build"]


def build(settings: Settings, redis: Redis) -> DiscordPlatform | None:
    """Discord, where it has a token."""
    if settings.discord_token is None:
        return None
    # Posting needs no intents, and voice no library that is not here: a warning of either alarms for nothing.
    logging.getLogger("discord.state").setLevel(logging.ERROR)
    discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False
    discord.http.Route.BASE = settings.discord_api_url  # the whole of discord.py reads it there
    return DiscordPlatform(settings.discord_token.get_secret_value(), redis)

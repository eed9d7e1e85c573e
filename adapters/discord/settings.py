"""Discord's settings."""

from pydantic import Field, SecretStr

from bot.settings import BaseUrl, PlatformSettings


class DiscordSettings(PlatformSettings):
    """The bot's token, and Discord's address."""

    title = "Discord"
    connect = "`DISCORD_TOKEN`"
    channel_settings = frozenset({"edits", "threads", "embeds", "publish", "ping", "editors"})
    message_menus = True
    message_threads = True
    direct_messages = True
    removed = "Paperboy was removed from the server"
    secret_patterns = (
        r"\b[\w-]{23,28}\.[\w-]{6,7}\.[\w-]{27,}",  # a bot's token
        r"(?<=/webhooks/)\d{1,20}/[\w-]{8,}",  # an interaction's token, valid for fifteen minutes
        r"(?<=/interactions/)\d{1,20}/[\w-]{8,}",
    )

    discord_token: SecretStr | None = Field(default=None, validation_alias="DISCORD_TOKEN")
    discord_api_url: BaseUrl = Field(
        default="https://discord.com/api/v10", validation_alias="DISCORD_API_URL"
    )
    """Discord's REST API, or a proxy in front of it."""

    @property
    def is_configured(self) -> bool:
        """Whether there is a token."""
        return self.discord_token is not None

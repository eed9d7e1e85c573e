"""Slack's settings, and what the core needs to know about Slack."""

from pydantic import Field, SecretStr

from bot.settings import PlatformSettings, Url


class SlackSettings(PlatformSettings):
    """Slack's tokens and address."""

    title = "Slack"
    connect = "`SLACK_BOT_TOKEN` and `SLACK_APP_TOKEN`"
    channel_settings = frozenset({"edits", "links", "ping", "editors"})
    message_menus = True
    message_threads = True
    direct_messages = True
    removed = "the app was uninstalled"
    secret_patterns = (
        r"\bx(?:ox[a-z]|app|oxe\.xox[a-z])-[\w-]{8,}",  # tokens, also of workspaces that installed the app
        r"(?<=[?&]ticket=)\w+",  # opens a socket
        r"(?<=://hooks\.slack\.com/)[\w/-]+",  # a `response_url`, with which anyone can answer as the app
    )

    slack_bot_token: SecretStr | None = Field(default=None, validation_alias="SLACK_BOT_TOKEN")
    slack_app_token: SecretStr | None = Field(default=None, validation_alias="SLACK_APP_TOKEN")
    slack_signing_secret: SecretStr | None = Field(default=None, validation_alias="SLACK_SIGNING_SECRET")
    slack_client_id: str | None = Field(default=None, validation_alias="SLACK_CLIENT_ID")
    slack_client_secret: SecretStr | None = Field(default=None, validation_alias="SLACK_CLIENT_SECRET")
    slack_api_url: Url = Field(default="https://slack.com/api/", validation_alias="SLACK_API_URL")

    @property
    def is_configured(self) -> bool:
        """Whether any token is set. Missing ones are reported when the platform is built."""
        return any(
            (
                self.slack_bot_token,
                self.slack_app_token,
                self.slack_signing_secret,
                self.slack_client_id,
                self.slack_client_secret,
            )
        )

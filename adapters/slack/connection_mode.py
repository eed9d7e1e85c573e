"""Slack's connection mode, from the settings."""

from dataclasses import dataclass, field
from typing import Literal

from pydantic import SecretStr

from adapters.slack.settings import SlackSettings
from bot.domain.errors import ConfigurationError
from bot.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionMode:
    """Socket Mode in one workspace; or HTTP, in one (with a bot token) or in all that install the app."""

    kind: Literal["socket", "http"]
    api_url: str
    bot_token: str = field(default="", repr=False)
    app_token: str = field(default="", repr=False)
    signing_secret: str = field(default="", repr=False)
    client_id: str = ""
    client_secret: str = field(default="", repr=False)
    secret_key: str = field(default="", repr=False)
    port: int | None = None
    public_url: str = ""
    """Public address of the role `web`; empty if unknown."""


def choose_mode(settings: Settings) -> ConnectionMode | None:
    """Return the configured mode; None if Slack isn't configured. Raises ConfigurationError if settings are missing."""
    slack = settings.of(SlackSettings)
    if not slack.is_configured:
        return None
    bot, app = _text(slack.slack_bot_token), _text(slack.slack_app_token)
    signing, client = _text(slack.slack_signing_secret), slack.slack_client_id or ""
    client_secret = _text(slack.slack_client_secret)
    _refuse_swapped(bot, app)
    if app:
        if not bot:
            raise ConfigurationError(
                "SLACK_APP_TOKEN is set, but Socket Mode also needs SLACK_BOT_TOKEN (xoxb-…)"
            )
        return ConnectionMode(kind="socket", api_url=slack.slack_api_url, bot_token=bot, app_token=app)
    if not signing:
        raise ConfigurationError(
            "Slack also needs SLACK_APP_TOKEN (for Socket Mode) or SLACK_SIGNING_SECRET (for HTTP)"
        )
    if client or client_secret:
        if not (client and client_secret):
            raise ConfigurationError("SLACK_CLIENT_ID and SLACK_CLIENT_SECRET are needed together")
        bot = ""
    elif not bot:
        raise ConfigurationError(
            "SLACK_SIGNING_SECRET is set, but HTTP also needs SLACK_BOT_TOKEN (for one workspace), or SLACK_CLIENT_ID "
            "and SLACK_CLIENT_SECRET (for many)"
        )
    return ConnectionMode(
        kind="http",
        api_url=slack.slack_api_url,
        bot_token=bot,
        signing_secret=signing,
        client_id=client,
        client_secret=client_secret,
        secret_key=_text(settings.secret_key),
        port=settings.port,
        public_url=settings.public_url or "",
    )


def _refuse_swapped(bot: str, app: str) -> None:
    if bot and not bot.startswith(("xoxb-", "xoxe.xoxb-")):
        raise ConfigurationError("SLACK_BOT_TOKEN begins with xoxb-: copy it from “OAuth & Permissions”")
    if app and not app.startswith("xapp-"):
        raise ConfigurationError("SLACK_APP_TOKEN begins with xapp-: copy it from “Basic Information”")


def _text(secret: SecretStr | None) -> str:
    return secret.get_secret_value() if secret else ""

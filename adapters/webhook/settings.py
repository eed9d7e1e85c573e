"""The settings for webhooks."""

from pydantic import IPvAnyNetwork

from bot.settings import CommaSeparated, PlatformSettings


class WebhookSettings(PlatformSettings):
    """The networks other than the public Internet that webhooks can reach."""

    title = "Webhooks"
    secret_patterns = (r"whsec_[A-Za-z0-9+/=]{20,64}",)

    webhooks_private: CommaSeparated[IPvAnyNetwork] = ()
    """Private networks that webhooks are allowed to reach, such as `10.1.0.0/16`."""

    @property
    def is_configured(self) -> bool:
        """Always true: webhooks need no token. `build` returns none without PAPERBOY_SECRET_KEY."""
        return True

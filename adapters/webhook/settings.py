"""The settings of webhooks."""

from pydantic import IPvAnyNetwork

from bot.settings import CommaSeparated, PlatformSettings


class WebhookSettings(PlatformSettings):
    """Where webhooks may lead besides the public Internet."""

    title = "Webhooks"
    secret_patterns = (r"whsec_[A-Za-z0-9+/=]{20,64}",)

    webhooks_private: CommaSeparated[IPvAnyNetwork] = ()
    """Networks that webhooks may lead to although they are private, such as `10.1.0.0/16`."""

    @property
    def is_configured(self) -> bool:
        """They need no token; without PAPERBOY_SECRET_KEY there are none."""
        return True

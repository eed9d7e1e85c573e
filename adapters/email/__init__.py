"""E-mail as a platform: trending papers, or those of a query, in the inbox."""

from datetime import UTC, datetime

from redis.asyncio import Redis

from adapters.email.links import Links
from adapters.email.mailbox import parse as mail_bounce
from adapters.email.message import Sender
from adapters.email.platform import EmailPlatform
from adapters.email.relay import Relay
from adapters.email.server import Server
from adapters.email.store import Addresses
from bot.domain.errors import ConfigurationError
from bot.encryption import Encryptor
from bot.settings import Settings

__all__ = ["EmailPlatform", "build"]


def build(settings: Settings, redis: Redis) -> EmailPlatform | None:
    """The platform, where SMTP_URL is set. Raises ConfigurationError for what is missing beside it."""
    if settings.smtp_url is None:
        return None
    if settings.mail_from is None:
        raise ConfigurationError(
            "SMTP_URL is set, so PAPERBOY_MAIL_FROM has to be: Paperboy <papers@example.org>"
        )
    if settings.public_url is None:
        raise ConfigurationError(
            "SMTP_URL is set, so PAPERBOY_PUBLIC_URL has to be: mails link to pages where people unsubscribe"
        )
    bounce, mailbox = (
        mail_bounce(settings.mail_bounce.get_secret_value()) if settings.mail_bounce else (None, None)
    )
    seal = Encryptor.of(settings.secret_key.get_secret_value() if settings.secret_key else None)
    return EmailPlatform(
        addresses=Addresses(redis, seal),
        links=Links(settings.public_url, seal, _now),
        relay=Relay(Server.parse(settings.smtp_url.get_secret_value())),
        sender=Sender.parse(settings.mail_from),
        bounce=bounce,
        mailbox=mailbox,
        now=_now,
    )


def _now() -> datetime:
    return datetime.now(UTC)

"""E-mail as a platform: the papers of a query, or what is trending, in an inbox."""

from datetime import UTC, datetime

from redis.asyncio import Redis

from adapters.email.addresses import Addresses
from adapters.email.links import Links
from adapters.email.mailbox import parse_mailbox
from adapters.email.message import Sender
from adapters.email.platform import EmailPlatform
from adapters.email.smtp_client import SmtpClient
from adapters.email.smtp_url import SmtpServer
from bot.domain.errors import ConfigurationError
from bot.encryption import Encryptor
from bot.settings import Settings
from bot.store.limits import Limits

__all__ = ["EmailPlatform", "build"]


def build(settings: Settings, redis: Redis) -> EmailPlatform | None:
    """The platform; None without SMTP_URL. Raises ConfigurationError for a missing or wrong setting."""
    if settings.smtp_url is None:
        return None
    if settings.mail_from is None:
        raise ConfigurationError(
            "SMTP_URL is set but PAPERBOY_MAIL_FROM isn't. Example: Paperboy <papers@example.org>"
        )
    if settings.public_url is None:
        raise ConfigurationError(
            "SMTP_URL is set but PAPERBOY_PUBLIC_URL isn't. Mails link to pages there, such as the one to unsubscribe"
        )
    bounce, mailbox = (
        parse_mailbox(settings.mail_bounce.get_secret_value()) if settings.mail_bounce else (None, None)
    )
    seal = Encryptor.of(settings.secret_key.get_secret_value() if settings.secret_key else None)
    return EmailPlatform(
        addresses=Addresses(redis, seal),
        limits=Limits(redis),
        links=Links(settings.public_url, seal, _now),
        client=SmtpClient(SmtpServer.parse(settings.smtp_url.get_secret_value())),
        sender=Sender.parse(settings.mail_from),
        bounce=bounce,
        mailbox=mailbox,
        now=_now,
    )


def _now() -> datetime:
    return datetime.now(UTC)

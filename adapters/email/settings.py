"""The settings for mail."""

from pydantic import Field, SecretStr

from bot.settings import PlatformSettings


class EmailSettings(PlatformSettings):
    """The outgoing mail server, and the addresses of the sender and for bounces."""

    title = "E-mail"
    connect = "`SMTP_URL`, `PAPERBOY_MAIL_FROM` and `PAPERBOY_PUBLIC_URL`"

    smtp_url: SecretStr | None = Field(default=None, validation_alias="SMTP_URL")
    """`smtp://user:password@host:587` (STARTTLS) or `smtps://…:465`."""
    mail_from: str | None = None
    """The sender of all mails: `Paperboy <papers@example.org>`."""
    mail_bounce: SecretStr | None = None
    """The address that bounces go to, or its mailbox: `pop3s://bounces%40example.org:password@host`."""

    @property
    def is_configured(self) -> bool:
        """Whether a server is configured."""
        return self.smtp_url is not None

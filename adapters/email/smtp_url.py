"""SMTP_URL: the outgoing mail server, and how to connect to it."""

from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Literal, Self
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from bot.domain.errors import ConfigurationError

FORM = "smtp://host:587 (STARTTLS), smtps://host:465 (TLS), or smtp://localhost:25; user:password@ goes before the host"
TLS_PORT, SUBMISSION_PORT, RELAY_PORT = 465, 587, 25


@dataclass(frozen=True, slots=True, kw_only=True)
class SmtpServer:
    """A mail server."""

    host: str
    port: int
    security: Literal["tls", "starttls", "none"]
    """With `starttls`, a server that doesn't offer it gets no mail and no password."""
    user: str | None = None
    password: str | None = field(default=None, repr=False)

    @classmethod
    def parse(cls, url: str) -> Self:
        """Parse SMTP_URL. For this machine, and with `?tls=off`, `smtp://` uses no TLS.

        Raises ConfigurationError without the value, which can contain a password.
        """
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError:
            host, port = None, None
        if not host or parts.scheme not in {"smtp", "smtps"}:
            raise ConfigurationError(f"SMTP_URL can't be read. It is {FORM}")
        security = _security(parts, host)
        default_port = {"tls": TLS_PORT, "starttls": SUBMISSION_PORT, "none": RELAY_PORT}[security]
        return cls(
            host=host,
            port=port or default_port,
            security=security,
            user=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password else None,
        )


def _security(parts: SplitResult, host: str) -> Literal["tls", "starttls", "none"]:
    if parts.scheme == "smtps":
        return "tls"
    return "none" if _is_this_machine(host) or parse_qs(parts.query).get("tls") == ["off"] else "starttls"


def _is_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"

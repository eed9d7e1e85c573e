"""SMTP_URL is parsed, and its password never shown."""

import pytest

from adapters.email.smtp_url import SmtpServer
from bot.domain.errors import ConfigurationError


@pytest.mark.parametrize(
    ("url", "host", "port", "security"),
    [
        ("smtp://mail.example.org", "mail.example.org", 587, "starttls"),
        ("smtp://mail.example.org:2525", "mail.example.org", 2525, "starttls"),
        ("smtps://mail.example.org", "mail.example.org", 465, "tls"),
        ("smtp://localhost", "localhost", 25, "none"),
        ("smtp://[::1]:1025", "::1", 1025, "none"),
        ("smtp://relay.internal?tls=off", "relay.internal", 25, "none"),
        ("smtp://mail.example.org/?tls=maybe", "mail.example.org", 587, "starttls"),
    ],
)
def test_a_url_names_host_port_and_security(url: str, host: str, port: int, security: str) -> None:
    server = SmtpServer.parse(url)
    assert (server.host, server.port, server.security) == (host, port, security)


def test_names_and_passwords_are_decoded_and_never_shown() -> None:
    server = SmtpServer.parse("smtps://papers%40example.org:s%2Fcret@mail.example.org")
    assert (server.user, server.password) == ("papers@example.org", "s/cret")
    assert "s/cret" not in repr(server)


@pytest.mark.parametrize(
    "url", ["", "mail.example.org", "http://x:secret@y", "smtp://", "smtp://u:secret@h:port"]
)
def test_an_unreadable_url_is_named_without_its_secret(url: str) -> None:
    with pytest.raises(ConfigurationError, match="SMTP_URL") as caught:
        SmtpServer.parse(url)
    assert "u:secret" not in str(caught.value)
    assert "x:secret" not in str(caught.value)

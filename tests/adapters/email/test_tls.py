"""The password is sent only to a trusted server, and only over TLS."""

import ssl
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Literal

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from adapters.email.addresses import Addresses
from adapters.email.links import Links
from adapters.email.message import FromAddress
from adapters.email.platform import EmailPlatform
from adapters.email.smtp_client import SmtpClient
from adapters.email.smtp_url import SmtpServer
from bot.domain.errors import RetryLater
from bot.encryption import Encryptor
from bot.store.limits import Limits
from tests.adapters.email.mail_server import MailServer

TO = "ada@example.org"
NO_REDIS: Any = None
"""Redis isn't used in these tests."""
pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
"""aiosmtpd doesn't know that its connections use TLS from the first byte."""


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the file of a key and a self-signed certificate for the loopback address."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + signed.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.fixture
def server_context(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


@pytest.fixture
def client_context(certificate: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(certificate))


def server(mail_server: MailServer, security: Literal["tls", "starttls", "none"]) -> SmtpServer:
    return SmtpServer(
        host="127.0.0.1", port=mail_server.port, security=security, user="papers", password="secret"
    )


async def deliver(client: SmtpClient) -> None:
    try:
        await client.deliver(b"Subject: hello\r\n\r\n", sender="papers@example.org", to=TO)
    finally:
        await client.close()


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_mail_goes_over_tls_after_logging_in(
    server_context: ssl.SSLContext, client_context: ssl.SSLContext, security: Literal["tls", "starttls"]
) -> None:
    tls_options = (
        {"ssl": server_context, "auth_require_tls": False} if security == "tls" else {"tls": server_context}
    )
    async with MailServer(users={"papers": "secret"}).open(**tls_options) as mail_server:
        await deliver(SmtpClient(server(mail_server, security), tls=client_context))
        assert [mail.to for mail in mail_server.mails] == [TO]
        assert mail_server.logins == ["papers"]


async def test_a_wrong_password_pauses_all_mail_and_is_not_in_the_error(
    server_context: ssl.SSLContext, client_context: ssl.SSLContext
) -> None:
    async with MailServer(users={"papers": "another"}).open(tls=server_context) as mail_server:
        with pytest.raises(RetryLater, match="535") as caught:
            await deliver(SmtpClient(server(mail_server, "starttls"), tls=client_context))
        assert (caught.value.scope, caught.value.counts) == ("platform", False)
        assert "secret" not in str(caught.value)


async def test_a_server_without_tls_gets_no_password() -> None:
    async with MailServer(users={"papers": "secret"}).open(auth_require_tls=False) as mail_server:
        with pytest.raises(RetryLater) as caught:
            await deliver(SmtpClient(server(mail_server, "starttls")))
        assert (caught.value.scope, mail_server.logins, mail_server.mails) == ("platform", [], [])


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_a_server_without_a_trusted_certificate_gets_no_password(
    server_context: ssl.SSLContext, security: Literal["tls", "starttls"]
) -> None:
    tls_options = (
        {"ssl": server_context, "auth_require_tls": False} if security == "tls" else {"tls": server_context}
    )
    async with MailServer(users={"papers": "secret"}).open(**tls_options) as mail_server:
        with pytest.raises(RetryLater) as caught:
            await deliver(SmtpClient(server(mail_server, security)))
        assert (caught.value.scope, mail_server.logins, mail_server.mails) == ("platform", [], [])


async def test_doctor_says_whether_the_server_accepts_us(
    server_context: ssl.SSLContext, client_context: ssl.SSLContext
) -> None:
    async with MailServer(users={"papers": "secret"}).open(tls=server_context) as mail_server:
        correct = server(mail_server, "starttls")
        for settings, ok in ((correct, True), (replace(correct, password="wrong"), False)):
            platform = a_platform(SmtpClient(settings, tls=client_context))
            [finding] = [finding async for finding in platform.diagnose()]
            assert (finding.ok, bool(finding.todo)) == (ok, not ok)
            await platform.close()


def a_platform(client: SmtpClient) -> EmailPlatform:
    """Return a platform whose connection is all that is used."""
    encryptor = Encryptor(["a key that can't be guessed"])
    links = Links("https://papers.example.org", encryptor, lambda: datetime.now(UTC))
    return EmailPlatform(
        addresses=Addresses(NO_REDIS, encryptor),
        limits=Limits(NO_REDIS),
        links=links,
        client=client,
        sender=FromAddress.parse("papers@example.org"),
        now=links.now,
    )

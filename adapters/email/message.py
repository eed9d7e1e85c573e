"""A mail as it is sent: its headers, and how they are written. Pure."""

from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address as Mailbox
from email.message import EmailMessage
from email.policy import SMTP, EmailPolicy
from email.utils import format_datetime, getaddresses
from hashlib import sha256
from typing import Self

from adapters.email.address import Address
from adapters.email.render import Rendered
from bot.cards.plain import plain
from bot.domain.errors import ConfigurationError, UserError

_WHOLE = frozenset({"list-unsubscribe", "list-unsubscribe-post", "message-id"})


class _Policy(EmailPolicy):
    """Python's own would break a long address in a header into encoded words, which nobody reads back."""

    def fold(self, name: str, value: str) -> str:
        return f"{name}: {value}\r\n" if name.lower() in _WHOLE else super().fold(name, value)

    def fold_binary(self, name: str, value: str) -> bytes:
        return self.fold(name, value).encode("ascii")


POLICY = _Policy(linesep="\r\n", max_line_length=SMTP.max_line_length, cte_type="7bit")


@dataclass(frozen=True, slots=True)
class Sender:
    """Who mails come from."""

    name: str
    address: Address

    @classmethod
    def parse(cls, text: str) -> Self:
        """From PAPERBOY_MAIL_FROM: `papers@example.org`, or `Paperboy <papers@example.org>`.

        Raises ConfigurationError.
        """
        try:
            [(name, address)] = getaddresses([plain(text)])
            return cls(name or "Paperboy", Address.parse(address))
        except (UserError, ValueError) as error:
            raise ConfigurationError(
                "PAPERBOY_MAIL_FROM is an address: Paperboy <papers@example.org>"
            ) from error


def message_id(key: str, domain: str) -> str:
    """The same for each attempt at one delivery, so that receivers can tell a repeat from another mail."""
    return f"<{sha256(key.encode()).hexdigest()[:32]}@{domain}>"


def compose(
    rendered: Rendered,
    *,
    sender: Sender,
    to: Address,
    identity: str,
    date: datetime,
    unsubscribe: str | None = None,
) -> bytes:
    """The whole message, in ASCII and with CRLF. `unsubscribe` is what RFC 8058's one click posts to."""
    mail = EmailMessage(policy=POLICY)
    mail["From"] = Mailbox(plain(sender.name), addr_spec=str(sender.address))
    mail["To"] = str(to)
    mail["Subject"] = plain(rendered.subject)
    mail["Date"] = format_datetime(date)
    mail["Message-ID"] = identity
    mail["Auto-Submitted"] = "auto-generated"
    if unsubscribe:
        mail["List-Id"] = f"<paperboy.{sender.address.domain}>"
        mail["List-Unsubscribe"] = f"<{unsubscribe}>"
        mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    mail.set_content(rendered.text, cte="quoted-printable")
    mail.add_alternative(rendered.html, subtype="html", cte="quoted-printable")
    return mail.as_bytes()

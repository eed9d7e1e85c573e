"""Composes a mail as bytes: headers, text and HTML, an optional file. Verifies that it has nothing else. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes, policy
from email.header import Header
from email.message import EmailMessage, MIMEPart
from email.utils import format_datetime, getaddresses
from hashlib import sha256
from typing import Self

from adapters.email.address import Address
from adapters.email.render import Rendered
from bot.cards.sanitize import plain
from bot.domain.errors import ConfigurationError, PaperboyError, UserError
from bot.ports import File

MAX_SENDER = 500
"""Maximum number of characters of PAPERBOY_MAIL_FROM."""
LINE = 76
"""Maximum number of characters of a folded header line (RFC 2047's limit for lines with encoded words)."""
CRLF = "\r\n"
CHARSET = {"charset": "utf-8"}
"""Content-Type parameters of an attached file."""
BODY_POLICY = policy.SMTP.clone(cte_type="7bit")
BODY_HEADERS = ("MIME-Version", "Content-Type")
PARTS = ("text/plain", "text/html")

_NAME = re.compile(r"[A-Za-z0-9_-]{1,60}\.[a-z]{1,8}")
"""Allowed names of an attached file."""
SPECIALS = frozenset('()<>@,:;.[]"\\')
"""Characters that a name before an address can't contain as they are (RFC 5322, 3.2.3)."""


class UnsafeMessage(PaperboyError):
    """A composed mail doesn't parse back to the intended one, and must not be sent."""


@dataclass(frozen=True, slots=True)
class FromAddress:
    """The name and address of the sender of all mails."""

    name: str
    address: Address

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read PAPERBOY_MAIL_FROM: `papers@example.org` or `Paperboy <papers@example.org>`.

        Raises ConfigurationError.
        """
        try:
            [(name, address)] = getaddresses([plain(text[:MAX_SENDER])])
            return cls(name or "Paperboy", Address.parse(address))
        except (UserError, ValueError) as error:
            raise ConfigurationError(
                "PAPERBOY_MAIL_FROM isn't an address. Example: Paperboy <papers@example.org>"
            ) from error


def message_id(key: str, domain: str) -> str:
    """Return the Message-ID for a delivery's key. All attempts share it, so that receivers can recognise duplicates."""
    return f"<{sha256(key.encode()).hexdigest()[:32]}@{domain}>"


def compose(
    rendered: Rendered,
    *,
    sender: FromAddress,
    to: Address,
    identity: str,
    date: datetime,
    unsubscribe: str | None = None,
    attached: File | None = None,
) -> bytes:
    """Return the whole mail in ASCII with CRLF line ends.

    `unsubscribe` is the URL for one-click unsubscribing (RFC 8058). Raises UnsafeMessage.
    """
    subject, name = plain(rendered.subject), plain(sender.name)
    headers = [
        ("From", f"{encode_header('From', name, phrase=True)} <{sender.address}>"),
        ("To", str(to)),
        ("Subject", encode_header("Subject", subject)),
        ("Date", format_datetime(date)),
        ("Message-ID", identity),
        ("Auto-Submitted", "auto-generated"),
    ]
    if unsubscribe:
        headers += [
            ("List-Id", f"<paperboy.{sender.address.domain}>"),
            ("List-Unsubscribe", f"<{unsubscribe}>"),
            ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
        ]
    body = EmailMessage(policy=BODY_POLICY)
    body.set_content(rendered.text, cte="quoted-printable")
    body.add_alternative(rendered.html, subtype="html", cte="quoted-printable")
    if attached is not None:
        kind, _, subtype = attached.mime.partition("/")
        # In base64, no line of the file can be mistaken for one of the mail.
        body.add_attachment(
            attached.text.encode(), kind, subtype, cte="base64", filename=attached.name, params=CHARSET
        )
    head = "".join(f"{field}: {value}{CRLF}" for field, value in headers)
    source = head.encode("ascii") + body.as_bytes()
    names = [field for field, _ in headers]
    _verify(source, (*names, *BODY_HEADERS), {"From": str(sender.address), "To": str(to)}, subject)
    _verify_parts(source, attached)
    return source


def encode_header(name: str, text: str, *, phrase: bool = False) -> str:
    """Return `text` as the folded value of header `name`; a `phrase` is the name before an address.

    This is the only place where outside text becomes a header. Text that isn't plain ASCII, or that contains the
    start of an encoded word (RFC 2047), is encoded as a whole. Otherwise, a mail program would decode
    `=?utf-8?q?=0d=0a?=` into a line break, and the text after it would become a header.
    """
    harmless = text.isascii() and text.isprintable() and "=?" not in text
    if phrase:
        harmless = harmless and len(text) <= LINE // 2 and not set(text) & SPECIALS
    return Header(text, "us-ascii" if harmless else "utf-8", maxlinelen=LINE, header_name=name).encode(
        linesep=CRLF
    )


def _verify(source: bytes, names: Sequence[str], addresses: dict[str, str], subject: str) -> None:
    """Parse the mail as a receiver does, and compare its headers. Raises UnsafeMessage."""
    mail = message_from_bytes(source, policy=policy.default)
    if sorted(mail.keys()) != sorted(names):
        raise UnsafeMessage("the composed mail has other headers than it should")
    for field, address in addresses.items():
        if [found.addr_spec for found in mail[field].addresses] != [address]:
            raise UnsafeMessage(f"the composed mail has another {field} address than it should")
    if str(mail["Subject"]).split() != subject.split():
        raise UnsafeMessage("the composed mail has another subject than it should")


def _verify_parts(source: bytes, attached: File | None) -> None:
    """Check that the mail has a text in two formats, followed by the file if there is one. Raises UnsafeMessage."""
    mail = message_from_bytes(source, policy=policy.default)
    text: MIMEPart = mail
    if attached is not None:
        parts: list[MIMEPart] = list(mail.iter_parts())
        if mail.get_content_type() != "multipart/mixed" or len(parts) != 2 or mail.defects:
            raise UnsafeMessage("the composed mail isn't a text and a file")
        text, file = parts
        if (
            (file.get_content_type(), file.get_filename()) != (attached.mime, attached.name)
            or not _NAME.fullmatch(attached.name)
            or file.get_content_disposition() != "attachment"
            or file.get_payload(decode=True) != attached.text.encode()
            or file.defects
        ):
            raise UnsafeMessage("the composed mail has another file than it should")
    if text.get_content_type() != "multipart/alternative" or text.defects:
        raise UnsafeMessage("the composed mail isn't one text in two forms")
    parts = list(text.iter_parts())
    if tuple(part.get_content_type() for part in parts) != PARTS or any(
        part.is_multipart() for part in parts
    ):
        raise UnsafeMessage("the composed mail has other parts than it should")

"""The address of a webhook: its validation, and the stored record."""

import json
import re
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

from yarl import URL

from bot.domain.errors import UserError

MAX_ADDRESS = 500
"""Maximum number of characters. Slack's addresses have 80, those of automation services up to 300."""
EXAMPLE = "https://hooks.example.org/papers"

_VISIBLE = re.compile(r"[!-~]{1,500}")
_HOST = re.compile(r"[a-z0-9.:-]{1,253}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """The stored record of a webhook. It is encrypted, since the address alone can be a secret."""

    identity: str
    """Permanent id of the webhook, even if its channel gets another id."""
    address: str
    form: str
    """Format of the posts."""
    secret: str

    def dumps(self) -> str:
        """Serialize as JSON."""
        return json.dumps([self.identity, self.address, self.form, self.secret])

    @classmethod
    def loads(cls, text: str) -> Self:
        """Parse the output of `dumps`. Fields added by a newer version are ignored."""
        identity, address, form, secret = map(str, json.loads(text)[:4])
        return cls(identity=identity, address=address, form=form, secret=secret)

    @property
    def host(self) -> str:
        """The host of the address, to show to people."""
        return host_of(self.address)


def parse_address(text: str) -> str:
    """Return the address to send requests to. Raises UserError with a message for the person who typed it."""
    address = text.strip().removeprefix("<").removesuffix(">")  # chats can wrap an address in <>
    if len(address) > MAX_ADDRESS:
        raise UserError(f"That address is too long: at most {MAX_ADDRESS} characters.")
    try:
        parts = urlsplit(address)
        port = parts.port
        url = URL(address)
    except ValueError:
        raise _not_an_address() from None
    if not _VISIBLE.fullmatch(address) or not parts.hostname or not url.host:
        raise _not_an_address()
    if parts.scheme.lower() != "https":
        raise UserError(
            "A webhook needs an address that begins with https://.", hint=f"/paper webhook add {EXAMPLE}"
        )
    if "@" in parts.netloc or not _HOST.fullmatch(host_of(address)) or port == 0:
        raise _not_an_address()
    return str(url.with_fragment(None))


def host_of(address: str) -> str:
    """Return the host of an address in lower case and in ASCII form."""
    return (URL(address).raw_host or "").lower().rstrip(".")


def _not_an_address() -> UserError:
    return UserError("That isn't an address that posts can be sent to.", hint=f"/paper webhook add {EXAMPLE}")

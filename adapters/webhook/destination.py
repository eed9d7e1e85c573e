"""The address of a webhook: which ones are accepted, and what is stored of one."""

import json
import re
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

from yarl import URL

from bot.domain.errors import UserError

MAX_ADDRESS = 500
"""Characters. Slack's have 80, those of automation services up to 300."""
EXAMPLE = "https://hooks.example.org/papers"

_VISIBLE = re.compile(r"[!-~]{1,500}")
_HOST = re.compile(r"[a-z0-9.:-]{1,253}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """What is stored of a webhook, encrypted: its address can be a secret by itself."""

    identity: str
    """Lasts as long as the webhook, also when its channel gets another id."""
    address: str
    form: str
    """How a post is written."""
    secret: str

    def dumps(self) -> str:
        """As JSON."""
        return json.dumps([self.identity, self.address, self.form, self.secret])

    @classmethod
    def loads(cls, text: str) -> Self:
        """The inverse of `dumps`. What a newer version added is ignored."""
        identity, address, form, secret = map(str, json.loads(text)[:4])
        return cls(identity=identity, address=address, form=form, secret=secret)

    @property
    def host(self) -> str:
        """Of its address, for people."""
        return host_of(self.address)


def parse_address(text: str) -> str:
    """The address as it is requested. Raises UserError with a sentence for the person who typed it."""
    address = text.strip().removeprefix("<").removesuffix(">")  # as chats show an address
    if len(address) > MAX_ADDRESS:
        raise UserError(f"That address is too long: at most {MAX_ADDRESS} characters.")
    try:
        parts = urlsplit(address)
        port = parts.port
        asked = URL(address)
    except ValueError:
        raise _not_an_address() from None
    if not _VISIBLE.fullmatch(address) or not parts.hostname or not asked.host:
        raise _not_an_address()
    if parts.scheme.lower() != "https":
        raise UserError(
            "A webhook needs an address that begins with https://.", hint=f"/paper webhook add {EXAMPLE}"
        )
    if "@" in parts.netloc or not _HOST.fullmatch(host_of(address)) or port == 0:
        raise _not_an_address()
    return str(asked.with_fragment(None))


def host_of(address: str) -> str:
    """The host of an address, in lower case and in its ASCII form."""
    return (URL(address).raw_host or "").lower().rstrip(".")


def _not_an_address() -> UserError:
    return UserError("That isn't an address that posts can be sent to.", hint=f"/paper webhook add {EXAMPLE}")

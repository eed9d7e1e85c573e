"""E-mail addresses: which ones are taken, and how one is hinted at without being told."""

import re
from dataclasses import dataclass
from typing import Self

from bot.domain.errors import UserError

LONGEST = 254
"""Characters of a whole address (RFC 5321, 4.5.3.1.3, less the angle brackets)."""

_LOCAL = re.compile(r"(?!\.)(?!.*\.\.)[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}(?<!\.)")
_LABEL = r"(?!-)[a-z0-9-]{1,63}(?<!-)"
_DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})*\.(?=[a-z0-9-]*[a-z]){_LABEL}")


@dataclass(frozen=True, slots=True)
class Address:
    """An address that mail can be sent to. Nothing in it can end a header or an SMTP command.

    Quoted local parts, IP addresses for domains and local parts beyond ASCII are not taken: next to nobody has one, and
    most that are typed are mistakes or attacks.
    """

    local: str
    domain: str
    """In lower case and, where it has other letters, in its ASCII form."""

    def __str__(self) -> str:
        return f"{self.local}@{self.domain}"

    @property
    def identity(self) -> str:
        """The same for all that reach one mailbox: no provider tells capitals apart."""
        return str(self).casefold()

    @property
    def masked(self) -> str:
        """Enough for its owner to know it again: `a…@example.org`."""
        return f"{self.local[0]}…@{self.domain}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises UserError with a line for whoever typed it."""
        local, at, domain = text.strip().rpartition("@")
        domain = _ascii(domain)
        fits = at and _LOCAL.fullmatch(local) and _DOMAIN.fullmatch(domain)
        if not fits or len(local) + 1 + len(domain) > LONGEST:
            raise UserError("That is no e-mail address that mail can be sent to.", hint="name@example.org")
        return cls(local, domain)


def _ascii(domain: str) -> str:
    try:
        return domain.encode("idna").decode().lower()
    except UnicodeError:
        return ""

"""E-mail addresses: validation, masking, and finding spellings that share an inbox."""

import re
from dataclasses import dataclass
from typing import Self

from bot.domain.errors import UserError

MAX_ADDRESS = 254
"""Maximum number of characters of an address (RFC 5321, 4.5.3.1.3, less the angle brackets)."""

_LOCAL = re.compile(r"(?!-)[A-Za-z0-9#$&'*+/=?^_{}~-]+(?:\.[A-Za-z0-9#$&'*+/=?^_{}~-]+)*")
"""Excludes `%`, `!`, `|`, `` ` `` and a leading `-`: old servers read routes, programs and options in them."""
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_DOMAIN = re.compile(rf"(?:{_LABEL}\.)+{_LABEL}")
MAX_LOCAL = 64
"""Maximum number of characters before the @ (RFC 5321, 4.5.3.1.1)."""


@dataclass(frozen=True, slots=True)
class Provider:
    """A mail provider under which several spellings of an address reach one inbox."""

    domains: tuple[str, ...]
    ignored: str = ""
    """Characters in the local part that the provider ignores."""


PROVIDERS = (
    Provider(("gmail.com", "googlemail.com"), ignored="."),
    Provider(("proton.me", "protonmail.com", "protonmail.ch", "pm.me"), ignored=".-_"),
    Provider(("icloud.com", "me.com", "mac.com")),
    Provider(("yandex.com", "yandex.ru", "ya.ru", "yandex.by", "yandex.kz"), ignored=".-"),
)
SUBDOMAINS = ("fastmail.com", "fastmail.fm")
"""Providers where anything@name.provider reaches name@provider."""
_DEVIATIONS = frozenset("ßς\u200c\u200d")
"""Characters that Python's older IDNA rules map to another domain than today's: `faß.de` becomes `fass.de`."""
_PROVIDER_OF = {domain: provider for provider in PROVIDERS for domain in provider.domains}


@dataclass(frozen=True, slots=True)
class Address:
    """An address that mail can be sent to. Nothing in it can end a header or an SMTP command.

    Quoted local parts, IP addresses as domains, and local parts beyond ASCII are refused: almost no one has such an
    address, and most that are typed are mistakes or attacks. So is `=?`, which starts an encoded word.
    """

    local: str
    domain: str
    """Lower case; international names in their ASCII form."""

    def __str__(self) -> str:
        return f"{self.local}@{self.domain}"

    @property
    def identity(self) -> str:
        """The case-folded address, since no provider distinguishes case."""
        return str(self).casefold()

    @property
    def inbox(self) -> str:
        """The inbox that the address most likely reaches, the same for all its spellings. Used for rate limits.

        Folds `name+tag` for every provider; for the large ones, also the characters that they ignore and their domains.
        """
        local = self.local.casefold().partition("+")[0]
        name, _, parent = self.domain.partition(".")
        if parent in SUBDOMAINS:
            return f"{name}@{parent}"
        provider = _PROVIDER_OF.get(self.domain)
        if provider is None:
            return f"{local}@{self.domain}"
        folded = local.translate(dict.fromkeys(map(ord, provider.ignored)))
        return f"{folded}@{provider.domains[0]}"

    @property
    def masked(self) -> str:
        """A masked form that the owner can recognise: `a…@example.org`."""
        return f"{self.local[0]}…@{self.domain}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse an address. Raises UserError with a message for the person who typed it."""
        if len(text) > 2 * MAX_ADDRESS:  # before any check that takes longer for a longer text
            raise _not_an_address()
        local, at, domain = text.strip().rpartition("@")
        domain = _ascii(domain)
        fits = at and len(local) <= MAX_LOCAL and _LOCAL.fullmatch(local) and "=?" not in local
        if not fits or not _is_domain(domain) or len(local) + 1 + len(domain) > MAX_ADDRESS:
            raise _not_an_address()
        return cls(local, domain)


def _not_an_address() -> UserError:
    return UserError("That isn't an e-mail address we can send to.", hint="name@example.org")


def _is_domain(domain: str) -> bool:
    return bool(_DOMAIN.fullmatch(domain)) and not domain.rpartition(".")[2].isdigit()


def _ascii(domain: str) -> str:
    if not _DEVIATIONS.isdisjoint(domain.lower()):
        return ""
    try:
        return domain.encode("idna").decode().lower()
    except UnicodeError:
        return ""

"""Links in mails. Each contains the one action that it allows and its expiry time, encrypted and authenticated.

No link leads to one that allows more or lives longer. A link that opens the account's page is mailed each time someone
requests it. All links of an address end with its generation (see `addresses`), except the one that stops its mail:
people must be able to stop new mail with an old link (RFC 8058). That one ends when the address is forgotten.
"""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from adapters.email.address import Address
from adapters.email.addresses import KEPT_AFTER_LEAVING, Account
from bot.domain.errors import ConfigurationError, UserError
from bot.domain.models import ChannelRef
from bot.encryption import Encryptor

CONFIRM_FOR = timedelta(days=2)
ACT_FOR = KEPT_AFTER_LEAVING
"""Lifetime of the buttons in a mail."""
MANAGE_FOR = timedelta(hours=1)
"""Lifetime of a link to the account's page."""
WAIT, WAIT_FOR = timedelta(seconds=30), timedelta(minutes=30)
"""Ages at which a ticket becomes valid and expires. Tickets are issued while the rate limits are used up."""
MAX_TOKEN = 4_000
"""Maximum number of characters of a token. Our longest one contains a query of 256 characters."""

Purpose = Literal["confirm", "act", "manage", "unsubscribe", "wait"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SignupRequest:
    """A sign-up from the form. Nothing of it is stored before it is confirmed."""

    address: str
    query: str
    every: str
    zone: str


@dataclass(frozen=True, slots=True)
class LinkGrant:
    """The action that a token allows."""

    token: str
    content: dict[str, str]
    until: datetime | None
    """None: it never expires."""

    @property
    def channel(self) -> ChannelRef:
        """The channel of the link."""
        return ChannelRef.parse(self.content["channel"])

    @property
    def request(self) -> SignupRequest:
        """The sign-up that a `confirm` link confirms."""
        fields = {name: value for name, value in self.content.items() if name != "generation"}
        return SignupRequest(**fields)


@dataclass(frozen=True, slots=True)
class Links:
    """Makes links, and reads their tokens."""

    base: str
    """The URL of the front page, without a slash at its end."""
    encryptor: Encryptor
    now: Callable[[], datetime]

    def confirm(self, request: SignupRequest, generation: str) -> str:
        """Return a link that subscribes the address, once."""
        content = asdict(request) | {"generation": generation}
        return self._url("confirm", content, self.now() + CONFIRM_FOR)

    def act(self, account: Account, line: str, until: datetime | None = None) -> str:
        """Return a link that runs one command, once."""
        content = _account_fields(account) | {"line": line}
        return self._url("act", content, until or self.now() + ACT_FOR)

    def manage(self, account: Account) -> str:
        """Return a link that opens the account's page. Only ever sent by mail."""
        return self._url("manage", _account_fields(account), self.now() + MANAGE_FOR)

    def unsubscribe(self, account: Account) -> str:
        """Return a link that stops all mail. It doesn't expire, but works until the address is forgotten."""
        content = {"channel": str(account.channel), "membership": account.membership}
        return self._url("unsubscribe", content, None)

    def ticket(self, address: Address) -> str:
        """Return a ticket for `address` to try again after `WAIT`, for times when the rate limits are used up."""
        since = (self.now() + WAIT).timestamp()
        return self._token("wait", {"address": address.inbox, "since": str(since)}, self.now() + WAIT_FOR)

    def has_waited(self, ticket: str, address: Address) -> bool:
        """Return whether `ticket` is already valid for `address`."""
        try:
            content = self.read("wait", ticket).content
        except UserError:
            return False
        return content["address"] == address.inbox and float(content["since"]) <= self.now().timestamp()

    def read(self, purpose: Purpose, token: str) -> LinkGrant:
        """Decrypt a token. Raises UserError if it is for another purpose, has expired, or isn't ours."""
        token = token[:MAX_TOKEN].rstrip("=")
        try:
            sealed_purpose, seconds, content = json.loads(
                self.encryptor.unseal(token + "=" * (-len(token) % 4))
            )
        except (ConfigurationError, ValueError, TypeError):  # the last two: not a token of links
            raise UserError("This link is incomplete. Copy the whole link from the mail.") from None
        if sealed_purpose != purpose:
            raise UserError("This link is for something else.")
        until = None if seconds is None else datetime.fromtimestamp(seconds, UTC)
        if until is not None and until < self.now():
            raise UserError("This link has expired.")
        return LinkGrant(token, content, until)

    def _url(self, purpose: Purpose, content: dict[str, str], until: datetime | None) -> str:
        return f"{self.base}/email/{purpose}/{self._token(purpose, content, until)}"

    def _token(self, purpose: Purpose, content: dict[str, str], until: datetime | None) -> str:
        seconds = None if until is None else int(until.timestamp())
        return self.encryptor.seal(json.dumps([purpose, seconds, content], separators=(",", ":"))).rstrip("=")


def _account_fields(account: Account) -> dict[str, str]:
    return {"channel": str(account.channel), "generation": account.generation}

"""Links in mails. Each carries the one thing that it may do, encrypted and authenticated, and until when.

No link leads to a stronger or a longer one. A link that opens the account's page is sent by mail each time it is asked
for. All links of an address end with its generation (see `addresses`), except the one that stops its mail: a person must
be able to stop new mail by an old one (RFC 8058). It does nothing else, and ends when the address is forgotten.
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
"""How long the buttons of a mail work."""
MANAGE_FOR = timedelta(hours=1)
"""How long the account's page can be used by one link."""
WAIT, WAIT_FOR = timedelta(seconds=30), timedelta(minutes=30)
"""When a ticket that was handed out because of a rush becomes valid, and when it ends."""
MAX_TOKEN = 4_000
"""Characters of a token. The longest that we make carries a query of 256 characters."""

Purpose = Literal["confirm", "act", "manage", "unsubscribe", "wait"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SignupRequest:
    """A sign-up as asked for in a form. Nothing of it is stored before it is confirmed."""

    address: str
    query: str
    every: str
    zone: str


@dataclass(frozen=True, slots=True)
class Grant:
    """What a token allows."""

    token: str
    content: dict[str, str]
    until: datetime | None
    """None: it never expires."""

    @property
    def channel(self) -> ChannelRef:
        """Whose link it is."""
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
        """Subscribes the address, once."""
        content = asdict(request) | {"generation": generation}
        return self._url("confirm", content, self.now() + CONFIRM_FOR)

    def act(self, account: Account, line: str, until: datetime | None = None) -> str:
        """Carries out one command, once."""
        content = _of(account) | {"line": line}
        return self._url("act", content, until or self.now() + ACT_FOR)

    def manage(self, account: Account) -> str:
        """Opens the account's page. Only ever sent by mail."""
        return self._url("manage", _of(account), self.now() + MANAGE_FOR)

    def unsubscribe(self, account: Account) -> str:
        """Stops all mail. It doesn't expire: it works until the address is forgotten."""
        content = {"channel": str(account.channel), "membership": account.membership}
        return self._url("unsubscribe", content, None)

    def ticket(self, address: Address) -> str:
        """Lets `address` be asked for again after `WAIT`, when more people ask than mails may be sent."""
        since = (self.now() + WAIT).timestamp()
        return self._token("wait", {"address": address.inbox, "since": str(since)}, self.now() + WAIT_FOR)

    def has_waited(self, ticket: str, address: Address) -> bool:
        """Whether `ticket` is valid for `address` by now."""
        try:
            content = self.read("wait", ticket).content
        except UserError:
            return False
        return content["address"] == address.inbox and float(content["since"]) <= self.now().timestamp()

    def read(self, purpose: Purpose, token: str) -> Grant:
        """What a token allows. Raises UserError if it is for something else, has expired, or isn't ours."""
        token = token[:MAX_TOKEN].rstrip("=")
        try:
            meant, seconds, content = json.loads(self.encryptor.unseal(token + "=" * (-len(token) % 4)))
        except (ConfigurationError, ValueError, TypeError):  # the last two: it was made for something else
            raise UserError("This link is incomplete. Copy the whole link from the mail.") from None
        if meant != purpose:
            raise UserError("This link is for something else.")
        until = None if seconds is None else datetime.fromtimestamp(seconds, UTC)
        if until is not None and until < self.now():
            raise UserError("This link has expired.")
        return Grant(token, content, until)

    def _url(self, purpose: Purpose, content: dict[str, str], until: datetime | None) -> str:
        return f"{self.base}/email/{purpose}/{self._token(purpose, content, until)}"

    def _token(self, purpose: Purpose, content: dict[str, str], until: datetime | None) -> str:
        seconds = None if until is None else int(until.timestamp())
        return self.encryptor.seal(json.dumps([purpose, seconds, content], separators=(",", ":"))).rstrip("=")


def _of(account: Account) -> dict[str, str]:
    return {"channel": str(account.channel), "generation": account.generation}

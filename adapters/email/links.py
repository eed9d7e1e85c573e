"""The links in mails: each carries what it may do, encrypted and authenticated, and until when."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from urllib.parse import urlencode

from bot.domain.errors import ConfigurationError, UserError
from bot.domain.models import ChannelRef
from bot.encryption import Encryptor

CONFIRM_FOR = timedelta(days=2)
MANAGE_FOR = timedelta(days=30)

Purpose = Literal["confirm", "manage", "unsubscribe"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What somebody asked for in a form. Nothing of it is kept before they have confirmed it."""

    address: str
    query: str
    every: str
    zone: str


@dataclass(frozen=True, slots=True)
class Links:
    """Makes them, and reads them again."""

    base: str
    """The address of the front page, without a slash at its end."""
    seal: Encryptor
    now: Callable[[], datetime]

    def confirm(self, wish: Wish) -> str:
        """Where a wish is confirmed."""
        return self._url("confirm", asdict(wish), self.now() + CONFIRM_FOR)

    def manage(self, channel: ChannelRef, line: str = "") -> str:
        """Where a channel is looked after; `line` is a command to begin with."""
        url = self._url("manage", {"channel": str(channel)}, self.now() + MANAGE_FOR)
        return f"{url}?{urlencode({'say': line})}" if line else url

    def unsubscribe(self, channel: ChannelRef) -> str:
        """Where all mail is stopped. It never expires: old mails must be able to stop new ones."""
        return self._url("unsubscribe", {"channel": str(channel)}, None)

    def wish(self, token: str) -> Wish:
        """What `confirm` said. Raises UserError."""
        return Wish(**self._read("confirm", token))

    def channel(self, purpose: Purpose, token: str) -> ChannelRef:
        """Whose link it is. Raises UserError."""
        return ChannelRef.parse(self._read(purpose, token)["channel"])

    def _url(self, purpose: Purpose, content: dict[str, str], until: datetime | None) -> str:
        seconds = None if until is None else int(until.timestamp())
        token = self.seal.seal(json.dumps([purpose, seconds, content], separators=(",", ":")))
        return f"{self.base}/email/{purpose}/{token.rstrip('=')}"

    def _read(self, purpose: Purpose, token: str) -> dict[str, Any]:
        try:
            said = self.seal.unseal(token + "=" * (-len(token) % 4))
        except (ConfigurationError, ValueError):
            raise UserError("This link is incomplete or was made up. Please copy the whole of it.") from None
        meant, until, content = json.loads(said)
        if meant != purpose:
            raise UserError("This link is for something else.")
        if until is not None and until < self.now().timestamp():
            raise UserError("This link has expired.")
        found: dict[str, Any] = content
        return found

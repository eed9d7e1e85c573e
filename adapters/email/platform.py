"""E-mail as a platform: a channel is an address that somebody confirmed."""

import asyncio
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Literal

from aiohttp.web import RouteDef
from redis.exceptions import RedisError

from adapters.email import files
from adapters.email.address import Address
from adapters.email.bounces import return_address, take_back
from adapters.email.desk import Desk
from adapters.email.letters import Letters
from adapters.email.links import Links
from adapters.email.mailbox import Mailbox
from adapters.email.manage import Manage
from adapters.email.message import Sender, compose, message_id
from adapters.email.relay import Relay
from adapters.email.render import Frame, render
from adapters.email.signup import Signup
from adapters.email.store import Addresses
from adapters.email.verdict import MISCONFIGURED_PAUSE
from bot.cards import Card
from bot.cards.plain import link
from bot.domain.errors import (
    CardRefused,
    ChannelGone,
    ConfigurationError,
    LookupUnsupported,
    RetryLater,
    SendError,
)
from bot.domain.models import ChannelRef, MessageRef
from bot.ports import Core, Finding, Rates
from bot.web.templating import Templates


class EmailPlatform:
    """Sends cards as mails. What a person would type elsewhere is done on pages that the mails link to."""

    name = "email"
    rates = Rates()
    on_uncertain: Literal["resend", "hold"] = "hold"
    """A mailbox shows a repeat as a second mail, and a day's list that is late can wait for a person."""

    def __init__(
        self,
        *,
        addresses: Addresses,
        links: Links,
        relay: Relay,
        sender: Sender,
        bounce: Address | None = None,
        mailbox: Mailbox | None = None,
        now: Callable[[], datetime],
    ) -> None:
        self._letters = Letters(links, relay, sender, now)
        self._templates = Templates("adapters.email")
        self._addresses = addresses
        self._links = links
        self._relay = relay
        self._sender = sender
        self._bounce = bounce
        self._mailbox = mailbox
        self._now = now

    async def run(self, core: Core) -> None:
        """Read what comes back, where it comes to a mailbox. Else nothing comes in by mail."""
        await self._addresses.reseal()
        if self._mailbox is None:
            await asyncio.Event().wait()
            return
        await self._mailbox.watch(lambda report: take_back(report, core, self._addresses))

    async def send(self, to: ChannelRef, card: Card, key: str) -> MessageRef:
        """Hand the mail in at the server, which has the same Message-ID each time. Raises a SendError."""
        address = await self._address(to)
        identity = message_id(key, self._sender.address.domain)
        try:
            message = self._composed(to, address, card, identity)
        except Exception as error:  # nothing has left: the core must not take this for an unclear end
            raise CardRefused(f"{type(error).__name__} while it was written") from error
        sender = return_address(self._bounce, to) if self._bounce else str(self._sender.address)
        await self._relay.deliver(message, sender=sender, to=str(address))
        return MessageRef(identity)

    async def find(self, to: ChannelRef, key: str, since: datetime) -> MessageRef | None:
        """Raises Unknowable: nobody can look into a mailbox."""
        raise LookupUnsupported(f"nobody can say whether {key} reached {to} since {since:%H:%M}")

    async def close(self) -> None:
        """Leave the mail server."""
        await self._letters.close()
        await self._relay.close()

    def form(self) -> str:
        """The form that subscribes an address."""
        return self._templates.piece(
            "form.html", given={}, problem="", preview=None, safe=link, files=files.base()
        )

    def routes(self, core: Core) -> Iterable[RouteDef]:
        """The pages that mails and the form lead to."""
        desk = Desk(core, self._addresses, self._links, self._letters, self._templates)
        manage = Manage(desk)
        return [*Signup(desk, manage).routes(), *manage.routes(), *files.routes()]

    async def diagnose(self) -> Iterable[Finding]:
        """Whether the mail server lets us in."""
        try:
            await self._relay.check()
        except SendError as error:
            todo = "check SMTP_URL: host, port, user and password; smtps:// is TLS, smtp:// is STARTTLS"
            return [Finding("mail", ok=False, message=str(error), todo=todo)]
        return [Finding("mail", ok=True, message="the server of SMTP_URL lets us in")]

    async def _address(self, to: ChannelRef) -> Address:
        try:
            address = await self._addresses.of(to)
        except (RedisError, OSError) as error:
            raise RetryLater(f"Redis is away: {error}", counts=False) from error
        except ConfigurationError as error:
            raise RetryLater(str(error), after=MISCONFIGURED_PAUSE, scope="platform", counts=False) from error
        if address is None:
            raise ChannelGone("this address is not confirmed, or was forgotten")
        return address

    def _composed(self, to: ChannelRef, address: Address, card: Card, identity: str) -> bytes:
        unsubscribe = self._links.unsubscribe(to)
        ways = (("Manage what you get", self._links.manage(to)), ("Stop all mail", unsubscribe))
        frame = Frame(
            f"You get this because this address was confirmed at {self._links.base}.",
            ways,
            lambda line: self._links.manage(to, line),
        )
        return compose(
            render(card, frame),
            sender=self._sender,
            to=address,
            identity=identity,
            date=self._now(),
            unsubscribe=unsubscribe,
        )

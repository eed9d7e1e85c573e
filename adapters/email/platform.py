"""E-mail as a platform: a channel is a confirmed address."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from datetime import datetime
from typing import Literal

from aiohttp.web import RouteDef
from redis.asyncio import Redis
from redis.exceptions import RedisError

from adapters.email.account_pages import AccountPages
from adapters.email.address import Address
from adapters.email.addresses import Account, Addresses
from adapters.email.bounces import BounceReports, return_address
from adapters.email.errors import MISCONFIGURED_PAUSE
from adapters.email.links import Links
from adapters.email.mailbox import Mailbox, parse_mailbox
from adapters.email.message import FromAddress, compose, message_id
from adapters.email.render import Frame, render
from adapters.email.settings import EmailSettings
from adapters.email.signup_pages import SignupPages
from adapters.email.smtp_client import SmtpClient
from adapters.email.smtp_url import SmtpServer
from adapters.email.transactional import TransactionalMail
from adapters.email.web_context import ASSETS, WebContext
from bot.cards import Card
from bot.cards.sanitize import link
from bot.clock import Clock, wall_clock
from bot.domain.errors import (
    CardRefused,
    ChannelGone,
    ConfigurationError,
    LookupUnsupported,
    RetryLater,
    SendError,
)
from bot.domain.models import ChannelRef, MessageRef
from bot.encryption import Encryptor
from bot.ports import Core, Finding, Rates
from bot.settings import Settings
from bot.store.limits import Limits
from bot.web.templating import Templates


def build_platform(settings: Settings, redis: Redis) -> "EmailPlatform":
    """Return the platform as configured. Raises ConfigurationError for a missing or wrong setting."""
    mail = settings.of(EmailSettings)
    if mail.smtp_url is None:
        raise ConfigurationError("SMTP_URL isn't set")
    if mail.mail_from is None:
        raise ConfigurationError(
            "SMTP_URL is set but PAPERBOY_MAIL_FROM isn't. Example: Paperboy <papers@example.org>"
        )
    if settings.public_url is None:
        raise ConfigurationError(
            "SMTP_URL is set but PAPERBOY_PUBLIC_URL isn't. Mails link to pages there, such as the one to unsubscribe"
        )
    bounce, mailbox = parse_mailbox(mail.mail_bounce.get_secret_value()) if mail.mail_bounce else (None, None)
    encryptor = Encryptor.of(settings.secret_key.get_secret_value() if settings.secret_key else None)
    return EmailPlatform(
        addresses=Addresses(redis, encryptor),
        limits=Limits(redis),
        links=Links(settings.public_url, encryptor, wall_clock),
        client=SmtpClient(SmtpServer.parse(mail.smtp_url.get_secret_value())),
        sender=FromAddress.parse(mail.mail_from),
        bounce=bounce,
        mailbox=mailbox,
        now=wall_clock,
    )


class EmailPlatform:
    """Sends cards as mails. Instead of typing commands, people use pages that the mails link to."""

    name = "email"
    rates = Rates()
    on_uncertain: Literal["resend", "hold"] = "hold"
    """Resending could put a second mail into an inbox, and a digest can wait until an operator decides."""

    def __init__(
        self,
        *,
        addresses: Addresses,
        limits: Limits,
        links: Links,
        client: SmtpClient,
        sender: FromAddress,
        bounce: Address | None = None,
        mailbox: Mailbox | None = None,
        now: Clock,
    ) -> None:
        self._mails = TransactionalMail(addresses, links, client, sender, now)
        self._bounces = BounceReports(addresses)
        self._templates = Templates("adapters.email", ASSETS)
        self._addresses = addresses
        self._limits = limits
        self._links = links
        self._client = client
        self._sender = sender
        self._bounce = bounce
        self._mailbox = mailbox
        self._now = now

    async def run(self, core: Core) -> None:
        """Read the bounce mailbox, if there is one. Nothing else comes in by mail."""
        await self._addresses.reseal()
        if self._mailbox is None:
            await asyncio.Event().wait()
            return
        await self._mailbox.watch(lambda report: self._bounces.accept(report, core))

    async def send(self, to: ChannelRef, card: Card, key: str) -> MessageRef:
        """Hand the mail to the server. All attempts have the same Message-ID. Raises a SendError."""
        account, address = await self._account(to)
        identity = message_id(key, self._sender.address.domain)
        try:
            # In a thread: a large digest takes longer than the event loop should wait.
            message = await asyncio.to_thread(self._compose, account, address, card, identity)
        except (
            Exception
        ) as error:  # nothing was sent, so the core must not treat this as an uncertain delivery
            raise CardRefused(f"{type(error).__name__} while the mail was composed: {error}"[:200]) from error
        sender = return_address(self._bounce, to) if self._bounce else str(self._sender.address)
        await self._client.deliver(message, sender=sender, to=str(address))
        return MessageRef(identity)

    async def find(self, to: ChannelRef, key: str, since: datetime) -> MessageRef | None:
        """Raise LookupUnsupported: we can't look into an inbox."""
        raise LookupUnsupported(f"can't look up whether {key} reached {to} since {since:%H:%M}")

    async def close(self) -> None:
        """Disconnect from the mail server."""
        await self._mails.close()
        await self._client.close()

    def form(self) -> str:
        """Return the sign-up form as HTML."""
        return self._templates.piece("form.html", given={}, problem="", preview=None, safe=link)

    def routes(self, core: Core) -> Iterable[RouteDef]:
        """Return the routes of the pages that mails and the form lead to."""
        context = WebContext(core, self._addresses, self._limits, self._links, self._mails, self._templates)
        pages = AccountPages(context, self._bounces)
        return [*SignupPages(context).routes(), *pages.routes(), *ASSETS.routes()]

    async def diagnose(self) -> AsyncIterator[Finding]:
        """Check whether the mail server accepts us."""
        try:
            await self._client.check()
        except SendError as error:
            todo = "check SMTP_URL: host, port, user and password; smtps:// is TLS, smtp:// is STARTTLS"
            yield Finding("mail", ok=False, message=str(error), todo=todo)
        else:
            yield Finding("mail", ok=True, message="the server of SMTP_URL accepts us")

    async def _account(self, to: ChannelRef) -> tuple[Account, Address]:
        try:
            account = await self._addresses.account(to)
        except (RedisError, OSError) as error:
            raise RetryLater(f"Redis is away: {error}", counts=False) from error
        except ConfigurationError as error:
            raise RetryLater(str(error), after=MISCONFIGURED_PAUSE, scope="platform", counts=False) from error
        if account.address is None:
            raise ChannelGone("this address isn't confirmed, or was forgotten")
        return account, account.address

    def _compose(self, account: Account, address: Address, card: Card, identity: str) -> bytes:
        unsubscribe = self._links.unsubscribe(account)
        footer = (
            ("Change what you get", f"{self._links.base}/email/link"),
            ("Stop all mail", unsubscribe),
        )
        frame = Frame(
            f"You get this because you confirmed this address at {self._links.base}.",
            footer,
            lambda line: self._links.act(account, line),
        )
        return compose(
            render(card, frame),
            sender=self._sender,
            to=address,
            identity=identity,
            date=self._now(),
            unsubscribe=unsubscribe,
        )

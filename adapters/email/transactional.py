"""Mails that aren't posts, but requested on a page. They are few, and can be requested again if one is lost."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import datetime
from uuid import uuid4

from redis.exceptions import RedisError
from structlog import get_logger

from adapters.email.address import Address
from adapters.email.addresses import Account, Addresses
from adapters.email.links import Links, SignupRequest
from adapters.email.message import FromAddress, compose, message_id
from adapters.email.render import Frame, render
from adapters.email.smtp_client import SmtpClient
from bot.cards import Button, Card
from bot.cards.build import actions, dim, paragraph
from bot.domain.errors import PaperboyError, RetryLater, SendError
from bot.ports import File

RETRY_AFTER = (5.0, 60.0, 300.0)
"""Seconds before each retry of a mail that the server didn't accept."""
DRAIN_SECONDS = 3.0
"""Timeout of mails in flight when the process shuts down, in seconds."""
MAX_PENDING = 200
"""Maximum number of unsent mails per process. Further ones are dropped with a warning."""

log = get_logger()


@dataclass(slots=True)
class TransactionalMail:
    """Sends mails in the background, so that the response time doesn't reveal whether an address is known."""

    addresses: Addresses
    links: Links
    client: SmtpClient
    sender: FromAddress
    now: Callable[[], datetime]
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def ask_to_confirm(self, to: Address, request: SignupRequest) -> None:
        """Ask the owner of the address to confirm a sign-up.

        The mail contains nothing that was typed into the form, so that strangers can't make us send their text.
        """
        self._start(self._confirmation(to, request))

    def send_manage_link(self, typed: Address) -> None:
        """Send the link to the account's page, if the address has an account."""
        self._start(self._manage_link(typed))

    def send_file(self, to: Address, card: Card, file: File) -> None:
        """Send a file that the owner of the address requested, with `card` as the text."""
        self._start(self._file(to, card, file))

    async def close(self) -> None:
        """Wait up to `DRAIN_SECONDS` for mails in flight, then cancel them."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=DRAIN_SECONDS)
        for task in self._tasks:
            task.cancel()

    async def _confirmation(self, to: Address, request: SignupRequest) -> None:
        account = await self.addresses.account(await self.addresses.channel(to))
        card = Card(
            "reply",
            "Confirm that you want papers in this inbox",
            "Papers in your inbox?",
            (
                paragraph(f"Someone, hopefully you, asked for them at {self.links.base}."),
                *actions(Button("Review and confirm", "confirm")),
                paragraph(
                    dim(
                        "If it wasn't you, do nothing: we stored nothing and won't write again. "
                        "The link works for two days."
                    )
                ),
            ),
        )
        url = self.links.confirm(request, account.generation)
        await self._deliver(to, self._compose(to, card, "Review and confirm", url))

    async def _manage_link(self, typed: Address) -> None:
        account = await self.addresses.account(await self.addresses.channel(typed))
        card = Card(
            "reply",
            "Your link to Paperboy",
            "Manage your papers",
            (
                paragraph(
                    "Here is the link that you asked for. It works for one hour. Don't forward this mail: "
                    "anyone with the link can use it."
                ),
                *actions(Button("Open my page", "open")),
            ),
        )
        # Composed for unknown addresses as well, so that the work after the answer takes the same time for both.
        message = self._compose(typed, card, "Open my page", self.links.manage(_with_generation(account)))
        if account.address is not None:
            await self._deliver(account.address, message)

    async def _file(self, to: Address, card: Card, file: File) -> None:
        url = f"{self.links.base}/email/link"
        # In a thread: a long list takes longer than the event loop should wait.
        message = await asyncio.to_thread(self._compose, to, card, "Get a link to my page", url, file)
        await self._deliver(to, message)

    def _compose(self, to: Address, card: Card, label: str, url: str, file: File | None = None) -> bytes:
        frame = Frame("You got this mail once, because someone asked for it.", ((label, url),), lambda _: url)
        identity = message_id(uuid4().hex, self.sender.address.domain)
        return compose(
            render(card, frame),
            sender=self.sender,
            to=to,
            identity=identity,
            date=self.now(),
            attached=file,
        )

    def _start(self, sending: Coroutine[None, None, None]) -> None:
        if len(self._tasks) >= MAX_PENDING:
            log.warning("mail_dropped", reason="too many mails wait to be sent", pending=len(self._tasks))
            sending.close()
            return
        task = asyncio.create_task(self._logged(sending), name="transactional_mail")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _logged(self, sending: Coroutine[None, None, None]) -> None:
        try:
            await sending
        except (PaperboyError, RedisError, OSError) as error:
            log.warning("mail_not_sent", reason=str(error), error=type(error).__name__)

    async def _deliver(self, to: Address, message: bytes) -> None:
        for wait in (*RETRY_AFTER, None):
            try:
                await self.client.deliver(message, sender=str(self.sender.address), to=str(to))
            except RetryLater:
                if wait is None:
                    raise
                await asyncio.sleep(wait)
            except SendError as error:
                log.info("mail_refused", reason=str(error))
                return
            else:
                return


def _with_generation(account: Account) -> Account:
    """Return the account with a generation, so that the link has the same length for known and unknown addresses."""
    return Account(account.channel, account.address, account.generation or "0" * 16)

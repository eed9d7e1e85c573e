"""Mails that are no posts: what somebody asks for on a page. They are few, and whoever gets none can ask again."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from uuid import uuid4

from structlog import get_logger

from adapters.email.address import Address
from adapters.email.links import Links, Wish
from adapters.email.message import Sender, compose, message_id
from adapters.email.relay import Relay
from adapters.email.render import Frame, render
from bot.cards import Button, Card
from bot.cards.say import actions, dim, paragraph
from bot.domain.errors import RetryLater, SendError
from bot.domain.models import ChannelRef

AGAIN = (5.0, 60.0, 300.0)
"""Seconds after which a letter that was not taken is tried again."""
DRAIN = 3.0
"""Seconds that letters on their way have when the process ends."""

log = get_logger()


@dataclass(slots=True)
class Letters:
    """Sends them in the background: how long it takes would tell whether an address is known."""

    links: Links
    relay: Relay
    sender: Sender
    now: Callable[[], datetime]
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def confirmation(self, to: Address, wish: Wish) -> None:
        """Ask whether whoever reads the mail wants what was asked for.

        Nothing that was typed into the form is in it: nobody can make us send words of theirs.
        """
        card = Card(
            "reply",
            "Confirm that you want papers in this inbox",
            "Papers in your inbox?",
            (
                paragraph(f"Somebody, hopefully you, asked for them at {self.links.base}."),
                *actions(Button("Yes, have a look and confirm", "confirm")),
                paragraph(
                    dim(
                        "If it was not you, do nothing: nothing was kept, and nothing else comes. The link ends in two days."
                    )
                ),
            ),
        )
        self._send(to, card, "Look and confirm", self.links.confirm(wish))

    def way_in(self, to: Address, channel: ChannelRef) -> None:
        """A link to the page where an address is looked after."""
        card = Card(
            "reply",
            "Your link to Paperboy",
            "Look after your papers",
            (
                paragraph(
                    "Here is the link that was asked for. It works for thirty days; whoever has it can use it."
                ),
                *actions(Button("Open my page", "open")),
            ),
        )
        self._send(to, card, "Open my page", self.links.manage(channel))

    async def close(self) -> None:
        """Let those on their way arrive, for a moment."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=DRAIN)
        for task in self._tasks:
            task.cancel()

    def _send(self, to: Address, card: Card, label: str, url: str) -> None:
        frame = Frame("This was asked for once and is no subscription.", ((label, url),), lambda _line: url)
        identity = message_id(uuid4().hex, self.sender.address.domain)
        message = compose(render(card, frame), sender=self.sender, to=to, identity=identity, date=self.now())
        task = asyncio.create_task(self._deliver(to, message), name="letter")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _deliver(self, to: Address, message: bytes) -> None:
        for wait in (*AGAIN, None):
            try:
                await self.relay.deliver(message, sender=str(self.sender.address), to=str(to))
            except RetryLater as error:
                if wait is None:
                    log.warning("letter_not_sent", why=str(error))
                    return
                await asyncio.sleep(wait)
            except SendError as error:
                log.info("letter_refused", why=str(error))
                return
            else:
                return

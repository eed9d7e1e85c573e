"""What Paperboy says by itself: greetings in channels, direct messages to people who can help."""

from collections.abc import Iterator, Sequence
from contextlib import suppress

from structlog import get_logger

from adapters.slack.calls import Calls
from adapters.slack.dedup import Dedup
from adapters.slack.posting import Posting
from adapters.slack.tokens import Access
from bot.cards import Card, Span
from bot.cards.build import code, count, paragraph
from bot.domain.errors import SendError
from bot.domain.models import ChannelRef, Subscription
from bot.store.subscriptions import Subscriptions

ONE_TROUBLE = 600
"""Seconds within which the same channel's, or workspace's, troubles are one: an event and a refused post, say."""
A_DAY = 86_400
"""Seconds within which the person who installed the app is written to once."""
CANDIDATES = 5
"""People to try, one after the other, until one can be written to."""

_log = get_logger()


class Notices:
    """Posts notices. That one can't be posted changes nothing."""

    def __init__(self, calls: Calls, posting: Posting, subscriptions: Subscriptions, dedup: Dedup) -> None:
        self._calls = calls
        self._posting = posting
        self._subscriptions = subscriptions
        self._dedup = dedup

    async def notify(self, channel: ChannelRef, problem: str) -> bool:
        """Send `problem` to one person: the one who subscribed the channel last, else who installed the app.

        Returns whether anyone was reached. Within ten minutes of another problem of the channel nothing is sent.
        """
        if not await self._dedup.is_first(f"notified:{channel}", ONE_TROUBLE):
            return True
        try:
            access = await self._calls.access(channel.workspace)
        except SendError as error:
            _log.info("notice_failed", platform="slack", channel=str(channel), why=str(error))
            return False
        subscriptions = await self._subscriptions.of(channel)
        card = problem_card(channel, problem, len(subscriptions))
        for person in helpers(subscriptions, access.installer):
            if await self.post(access, person, card):
                return True
        return False

    async def notify_installer(self, workspace: str, problem: str) -> None:
        """Send the person who installed the app what stops it in the workspace; once a day."""
        if not await self._dedup.is_first(f"notified:{workspace}", A_DAY):
            return
        with suppress(SendError):
            access = await self._calls.access(workspace)
            message = f"I can't post in this workspace: {problem.rstrip('.')}."
            kept = " All subscriptions are stored, and I try again by myself."
            card = Card("error", message, blocks=(paragraph(message, kept),))
            if access.installer:
                await self.post(access, access.installer, card)

    async def post(self, access: Access, to: str, card: Card) -> bool:
        """Post a card to a person or a channel. Returns whether Slack took it."""
        try:
            await self._posting.direct(access, to, card)
        except SendError as error:
            _log.info("notice_failed", platform="slack", workspace=access.workspace, to=to, why=str(error))
            return False
        return True


def helpers(subscriptions: Sequence[Subscription], installer: str) -> list[str]:
    """The ids of the people to try: those who subscribed the channel, the latest first, then the installer."""

    def everyone() -> Iterator[str]:
        for subscription in reversed(subscriptions):
            yield subscription.created_by.partition(" ")[0]

    found = [person for person in dict.fromkeys(everyone()) if person[:1] in {"U", "W"}][:CANDIDATES]
    return [*found, *({installer} - {"", *found})]


def hello_card() -> Card:
    """The greeting when the app is added to a channel."""
    return Card(
        "help",
        "Hello! Type /paper subscribe and a few words, and I post new papers that match here.",
        blocks=(
            paragraph("Hello! I post new papers that match this channel's subscriptions. To begin, type"),
            paragraph(code('/paper subscribe "language model" -survey')),
            paragraph("or ", code("/paper help"), " for everything else. I don't read your messages."),
        ),
    )


def back_card(subscriptions: int) -> Card:
    """The greeting when the app is added again."""
    message = f"I'm back, and this channel's {count(subscriptions, 'subscription')} {_are(subscriptions)} active again."
    return Card("reply", message, blocks=(paragraph(message, " See them with ", code("/paper list"), "."),))


def problem_card(channel: ChannelRef, problem: str, subscriptions: int) -> Card:
    """To someone who can help when nothing can be posted in a channel."""
    message = f"I can't post in one of your channels: {problem.rstrip('.')}."
    kept = f"Its {count(subscriptions, 'subscription')} {_are(subscriptions)} stored, and I try again by myself. Channel: "
    return Card("reply", message, blocks=(paragraph(message, " ", kept, _link(channel)),))


def installed_card() -> Card:
    """To the person who installed the app."""
    return Card(
        "help",
        "Paperboy is installed. Type /paper subscribe and a few words in a channel.",
        blocks=(
            paragraph("Paperboy is installed. In any public channel, type"),
            paragraph(code('/paper subscribe "language model" -survey')),
            paragraph("In a private channel, type ", code("/invite @Paperboy"), " first. ", code("/paper help"),
                      " shows everything else."),
        ),
    )  # fmt: skip


def _link(channel: ChannelRef) -> Span:
    return Span(channel.channel, url=f"https://slack.com/app_redirect?channel={channel.channel}")


def _are(number: int) -> str:
    return "is" if number == 1 else "are"

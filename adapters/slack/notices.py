"""Unprompted messages: greetings in channels, and direct messages to people who can help."""

from collections.abc import Iterator, Sequence

from structlog import get_logger

from adapters.slack.calls import Calls
from adapters.slack.outcomes import is_about_workspace
from adapters.slack.posting import Poster
from adapters.slack.tokens import WorkspaceAccess
from bot.cards import Card, Span
from bot.cards.build import code, count, paragraph
from bot.domain.errors import SendError
from bot.domain.models import ChannelRef, Subscription
from bot.store.subscriptions import Subscriptions

LISTED = 5
"""Maximum number of queries listed in a notice."""
CANDIDATES = 5
"""Maximum number of people tried, one after the other, until one can be written to."""

_log = get_logger()


class Notices:
    """Posts notices. A failure is only logged."""

    def __init__(self, calls: Calls, posting: Poster, subscriptions: Subscriptions) -> None:
        self._calls = calls
        self._posting = posting
        self._subscriptions = subscriptions

    async def notify(self, channel: ChannelRef, problem: str) -> bool:
        """Send `problem` to one person: the channel's latest subscriber, else the person who installed the app.

        A problem of the whole workspace goes to the installer first. Returns whether anyone was reached.
        """
        try:
            access = await self._calls.access(channel.workspace)
        except SendError as error:
            _log.info("notice_failed", platform="slack", channel=str(channel), why=str(error))
            return False
        subscriptions = await self._subscriptions.of(channel)
        card = problem_card(channel, problem, len(subscriptions))
        people = helpers(subscriptions, access.installer)
        if is_about_workspace(problem):
            people.sort(key=lambda person: person != access.installer)
        return await self._post_to_first(access, people, card)

    async def deleted(self, channel: ChannelRef, subscriptions: Sequence[Subscription]) -> None:
        """Report to one person that a channel was deleted, and its subscriptions with it."""
        try:
            access = await self._calls.access(channel.workspace)
        except SendError as error:
            _log.info("notice_failed", platform="slack", channel=str(channel), why=str(error))
            return
        await self._post_to_first(
            access, helpers(subscriptions, access.installer), deleted_card(subscriptions)
        )

    async def _post_to_first(self, access: WorkspaceAccess, people: Sequence[str], card: Card) -> bool:
        for person in people:
            if await self.post(access, person, card):
                return True
        return False

    async def post(self, access: WorkspaceAccess, to: str, card: Card) -> bool:
        """Post a card to a person or a channel. Returns whether Slack accepted it."""
        try:
            await self._posting.direct(access, to, card)
        except SendError as error:
            _log.info("notice_failed", platform="slack", workspace=access.workspace, to=to, why=str(error))
            return False
        return True


def helpers(subscriptions: Sequence[Subscription], installer: str) -> list[str]:
    """Return the ids of the people to try: the channel's subscribers, the latest first, then the installer."""

    def subscribers() -> Iterator[str]:
        for subscription in reversed(subscriptions):
            yield subscription.created_by.partition(" ")[0]

    found = [person for person in dict.fromkeys(subscribers()) if person[:1] in {"U", "W"}][:CANDIDATES]
    return [*found, *({installer} - {"", *found})]


def back_card(subscriptions: int) -> Card:
    """Return the greeting for a channel to which the app is added again."""
    message = f"I'm back, and this channel's {count(subscriptions, 'subscription')} {_are(subscriptions)} active again."
    return Card("reply", message, blocks=(paragraph(message, " See them with ", code("/paper list"), "."),))


def problem_card(channel: ChannelRef, problem: str, subscriptions: int) -> Card:
    """Return the notice to someone who can help when nothing can be posted in a channel."""
    message = f"I can't post in one of your channels: {problem.rstrip('.')}."
    status = f"Its {count(subscriptions, 'subscription')} {_are(subscriptions)} safe, and I'll keep trying. Channel: "
    return Card("reply", message, blocks=(paragraph(message, " ", status, _link(channel)),))


def deleted_card(subscriptions: Sequence[Subscription]) -> Card:
    """Return the notice that a channel was deleted, to someone who may want to subscribe elsewhere."""
    listed = ", ".join(one.query for one in subscriptions[:LISTED])
    more = f" and {len(subscriptions) - LISTED} more" if len(subscriptions) > LISTED else ""
    them = count(len(subscriptions), "subscription")
    return Card(
        "reply",
        f"A channel that I posted in was deleted, and its {them} with it.",
        blocks=(
            paragraph(f"A channel that I posted in was deleted, and its {them} with it: ", code(listed), f"{more}."),
            paragraph("To go on, type ", code("/paper subscribe"), " in another channel."),
        ),
    )  # fmt: skip


def installed_card() -> Card:
    """Return the welcome to the person who installed the app."""
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

"""What happens to channels and workspaces: each ends in the right state, and the right person hears of it.

Channels are kept and shown by their ids, so a new name changes nothing.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from structlog import get_logger

from adapters.slack.installations import RedisInstallationStore
from adapters.slack.posting import Posting
from adapters.slack.render import render
from adapters.slack.tokens import Access, Tokens
from bot.cards import Card, Span
from bot.cards.say import code, count, paragraph
from bot.domain.errors import SendError
from bot.domain.models import ChannelRef, Subscription
from bot.ports import Core

TOLD = 5
"""People who hear that a channel is paused: those who made its subscriptions, the latest first."""
PAUSES = {
    "channel_left": "Paperboy was removed from the channel",
    "group_left": "Paperboy was removed from the channel",
    "channel_archive": "the channel was archived",
    "group_archive": "the channel was archived",
    "channel_deleted": "the channel was deleted",
    "group_deleted": "the channel was deleted",
}
RESUMES = frozenset({"channel_unarchive", "group_unarchive"})
EVENTS = (
    "app_home_opened",
    "app_uninstalled",
    "member_joined_channel",
    "tokens_revoked",
    *PAUSES,
    *sorted(RESUMES),
)
"""All that Slack has to tell us of; the manifests ask for it."""

_log = get_logger()


class Lifecycle:
    """Keeps the core's view of channels and workspaces right. `store` is None where the operator has the token."""

    def __init__(
        self, core: Core, tokens: Tokens, posting: Posting, store: RedisInstallationStore | None
    ) -> None:
        self._core = core
        self._tokens = tokens
        self._posting = posting
        self._store = store

    async def happened(self, event: Mapping[str, Any], workspace: str, at: float) -> None:
        """An event of a verified request; `at` is when it happened, in seconds since 1970."""
        kind = event["type"]
        if kind == "app_uninstalled" or (kind == "tokens_revoked" and (event.get("tokens") or {}).get("bot")):
            await self._uninstalled(workspace, at)
        elif kind == "member_joined_channel":
            await self._joined(event, ChannelRef("slack", workspace, event["channel"]))
        elif kind in PAUSES:
            await self._stopped(event, ChannelRef("slack", workspace, _channel(event)))
        elif kind in RESUMES:
            await self._core.resume(ChannelRef("slack", workspace, _channel(event)))

    async def installed(self, access: Access) -> None:
        """The app is there, perhaps again: what was paused for its absence goes on, and whoever installed it hears so."""
        await self._core.resume_workspace("slack", access.workspace)
        _log.info("installed", platform="slack", workspace=access.workspace)
        if access.installer:
            await self._tell(access, access.installer, installed_card())

    async def _uninstalled(self, workspace: str, at: float) -> None:
        if self._store is not None:
            found = await self._store.of(workspace)
            if found is not None and int(found.installed_at) > at:
                return  # it was installed again since
            await self._store.async_delete_all(enterprise_id=None, team_id=workspace)
        await self._core.pause_workspace("slack", workspace, "the app was uninstalled")
        _log.warning("uninstalled", platform="slack", workspace=workspace)

    async def _joined(self, event: Mapping[str, Any], channel: ChannelRef) -> None:
        access = await self._tokens.of(channel.workspace)
        if event.get("user") != access.bot_user:
            return
        await self._core.resume(channel)
        kept = (await self._core.subscriptions([channel])).get(channel, ())
        await self._tell(access, channel.channel, back_card(len(kept)) if kept else hello_card())

    async def _stopped(self, event: Mapping[str, Any], channel: ChannelRef) -> None:
        reason = PAUSES[event["type"]]
        await self._core.pause(channel, reason)
        kept = (await self._core.subscriptions([channel])).get(channel, ())
        if not kept:
            return
        access = await self._tokens.of(channel.workspace)
        for person in people(kept, str(event.get("actor_id") or event.get("user") or "")):
            await self._tell(access, person, paused_card(channel, reason, len(kept)))

    async def _tell(self, access: Access, to: str, card: Card) -> None:
        """A direct message or a word in a channel; that it can't be said changes nothing."""
        try:
            await self._posting.post(access, to, render(card))
        except SendError as error:
            _log.info("not_told", platform="slack", workspace=access.workspace, to=to, why=str(error))


def people(subscriptions: Sequence[Subscription], actor: str) -> list[str]:
    """The ids of those who care: whoever did it, then those who made the subscriptions."""
    creators = [s.created_by.partition(" ")[0] for s in reversed(subscriptions)]
    found = dict.fromkeys(person for person in (actor, *creators) if person[:1] in {"U", "W"})
    return list(found)[:TOLD]


def hello_card() -> Card:
    """The first words in a channel."""
    return Card(
        "help",
        "Hello! Type /paper subscribe and a few words, and this channel hears about new papers that match.",
        blocks=(
            paragraph("Hello! I post new papers that match what this channel follows. To begin, type"),
            paragraph(code('/paper subscribe "language model" -survey')),
            paragraph("or ", code("/paper help"), " for the rest. I don't read messages."),
        ),
    )


def back_card(subscriptions: int) -> Card:
    """After a return."""
    message = f"I'm back: {count(subscriptions, 'subscription')} of this channel {_go(subscriptions)} on."
    return Card("reply", message, blocks=(paragraph(message, " See them with ", code("/paper list"), "."),))


def paused_card(channel: ChannelRef, reason: str, subscriptions: int) -> Card:
    """To whoever cares about a channel where nothing can be posted now."""
    message = f"Nothing is posted in one of your channels for now: {reason}."
    kept = count(subscriptions, "subscription")
    return Card(
        "reply",
        message,
        blocks=(
            paragraph(message, " Its ", kept, f" {'is' if subscriptions == 1 else 'are'} kept, and ",
                      f"{_go(subscriptions)} on when the channel is back and I am in it: ",
                      code("/invite @Paperboy"), ". The channel: ", _link(channel)),
        ),
    )  # fmt: skip


def installed_card() -> Card:
    """To whoever installed the app."""
    return Card(
        "help",
        "Paperboy is installed. Type /paper subscribe and a few words in a channel.",
        blocks=(
            paragraph("Paperboy is installed. In any public channel, type"),
            paragraph(code('/paper subscribe "language model" -survey')),
            paragraph("In a private one, type ", code("/invite @Paperboy"), " first. ", code("/paper help"),
                      " shows the rest."),
        ),
    )  # fmt: skip


def _link(channel: ChannelRef) -> Span:
    return Span(channel.channel, url=f"https://slack.com/app_redirect?channel={channel.channel}")


def _go(number: int) -> str:
    return "goes" if number == 1 else "go"


def _channel(event: Mapping[str, Any]) -> str:
    """The channel's id: in most events as it is, in some within an object."""
    channel = event["channel"]
    return str(channel["id"] if isinstance(channel, Mapping) else channel)

"""App Home: a person's channels with their subscriptions, their saved papers, and how to get started."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import chain
from typing import Any
from urllib.parse import urlsplit

from slack_sdk.web.async_client import AsyncWebClient
from structlog import get_logger

from adapters.slack import limits
from adapters.slack.block_kit import Json, bullets, buttons, context, header, line, rich_text
from adapters.slack.calls import Calls
from adapters.slack.outcomes import code_of
from adapters.slack.render import fit, render
from adapters.slack.tokens import WorkspaceAccess
from bot.cards import Button, Card, Paragraph, Span
from bot.cards.build import actions, bold, code, dim, text
from bot.cards.paper import paper_block
from bot.clock import Clock
from bot.commands.table import find
from bot.domain.errors import SendError
from bot.domain.models import ChannelRef, Paper, Subscription, User
from bot.ports import Core

CHANNELS_SHOWN = 20
"""Maximum number of channels shown; more would not fit into a view."""
SUBSCRIPTIONS_SHOWN = 10
"""Maximum number of subscriptions shown per channel."""
SAVED_SHOWN = 10
"""Maximum number of saved papers shown."""
CHANNELS_READ = 1000
"""Approximate maximum number of a person's channels that are checked for subscriptions."""
CHANNEL_BUTTONS = (("Settings", "settings"), ("All subscriptions", "list"))
"""Label and command of the buttons below each channel."""
BLOCK_PREFIX = "in:"
"""Prefix of a channel's id, in the id of a block whose buttons act on that channel."""

_log = get_logger()


class Home:
    """Publishes App Home."""

    def __init__(self, calls: Calls, now: Clock) -> None:
        self._calls = calls
        self._now = now

    async def publish(self, core: Core, user: User, workspace: str) -> None:
        """Show a person their current App Home. Only channels that they are in now are read."""
        try:
            access = await self._calls.access(workspace)
            own = ChannelRef.of_person("slack", workspace, user.id)
            channels = [own, *await self._channels(access, user.id)]
            subscriptions = await core.subscriptions(channels)
            saved = await core.saved(user, ChannelRef("slack", workspace, ""))
            team = (urlsplit(access.url).hostname or "").partition(".")[0]
            greeting = None if subscriptions else (own, await core.greeting(own, everywhere=team))
            view = home_view(subscriptions, saved, self._now(), greeting)
            await self._calls.ask(access, lambda client: client.views_publish(user_id=user.id, view=view))
        except SendError as error:
            _log.warning("home_not_published", platform="slack", why=code_of(error) or str(error))

    async def _channels(self, access: WorkspaceAccess, user_id: str) -> list[ChannelRef]:
        """Return the channels that the person is in, among those that Paperboy can see."""
        found: list[ChannelRef] = []
        cursor = ""
        while len(found) < CHANNELS_READ:

            def call(client: AsyncWebClient, cursor: str = cursor) -> Any:
                return client.users_conversations(
                    user=user_id,
                    types="public_channel,private_channel",
                    exclude_archived=True,
                    limit=200,
                    cursor=cursor or None,
                )

            page = await self._calls.ask(access, call)
            found += (
                ChannelRef("slack", access.workspace, room["id"]) for room in page.get("channels") or ()
            )
            cursor = (page.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                break
        return found


def channel_of(action: Mapping[str, Any]) -> str:
    """Return the channel that a button of App Home acts on; empty if it doesn't act on one."""
    block_id = str(action.get("block_id") or "")
    return block_id.removeprefix(BLOCK_PREFIX).partition("/")[0] if block_id.startswith(BLOCK_PREFIX) else ""


def home_view(
    subscriptions: Mapping[ChannelRef, Sequence[Subscription]],
    saved: Sequence[Paper],
    now: datetime,
    greeting: tuple[ChannelRef, Card] | None = None,
) -> Json:
    """Build the view. Pure. `greeting` is for a person without subscriptions: their own channel, and the first card."""
    channels = sorted(subscriptions)[:CHANNELS_SHOWN]
    blocks = [
        *(_acting_on(*greeting) if greeting else ()),
        *(_getting_started() if not channels else ()),
        *([header("Your channels")] if channels else ()),
        *chain.from_iterable(_channel(channel, subscriptions[channel]) for channel in channels),
        *(
            [context(f"and {len(subscriptions) - CHANNELS_SHOWN} more channels")]
            if len(subscriptions) > CHANNELS_SHOWN
            else ()
        ),
        *_saved(saved, now),
        *(_getting_started() if channels else ()),
    ]
    return {"type": "home", "blocks": fit(blocks, limits.VIEW_BLOCKS)}


def _acting_on(channel: ChannelRef, card: Card) -> list[Json]:
    """Render a card whose buttons act on a channel."""
    blocks = render(card).blocks
    for number, block in enumerate(blocks):
        if block["type"] == "actions":
            block["block_id"] = f"{BLOCK_PREFIX}{channel.channel}/{number}"
    return list(blocks)


def _getting_started() -> list[Json]:
    return [
        header("In channels"),
        rich_text(
            bullets(
                (
                    line(text("In a channel, type ", code('/paper subscribe "language model" -survey'))),
                    line(text("For yourself alone, type the same in this app's Messages tab")),
                    line(text("In a private channel, first type ", code("/invite @Paperboy"))),
                    line(text(code("/paper search"), ", ", code("/paper trending"), " and ", code("/paper help"),
                              " work anywhere, and only you see the answer")),
                )
            ),
        ),
    ]  # fmt: skip


def _channel(channel: ChannelRef, subscriptions: Sequence[Subscription]) -> list[Json]:
    shown = subscriptions[:SUBSCRIPTIONS_SHOWN]
    more = len(subscriptions) - len(shown)
    lines = [line((bold(f"#{s.number}"), Span(" "), code(s.query), dim(f" · {s.every}"))) for s in shown]
    row = buttons(Button(label, name) for label, name in CHANNEL_BUTTONS if find(name))
    for block in row:
        block["block_id"] = f"{BLOCK_PREFIX}{channel.channel}"
    name: Json = {"type": "channel", "channel_id": channel.channel}
    return [
        rich_text(
            line((bold("Your direct messages"),))
            if channel.person
            else {"type": "rich_text_section", "elements": [name]},
            bullets([*lines, *([line((Span(f"and {more} more"),))] if more > 0 else [])]),
        ),
        *row,
    ]


def _saved(saved: Sequence[Paper], now: datetime) -> Sequence[Json]:
    if not saved:
        return ()
    lines = tuple(paper_block(paper, (), now, "line") for paper in saved[:SAVED_SHOWN])
    more = (
        (Paragraph((dim(f"and {len(saved) - SAVED_SHOWN} more: /paper saved"),)),)
        if len(saved) > SAVED_SHOWN
        else ()
    )
    whole = actions(Button("Notes, search and export", "saved"))
    return render(Card("list", "Saved papers", "Saved papers", (*lines, *more, *whole))).blocks

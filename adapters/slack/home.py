"""App Home: a person's channels with their subscriptions, what they saved, and how to begin."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import chain
from typing import Any

from aiohttp import ClientError
from slack_sdk.errors import SlackApiError
from structlog import get_logger

from adapters.slack import limits
from adapters.slack.api import Api
from adapters.slack.elements import Json, bullets, buttons, context, header, line, rich_text
from adapters.slack.errors import code_of
from adapters.slack.render import fit, render
from adapters.slack.tokens import Tokens
from bot.cards import Button, Card, Paragraph, Span
from bot.cards.paper import paper_block
from bot.cards.say import bold, code, dim, text
from bot.commands.table import find
from bot.domain.errors import SendError
from bot.domain.models import ChannelRef, Paper, Subscription, User
from bot.ports import Core

CHANNELS = 20
"""Shown; more would not fit."""
IN_CHANNEL = 10
SAVED = 10
LOOKED_AT = 1000
"""Channels of a person that are looked through."""
CAN = (("Settings", "settings"), ("All of them", "list"))
"""What can be done with a channel from there: label and command."""
IN = "in:"
"""Before a channel's id, in the id of a block whose buttons are meant for that channel."""

_log = get_logger()


class Home:
    """Publishes App Home."""

    def __init__(self, api: Api, tokens: Tokens) -> None:
        self._api = api
        self._tokens = tokens

    async def publish(self, core: Core, user: User, workspace: str) -> None:
        """Show a person their App Home as it is now."""
        try:
            access = await self._tokens.of(workspace)
            channels = await self._channels(access.token, user.id, workspace)
            followed = await core.subscriptions(channels)
            saved = await core.saved(user, ChannelRef("slack", workspace, ""))
            view = home_view(followed, saved, datetime.now(UTC))
            await self._api.asking(access.token).views_publish(user_id=user.id, view=view)
        except (SlackApiError, SendError, ClientError, TimeoutError) as error:
            _log.warning("no_home", platform="slack", why=code_of(error) or str(error))

    async def _channels(self, token: str, user_id: str, workspace: str) -> list[ChannelRef]:
        """The channels that the person is in, of those that Paperboy can see."""
        client = self._api.asking(token)
        found: list[ChannelRef] = []
        cursor = ""
        while len(found) < LOOKED_AT:
            page = await client.users_conversations(
                user=user_id,
                types="public_channel,private_channel",
                exclude_archived=True,
                limit=200,
                cursor=cursor or None,
            )
            found += (ChannelRef("slack", workspace, channel["id"]) for channel in page["channels"] or ())
            cursor = (page.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                break
        return found


def channel_of(action: Mapping[str, Any]) -> str:
    """The channel that a button of App Home is meant for; empty for one that is meant for none."""
    block_id = str(action.get("block_id") or "")
    return block_id.removeprefix(IN).partition("/")[0] if block_id.startswith(IN) else ""


def home_view(
    followed: Mapping[ChannelRef, Sequence[Subscription]], saved: Sequence[Paper], now: datetime
) -> Json:
    """The view. Pure."""
    channels = sorted(followed)[:CHANNELS]
    blocks = [
        *(_begin() if not channels else ()),
        *([header("Your channels")] if channels else ()),
        *chain.from_iterable(_channel(channel, followed[channel]) for channel in channels),
        *([context(f"and {len(followed) - CHANNELS} more channels")] if len(followed) > CHANNELS else ()),
        *_saved(saved, now),
        *(_begin() if channels else ()),
    ]
    return {"type": "home", "blocks": fit(blocks, limits.VIEW_BLOCKS)}


def _begin() -> list[Json]:
    return [
        header("How to begin"),
        rich_text(
            line(text("Paperboy tells channels about new papers that match what they follow.")),
            bullets(
                (
                    line(text("In a channel, type ", code('/paper subscribe "language model" -survey'))),
                    line(text("In a private channel, first type ", code("/invite @Paperboy"))),
                    line(text(code("/paper search"), ", ", code("/paper trending"), " and ", code("/paper help"),
                              " answer only you, anywhere")),
                )
            ),
        ),
    ]  # fmt: skip


def _channel(channel: ChannelRef, subscriptions: Sequence[Subscription]) -> list[Json]:
    shown = subscriptions[:IN_CHANNEL]
    more = len(subscriptions) - len(shown)
    lines = [line((bold(f"#{s.number}"), Span(" "), code(s.query), dim(f" · {s.every}"))) for s in shown]
    row = buttons(Button(label, name) for label, name in CAN if find(name))
    for block in row:
        block["block_id"] = f"{IN}{channel.channel}"
    return [
        rich_text(
            {"type": "rich_text_section", "elements": [{"type": "channel", "channel_id": channel.channel}]},
            bullets([*lines, *([line((Span(f"and {more} more"),))] if more > 0 else [])]),
        ),
        *row,
    ]


def _saved(saved: Sequence[Paper], now: datetime) -> Sequence[Json]:
    if not saved:
        return ()
    lines = tuple(paper_block(paper, (), now, "line") for paper in saved[:SAVED])
    more = (Paragraph((dim(f"and {len(saved) - SAVED} more: /paper saved"),)),) if len(saved) > SAVED else ()
    return render(Card("list", "Saved papers", "Saved papers", (*lines, *more))).blocks

"""Links to papers in messages become cards: the event `link_shared` is answered by `chat.unfurl`.

Slack sends only the links, for the domains in the manifest, from every conversation of the workspace. It also sends
them while a message is being written, for the preview; the sent message is a second event, which has the channel.

We don't store links, so an event is acknowledged only when its cards are shown: if a process dies before, Slack sends
the event again, at once, after a minute and after five. Leases ensure that one process at a time works on an event. If
a process died after Slack accepted its cards, they are sent twice, and the second time changes the same cards.
"""

import asyncio
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Any
from uuid import uuid4

from structlog import get_logger

from adapters.slack.block_kit import Json, buttons, context, header, section
from adapters.slack.calls import Calls
from adapters.slack.dedup import Dedup
from adapters.slack.listeners import BackgroundTasks
from adapters.slack.outcomes import code_of
from bot.cards import Card, PaperBlock
from bot.domain.errors import CardRefused, SendError
from bot.domain.models import ChannelRef
from bot.ports import Core

COMPOSER = "composer"
"""The source of links in a message that isn't sent yet. Its channel isn't known."""
ANSWERED_FOR = 86_400
"""Seconds within which a message's link is answered once. Slack repeats an event for an hour, and after an edit."""
LEASE = 40
"""Seconds for which a process leases an event, and a link: longer than it works on them, and less than the minute
after which Slack sends the event again."""
REPEATED_FOR = 3600
"""Seconds within which Slack may send the same event again."""

_log = get_logger()


class Unfurling:
    """Shows the core's cards below links."""

    def __init__(self, calls: Calls, dedup: Dedup, tasks: BackgroundTasks) -> None:
        self._calls = calls
        self._dedup = dedup
        self._tasks = tasks

    async def answered(self, core: Core, body: Mapping[str, Any], workspace: str, wait: float) -> bool:
        """Answer an event about links, with all of its cards in one call.

        Returns whether that is done, so that Slack needn't send the event again: False if it fails, if another process
        is working on it, or if it takes longer than `wait` seconds; the work then continues. Raises RedisError.
        """
        event_id, work = str(body["event_id"]), f"links of {body['event_id']}"
        state = await self._dedup.lease(work, uuid4().hex, LEASE)
        if state != "ours":
            return state == "done"
        shown: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        async def show(cards: Mapping[str, Card]) -> None:
            await self._show(channel, event, event_id, {links[link]: card for link, card in cards.items()})
            await self._dedup.done(work, REPEATED_FOR)
            shown.set_result(None)

        event = body["event"]
        channel = ChannelRef("slack", workspace, str(event.get("channel") or event.get("channel_id") or ""))
        links = {_unescaped(str(link["url"])): str(link["url"]) for link in event["links"]}
        # Papers that are looked up too late for a card are stored for the next time; Slack doesn't wait for them.
        looking = self._tasks.started(core.show_links(list(links), channel, show))
        await asyncio.wait((looking, shown), timeout=wait, return_when=asyncio.FIRST_COMPLETED)
        return shown.done()

    async def _show(
        self, channel: ChannelRef, event: Mapping[str, Any], event_id: str, cards: Mapping[str, Card]
    ) -> None:
        message = _message_arguments(event, channel)
        names = {url: _lease_name(message, url) for url in cards}
        ours = [url for url in cards if await self._dedup.lease(names[url], event_id, LEASE) == "ours"]
        if not ours:
            return
        try:
            access = await self._calls.access(channel.workspace)
            unfurls = {url: {"blocks": unfurl(cards[url])} for url in ours}
            await self._calls.post(access, lambda client: client.chat_unfurl(unfurls=unfurls, **message))
        except CardRefused as error:
            _log.error("unfurl_refused", platform="slack", channel=str(channel), why=str(error))
        except SendError as error:
            _log.info(
                "links_not_unfurled", platform="slack", channel=str(channel), why=code_of(error) or str(error)
            )
        for url in ours:  # also if the answer was lost: Slack may have shown the cards
            await self._dedup.done(names[url], ANSWERED_FOR)


def unfurl(card: Card) -> Sequence[Json]:
    """Build a small card below a link. Rich text isn't used: `chat.unfurl` refuses it."""
    blocks: list[Json] = []
    for block in card.blocks:
        if isinstance(block, PaperBlock):
            blocks.append(header(block.title))
            if block.byline:
                blocks.append(context(" · ".join(block.byline)))
            if block.summary:
                blocks.append(section(block.summary))
            blocks += buttons(block.actions)
    return blocks


def _message_arguments(event: Mapping[str, Any], channel: ChannelRef) -> dict[str, Any]:
    """Return the arguments that identify the message for `chat.unfurl`."""
    if event.get("source") == COMPOSER:
        return {"unfurl_id": str(event["unfurl_id"]), "source": COMPOSER}
    return {"channel": channel.channel, "ts": str(event["message_ts"])}


def _lease_name(message: Mapping[str, str], url: str) -> str:
    """Return the name of a message's link for the lease: a hash, so that the link itself stays out of Redis."""
    named = "\n".join((*sorted(message.values()), url))
    return f"link:{blake2b(named.encode(), digest_size=16).hexdigest()}"


def _unescaped(url: str) -> str:
    """Return the link as it was posted; Slack may write `&amp;` in it."""
    return url.replace("&amp;", "&")

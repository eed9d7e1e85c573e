"""Links to papers in messages become cards: the event `link_shared` is answered by `chat.unfurl`.

Slack sends the links alone, for the domains that the manifest names, from every conversation of the workspace. While a
message is being written it sends them, too, for the preview; the message itself is a second event, which has the channel.
"""

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Any

from structlog import get_logger

from adapters.slack.block_kit import Json, buttons, context, header, section
from adapters.slack.calls import Calls
from adapters.slack.dedup import Dedup
from adapters.slack.outcomes import code_of
from bot.cards import Card, PaperBlock
from bot.domain.errors import CardRefused, SendError
from bot.domain.models import ChannelRef
from bot.ports import Core

COMPOSER = "composer"
"""The source of links in a message that isn't sent yet. Which channel it is for isn't known."""
CLAIMED_FOR = 86_400
"""Seconds in which a link of a message is answered once. Slack repeats an event for an hour, and again after an edit."""

_log = get_logger()


class Unfurling:
    """Shows the core's cards below links."""

    def __init__(self, calls: Calls, dedup: Dedup) -> None:
        self._calls = calls
        self._dedup = dedup

    async def shared(self, core: Core, event: Mapping[str, Any], workspace: str) -> None:
        """Answer an event about links; all of its cards in one call."""
        channel = ChannelRef("slack", workspace, str(event.get("channel") or event.get("channel_id") or ""))
        links = {_unescaped(str(link["url"])): str(link["url"]) for link in event["links"]}

        async def show(cards: Mapping[str, Card]) -> None:
            await self._show(channel, event, {links[link]: card for link, card in cards.items()})

        await core.show_links(list(links), channel, show)

    async def _show(self, channel: ChannelRef, event: Mapping[str, Any], cards: Mapping[str, Card]) -> None:
        where = _place(event, channel)
        try:
            access = await self._calls.access(channel.workspace)
            # Claimed before the call: if its answer is lost, the cards may be there, so it isn't repeated.
            unfurls = {
                url: {"blocks": unfurl(card)}
                for url, card in cards.items()
                if await self._is_first(where, url)
            }
            if unfurls:
                await self._calls.post(access, lambda client: client.chat_unfurl(unfurls=unfurls, **where))
        except CardRefused as error:
            _log.error("unfurl_refused", platform="slack", channel=str(channel), why=str(error))
        except SendError as error:
            _log.info(
                "links_not_unfurled", platform="slack", channel=str(channel), why=code_of(error) or str(error)
            )

    async def _is_first(self, where: Mapping[str, str], url: str) -> bool:
        """Whether no process has answered this link of this message."""
        named = "\n".join((*sorted(where.values()), url))
        digest = blake2b(named.encode(), digest_size=16).hexdigest()  # the link itself stays out of Redis
        return await self._dedup.is_first(f"link:{digest}", CLAIMED_FOR)


def unfurl(card: Card) -> Sequence[Json]:
    """A small card below a link. Rich text isn't used: `chat.unfurl` refuses it."""
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


def _place(event: Mapping[str, Any], channel: ChannelRef) -> dict[str, Any]:
    """The message, as `chat.unfurl` wants it named."""
    if event.get("source") == COMPOSER:
        return {"unfurl_id": str(event["unfurl_id"]), "source": COMPOSER}
    return {"channel": channel.channel, "ts": str(event["message_ts"])}


def _unescaped(url: str) -> str:
    """The link as it was posted; Slack may write `&amp;` in it."""
    return url.replace("&amp;", "&")

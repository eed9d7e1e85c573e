"""Edits posted cards when their papers have changed a lot, in channels that want edits or get the news."""

import asyncio
from collections.abc import Callable
from datetime import datetime

from structlog import get_logger

from bot.cards.digest import delivery_card
from bot.domain.errors import SendError
from bot.domain.models import Reason
from bot.policy.signals import is_news
from bot.ports import Editing, Platform
from bot.query import parse
from bot.store.card_updates import CardUpdate, CardUpdateQueue
from bot.store.channel_rules import ChannelSettingsStore
from bot.store.limits import RateLimiter, TurnedAway
from bot.store.notifications import Notifications
from bot.store.outbox.outbox import Outbox
from bot.store.papers import Papers
from bot.store.subscriptions import Subscriptions
from bot.store.worker_loop import run_worker

BATCH = 20
"""Maximum number of edits taken off the queue at a time."""
EDIT_TIMEOUT = 15.0
"""Timeout of one call to the platform, in seconds."""

_log = get_logger()


class CardUpdater:
    """Edits the queued cards of one platform, one after the other. Edits and posts share the rate limits."""

    def __init__(
        self,
        platform: Platform,
        edits: CardUpdateQueue,
        outbox: Outbox,
        papers: Papers,
        subscriptions: Subscriptions,
        *,
        settings: ChannelSettingsStore,
        rates: RateLimiter,
        now: Callable[[], datetime],
    ) -> None:
        self._platform = platform
        self._edits = edits
        self._outbox = outbox
        self._papers = papers
        self._subscriptions = subscriptions
        self._settings = settings
        self._rates = rates
        self._now = now

    async def run(self, notifications: Notifications) -> None:
        """Edit queued cards until cancelled."""
        with notifications.waiting_for(f"edits {self._platform.name}") as queued:

            async def work() -> None:
                queued.clear()
                await self.edit_all()
                await queued.wait()

            await run_worker("card_updates", work)

    async def edit_all(self) -> int:
        """Edit all queued cards. Returns how many were edited."""
        done = 0
        while isinstance(self._platform, Editing) and (
            edits := await self._edits.take(self._platform.name, BATCH)
        ):
            for edit in edits:
                done += await self._edit(self._platform, edit)
        return done

    async def _edit(self, platform: Editing, edit: CardUpdate) -> bool:
        settings = await self._settings.of(edit.channel)
        sent = await self._outbox.sent(edit.channel, edit.paper)
        paper = (await self._papers.get([edit.paper])).get(edit.paper)
        wanted = settings.edits or is_news(edit.why)
        if not (wanted and sent and paper) or sent.label or not await self._edits.allow(edit):
            return False
        reasons = tuple(
            Reason(s.number, s.query)
            for s in await self._subscriptions.of(edit.channel)
            if parse(s.query).matches(paper)
        )
        card = delivery_card([(paper, reasons)], settings, self._now())
        try:
            await self._wait_for_rates(edit)
            async with asyncio.timeout(EDIT_TIMEOUT):
                await platform.edit(edit.channel, sent.message, card)
        except (SendError, TurnedAway, TimeoutError) as error:
            _log.info("card_not_edited", channel=str(edit.channel), paper=edit.paper, reason=str(error))
            return False
        except Exception as error:  # noqa: BLE001  # the edge: one card must not stop the others
            _log.error("card_update_failed", platform=self._platform.name, exc_info=error)
            return False
        return True

    async def _wait_for_rates(self, edit: CardUpdate) -> None:
        rates, to = self._platform.rates, edit.channel
        post = f"edit {edit.channel} {edit.paper} {edit.why}"
        if rates.workspace is not None:
            await asyncio.sleep(await self._rates.turn(rates.workspace, post, to.platform, to.workspace))
        if rates.platform is not None:
            await asyncio.sleep(await self._rates.turn(rates.platform, post, to.platform))

"""Brings posted cards up to date when much has happened to their papers, where a channel wants that."""

import asyncio
from collections.abc import Callable
from datetime import datetime

from structlog import get_logger

from bot.cards.digest import delivery_card
from bot.domain.errors import SendError
from bot.domain.models import Reason
from bot.policy.signals import WITHDRAWN
from bot.ports import Editing, Platform
from bot.query import parse
from bot.store.edits import CardUpdate, CardUpdateQueue
from bot.store.notifications import Notifications
from bot.store.outbox.outbox import Outbox
from bot.store.papers import Papers
from bot.store.rates import Rates, TurnedAway
from bot.store.settings import ChannelSettingsStore
from bot.store.subscriptions import Subscriptions
from bot.store.worker_loop import run_worker

AT_ONCE = 20
EDIT_TIMEOUT = 15.0

_log = get_logger()


class CardUpdater:
    """Edits what waits on one platform, one after the other: posts come first, and share their rates with edits."""

    def __init__(
        self,
        platform: Platform,
        edits: CardUpdateQueue,
        outbox: Outbox,
        papers: Papers,
        subscriptions: Subscriptions,
        *,
        settings: ChannelSettingsStore,
        rates: Rates,
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
        """Edit what is queued until cancelled."""
        with notifications.waiting_for(f"edits {self._platform.name}") as queued:

            async def work() -> None:
                queued.clear()
                await self.edit_all()
                await queued.wait()

            await run_worker("card_updates", work)

    async def edit_all(self) -> int:
        """Edit all that waits now. -> how many cards were edited"""
        done = 0
        while isinstance(self._platform, Editing) and (
            edits := await self._edits.take(self._platform.name, AT_ONCE)
        ):
            for edit in edits:
                done += await self._edit(self._platform, edit)
        return done

    async def _edit(self, platform: Editing, edit: CardUpdate) -> bool:
        settings = await self._settings.of(edit.channel)
        sent = await self._outbox.sent(edit.channel, edit.paper)
        paper = (await self._papers.get([edit.paper])).get(edit.paper)
        wanted = settings.edits or edit.why == WITHDRAWN
        if not (wanted and sent and paper) or sent.label or not await self._edits.allow(edit):
            return False
        reasons = tuple(
            Reason(s.number, s.query)
            for s in await self._subscriptions.of(edit.channel)
            if parse(s.query).matches(paper)
        )
        card = delivery_card([(paper, reasons)], settings, self._now())
        try:
            await self._turn(edit)
            async with asyncio.timeout(EDIT_TIMEOUT):
                await platform.edit(edit.channel, sent.message, card)
        except (SendError, TurnedAway, TimeoutError) as error:
            _log.info("not_edited", channel=str(edit.channel), paper=edit.paper, why=str(error))
            return False
        except Exception as error:  # noqa: BLE001  # the edge: one card must not keep the others from being edited
            _log.error("platform_broke", platform=self._platform.name, exc_info=error)
            return False
        return True

    async def _turn(self, edit: CardUpdate) -> None:
        rates, to = self._platform.rates, edit.channel
        post = f"edit {edit.channel} {edit.paper} {edit.why}"
        if rates.workspace is not None:
            await asyncio.sleep(await self._rates.turn(rates.workspace, post, to.platform, to.workspace))
        if rates.platform is not None:
            await asyncio.sleep(await self._rates.turn(rates.platform, post, to.platform))

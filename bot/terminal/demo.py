"""The tour: typical first commands and their replies, run by the real core."""

from collections.abc import Awaitable, Callable

from bot.cards.terminal import Connect, farewell_card, tour_card
from bot.domain.models import ChannelRef, Paper, User
from bot.ports import Core, Screen
from bot.terminal.sample import sample_papers

NEW_PAPERS = 12
"""Number of sample papers that arrive during the tour; older ones are stored before it."""
READING_TIME = 2.5
"""Seconds between steps on a terminal."""


def known() -> tuple[Paper, ...]:
    """Return the papers from before the tour, which are stored but not posted."""
    return sample_papers()[:-NEW_PAPERS]


def news() -> tuple[Paper, ...]:
    """Return the papers that arrive during the tour."""
    return sample_papers()[-NEW_PAPERS:]


async def tour(
    core: Core,
    screen: Screen,
    channel: ChannelRef,
    *,
    platforms: Connect,
    arrive: Callable[[], Awaitable[None]],
    pause: Callable[[float], Awaitable[None]],
) -> None:
    """Subscribe, let papers arrive, list subscriptions, preview a query.

    `arrive` ingests `news()` and returns once all matches have been posted; `pause` waits for some seconds, so that a
    person can read.
    """
    guest = User("guest", "you")

    async def type_(line: str) -> None:
        screen.typed(line)
        screen.reply((await core.handle_text(line, guest, channel)).card)
        await pause(READING_TIME)

    screen.note(tour_card())
    await pause(READING_TIME)
    await type_("/paper subscribe diffusion")
    await type_('/paper subscribe "language model" -attention')
    await arrive()
    await pause(2 * READING_TIME)
    await type_("/paper list")
    await type_("/paper preview agents, robots")
    await type_("/paper unsubscribe #2")
    screen.note(farewell_card(platforms))

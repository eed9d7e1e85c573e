"""The tour: what a person would type first, and what comes back. It drives the same core as everything else."""

from collections.abc import Awaitable, Callable

from bot.cards.welcome import farewell_card, tour_card
from bot.domain.models import ChannelRef, Paper, User
from bot.ports import Core, Screen
from bot.terminal.sample import sample_papers

NEWS = 12
"""How many of the sample's papers arrive during the tour. Whatever is older was there before."""
READING = 2.5
"""Seconds between steps on a terminal."""


def known() -> tuple[Paper, ...]:
    """What was read before the tour begins: remembered, not posted."""
    return sample_papers()[:-NEWS]


def news() -> tuple[Paper, ...]:
    """What appears while the tour goes on."""
    return sample_papers()[-NEWS:]


async def tour(
    core: Core,
    screen: Screen,
    channel: ChannelRef,
    *,
    arrive: Callable[[], Awaitable[None]],
    pause: Callable[[float], Awaitable[None]],
) -> None:
    """Subscribe, see papers arrive, list, preview.

    `arrive` ingests `news()` and returns when all that matched has been posted; `pause` gives a reader the time,
    in seconds, and does nothing where nobody reads.
    """
    guest = User("guest", "you")

    async def type_(line: str) -> None:
        screen.typed(line)
        screen.reply((await core.handle_text(line, guest, channel)).card)
        await pause(READING)

    screen.note(tour_card())
    await pause(READING)
    await type_("/paper subscribe diffusion")
    await type_('/paper subscribe "language model" -attention')
    await arrive()
    await pause(2 * READING)
    await type_("/paper list")
    await type_("/paper preview agents, robots")
    await type_("/paper unsubscribe #2")
    screen.note(farewell_card())

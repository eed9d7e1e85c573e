"""How many papers a search had in each week: the measures of a drawing, which the template draws, and the route of pictures."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

from aiohttp import web

from bot.commands.weeks import FEWEST_PAPERS, FEWEST_WEEKS, PICTURES
from bot.search.weeks import WEEKS
from bot.text.bars import picture

STEP, WIDTH = 10, 8
"""Units from one bar to the next, and of a bar itself."""
HEIGHT = 100
"""Units of the highest bar."""
LEAST = 2.0
"""Units of a bar of one paper, so that it can be seen."""
CACHE = "public, max-age=31536000, immutable"
_drawn = lru_cache(64)(picture)


class PlotPictures:
    """The bars that a picture's address names, for chats that load pictures. Nothing is looked up, and nothing is counted:
    to draw them takes a millisecond."""

    def routes(self) -> list[web.RouteDef]:
        """One route for all pictures."""
        return [web.get(f"{PICTURES}/{{letters:[A-Za-z0-9_-]+}}.png", self._picture)]

    async def _picture(self, request: web.Request) -> web.Response:
        letters = request.match_info["letters"]
        if not FEWEST_WEEKS <= len(letters) <= WEEKS:
            raise web.HTTPNotFound
        return web.Response(
            body=_drawn(letters),
            content_type="image/png",
            headers={"Cache-Control": CACHE, "Cross-Origin-Resource-Policy": "cross-origin"},
        )


@dataclass(frozen=True, slots=True)
class Bar:
    """A week."""

    begins: date
    count: int
    x: int
    y: float
    height: float


@dataclass(frozen=True, slots=True)
class Plot:
    """All weeks, the oldest first."""

    bars: tuple[Bar, ...]
    width: int
    height: int = HEIGHT
    bar_width: int = WIDTH

    @property
    def total(self) -> int:
        """Papers in all weeks together."""
        return sum(bar.count for bar in self.bars)

    @property
    def most(self) -> int:
        """Papers in the busiest week."""
        return max(bar.count for bar in self.bars)


def plot(counts: Sequence[int], today: date) -> Plot | None:
    """The drawing of these weeks, of which the last ends today; None if it would say nothing."""
    if len(counts) < FEWEST_WEEKS or sum(counts) < FEWEST_PAPERS:
        return None
    first = today - timedelta(days=7 * len(counts) - 1)
    scale = HEIGHT / max(counts)
    bars = []
    for week, count in enumerate(counts):
        height = round(max(LEAST, count * scale), 1) if count else 0.0
        begins = first + timedelta(weeks=week)
        bars.append(Bar(begins, count, week * STEP, round(HEIGHT - height, 1), height))
    return Plot(tuple(bars), len(bars) * STEP - (STEP - WIDTH))

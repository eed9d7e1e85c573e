"""Papers per week of a search: the geometry of a bar chart for the template, and the route of its pictures."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

from aiohttp import web

from bot.commands.weekly_plot import FEWEST_PAPERS, FEWEST_WEEKS, PICTURES
from bot.search.weekly_counts import WEEKS
from bot.text.bars import picture

STEP, WIDTH = 10, 8
"""Distance from one bar to the next, and width of a bar, in drawing units."""
HEIGHT = 100
"""Height of the tallest bar, in drawing units."""
LEAST = 2.0
"""Minimum height of a bar, in drawing units, so that a single paper is visible."""
CACHE = "public, max-age=31536000, immutable"
_drawn = lru_cache(64)(picture)


class PlotPictures:
    """Pictures of bar charts for chats. A URL encodes the bars; drawing takes a millisecond, so there is no limit."""

    def routes(self) -> list[web.RouteDef]:
        """Return the route for all pictures."""
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
    """The bar of one week."""

    begins: date
    count: int
    x: int
    y: float
    height: float


@dataclass(frozen=True, slots=True)
class Plot:
    """The bars of all weeks, oldest first."""

    bars: tuple[Bar, ...]
    width: int
    height: int = HEIGHT
    bar_width: int = WIDTH

    @property
    def total(self) -> int:
        """Number of papers in all weeks together."""
        return sum(bar.count for bar in self.bars)

    @property
    def most(self) -> int:
        """Number of papers in the busiest week."""
        return max(bar.count for bar in self.bars)


def plot(counts: Sequence[int], today: date) -> Plot | None:
    """Return the chart of these weeks, the last of which ends today; None if there are too few weeks or papers."""
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

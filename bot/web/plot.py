"""How many papers a search had in each week, as the measures of a drawing. Pure; the template draws it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

STEP, WIDTH = 10, 8
"""Units from one bar to the next, and of a bar itself."""
HEIGHT = 100
"""Units of the highest bar."""
LEAST = 2.0
"""Units of a bar of one paper, so that it can be seen."""
FEWEST_WEEKS, FEWEST_PAPERS = 8, 5
"""With less, a drawing says less than the papers themselves."""


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

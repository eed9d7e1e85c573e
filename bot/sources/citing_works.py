"""Works that cite a paper, as OpenAlex lists them, and which of them are new. Pure."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from bot.domain.errors import SourceError
from bot.domain.life import Event
from bot.sources.fields import mapping, read_json, text
from bot.text import clean, shorten

TITLES = 2
"""Maximum number of new citing papers that an event names."""
TITLE = 80
"""Maximum length of their titles in characters."""


@dataclass(frozen=True, slots=True)
class CitingWorks:
    """The works that cite a paper, as ids and titles, the latest first."""

    works: tuple[tuple[str, str], ...]
    ending: Literal["all", "cut", "spent"]
    """`all`: these are all works; `cut`: the latest of too many; `spent`: as many as the day's budget allowed."""

    def new(self, known: AbstractSet[str]) -> list[tuple[str, str]]:
        """Return the works that are listed for the first time.

        Unknown works at the end of an incomplete list don't count: they are older works that moved up because one
        before them was removed, or they will be read another day.
        """
        return [work for work in self._certain(known) if work[0] not in known]

    def ids(self, known: AbstractSet[str]) -> list[str]:
        """Return the ids to remember."""
        works = self._certain(known) if self.ending == "spent" else self.works
        return [work_id for work_id, _ in works]

    def _certain(self, known: AbstractSet[str]) -> Sequence[tuple[str, str]]:
        if self.ending == "all":
            return self.works
        positions = [position for position, (work_id, _) in enumerate(self.works) if work_id in known]
        return self.works[: max(positions, default=0)]


def cited(new: Sequence[tuple[str, str]], at: datetime) -> Event:
    """Build the event for new citing works, each an id and a title."""
    named = [f"“{shorten(title, TITLE)}”" for _, title in new if title][:TITLES]
    more = len(new) - len(named)
    who = " and ".join(filter(None, (", ".join(named), f"{more} more" if more and named else "")))
    number = "a new paper" if len(new) == 1 else f"{len(new)} new papers"
    listed = f": {who}" if who else ""
    return Event(
        "cited", f"cited-{new[0][0].lower()}", at, f"Cited by {number}{listed} (OpenAlex, days to weeks late)"
    )


def parse_works(body: bytes) -> tuple[list[tuple[str, str]], str | None]:
    """Parse a page of works: ids and titles, and the cursor of the next page. Raises SourceError for anything else."""
    answer = mapping(read_json(body, "OpenAlex"))
    rows = answer.get("results")
    if not isinstance(rows, list):
        raise SourceError(f"OpenAlex sent no list of works ({len(body)} bytes)")
    works = [(work_id(mapping(row)), clean(text(mapping(row).get("title")))) for row in rows]
    return [(found, title) for found, title in works if found], text(
        mapping(answer.get("meta")).get("next_cursor")
    ) or None


def work_id(work: dict[str, Any]) -> str | None:
    """Return a work's short id: `https://openalex.org/W123` -> `W123`."""
    found = text(work.get("id")).rpartition("/")[2]
    return found if found[:1] == "W" and found[1:].isdecimal() and len(found) < 20 else None

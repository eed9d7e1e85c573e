"""The works that cite a paper, as OpenAlex lists them, and which of them are news. Pure."""

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
"""New citing papers that an event names."""
TITLE = 80
"""Characters of their titles."""


@dataclass(frozen=True, slots=True)
class Citing:
    """The works that cite a paper, as ids and titles, the latest first."""

    works: tuple[tuple[str, str], ...]
    ending: Literal["all", "cut", "spent"]
    """Whether these are all works, the latest of too many, or those that the day's budget allowed to read."""

    def new(self, known: AbstractSet[str]) -> list[tuple[str, str]]:
        """The works that are listed for the first time. Unknown ones at the end of a list that isn't whole are older: they
        moved up because one before them is gone, or are read another day."""
        return [work for work in self._certain(known) if work[0] not in known]

    def ids(self, known: AbstractSet[str]) -> list[str]:
        """Those to remember."""
        works = self._certain(known) if self.ending == "spent" else self.works
        return [work_id for work_id, _ in works]

    def _certain(self, known: AbstractSet[str]) -> Sequence[tuple[str, str]]:
        if self.ending == "all":
            return self.works
        places = [place for place, (work_id, _) in enumerate(self.works) if work_id in known]
        return self.works[: max(places, default=0)]


def cited(new: Sequence[tuple[str, str]], at: datetime) -> Event:
    """The event of these new citing works, each an id and a title."""
    named = [f"“{shorten(title, TITLE)}”" for _, title in new if title][:TITLES]
    more = len(new) - len(named)
    who = " and ".join(filter(None, (", ".join(named), f"{more} more" if more and named else "")))
    number = "a new paper" if len(new) == 1 else f"{len(new)} new papers"
    listed = f": {who}" if who else ""
    return Event(
        "cited", f"cited-{new[0][0].lower()}", at, f"Cited by {number}{listed} (OpenAlex, days to weeks late)"
    )


def parse_works(body: bytes) -> tuple[list[tuple[str, str]], str | None]:
    """Id and title of the works in an answer, and the cursor of the next page. Raises SourceError for anything else."""
    answer = mapping(read_json(body, "OpenAlex"))
    rows = answer.get("results")
    if not isinstance(rows, list):
        raise SourceError(f"OpenAlex sent no list of works ({len(body)} bytes)")
    works = [(work_id(mapping(row)), clean(text(mapping(row).get("title")))) for row in rows]
    return [(found, title) for found, title in works if found], text(
        mapping(answer.get("meta")).get("next_cursor")
    ) or None


def work_id(work: dict[str, Any]) -> str | None:
    """`https://openalex.org/W123` -> `W123`."""
    found = text(work.get("id")).rpartition("/")[2]
    return found if found[:1] == "W" and found[1:].isdecimal() and len(found) < 20 else None

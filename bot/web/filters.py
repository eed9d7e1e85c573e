"""What narrows a search on the page: fields of a form, which are words of the subscription language. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from bot.cards.sanitize import plain
from bot.domain.source_titles import SOURCE_TITLES
from bot.query import Query, parse
from bot.search.ranking import Sort

SPANS: Mapping[int, str] = {
    7: "the last week",
    30: "the last month",
    365: "the last year",
    730: "the last two years",
}
"""Days -> how they are called."""
SORTS: Mapping[Sort, str] = {"best": "Best match", "new": "Newest", "top": "Most upvotes"}
LONGEST = 100
"""Characters of a field."""


@dataclass(frozen=True, slots=True)
class Filters:
    """What was chosen; empty where nothing was."""

    days: int | None = None
    sort: Sort = "best"
    source: str = ""
    category: str = ""
    organization: str = ""

    @property
    def text(self) -> str:
        """What has to hold of a paper, in the subscription language; days and order aren't part of that."""
        named = (("source", self.source), ("cat", self.category), ("org", self.organization))
        return " ".join(f'{name}:"{value}"' for name, value in named if value)

    @property
    def query(self) -> Query | None:
        """The same, parsed. Raises UserError for what can't be a category, and the like."""
        return parse(self.text) if self.text else None

    @property
    def fields(self) -> dict[str, str]:
        """As the fields of an address; without those that were left as they are."""
        chosen = {
            "days": str(self.days or ""),
            "sort": "" if self.sort == "best" else self.sort,
            "source": self.source,
            "cat": self.category,
            "org": self.organization,
        }
        return {name: value for name, value in chosen.items() if value}


def filters_of(given: Mapping[str, str]) -> Filters:
    """The filters that a page's address names. What isn't one is left out: a page shows what it can."""
    days, sort, source = given.get("days", ""), given.get("sort", ""), given.get("source", "")
    return Filters(
        days=next((one for one in SPANS if str(one) == days), None),
        sort=next((one for one in SORTS if one == sort), "best"),
        source=source if source in SOURCE_TITLES else "",
        category=_written(given.get("cat", "")),
        organization=_written(given.get("org", "")),
    )


def _written(text: str) -> str:
    """What someone typed into a field, without what would end it in the language."""
    return plain(text.replace('"', " ").replace("\\", " "))[:LONGEST].strip()

"""Search filters of the front page: form fields, as operators of the subscription language. Pure."""

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
"""Days -> label."""
SORTS: Mapping[Sort, str] = {"best": "Best match", "new": "Newest", "top": "Most upvotes"}
MAX_FIELD = 100
"""Maximum number of characters of a field."""


@dataclass(frozen=True, slots=True)
class Filters:
    """The chosen filters; a filter that wasn't chosen is empty."""

    days: int | None = None
    sort: Sort = "best"
    source: str = ""
    category: str = ""
    organization: str = ""

    @property
    def text(self) -> str:
        """The filters in the subscription language, which has none for days and order."""
        named = (("source", self.source), ("cat", self.category), ("org", self.organization))
        return " ".join(f'{name}:"{value}"' for name, value in named if value)

    @property
    def query(self) -> Query | None:
        """The parsed `text`; None if it is empty. Raises UserError for an invalid value, such as of a category."""
        return parse(self.text) if self.text else None

    @property
    def fields(self) -> dict[str, str]:
        """The filters as URL parameters, without those that have their default."""
        chosen = {
            "days": str(self.days or ""),
            "sort": "" if self.sort == "best" else self.sort,
            "source": self.source,
            "cat": self.category,
            "org": self.organization,
        }
        return {name: value for name, value in chosen.items() if value}


def filters_of(parameters: Mapping[str, str]) -> Filters:
    """Return the filters in a URL's parameters. Invalid ones are ignored, so that the page still shows something."""
    days, sort, source = (parameters.get(name, "") for name in ("days", "sort", "source"))
    return Filters(
        days=next((span for span in SPANS if str(span) == days), None),
        sort=next((one for one in SORTS if one == sort), "best"),
        source=source if source in SOURCE_TITLES else "",
        category=_cleaned(parameters.get("cat", "")),
        organization=_cleaned(parameters.get("org", "")),
    )


def _cleaned(text: str) -> str:
    """Return the text of a field without the characters that would end a quoted value."""
    return plain(text.replace('"', " ").replace("\\", " "))[:MAX_FIELD].strip()

"""Links to the feeds that show the same papers as a page."""

from dataclasses import dataclass
from urllib.parse import urlencode

from bot.domain.errors import UserError
from bot.query import parse, spelled
from bot.web.feed_documents import ATOM, JSON, TYPES


@dataclass(frozen=True, slots=True)
class FeedLink:
    """A link to a feed."""

    label: str
    title: str
    type: str
    address: str


def feed_links(query: str, span: str = "day") -> list[FeedLink]:
    """Return the feeds of a search, or of the trending papers; none for a query that can't be a subscription."""
    name, parameters, title = "trending", "" if span == "day" else f"?span={span}", "Trending papers"
    if query:
        try:
            canonical = spelled(parse(query))
        except UserError:
            return []
        name, parameters, title = "search", f"?{urlencode({'q': canonical})}", f"New papers on {canonical}"
    return [
        FeedLink(label, f"{title} ({label})", TYPES[form], f"/feeds/{name}.{form}{parameters}")
        for form, label in ((ATOM, "Atom"), (JSON, "JSON Feed"))
    ]

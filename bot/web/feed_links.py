"""The feeds of what a page shows, as its links."""

from dataclasses import dataclass
from urllib.parse import urlencode

from bot.domain.errors import UserError
from bot.query import parse, spelled
from bot.web.feed_documents import ATOM, JSON, TYPES


@dataclass(frozen=True, slots=True)
class FeedLink:
    """A feed of what a page shows."""

    label: str
    title: str
    type: str
    address: str


def feed_links(asked: str, span: str = "day") -> list[FeedLink]:
    """The feeds of a search, or of the trending papers; none for a search that can't be a subscription."""
    name, given, what = "trending", "" if span == "day" else f"?span={span}", "Trending papers"
    if asked:
        try:
            query = spelled(parse(asked))
        except UserError:
            return []
        name, given, what = "search", f"?{urlencode({'q': query})}", f"New papers on {query}"
    return [
        FeedLink(label, f"{what} ({label})", TYPES[form], f"/feeds/{name}.{form}{given}")
        for form, label in ((ATOM, "Atom"), (JSON, "JSON Feed"))
    ]

"""What a search found, one page at a time."""

from dataclasses import dataclass

from bot.domain.models import Paper
from bot.search.aboutness import Part
from bot.search.index_updater import IndexProgress
from bot.search.query_parser import ParsedSearch


@dataclass(frozen=True, slots=True)
class SearchResults:
    """One page of what was found, best first."""

    parsed: ParsedSearch
    papers: tuple[Paper, ...]
    total: int
    """Papers that have all that was typed, as it was typed; no more than the first 50 can be paged to.

    Where they are few, papers that come near are among `papers`, too.
    """
    pages: int
    spelling: str = ""
    """What was probably meant, where words are unknown."""
    about: bool = False
    """`total` may be a little less."""
    parts: tuple[Part, ...] | None = None
    """Set where nothing is about all that was typed: what to look for instead, with its number of papers.

    `papers` then only share words with the search.
    """
    progress: IndexProgress | None = None
    """How far the index is while it is being built: papers are missing that could have been found."""

    @property
    def loose(self) -> bool:
        """No paper has all that was typed: these come near."""
        return not self.total and bool(self.papers)

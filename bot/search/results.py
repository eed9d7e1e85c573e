"""Search results, one page at a time."""

from dataclasses import dataclass

from bot.domain.models import Paper
from bot.search.aboutness import Part
from bot.search.index_updater import IndexProgress
from bot.search.query_parser import ParsedSearch


@dataclass(frozen=True, slots=True)
class SearchResults:
    """One page of results, best first."""

    parsed: ParsedSearch
    papers: tuple[Paper, ...]
    total: int
    """Number of papers that have everything that was typed, as typed. Only the first 50 can be shown.

    If there are few, `papers` also has close matches.
    """
    pages: int
    spelling: str = ""
    """The corrected search, if words are unknown."""
    about: bool = False
    """`total` may be slightly too high."""
    parts: tuple[Part, ...] | None = None
    """Parts to search for instead, with their numbers of papers, if no paper is about everything that was typed.

    `papers` then only share words with the search.
    """
    progress: IndexProgress | None = None
    """Progress of the index while it is being built: the results may lack papers."""

    @property
    def loose(self) -> bool:
        """Whether no paper has everything that was typed, so that all results are close matches."""
        return not self.total and bool(self.papers)

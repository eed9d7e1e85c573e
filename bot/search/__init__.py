"""On-demand search: an index over every paper that was seen or remembered, a view on Redis that may be rebuilt."""

from bot.search.search import PAGE, Search, SearchResults

__all__ = ["PAGE", "Search", "SearchResults"]

"""Number of papers that a search finds in each of the last weeks."""

from tantivy import Occur, Searcher
from tantivy import Query as IndexQuery

from bot.search.terms import Terms, both

WEEKS = 52
"""Number of weeks for which papers are counted."""
SPARSE = 0.05
"""First weeks with at most this share of the busiest week's papers are left out: we didn't collect papers yet."""


def per_week(query: IndexQuery, terms: Terms, searcher: Searcher, today: int) -> tuple[int, ...]:
    """Count the papers that `query` finds, by week of publication; the last week ends today.

    Weeks before the first stored papers are left out.
    """
    known = _weeks(IndexQuery.all_query(), terms, searcher, today)
    first = next((week for week, count in enumerate(known) if count > SPARSE * max(known)), WEEKS)
    return tuple(_weeks(query, terms, searcher, today)[first:])


def _weeks(query: IndexQuery, terms: Terms, searcher: Searcher, today: int) -> list[int]:
    begin = today + 1 - 7 * WEEKS
    since = both([(Occur.Must, query), (Occur.Must, terms.since(begin))])
    by_week = {"histogram": {"field": "day", "interval": 7, "offset": begin % 7, "min_doc_count": 1}}
    counts = [0] * WEEKS
    for bucket in searcher.aggregate(since, {"weeks": by_week})["weeks"]["buckets"]:
        week = (int(bucket["key"]) - begin) // 7
        if week < WEEKS:  # a source's clock can be ahead
            counts[week] = int(bucket["doc_count"])
    return counts

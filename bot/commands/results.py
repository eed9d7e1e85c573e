"""The card of a search: the papers found, and buttons for the next steps."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType
from typing import Self, cast

from bot.cards import Block, Button, Card, Span, Text
from bot.cards.build import actions, bold, code, count, dim, paragraph, text
from bot.cards.paper import NOTICE, QUERY, paper_block
from bot.commands.places import Place, place_lines
from bot.domain.models import Paper
from bot.query import Person, Phrase, spelled
from bot.query.nodes import terms_of
from bot.search.index_updater import IndexProgress
from bot.search.ranking import LONG, Sort
from bot.search.results import SearchResults
from bot.search.search import Search
from bot.search.snippet import snippet
from bot.text import shorten

NO_PLACES: Mapping[str, Place] = MappingProxyType({})
MAX_PART = 24
"""Maximum number of characters of a search on a button's label."""


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """A search as it was typed; its `str` is the line that repeats it."""

    query: str
    days: str = ""
    sort: Sort = "best"
    stored_as: str = ""
    """Name under which a query is stored that is too long for buttons."""

    @classmethod
    def of(cls, query: str, options: Mapping[str, str], stored_as: str = "") -> Self:
        """Return the search for `query` with the options of a command."""
        return cls(query, options.get("days", ""), cast("Sort", options.get("sort", "best")), stored_as)

    @property
    def max_days(self) -> int | None:
        """Maximum age of a paper in days."""
        return int(self.days) if self.days else None

    async def results(self, index: Search, page: int) -> SearchResults:
        """Return a page of its results."""
        return await index.find(self.query, days=self.max_days, sort=self.sort, page=page)

    def __str__(self) -> str:
        days = f" days:{self.days}" if self.days else ""
        sort = f" sort:{self.sort}" if self.sort != "best" else ""
        return f"search {self.stored_as or self.query}{days}{sort}"


def results_card(
    request: SearchRequest,
    found: SearchResults,
    page: int,
    now: datetime,
    origins: Mapping[str, str] | None = None,
    *,
    places: Mapping[str, Place] = NO_PLACES,
) -> Card:
    """Return a card with each paper and what was found in it, then next steps; without papers, what to try.

    `origins` maps ids of papers found upstream to the upstreams' names; `places` maps ids to earlier posts.
    """
    if not found.papers:
        return _nothing_card(request, found)
    if found.parts is not None and not origins:
        return _unrelated_card(request, found)
    page = min(max(page, 1), found.pages)
    papers = tuple(
        block
        for paper in found.papers
        for block in _result(paper, found, now, (origins or {}).get(paper.id, ""), places.get(paper.id))
    )
    heading = _heading(request, found, page)
    titles = "; ".join(paper.title for paper in found.papers)
    return Card(
        "reply",
        shorten(f"{heading}: {titles}", NOTICE),
        heading,
        (*_spelling_hint(request, found), *papers, *_next_steps(request, found, page)),
    )


def _result(
    paper: Paper, found: SearchResults, now: datetime, origins: str, place: Place | None
) -> tuple[Block, ...]:
    """Return one paper of the list: its line, what was found in it, where it was posted, and its buttons."""
    line = paper_block(paper, (), now, "line")
    passages: Text = tuple(
        bold(run.text) if run.found else dim(run.text)
        for run in snippet(found.parsed, paper, near=found.loose)
    )
    marked: Text = (Span(f"Found on {origins}{' · ' if passages else ''}", "italic"),) if origins else ()
    details = (paragraph(*marked, *passages),) if passages or marked else ()
    buttons = actions(
        Button("Share here", f"share {paper.id}"),
        Button("Similar", f"similar {paper.id}"),
        Button("Save", f"save {paper.id}"),
    )
    return (line, *details, *(place_lines([place], now) if place else ()), *buttons)


def _heading(request: SearchRequest, found: SearchResults, page: int) -> str:
    query = shorten(request.query, QUERY)
    if found.loose and len(found.parsed.content) >= LONG:
        return f"Nearest to “{query}”"
    if found.loose:
        return f"No exact match for “{query}”. Closest results:"
    pages = f" (page {page} of {found.pages})" if found.pages > 1 else ""
    near = ", and close matches" if page == 1 and found.total < len(found.papers) else ""
    about = "About " if found.about else ""
    return f"{about}{count(max(found.total, 1), 'paper')} for “{query}”{near}{pages}"


def _spelling_hint(request: SearchRequest, found: SearchResults) -> Sequence[Block]:
    if not found.spelling:
        return ()
    corrected = str(replace(request, query=found.spelling, stored_as=""))
    return (
        paragraph("Did you mean ", code(found.spelling), "?"),
        *actions(Button("Search for that", corrected)),
    )


def _next_steps(request: SearchRequest, found: SearchResults, page: int) -> Sequence[Block]:
    neighbors = ((page > 1, "Previous", page - 1), (page < found.pages, "Next", page + 1))
    page_buttons = [Button(label, f"{request} page:{to}") for exists, label, to in neighbors if exists]
    return (*_still_indexing(found), *actions(*page_buttons, *_subscribe_button(found)))


def _still_indexing(found: SearchResults) -> Sequence[Block]:
    return (paragraph(dim(_indexing(found.progress))),) if found.progress else ()


def _indexing(progress: IndexProgress) -> str:
    return f"Still indexing: {progress.done:,} of {progress.total:,} papers can be found so far."


def _subscribe_button(found: SearchResults) -> Sequence[Button]:
    """Return a button that subscribes to the search, unless its words may be misspelled."""
    if found.loose or found.spelling or not found.parsed.query or "://" in found.parsed.text:
        return ()
    return (Button("Subscribe to this", f"subscribe {spelled(found.parsed.query)}"),)


def _nothing_card(request: SearchRequest, found: SearchResults) -> Card:
    query = shorten(request.query, QUERY)
    message = "I don't have that paper." if found.parsed.paper_id else f"Nothing found for “{query}”."
    if found.progress:
        message = f"Nothing found for “{query}” yet. {_indexing(found.progress)} Try again in a minute."
    ideas: list[Text] = []
    if request.days:
        ideas.append(text("older papers, too: leave out ", code(f"days:{request.days}")))
    if found.parsed.must is not None:
        ideas.append(text("words alone, without fields, quotes and minus"))
    elif len(found.parsed.words) > 1:
        ideas.append(text("fewer words, or rarer ones"))
    if found.parsed.paper_id:
        ideas.append(text("its title"))
    advice = (paragraph("Try ", *_joined(ideas), "."),) if ideas else ()
    buttons = [Button("All dates", str(replace(request, days="")))] if request.days else []
    if words := _words_alone(found):
        buttons.append(Button("Only the words", str(replace(request, query=words, stored_as=""))))
    return Card(
        "reply",
        message,
        blocks=(
            paragraph(message),
            *_spelling_hint(request, found),
            *advice,
            *actions(*buttons, *_subscribe_button(found)),
        ),
    )


def _unrelated_card(request: SearchRequest, found: SearchResults) -> Card:
    """Papers share words with the search, but none is about it: say so, and offer its parts."""
    message = f"No paper here is about “{shorten(request.query, QUERY)}”."
    parts = found.parts or ()
    part_buttons = [
        Button(f"{shorten(part, MAX_PART)} ({papers:,})", str(replace(request, query=part, stored_as="")))
        for part, papers in parts
    ]
    hint = (paragraph("Parts of it have papers:"),) if part_buttons else ()
    return Card(
        "reply",
        message,
        blocks=(
            paragraph(message),
            *_spelling_hint(request, found),
            *hint,
            *actions(*part_buttons),
            *_still_indexing(found),
        ),
    )


def _words_alone(found: SearchResults) -> str:
    """Return the words of a query without anything else; "" if it has only words."""
    if found.parsed.must is None or found.parsed.query is None:
        return ""
    terms = terms_of(found.parsed.query.root)
    return " ".join(" ".join(term.words) for term, on in terms if on and isinstance(term, Phrase | Person))


def _joined(ideas: Sequence[Text]) -> Text:
    spans: list[Span] = []
    for number, idea in enumerate(ideas):
        spans += [*(text(", or ") if number else ()), *idea]
    return tuple(spans)

"""A channel's stored taste: the learned terms, people's corrections, and the titles of liked papers. Pure."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, Self

from bot.domain.models import Paper
from bot.policy.taste import Taste
from bot.text import shorten

MOST, MOST_FORGOTTEN = 50, 500
"""Maximum number of stored examples and of removed terms, and of forgotten papers; the oldest are dropped."""
TITLE = 40
"""Maximum length of a paper's title in a reason."""
NAMED = 2
"""Maximum number of liked papers in a reason."""


@dataclass(frozen=True, slots=True)
class ChannelTaste:
    """A channel's taste, as people see and change it."""

    taste: Taste | None = None
    on: bool = True
    examples: Mapping[str, bool] = field(default_factory=dict)
    """Ids of example papers that people gave -> whether they like them."""
    removed: tuple[str, ...] = ()
    """Terms that people removed."""
    forgotten: tuple[str, ...] = ()
    """Papers whose votes are ignored."""
    titles: Mapping[str, str] = field(default_factory=dict)
    """Paper id -> beginning of its title, for liked papers."""
    matches: Mapping[int, int] = field(default_factory=dict)
    """Subscription number -> number of papers that it matched in the two weeks before the taste was learned."""

    @property
    def learned(self) -> bool:
        """Whether there is a taste and it is on."""
        return self.on and self.taste is not None

    def score(self, paper: Paper) -> float:
        """Return how well a paper fits, between -1 and 1; 0 without a taste."""
        return self.taste.score(paper) if self.taste is not None and self.on else 0.0

    def because(self, paper: Paper) -> str:
        """Return a reason: `because you 👍 “X” and “Y”: process reward, verifier`; "" if the paper doesn't fit well."""
        if self.taste is None or not self.on or self.taste.score(paper) <= max(0.0, self.taste.threshold):
            return ""
        terms = [term for term in self.taste.reasons(paper) if self.titles.keys() & set(term.papers)]
        sources = dict.fromkeys(paper_id for term in terms for paper_id in term.papers)
        liked = [self.titles[one] for one in sources if one != paper.id and one in self.titles][:NAMED]
        if not liked:
            return ""
        names = " and ".join(f"“{title}”" for title in liked)
        return f"because you 👍 {names}: {', '.join(map(str, terms))}"

    def remember(self, paper_id: str) -> Self:
        """Return a copy in which a forgotten paper's votes count again."""
        return replace(self, forgotten=tuple(one for one in self.forgotten if one != paper_id))

    def with_example(self, paper_id: str, *, liked: bool) -> Self:
        """Return a copy with a paper as an example; its votes count again if it was forgotten."""
        others = {other: verdict for other, verdict in self.examples.items() if other != paper_id}
        return replace(self.remember(paper_id), examples=dict([*others.items(), (paper_id, liked)][-MOST:]))

    def without_term(self, term: str) -> Self:
        """Return a copy that leaves a term out, even if it is learned again."""
        return replace(self, removed=(*(one for one in self.removed if one != term), term)[-MOST:])

    def with_term(self, term: str) -> Self:
        """Return a copy in which a term is no longer removed."""
        return replace(self, removed=tuple(one for one in self.removed if one != term))

    def without_paper(self, paper_id: str) -> Self:
        """Return a copy without a paper, as if no one had reacted to it."""
        examples = {one: liked for one, liked in self.examples.items() if one != paper_id}
        forgotten = (*(one for one in self.forgotten if one != paper_id), paper_id)[-MOST_FORGOTTEN:]
        return replace(self, examples=examples, forgotten=forgotten)

    def learn(self, taste: Taste | None, liked: Iterable[Paper], matches: Mapping[int, int]) -> Self:
        """Return a copy with a newly learned taste, without the removed terms."""
        for term in self.removed if taste is not None else ():
            taste = taste.without(term) if taste is not None else None
        named = {paper_id for term in taste.terms for paper_id in term.papers} if taste else set[str]()
        titles = {paper.id: shorten(paper.title, TITLE) for paper in liked if paper.id in named}
        return replace(self, taste=taste, titles=titles, matches=matches)

    def dump(self) -> str:
        """Return the taste as JSON, for `load_taste`."""
        values: dict[str, Any] = {
            "taste": self.taste.dump() if self.taste else "",
            "on": self.on,
            "examples": dict(self.examples),
            "removed": self.removed,
            "forgotten": self.forgotten,
            "titles": dict(self.titles),
            "matches": {str(number): papers for number, papers in self.matches.items()},
        }
        set_values = {name: value for name, value in values.items() if value or name == "on"}
        return json.dumps(set_values, ensure_ascii=False, separators=(",", ":"))


@lru_cache(maxsize=1000)
def load_taste(text: str) -> ChannelTaste:
    """Parse the output of `dump`. Return an empty taste for unreadable text: it must not break the ranking."""
    try:
        values: dict[str, Any] = json.loads(text or "{}")
        return ChannelTaste(
            taste=Taste.load(values["taste"]) if values.get("taste") else None,
            on=bool(values.get("on", True)),
            examples={str(paper): bool(liked) for paper, liked in values.get("examples", {}).items()},
            removed=tuple(map(str, values.get("removed", ()))),
            forgotten=tuple(map(str, values.get("forgotten", ()))),
            titles={str(paper): str(title) for paper, title in values.get("titles", {}).items()},
            matches={int(number): int(papers) for number, papers in values.get("matches", {}).items()},
        )
    except (TypeError, ValueError, AttributeError):
        return ChannelTaste()

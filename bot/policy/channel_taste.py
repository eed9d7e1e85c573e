"""What is stored of a channel's taste: what was learned, what people said about it, and the titles of its papers. Pure."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, Self

from bot.domain.models import Paper
from bot.policy.taste import Taste
from bot.text import shorten

MOST, MOST_FORGOTTEN = 50, 500
"""Examples and removed terms that are stored, and forgotten papers; the oldest are dropped."""
TITLE = 40
"""Characters of a paper's title in a reason."""
NAMED = 2
"""Liked papers that a reason names."""


@dataclass(frozen=True, slots=True)
class ChannelTaste:
    """A channel's taste, as people see and change it."""

    taste: Taste | None = None
    on: bool = True
    examples: Mapping[str, bool] = field(default_factory=dict)
    """Papers that people named as examples -> whether of what they like."""
    removed: tuple[str, ...] = ()
    """Terms that people removed."""
    forgotten: tuple[str, ...] = ()
    """Papers whose votes no longer count."""
    titles: Mapping[str, str] = field(default_factory=dict)
    """The beginning of the titles of liked papers."""
    matches: Mapping[int, int] = field(default_factory=dict)
    """Subscription -> papers of the last two weeks that it matched when the taste was learned."""

    @property
    def learned(self) -> bool:
        """Whether there is a taste that counts."""
        return self.on and self.taste is not None

    def score(self, paper: Paper) -> float:
        """How well a paper fits, between -1 and 1; 0 without a taste."""
        return self.taste.score(paper) if self.taste is not None and self.on else 0.0

    def because(self, paper: Paper) -> str:
        """`because you 👍 “X” and “Y”: process reward, verifier`; "" if the paper doesn't fit well."""
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
        """With a paper that counts again, if it was forgotten."""
        return replace(self, forgotten=tuple(one for one in self.forgotten if one != paper_id))

    def with_example(self, paper_id: str, *, liked: bool) -> Self:
        """With a paper as an example, which counts again if it was forgotten."""
        others = {one: was for one, was in self.examples.items() if one != paper_id}
        return replace(self.remember(paper_id), examples=dict([*others.items(), (paper_id, liked)][-MOST:]))

    def without_term(self, term: str) -> Self:
        """Without a term, also when it is learned again."""
        return replace(self, removed=(*(one for one in self.removed if one != term), term)[-MOST:])

    def with_term(self, term: str) -> Self:
        """With a term that was removed."""
        return replace(self, removed=tuple(one for one in self.removed if one != term))

    def without_paper(self, paper_id: str) -> Self:
        """Without a paper, as if it had had no reaction."""
        examples = {one: liked for one, liked in self.examples.items() if one != paper_id}
        forgotten = (*(one for one in self.forgotten if one != paper_id), paper_id)[-MOST_FORGOTTEN:]
        return replace(self, examples=examples, forgotten=forgotten)

    def learn(self, taste: Taste | None, liked: Iterable[Paper], matches: Mapping[int, int]) -> Self:
        """With what was learned, without the terms that were removed."""
        for term in self.removed if taste is not None else ():
            taste = taste.without(term) if taste is not None else None
        named = {paper_id for term in taste.terms for paper_id in term.papers} if taste else set[str]()
        titles = {paper.id: shorten(paper.title, TITLE) for paper in liked if paper.id in named}
        return replace(self, taste=taste, titles=titles, matches=matches)

    def dump(self) -> str:
        """As JSON, for `load_taste`."""
        values: dict[str, Any] = {
            "taste": self.taste.dump() if self.taste else "",
            "on": self.on,
            "examples": dict(self.examples),
            "removed": self.removed,
            "forgotten": self.forgotten,
            "titles": dict(self.titles),
            "matches": {str(number): papers for number, papers in self.matches.items()},
        }
        kept = {name: value for name, value in values.items() if value or name == "on"}
        return json.dumps(kept, ensure_ascii=False, separators=(",", ":"))


@lru_cache(maxsize=1000)
def load_taste(text: str) -> ChannelTaste:
    """What `dump` wrote; an empty taste for anything else: order must not depend on what can't be read."""
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

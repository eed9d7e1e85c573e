"""A paper in the form that queries need: its words in lines of text, so that a phrase is a substring.

A `PaperView` is enough to evaluate any query, and much smaller than the set of the paper's keys: the preview of a query
holds ten thousand views in memory.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from bot.domain.models import Paper
from bot.text import Token, small, tokens
from bot.text.names import given_first, spelled
from bot.text.organizations import organization

GAP = "|"
"""Separates two names. It is never a token, so no phrase crosses it."""


class Line(NamedTuple):
    """The words of a text, `" fine tuning data "`, and the joined forms of its hyphenated words."""

    words: str
    joins: str
    """`" finetuning:0:2 "`: each form with its start and end in the line, counted in words."""
    stems: str = ""
    """Plurals unchanged, for prefixes: `polici*` should find "policies"."""

    def has(self, variant: Sequence[str]) -> bool:
        """Whether the words of `variant` are adjacent. Each of them can be a joined form."""
        if f" {' '.join(variant)} " in self.words:
            return True
        return any(f" {word}:" in self.joins for word in variant) and self._has_path(variant)

    def has_prefix(self, stem: str) -> bool:
        """Whether a word begins with `stem`."""
        start = f" {stem}"
        return start in self.words or start in self.joins or start in self.stems

    def _has_path(self, variant: Sequence[str]) -> bool:
        edges: dict[tuple[int, str], set[int]] = {}
        for place, word in enumerate(self.words.split()):
            edges[place, word] = {place + 1}
        for join in self.joins.split():
            word, start, end = join.split(":")
            edges.setdefault((int(start), word), set()).add(int(end))
        reached = {place for place, word in edges if word == variant[0]}
        for word in variant:
            reached = {end for place in reached for end in edges.get((place, word), ())}
        return bool(reached)


class PaperView(NamedTuple):
    """A paper's lines and facts. `title_forms` and `abstract_forms` have case and plurals unchanged."""

    title: Line
    abstract: Line
    title_forms: Line
    abstract_forms: Line
    authors: Line
    names: str
    """Each author's name as `bot.text.names` spells it."""
    organization: str
    """The organization's name as in `org:`; "" if there is none."""
    categories: tuple[str, ...]
    sources: tuple[str, ...]
    id: str
    upvotes: int | None
    rank: int | None
    has_code: bool

    @classmethod
    def of(cls, paper: Paper) -> "PaperView":
        """Return the view of `paper`."""
        title, abstract = tokens(paper.title), tokens(paper.abstract)
        return cls(
            title=_line(title),
            abstract=_line(abstract),
            title_forms=_forms(title),
            abstract_forms=_forms(abstract),
            authors=_names(paper.authors),
            names=GAP.join(map(spelled, paper.authors)),
            organization=organization(paper.organization or ""),
            categories=categories_of(paper),
            sources=sources_of(paper),
            id=paper.id.lower(),
            upvotes=paper.upvotes,
            rank=paper.rank,
            has_code=paper.code_url is not None,
        )

    def with_facts_of(self, paper: Paper) -> "PaperView":
        """Return the same words with the current facts of `paper`."""
        return self._replace(
            organization=organization(paper.organization or ""),
            categories=categories_of(paper),
            sources=sources_of(paper),
            upvotes=paper.upvotes,
            rank=paper.rank,
            has_code=paper.code_url is not None,
        )


def categories_of(paper: Paper) -> tuple[str, ...]:
    """Return `cs.cl` and `cs.*` for each category, in lower case."""
    names = [category.lower() for category in paper.categories]
    return tuple(dict.fromkeys(form for name in names for form in (name, f"{name.split('.')[0]}.*")))


def sources_of(paper: Paper) -> tuple[str, ...]:
    """Return the names of the sources, up to the colon."""
    return tuple(dict.fromkeys(source.split(":")[0].lower() for source in paper.sources))


def _line(found: Sequence[Token]) -> Line:
    return Line(
        words=_spaced(token.word for token in found if token.end - token.start == 1),
        joins=_spaced(
            f"{token.word}:{token.start}:{token.end}" for token in found if token.end - token.start > 1
        ),
        stems=_spaced(
            dict.fromkeys(
                form
                for token in found
                if (form := small(token.form)) != token.word and token.end - token.start == 1
            )
        ),
    )


def _forms(found: Sequence[Token]) -> Line:
    return _line([token._replace(word=token.form) for token in found])


def _names(authors: Sequence[str]) -> Line:
    found: list[Token] = []
    for author in authors:
        start = found[-1].end if found else 0
        found += [Token(GAP, GAP, start, start + 1)]
        found += [
            t._replace(start=t.start + start + 1, end=t.end + start + 1)
            for t in tokens(given_first(author), plurals=False)
        ]
    return _line(found)


def _spaced(words: Iterable[str]) -> str:
    text = " ".join(words)
    return f" {text} " if text else ""

"""A parsed query."""

from dataclasses import dataclass

from bot.domain.models import Paper
from bot.query.evaluator import predicate_of
from bot.query.nodes import Node, Signal, terms_of
from bot.query.paper_view import PaperView


@dataclass(frozen=True, slots=True)
class Query:
    """What a subscription asks for. `str` of it is its canonical text, which parses to an equal query."""

    root: Node

    def __str__(self) -> str:
        return str(self.root)

    def matches(self, paper: Paper) -> bool:
        """Whether `paper` matches."""
        return self.holds_for(PaperView.of(paper))

    def holds_for(self, view: PaperView) -> bool:
        """The same for the view of a paper, which several queries can share."""
        return predicate_of(self.root)(view)

    @property
    def has_signals(self) -> bool:
        """Whether upvotes, rank or code matter. Such a query is evaluated again while a paper is young."""
        return any(isinstance(term, Signal) for term, _ in terms_of(self.root))

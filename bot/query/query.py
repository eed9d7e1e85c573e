"""The query as the rest of Paperboy handles it."""

from dataclasses import dataclass

from bot.domain.models import Paper
from bot.query.evaluator import predicate_of
from bot.query.nodes import Node, Signal, terms_of
from bot.query.paper_view import PaperView


@dataclass(frozen=True, slots=True)
class Query:
    """What a subscription asks for. Its `str` is its canonical text, and `parse` of that is an equal query."""

    root: Node

    def __str__(self) -> str:
        return str(self.root)

    def matches(self, paper: Paper) -> bool:
        """Whether `paper` is what is asked for, as it stands now."""
        return self.holds_for(PaperView.of(paper))

    def holds_for(self, reading: PaperView) -> bool:
        """The same for a paper that was read before."""
        return predicate_of(self.root)(reading)

    @property
    def has_signals(self) -> bool:
        """Whether upvotes, rank or code decide: such a query is asked again while a paper is young."""
        return any(isinstance(term, Signal) for term, _ in terms_of(self.root))

"""Finds synonyms for the words of a query. They are offered, never added automatically. Pure.

`rl` and "reinforcement learning" are the same subject. Papers explain acronyms; a meaning is offered if enough
papers explain it, and nearly all in the same way. Related words, such as robot and robotic, come from a short list.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from bot.domain.errors import UserError
from bot.query import And, Node, Or, Phrase, Query, parse, spelled
from bot.query.nodes import all_of, any_of
from bot.text import tokens

EXPLANATIONS = 20
"""Minimum number of papers that must explain an acronym."""
USUAL = 0.9
"""Minimum share of the explanations for a meaning: MT is machine translation or a mean teacher, so it has none."""
MOST_PAPERS = 3
"""Maximum growth of the query's matches, as a factor. If it is larger, the synonym is another subject: SOTA."""
WORTH = 0.05
"""Minimum growth of the query's recent matches, as a share, for an offer."""

FAMILIES = (
    frozenset({"robot", "robotic"}),
    frozenset({"embodied", "embodiment"}),
    frozenset({"distillation", "distilled"}),
    frozenset({"quantization", "quantized"}),
)
"""Words that find 14 to 30 % more papers on the same subject with the other word, measured on recorded days."""

Field = Literal["", "title", "abs"]
Meaning = tuple[str, ...]
"""The words that an acronym stands for."""


@dataclass(frozen=True, slots=True)
class Synonym:
    """A part of a query, and its synonym."""

    part: Node
    other: Phrase

    def __str__(self) -> str:
        """Format both as in the widened query: `rl OR "reinforcement learning"`."""
        return str(any_of((self.part, self.other)))

    @classmethod
    def parse(cls, text: str) -> "Synonym":
        """Parse the output of `str`. Raises UserError for anything else."""
        match parse(text).root:
            case Or((*first, Phrase() as other)):
                return cls(any_of(first), other)
            case _:
                raise UserError(
                    f"{text} isn't a part of a query and another word for it.", hint="/paper list"
                )


def usual_meaning(explanations: Mapping[Meaning, int]) -> Meaning | None:
    """Return an acronym's meaning, given the number of papers for each explanation; None if it isn't certain.

    Spellings are counted together: `multi-modal` and `multimodal` are the same meaning. Of them, the most frequent one
    is returned.
    """
    spellings: dict[str, Counter[Meaning]] = {}
    for words, papers in explanations.items():
        joined = "".join(token.word for token in tokens(" ".join(words)) if token.end - token.start == 1)
        spellings.setdefault(joined, Counter())[words] += papers
    best = max(spellings.values(), key=Counter.total, default=Counter[Meaning]())
    if best.total() < max(EXPLANATIONS, USUAL * sum(explanations.values())):
        return None
    return best.most_common(1)[0][0]


def synonyms(
    query: Query,
    meaning_of: Callable[[str], Meaning | None],
    acronym_of: Callable[[Sequence[str]], str | None],
) -> Iterator[Synonym]:
    """Yield synonyms for parts of `query`, from left to right. Excluded and exact words have none."""
    for part, words, field in _parts(query.root):
        if len(words) > 1:
            others = [(acronym,)] if (acronym := acronym_of(words)) else []
        else:
            meaning = meaning_of(words[0])
            family = next((family for family in FAMILIES if words[0] in family), frozenset())
            others = [*([meaning] if meaning else ()), *((word,) for word in sorted(family - {words[0]}))]
        yield from (Synonym(part, Phrase(other, field)) for other in others)


def widened(query: Query, synonym: Synonym) -> Query:
    """Return the query with the synonym added. Raises UserError if its part is missing or the query gets too long."""
    root = _replaced(query.root, synonym)
    if root == query.root:
        raise UserError(
            f"Nothing was added: {spelled(query)} matches {synonym.other} already, or has no {synonym.part}.",
            hint="/paper list",
        )
    return parse(spelled(Query(root, f"{query.typed} {synonym}")))


def _parts(node: Node) -> Iterator[tuple[Node, Sequence[str], Field]]:
    """Yield every plain phrase, and every run of bare words that could be one, with its words and field."""
    match node:
        case Phrase(exact=False, prefix=False):
            yield node, _words(node), node.field
        case And(nodes):
            yield from _runs(nodes)
            for inner in nodes:
                yield from _parts(inner)
        case Or(nodes):
            for inner in nodes:
                yield from _parts(inner)
        case _:
            return


def _runs(nodes: Sequence[Node]) -> Iterator[tuple[Node, Sequence[str], Field]]:
    """Yield runs of bare words, the longest first: RLHF is more specific than RL."""
    for length in range(len(nodes), 1, -1):
        for start in range(len(nodes) - length + 1):
            run = nodes[start : start + length]
            if all(isinstance(one, Phrase) and one == Phrase(one.words[:1]) for one in run):
                yield all_of(run), [word for one in run for word in _words(one)], ""


def _words(node: Node) -> Sequence[str]:
    text = " ".join(node.words) if isinstance(node, Phrase) else ""
    return [token.word for token in tokens(text) if token.end - token.start == 1]


def _replaced(node: Node, synonym: Synonym) -> Node:
    """Return the tree with each `part` replaced by `part OR other`, unless it has both already."""
    if node == synonym.part:
        return any_of((node, synonym.other))
    match node:
        case Or(nodes) if synonym.other in nodes:
            return node
        case Or(nodes):
            return any_of(_replaced(inner, synonym) for inner in nodes)
        case And(nodes):
            part = synonym.part.nodes if isinstance(synonym.part, And) else ()
            at = next((n for n in range(len(nodes)) if part and nodes[n : n + len(part)] == part), None)
            if at is None:
                return all_of(_replaced(inner, synonym) for inner in nodes)
            return all_of((*nodes[:at], any_of((synonym.part, synonym.other)), *nodes[at + len(part) :]))
        case _:
            return node

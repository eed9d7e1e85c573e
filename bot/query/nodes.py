"""The syntax tree of a query. `str` of a node is its canonical text, which parses to an equal node."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from bot.text.names import is_whole

SignalName = Literal["min", "top", "code"]

MOST_UPVOTES = 10_000
LAST_RANK = 100


@dataclass(frozen=True, slots=True)
class Phrase:
    """Adjacent words in the title or in the abstract; usually a single word.

    With `prefix`, `words` is the beginning of one word. With `exact`, case and plural must be the same.
    """

    words: tuple[str, ...]
    field: Literal["", "title", "abs"] = ""
    exact: bool = False
    prefix: bool = False

    def __str__(self) -> str:
        field = f"{self.field}:" if self.field else ""
        return f"{field}{'=' if self.exact else ''}{_quoted(self.words, self.prefix)}"


@dataclass(frozen=True, slots=True)
class Person:
    """An author: one word of a name, or a whole name, which also matches with initials.

    A family name of several words, such as `van den Oord`, is found by its adjacent words.
    """

    words: tuple[str, ...]
    prefix: bool = False

    @property
    def is_whole(self) -> bool:
        """Whether the name has given and family names."""
        return not self.prefix and is_whole(" ".join(self.words))

    def __str__(self) -> str:
        return f"author:{_quoted(self.words, self.prefix)}"


@dataclass(frozen=True, slots=True)
class Organization:
    """A paper's organization, by its name according to `bot.text.organizations`."""

    name: str

    @property
    def key(self) -> str:
        """The name without spaces, by which organizations are compared."""
        return self.name.replace(" ", "")

    def __str__(self) -> str:
        return f'org:"{self.name}"' if " " in self.name else f"org:{self.name}"


@dataclass(frozen=True, slots=True)
class Category:
    """An arXiv category, `cs.CL`, or a whole archive, `cs.*`."""

    name: str

    def __str__(self) -> str:
        return f"cat:{self.name}"


@dataclass(frozen=True, slots=True)
class SourceName:
    """A source of the paper, by its name up to the colon."""

    name: str

    def __str__(self) -> str:
        return f"source:{self.name}"


@dataclass(frozen=True, slots=True)
class Identifier:
    """A single paper, by its canonical id."""

    id: str

    def __str__(self) -> str:
        return f'id:"{self.id}"' if any(char in "(),（），、" for char in self.id) else f"id:{self.id}"


@dataclass(frozen=True, slots=True)
class Signal:
    """A condition that changes over time: at least `min` upvotes, a rank of at most `top`, `code` (1 yes, 0 no)."""

    name: SignalName
    value: int

    def __str__(self) -> str:
        return f"{self.name}:{('no', 'yes')[self.value] if self.name == 'code' else self.value}"


Term = Phrase | Person | Organization | Category | SourceName | Identifier | Signal


@dataclass(frozen=True, slots=True)
class Not:
    """An exclusion. Built by `negated`."""

    node: "Node"

    def __str__(self) -> str:
        return f"-({self.node})" if isinstance(self.node, And | Or) else f"-{self.node}"


@dataclass(frozen=True, slots=True)
class And:
    """Two or more nodes that must all match. Built by `all_of`."""

    nodes: tuple["Node", ...]

    def __str__(self) -> str:
        return " ".join(f"({node})" if isinstance(node, Or) else str(node) for node in self.nodes)


@dataclass(frozen=True, slots=True)
class Or:
    """Two or more nodes of which one must match. Built by `any_of`."""

    nodes: tuple["Node", ...]

    def __str__(self) -> str:
        return " OR ".join(map(str, self.nodes))


Node = Term | Not | And | Or


def all_of(nodes: Iterable[Node]) -> Node:
    """Return the conjunction, flattened and without duplicates."""
    flat = dict.fromkeys(
        part for node in nodes for part in (node.nodes if isinstance(node, And) else (node,))
    )
    return And(tuple(flat)) if len(flat) > 1 else next(iter(flat))


def any_of(nodes: Iterable[Node]) -> Node:
    """Return the disjunction, flattened and without duplicates."""
    flat = dict.fromkeys(part for node in nodes for part in (node.nodes if isinstance(node, Or) else (node,)))
    return Or(tuple(flat)) if len(flat) > 1 else next(iter(flat))


def negated(node: Node) -> Node:
    """Return the negation; a double negation is removed."""
    return node.node if isinstance(node, Not) else Not(node)


def contradiction(node: Node) -> Node | None:
    """Return a part that the query both wants and excludes, so that nothing can match; None if there is none."""
    parts = node.nodes if isinstance(node, And) else ()
    excluded = {
        alternative
        for part in parts
        if isinstance(part, Not)
        for alternative in (part.node.nodes if isinstance(part.node, Or) else (part.node,))
    }
    for part in parts:
        alternatives = part.nodes if isinstance(part, Or) else (part,)
        if not isinstance(part, Not) and excluded.issuperset(alternatives):
            return part
    return None


def terms_of(node: Node) -> list[tuple[Term, bool]]:
    """Return every term from left to right, with True if it is wanted and False if it is excluded."""
    match node:
        case Not(inner):
            return [(term, not wanted) for term, wanted in terms_of(inner)]
        case And(nodes) | Or(nodes):
            return [found for part in nodes for found in terms_of(part)]
        case _:
            return [(node, True)]


def without(node: Node, kind: type[Signal | Not]) -> Node | None:
    """Return the query without its parts of a kind, whether wanted or excluded; None if nothing is left."""
    match node:
        case And(nodes) | Or(nodes):
            left = [part for part in (without(part, kind) for part in nodes) if part is not None]
            if not left:
                return None
            return all_of(left) if isinstance(node, And) else any_of(left)
        case Not(inner) if isinstance(inner, kind):
            return None
        case _:
            return None if isinstance(node, kind) else node


def _quoted(words: tuple[str, ...], prefix: bool) -> str:
    text = " ".join(words)
    bare = len(words) == 1 and text != "trending"  # that word alone means the signal
    return f"{text}*" if prefix else text if bare else f'"{text}"'

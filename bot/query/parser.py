"""What people type, as a Query.

    any    = all { (OR | ",") all }
    all    = factor { [AND] factor }
    factor = ("-" | NOT) (word | group)  |  word  |  group
    group  = "(" any ")"

AND binds tighter than OR; operators are written in capitals. Every mistake is a UserError that points at its
place: nothing is dropped or guessed silently.
"""

from bot.domain.errors import UserError
from bot.query.lexer import Kind, Piece, pieces
from bot.query.nodes import And, Node, Not, Or, Signal, all_of, any_of, negated, terms_of
from bot.query.query import Query
from bot.query.terms import term_of

LONGEST_QUERY = 256
MOST_TERMS = 16
DEEPEST = 8

TRENDING = Signal("top", 10)
"""What the word `trending` means where it stands alone."""


def parse(text: str) -> Query:
    """The query that `text` says. Raises UserError, and nothing else, for what is not one."""
    _check_length(text)
    root = _Parser(pieces(text)).whole()
    terms = terms_of(root)
    if len(terms) > MOST_TERMS:
        raise UserError(
            f"A query has at most {MOST_TERMS} terms; this one has {len(terms)}.",
            hint="Make it two subscriptions.",
        )
    if not _is_anchored(root, wanted=True):
        message = "Each alternative needs something to look for, not only what to leave out."
        raise UserError(
            message,
            hint=f"diffusion {text.strip()}" if not isinstance(root, Or) else "",
            at=_first_minus(text),
        )
    query = Query(root)
    _check_length(str(query))
    return query


def _check_length(text: str) -> None:
    if len(text) > LONGEST_QUERY:
        message = f"A query has at most {LONGEST_QUERY} characters; this one has {len(text)}."
        raise UserError(message, hint="Make it two subscriptions.", at=(LONGEST_QUERY, len(text)))


def _is_anchored(node: Node, *, wanted: bool) -> bool:
    """Whether each alternative of `node` (of its opposite, where not `wanted`) has a term that must hold."""
    match node:
        case Not(inner):
            return _is_anchored(inner, wanted=not wanted)
        case And(nodes):
            return (any if wanted else all)(_is_anchored(part, wanted=wanted) for part in nodes)
        case Or(nodes):
            return (all if wanted else any)(_is_anchored(part, wanted=wanted) for part in nodes)
        case _:
            return wanted


def _first_minus(text: str) -> tuple[int, int] | None:
    return next((piece.at for piece in pieces(text) if piece.kind == "not"), None)


class _Parser:
    """Recursive descent over the pieces, which end with an "end"."""

    def __init__(self, found: list[Piece]) -> None:
        self._pieces = found
        self._next = 0
        self._depth = 0

    def whole(self) -> Node:
        if self._at("end"):
            raise UserError("Type what to look for.", hint="diffusion policy", at=self._now.at)
        node = self._any()
        if self._at(")"):
            raise UserError("This bracket closes nothing.", at=self._now.at)
        return node

    @property
    def _now(self) -> Piece:
        return self._pieces[self._next]

    def _at(self, *kinds: Kind) -> bool:
        return self._now.kind in kinds

    def _take(self) -> Piece:
        piece = self._now
        self._next += 1
        return piece

    def _any(self) -> Node:
        alternatives = [self._all()]
        while self._at("or"):
            operator = self._take()
            self._expect_operand(operator)
            alternatives.append(self._all())
        return any_of(alternatives)

    def _all(self) -> Node:
        self._expect_operand(self._now)
        first = self._now
        factors = [self._factor()]
        while self._at("word", "(", "not", "and"):
            if self._at("and"):
                self._expect_operand(self._take())
            factors.append(self._factor())
        if len(factors) == 1 and _says_trending(first):
            return TRENDING
        return all_of(factors)

    def _factor(self) -> Node:
        piece = self._take()
        if piece.kind == "not":
            return self._opposite(piece)
        return self._group(piece) if piece.kind == "(" else term_of(piece)

    def _opposite(self, minus: Piece) -> Node:
        self._expect_operand(minus)
        behind = self._take()
        if minus.text != "NOT" and behind.at[0] > minus.at[1]:
            raise UserError(
                "A minus rules out the word right behind it.", hint=f"-{behind.text}", at=minus.at
            )
        if behind.kind == "not":
            raise UserError("This rules out twice.", at=(minus.at[0], behind.at[1]))
        return negated(self._group(behind) if behind.kind == "(" else term_of(behind))

    def _group(self, bracket: Piece) -> Node:
        self._depth += 1
        if self._depth > DEEPEST:
            raise UserError(f"Brackets go at most {DEEPEST} deep.", at=bracket.at)
        if self._at(")"):
            raise UserError("There is nothing in these brackets.", at=(bracket.at[0], self._now.at[1]))
        node = self._any()
        if not self._at(")"):
            raise UserError("This bracket is never closed.", at=bracket.at)
        self._take()
        self._depth -= 1
        return node

    def _expect_operand(self, piece: Piece) -> None:
        """After (or instead of) `piece` there must be something to look for."""
        if self._at("word", "(", "not"):
            return
        if piece is self._now:
            raise UserError(f"There is nothing before {piece.text!r}.", at=piece.at)
        raise UserError(f"There is nothing after {piece.text!r} to look for.", at=piece.at)


def _says_trending(piece: Piece) -> bool:
    plain = piece.kind == "word" and not (piece.field or piece.exact or piece.quoted)
    return plain and piece.text.lower() == "trending"

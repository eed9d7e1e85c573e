r"""Parses what people type into a Query.

    any    = all { (OR | ",") all }
    all    = factor { [AND] factor }
    factor = ("-" | NOT) (word | group)  |  word  |  group
    group  = [field ":"] "(" any ")"

AND binds tighter than OR; operators are in capitals. Every mistake is a UserError that points at its position: nothing
is dropped or guessed silently.
"""

from dataclasses import replace

from bot.domain.errors import UserError
from bot.query.lexer import Kind, Piece, narrow, pieces
from bot.query.nodes import And, Node, Not, Or, Signal, all_of, any_of, negated, terms_of
from bot.query.query import Query
from bot.query.terms import FIELDS, check_field, term_of

LONGEST_QUERY = 256
MOST_TERMS = 16
DEEPEST = 8

TRENDING = Signal("top", 10)
"""Meaning of the word `trending` if it stands alone."""


def parse(text: str) -> Query:
    """Parse a query. Raises only UserError for invalid text."""
    _check_length(text)
    try:
        root = _Parser(text).whole()
    except UserError as error:
        raise UserError(str(error), hint=error.hint or _repaired(text, error.at), at=error.at) from None
    terms = terms_of(root)
    if len(terms) > MOST_TERMS:
        raise UserError(
            f"A query can have at most {MOST_TERMS} terms, and this one has {len(terms)}. "
            "Split it into two subscriptions."
        )
    if not _is_anchored(root, wanted=True):
        raise UserError(
            "Add at least one word to search for; exclusions alone don't work.",
            hint=_with_a_word(text.strip()) if not isinstance(root, Or) else "",
            at=_first_minus(text),
        )
    query = Query(root, text)
    _check_length(str(query))
    return query


def _check_length(text: str) -> None:
    if len(text) > LONGEST_QUERY:
        raise UserError(
            f"A query can have at most {LONGEST_QUERY} characters, and this one has {len(text)}. "
            "Split it into two subscriptions.",
            at=(LONGEST_QUERY, len(text)),
        )


def _repaired(text: str, at: tuple[int, int] | None) -> str:
    """A valid query with the same words: with the missing bracket added, or the extra sign removed."""
    if at is None:
        return ""
    before, wrong, behind = text[: at[0]], text[at[0] : at[1]], text[at[1] :]
    sign = "OR" if wrong in {"|", "||"} else ""
    candidates = (f"{text.rstrip()})", " ".join(f"{before} {sign} {behind}".split()).replace(" ,", ","))
    return next(filter(_is_valid, candidates), "")


def _is_valid(text: str) -> bool:
    try:
        return _is_anchored(_Parser(text).whole(), wanted=True)
    except UserError:
        return False


def _with_a_word(text: str) -> str:
    """An example of a valid query with the same exclusions."""
    word = "diffusion" if "diffusion" not in text.casefold() else "robots"
    return f"{word} {text}"


def _is_anchored(node: Node, *, wanted: bool) -> bool:
    """Whether each alternative of `node` (of its negation if not `wanted`) has a term that must match."""
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
    """Recursive-descent parser over the pieces, the last of which is the end."""

    def __init__(self, typed: str) -> None:
        self._typed = narrow(typed)
        self._pieces = pieces(typed)
        self._next = 0
        self._depth = 0
        self._field = ""
        """The field of the current group: `title:(a OR b)`."""

    def whole(self) -> Node:
        if self._at("end"):
            raise UserError("Type what to search for.", hint="diffusion policy", at=self._now.at)
        node = self._any()
        if self._at(")"):
            raise UserError("Extra closing bracket.", at=self._now.at)
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
        if len(factors) == 1 and not self._field and _is_trending(first):
            return TRENDING
        return all_of(factors)

    def _factor(self) -> Node:
        piece = self._take()
        return self._opposite(piece) if piece.kind == "not" else self._operand(piece)

    def _opposite(self, minus: Piece) -> Node:
        self._expect_operand(minus)
        behind = self._take()
        if minus.text != "NOT" and behind.at[0] > minus.at[1]:
            hint = f"{self._typed[: minus.at[0]]}-{self._typed[behind.at[0] :]}".strip()
            raise UserError("Put the minus right before the word to exclude.", hint=hint, at=minus.at)
        if behind.kind == "not":
            sign = "-" if minus.text != "NOT" else "NOT"
            raise UserError(f"Double minus: remove one “{sign}”.", at=(minus.at[0], behind.at[1]))
        return negated(self._operand(behind))

    def _operand(self, piece: Piece) -> Node:
        """A word or a group, in its own field or the field of the group around it."""
        if piece.kind == "(":
            return self._group(piece)
        begins_group = piece.field and not (piece.text or piece.quoted) and self._at("(")
        if begins_group and self._now.at[0] == piece.at[1]:
            check_field(piece)
            outer, self._field = self._field, piece.field
            node = self._group(self._take())
            self._field = outer
            return node
        self._refuse_space_after_field(piece)
        try:
            return term_of(piece if piece.field else replace(piece, field=self._field))
        except UserError as error:
            hint = self._with(piece, error.hint) if error.hint else ""
            raise UserError(str(error), hint=hint, at=error.at) from None

    def _refuse_space_after_field(self, piece: Piece) -> None:
        alone = piece.field.lower() in FIELDS and not (piece.text or piece.quoted)
        if alone and self._at("word") and self._now.text and not self._now.field:
            value = self._typed[self._now.at[0] : self._now.at[1]]
            hint = f"{self._typed[: piece.at[1]].rstrip()}{value}{self._typed[self._now.at[1] :]}"
            raise UserError(
                f"“{piece.field}:” needs its value right after it, without a space.", hint=hint, at=piece.at
            )

    def _with(self, piece: Piece, replacement: str) -> str:
        """The typed text with `piece` replaced."""
        return f"{self._typed[: piece.at[0]]}{replacement}{self._typed[piece.at[1] :]}".strip()

    def _group(self, bracket: Piece) -> Node:
        self._depth += 1
        if self._depth > DEEPEST:
            raise UserError(f"Brackets can be nested at most {DEEPEST} deep.", at=bracket.at)
        if self._at(")"):
            raise UserError("These brackets are empty.", at=(bracket.at[0], self._now.at[1]))
        node = None if self._at("end") else self._any()
        if node is None or not self._at(")"):
            raise UserError("Missing closing bracket.", at=bracket.at)
        self._take()
        self._depth -= 1
        return node

    def _expect_operand(self, piece: Piece) -> None:
        """Raise UserError unless a word, a group or an exclusion comes next; `piece` is the operator before it."""
        if self._at("word", "(", "not"):
            return
        if piece is self._now:
            raise UserError(f"“{piece.text}” needs a word before it.", at=piece.at)
        raise UserError(f"“{piece.text}” needs a word after it.", at=piece.at)


def _is_trending(piece: Piece) -> bool:
    plain = piece.kind == "word" and not (piece.field or piece.exact or piece.quoted)
    return plain and piece.text.lower() == "trending"

"""Parses what a person searches for: the subscription language, but more forgiving.

If the text is a valid query, its fields, phrases, signs and brackets apply. If it isn't (a title pasted with its colon,
an unclosed quote), it is read as plain words.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import dropwhile, zip_longest

from bot.domain.errors import UserError
from bot.query import And, Node, Not, Or, Person, Phrase, Query, parse
from bot.query.lexer import Piece, pieces
from bot.query.nodes import all_of, any_of, negated
from bot.text import clean, spell, tokens
from bot.text.identity import paper_id
from bot.text.terms import STOP_WORDS

LONGEST = 400
"""Maximum number of characters of a search: more than any title has."""
MOST_WORDS = 40

REQUEST_WORDS = frozenset({
    "about", "article", "articles", "best", "concerning", "dealing", "explain", "explains", "find", "finding", "get", "getting", "give", "good",
    "help", "ideas", "interested", "know", "known", "latest", "learn", "like", "list", "literature", "look", "looking",
    "make", "makes", "making", "need", "new", "newest", "paper", "papers", "please", "publication", "publications", "read",
    "reading", "recent", "recommend", "recommended", "related", "research", "regarding", "show", "something", "studies",
    "study", "suggest", "tell", "want", "way", "ways", "work", "working", "works",
})  # fmt: skip
"""Words that say little at the start of a request: "I am looking for recent papers on …", "how to make …"."""

QUESTION_WORDS = frozenset({
    "how", "why", "what", "which", "who", "when", "where", "do", "does", "did", "is", "are", "can", "could",
    "should", "will",
})  # fmt: skip
"""Words that a question begins with."""

COMPARING = frozenset({"vs", "versus"})
"""Words between two compared things."""
MODIFIERS = frozenset({
    "around", "become", "becomes", "becoming", "despite", "get", "gets", "getting", "give", "gives", "giving", "happen",
    "happens", "stop", "stops",
})  # fmt: skip
"""Words of a question that say how its subjects are related, not what they are."""
DEGREES = frozenset({
    "bad", "best", "better", "big", "bigger", "biggest", "easier", "easy", "good", "hard", "harder", "worse", "worst",
})  # fmt: skip
"""Modifiers only if no noun follows: "hard to predict", but not "hard disks"."""

_TWO_FOR_TO = re.compile(r"([a-z]{2,20})2([a-z]{2,20})")
_ET_AL = re.compile(r"\bet\.?\s+al\b\.?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Word:
    """A word as typed, split at its hyphens."""

    parts: tuple[str, ...]
    joined: str
    """All parts as one word; "" if there is only one."""
    name_parts: tuple[str, ...]
    """The parts with plurals unchanged: Hodges isn't the plural of a name."""
    typed: str

    @property
    def spelled_out(self) -> tuple[tuple[str, ...], ...]:
        """`sim2real` as `sim to real`, as others spell it."""
        found = _TWO_FOR_TO.fullmatch(self.typed)
        return ((found[1], "to", found[2]),) if found else ()

    @property
    def stop(self) -> bool:
        """Whether it is a stop word."""
        return self.typed in STOP_WORDS or (not self.joined and self.parts[0] in STOP_WORDS)  # ones, others


@dataclass(frozen=True, slots=True)
class ParsedSearch:
    """A parsed search."""

    text: str
    words: tuple[Word, ...] = ()
    """The words to find, matched loosely: all of them, then misspelt, then some of them."""
    must: Node | None = None
    """The part that must match exactly."""
    also: Node | None = None
    """An acceptable alternative: the parts of a text with commas, which may be a title."""
    query: Query | None = None
    """The search as a subscription; None if it can't be one."""
    paper_id: str | None = None
    meanings: tuple[tuple[str, Sequence[str]], ...] = ()
    """The acronyms among the words, each with its usual meaning according to the index."""
    pasted: bool = False
    """It may be a pasted title: it has no sign, quote or field, only commas, brackets and words such as NOT."""

    @property
    def is_question(self) -> bool:
        """Whether it is a question or a comparison, so that good answers may lack some of its words."""
        first = self.words[:1]
        return any(word.typed in QUESTION_WORDS for word in first) or any(
            word.typed in COMPARING for word in self.words[1:-1]
        )

    @property
    def content(self) -> tuple[Word, ...]:
        """The words that carry the search: without stop words, request words and modifiers."""
        rest = tuple(word for word in self._subject if word not in self.modifiers)
        return (rest if len(rest) > 1 else self._significant) or self.words

    @property
    def modifiers(self) -> frozenset[Word]:
        """The words of a question or request that only modify it; empty if fewer than two other words would be left."""
        subject = self._subject
        if not self.is_question and len(subject) == len(self._significant):
            return frozenset()
        pairs = zip_longest(self.words, self.words[1:])
        found = frozenset(word for word, after in pairs if word in subject and _is_modifier(word, after))
        return found if len(subject) - len(found) > 1 else frozenset()

    @property
    def _significant(self) -> tuple[Word, ...]:
        return tuple(word for word in self.words if not word.stop)

    @property
    def _subject(self) -> tuple[Word, ...]:
        return tuple(dropwhile(lambda word: word.typed in REQUEST_WORDS, self._significant))


def parse_search(text: str) -> ParsedSearch:
    """Parse a search. Raises UserError if it has nothing to search for."""
    if len(text) > LONGEST:  # before any slower code reads it
        raise UserError(f"A search has at most {LONGEST} characters; this one has {len(text):,}.")
    text = clean(text)
    if found := paper_id(text):
        return ParsedSearch(text, paper_id=found)
    try:
        query = parse(text)
    except UserError as error:
        words = words_in(text)
        if not words:
            raise
        return ParsedSearch(text, words, query=_plain_query(words) if error.at is not None else None)
    return _from_query(text, query)


def _from_query(text: str, query: Query) -> ParsedSearch:
    root = query.root
    quoted = {tuple(spell(piece.text)) for piece in pieces(text) if piece.quoted}
    if isinstance(root, Or) and _is_plain(root, quoted) and not any(p.text == "OR" for p in pieces(text)):
        return ParsedSearch(text, words_in(text), also=_with_authors(root), query=query)
    nodes = root.nodes if isinstance(root, And) else (root,)
    bare = [node for node in nodes if isinstance(node, Phrase) and _is_bare(node, quoted)]
    rest = tuple(node for node in nodes if not _is_bare(node, quoted))
    words = tuple(w for node in bare for w in words_in(" ".join(node.words))) if rest else words_in(text)
    must = _with_authors(all_of(rest)) if rest else None
    return ParsedSearch(text, words, must, query=query, pasted=all(map(_fits_title, pieces(text))))


def _fits_title(piece: Piece) -> bool:
    plain = not (piece.quoted or piece.exact or (piece.field and piece.text) or piece.text.endswith("*"))
    return plain and not (piece.kind == "not" and piece.text != "NOT")


def _with_authors(node: Node) -> Node:
    """`node`, with words without a field also matching authors."""
    match node:
        case And(nodes):
            return all_of(map(_with_authors, nodes))
        case Or(nodes):
            return any_of(map(_with_authors, nodes))
        case Not(inner):
            return negated(_with_authors(inner))
        case Phrase(words, "", False, prefix):
            return any_of((node, Person(words, prefix)))
        case _:
            return node


def _is_bare(node: Node, quoted: Collection[tuple[str, ...]]) -> bool:
    """Whether `node` is a word without field, sign or quotes."""
    return isinstance(node, Phrase) and not (
        node.field or node.exact or node.prefix or (len(node.words) > 1 and node.words in quoted)
    )


def _is_plain(node: Node, quoted: Collection[tuple[str, ...]]) -> bool:
    if isinstance(node, Or | And):
        return all(_is_plain(part, quoted) for part in node.nodes)
    return _is_bare(node, quoted)


def _is_modifier(word: Word, after: Word | None) -> bool:
    last = after is None or after.stop or after.typed in DEGREES
    return word.typed in MODIFIERS or (word.typed in DEGREES and last)


def words_in(text: str) -> tuple[Word, ...]:
    """Return the distinct words of `text`, ignoring punctuation and operators."""
    spelled = (spell(_ET_AL.sub(" ", text)) or spell(text))[:MOST_WORDS]
    return tuple(dict.fromkeys(filter(None, map(_word, spelled))))


def _word(spelled: str) -> Word | None:
    found = tokens(spelled)
    if not found:
        return None
    parts = tuple(token.word for token in found if token.end - token.start == 1)
    names = tuple(t.word for t in tokens(spelled, plurals=False) if t.end - t.start == 1)
    return Word(parts, "".join(parts) if len(parts) > 1 else "", names, spelled)


def _plain_query(words: tuple[Word, ...]) -> Query | None:
    """The words as a subscription, without the punctuation and operators around them."""
    try:
        return parse(" ".join(word.typed for word in words))
    except UserError:
        return None

"""What a person who searches means: more forgiving than a subscription, which it contains.

Where the words are a query of the subscription language, its fields, phrases, signs and brackets hold. Where they
are not (a title pasted with its colon, a quote left open), they are words.
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
"""Characters: more than any title has."""
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
"""Words between what is compared."""
SHADES = frozenset({
    "around", "become", "becomes", "becoming", "despite", "get", "gets", "getting", "give", "gives", "giving", "happen",
    "happens", "stop", "stops",
})  # fmt: skip
"""Words of a question that say how things hang together, not what they are."""
DEGREES = frozenset({
    "bad", "best", "better", "big", "bigger", "biggest", "easier", "easy", "good", "hard", "harder", "worse", "worst",
})  # fmt: skip
"""The same where no noun follows: "hard to predict", but not "hard disks"."""

_TWO_FOR_TO = re.compile(r"([a-z]{2,20})2([a-z]{2,20})")
_ET_AL = re.compile(r"\bet\.?\s+al\b\.?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Word:
    """One word as typed, with its parts at hyphens."""

    parts: tuple[str, ...]
    joined: str
    """All parts as one, where there are several."""
    name_parts: tuple[str, ...]
    """With plurals as written: Hodges isn't the plural of a name."""
    typed: str

    @property
    def spelled_out(self) -> tuple[tuple[str, ...], ...]:
        """`sim2real` as `sim to real`: how others write the same."""
        found = _TWO_FOR_TO.fullmatch(self.typed)
        return ((found[1], "to", found[2]),) if found else ()

    @property
    def stop(self) -> bool:
        """Whether it says little."""
        return self.typed in STOP_WORDS or (not self.joined and self.parts[0] in STOP_WORDS)  # ones, others


@dataclass(frozen=True, slots=True)
class ParsedSearch:
    """A search as it was understood."""

    text: str
    words: tuple[Word, ...] = ()
    """Looked for as well as they can be found: all of them, then misspelt, then some of them."""
    must: Node | None = None
    """What has to hold, to the letter."""
    also: Node | None = None
    """What is good enough, too: the alternatives of a text with commas, which may be a title."""
    query: Query | None = None
    """The same as a subscription, where it can be one."""
    paper_id: str | None = None
    meanings: tuple[tuple[str, Sequence[str]], ...] = ()
    """Words that are acronyms, each with what it usually means, as the index knows it."""
    pasted: bool = False
    """It may be a title all the same: no sign, quote or field, only such words as NOT, commas and brackets."""

    @property
    def is_question(self) -> bool:
        """Whether it is a question or compares things, so that its answers need not have its very words."""
        first = self.words[:1]
        return any(word.typed in QUESTION_WORDS for word in first) or any(
            word.typed in COMPARING for word in self.words[1:-1]
        )

    @property
    def content(self) -> tuple[Word, ...]:
        """The words that say what is wanted: without stop words, and without those that only phrase a request."""
        rest = tuple(word for word in self._asked if word not in self.shades)
        return (rest if len(rest) > 1 else self._telling) or self.words

    @property
    def shades(self) -> frozenset[Word]:
        """The words of a question or a request that only shade it; none if less than two others would be left."""
        asked = self._asked
        if not self.is_question and len(asked) == len(self._telling):
            return frozenset()
        pairs = zip_longest(self.words, self.words[1:])
        found = frozenset(word for word, after in pairs if word in asked and _shades(word, after))
        return found if len(asked) - len(found) > 1 else frozenset()

    @property
    def _telling(self) -> tuple[Word, ...]:
        return tuple(word for word in self.words if not word.stop)

    @property
    def _asked(self) -> tuple[Word, ...]:
        return tuple(dropwhile(lambda word: word.typed in REQUEST_WORDS, self._telling))


def parse_search(text: str) -> ParsedSearch:
    """What `text` asks for. Raises UserError where there is nothing to look for."""
    if len(text) > LONGEST:  # before anything else looks at it
        raise UserError(f"A search has at most {LONGEST} characters; this one has {len(text):,}.")
    text = clean(text)
    if one := paper_id(text):
        return ParsedSearch(text, paper_id=one)
    try:
        query = parse(text)
    except UserError as error:
        words = words_in(text)
        if not words:
            raise
        return ParsedSearch(text, words, query=_plain_query(words) if error.at is not None else None)
    return _understood(text, query)


def _understood(text: str, query: Query) -> ParsedSearch:
    root = query.root
    quoted = {tuple(spell(piece.text)) for piece in pieces(text) if piece.quoted}
    if isinstance(root, Or) and _is_plain(root, quoted) and not any(p.text == "OR" for p in pieces(text)):
        return ParsedSearch(text, words_in(text), also=_also_names(root), query=query)
    nodes = root.nodes if isinstance(root, And) else (root,)
    bare = [node for node in nodes if isinstance(node, Phrase) and _is_bare(node, quoted)]
    rest = tuple(node for node in nodes if not _is_bare(node, quoted))
    words = tuple(w for node in bare for w in words_in(" ".join(node.words))) if rest else words_in(text)
    must = _also_names(all_of(rest)) if rest else None
    return ParsedSearch(text, words, must, query=query, pasted=all(map(_is_of_a_title, pieces(text))))


def _is_of_a_title(piece: Piece) -> bool:
    plain = not (piece.quoted or piece.exact or (piece.field and piece.text) or piece.text.endswith("*"))
    return plain and not (piece.kind == "not" and piece.text != "NOT")


def _also_names(node: Node) -> Node:
    """The same, with authors among what words without a field are looked for in."""
    match node:
        case And(nodes):
            return all_of(map(_also_names, nodes))
        case Or(nodes):
            return any_of(map(_also_names, nodes))
        case Not(inner):
            return negated(_also_names(inner))
        case Phrase(words, "", False, prefix):
            return any_of((node, Person(words, prefix)))
        case _:
            return node


def _is_bare(node: Node, quoted: Collection[tuple[str, ...]]) -> bool:
    """Whether it is a word without field, sign or quotes."""
    return isinstance(node, Phrase) and not (
        node.field or node.exact or node.prefix or (len(node.words) > 1 and node.words in quoted)
    )


def _is_plain(node: Node, quoted: Collection[tuple[str, ...]]) -> bool:
    if isinstance(node, Or | And):
        return all(_is_plain(part, quoted) for part in node.nodes)
    return _is_bare(node, quoted)


def _shades(word: Word, after: Word | None) -> bool:
    last = after is None or after.stop or after.typed in DEGREES
    return word.typed in SHADES or (word.typed in DEGREES and last)


def words_in(text: str) -> tuple[Word, ...]:
    """Every word of `text`, each once, whatever stands around it."""
    spelled = (spell(_ET_AL.sub(" ", text)) or spell(text))[:MOST_WORDS]
    return tuple(dict.fromkeys(filter(None, map(_word, spelled))))


def _word(spelled: str) -> Word | None:
    read_ = tokens(spelled)
    if not read_:
        return None
    parts = tuple(token.word for token in read_ if token.end - token.start == 1)
    names = tuple(t.word for t in tokens(spelled, plurals=False) if t.end - t.start == 1)
    return Word(parts, "".join(parts) if len(parts) > 1 else "", names, spelled)


def _plain_query(words: tuple[Word, ...]) -> Query | None:
    """The same words as a subscription: what was typed around them is left out."""
    try:
        return parse(" ".join(word.typed for word in words))
    except UserError:
        return None

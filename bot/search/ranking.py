"""Ranks the papers for a search: first those with all the words as typed, then those with only some of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import ceil, exp, log
from typing import Literal

from tantivy import DocAddress, Occur, Order, Schema, Searcher
from tantivy import Query as IndexQuery

from bot.search.acronyms import meanings
from bot.search.fields import key
from bot.search.query_parser import ParsedSearch, Word, words_in
from bot.search.terms import TEXT, Terms, boosted, both, count_of, either, names_in

Sort = Literal["best", "new", "top"]

CANDIDATES = 50
"""Number of papers that are scored and returned."""
ENOUGH = 5
"""If fewer papers have all the words, close matches are added."""
LONG = 7
"""Number of words from which a query is probably a question or a title: papers with all of them don't come first."""
TITLE, AS_TYPED, AUTHOR, PAIR = 0.7, 0.2, 0.5, 0.2
"""Weights relative to a word's stem (1.0): the word in the title, as typed in the abstract, as an author's name, and
next to its neighbour."""
MODIFIER = 0.4
"""Weight of a modifier (`ParsedSearch.modifiers`)."""
MANY, MANY_SHARE = 4.0, 0.66
"""Bonus for a paper that has this share of a short query's words, added again if it has all of them: one rare word in
the title must not be enough to come first."""
RARE = 2
"""A word that at most this many papers have may be misspelt."""
SHORTEST_WORD, LONGEST_WORD = 4, 24
"""Length in letters of a word that may be misspelt. Many words are one letter away from a short one such as JWST, so a
word of SHORTEST_WORD letters counts as correct if any paper has it."""
LONG_WORD = 8
"""Minimum length in letters at which two letters may be wrong, if no word with one wrong letter was found."""
FUZZY = 4.0
"""Score of a misspelt match: about that of a word of medium rarity."""
NAME = 1.5
MEANING = 0.3
"""Weight of an acronym's meaning. It is low because the meaning is a phrase, and each of its words scores."""
WHOLE_TITLE = 30.0
"""Score of a title, or of its name before the colon, that equals the whole query."""
ALL_IN_TITLE = 6.0
"""Bonus for a paper whose title has all words of a short query."""
FRESH, POPULAR = 0.2, 0.05
FIELDS = {"title": 3.0, "abstract": 1.0, "authors": 2.0}
"""Weights of the fields for a short query, which probably names a paper."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """Ids of the found papers, best first."""

    ids: tuple[str, ...]
    total: int
    """Number of papers that match everything that was typed. `ids` may also have close matches."""
    exact: bool
    """Whether all of them match exactly. If not, evaluate `ParsedSearch.must` on each paper."""


class Ranking:
    """Searches one snapshot of the index."""

    def __init__(self, schema: Schema, searcher: Searcher, today: int) -> None:
        self._terms = Terms(schema, searcher)
        self._searcher = searcher
        self._today = today
        self._meanings: dict[str, Sequence[str]] = {}
        self._near: dict[str, IndexQuery] = {}

    def understood(self, parsed: ParsedSearch) -> ParsedSearch:
        """Add what the index knows: the meanings of acronyms, and whether the text is a title.

        Text that equals a paper's title is a title even if it parses as a query: "Learning What NOT to Count".
        """
        if parsed.must is not None and parsed.pasted:
            words = words_in(parsed.text)
            whole = key([part for word in words for part in word.parts])
            if self._searcher.doc_freq("heads", whole):
                parsed = replace(parsed, words=words, must=None)
        return replace(parsed, meanings=meanings(parsed, self._searcher))

    def search(
        self,
        parsed: ParsedSearch,
        *,
        days: int | None = None,
        sort: Sort = "best",
        enough: int = ENOUGH,
    ) -> Ranked:
        """Return the best CANDIDATES papers. If fewer than `enough` have all the words, close matches follow."""
        self._meanings = dict(parsed.meanings)
        limits = self._limits(parsed, days)
        words = parsed.content
        exact = parsed.must is None or self._terms.exactly(parsed.must)
        if not words:
            query = (
                self._terms.term("ids", parsed.paper_id.lower())
                if parsed.paper_id
                else IndexQuery.all_query()
            )
            ids, total = self._run(query, limits, sort)
            return Ranked(tuple(ids), total, exact)
        extra = [(Occur.Should, part) for part in self._extra(parsed, words)]
        ids, total = self._run(self._all_of(words, extra), limits, sort)
        if sort != "best" and ids:
            return Ranked(tuple(ids), total, exact)
        if len(words) >= LONG or (parsed.is_question and len(words) > 1):
            ids = []  # a question's best answer rarely has all of its words
        elif len(ids) < enough and parsed.also is not None:
            ids += self._run(self._terms.node(parsed.also), limits)[0]
        if len(ids) < enough:
            near = self._any_of(words, extra)
            # If papers have both words, a paper with only one of them is about something else.
            if total and len(words) == 2 and not parsed.is_question:
                near = both((Occur.Must, query) for query in (near, *map(self._any_form, words)))
            ids += self._run(near, limits)[0]
        return Ranked(tuple(dict.fromkeys(ids))[:CANDIDATES], total, exact)

    def holding(self, parsed: ParsedSearch) -> IndexQuery:
        """Return a query for the papers that match everything that was typed."""
        self._meanings = dict(parsed.meanings)
        parts = self._limits(parsed, None)
        if parsed.content:
            parts.append((Occur.Must, self._all_of(parsed.content, ())))
        return both(parts) if parts else IndexQuery.all_query()

    def rarity(self, word: Word) -> float:
        """Return a word's weight: the rarer the word, the higher."""
        return log(1 + self._searcher.num_docs / max(1, self._frequency(word)))

    def is_unknown(self, word: Word) -> bool:
        """Whether no paper has the word as typed."""
        return not self._frequency(word)

    def count_with(
        self, words: Sequence[Word], parsed: ParsedSearch, days: int | None, *, nearly: bool = False
    ) -> int:
        """Count the papers within the search's limits that have all these words in any form (`nearly`: or misspelt)."""
        self._meanings = dict(parsed.meanings)
        query = both((Occur.Must, self._any_form(word, nearly=nearly)) for word in words)
        return self._run(query, self._limits(parsed, days))[1]

    def _limits(self, parsed: ParsedSearch, days: int | None) -> list[tuple[Occur, IndexQuery]]:
        limits = [(Occur.Must, self._terms.since(self._today - days))] if days is not None else []
        if parsed.must is not None:
            limits.append((Occur.Must, self._terms.node(parsed.must)))
        return limits

    def _any_form(self, word: Word, *, nearly: bool = True) -> IndexQuery:
        """Papers with the word in any form; with `nearly`, also misspelt."""
        stem = both((Occur.Must, self._terms.stem(part)) for part in word.parts)
        return either(
            [
                stem,
                *([self._terms.stem(word.joined)] if word.joined else ()),
                *self._other_forms(word, nearly=nearly),
            ]
        )

    def _run(
        self, query: IndexQuery, limits: Sequence[tuple[Occur, IndexQuery]], sort: Sort = "best"
    ) -> tuple[list[str], int]:
        """Return the ids, best first, and the total number of papers."""
        query = both([(Occur.Must, query), *limits]) if limits else query
        if sort == "best":
            result = self._searcher.search(query, CANDIDATES)
            factors = self._factors([address for _, address in result.hits])
            scored = [(score * factor, at) for (score, at), factor in zip(result.hits, factors, strict=True)]
            addresses = [address for _, address in sorted(scored, key=lambda pair: -pair[0])]
        else:
            field = "day" if sort == "new" else "upvotes"
            result = self._searcher.search(query, CANDIDATES, order_by_field=field, order=Order.Desc)
            addresses = [address for _, address in result.hits]
        return [str(self._searcher.doc(address)["id"][0]) for address in addresses], count_of(result)

    def _factors(self, addresses: list[DocAddress]) -> Iterator[float]:
        """Yield a factor per paper, higher if it is newer or has more upvotes. It only breaks near ties."""
        days = self._searcher.fast_field_values("day", addresses)
        votes = self._searcher.fast_field_values("upvotes", addresses)
        for day, upvotes in zip(days, votes, strict=True):
            age = max(0, self._today - int(day or 0))
            yield 1 + FRESH * exp(-age / 365) + POPULAR * log(1 + max(0, int(upvotes or 0)))

    def _all_of(self, words: Sequence[Word], extra: Sequence[tuple[Occur, IndexQuery]]) -> IndexQuery:
        """Papers with all the words, in any field."""
        return both([*((Occur.Must, self._word(word)) for word in words), *extra])

    def _any_of(self, words: Sequence[Word], extra: Sequence[tuple[Occur, IndexQuery]]) -> IndexQuery:
        """Papers with any of the words, by BM25 of the stems; words as typed, in the title, and in pairs score more."""
        parts = [query for word in words for query in (*self._stems(word), *self._other_forms(word))]
        flat = [part for word in words for part in word.parts]
        parts += [self._terms.term("pairs", key(pair), PAIR) for pair in pairwise(flat)]
        return both(
            [(Occur.Must, both((Occur.Should, part) for part in parts)), *extra, *self._many_of(words)]
        )

    def _many_of(self, words: Sequence[Word]) -> Iterator[tuple[Occur, IndexQuery]]:
        """Bonus queries for papers with most words of a short query."""
        if 3 <= len(words) < LONG:
            stems = [
                (Occur.Should, both((Occur.Must, self._terms.stem(part)) for part in word.parts))
                for word in words
            ]
            for least in (ceil(MANY_SHARE * len(words)), len(words)):
                many = IndexQuery.const_score_query(both(stems, least=least), 1.0)
                yield Occur.Should, boosted(many, MANY)

    def _stems(self, word: Word) -> Iterator[IndexQuery]:
        for part in dict.fromkeys((*word.parts, word.joined)):
            if part:
                yield self._terms.stem(part)
                yield self._terms.term("title", part, TITLE)
                yield self._terms.term("abstract", part, AS_TYPED)

    def _other_forms(self, word: Word, *, nearly: bool = True) -> Iterator[IndexQuery]:
        """The word as a name, as an acronym's meaning, joined, and misspelt if hardly any paper has it."""
        names = [self._terms.term("authors", part, AUTHOR) for part in word.name_parts]
        yield both((Occur.Must, name) for name in names)
        for phrase in (*word.spelled_out, *self._meaning(word)):
            yield either([self._terms.near(field, phrase, 0, MEANING) for field in TEXT])
        for joined in map("".join, word.spelled_out):
            yield self._terms.stem(joined)
        if nearly and self.may_be_misspelt(word):
            yield self._nearly("".join(word.parts))

    def _nearly(self, text: str) -> IndexQuery:
        """Papers with a word that differs from `text` in one letter, or in two if there are none."""

        def differing(letters: int) -> IndexQuery:
            return either([self._terms.fuzzy(f, text, letters, FUZZY * w) for f, w in FIELDS.items()])

        if text not in self._near:
            one_letter = differing(1)
            is_near = len(text) < LONG_WORD or self._searcher.search(one_letter, 1, count=False).hits
            self._near[text] = one_letter if is_near else differing(2)
        return self._near[text]

    def _word(self, word: Word) -> IndexQuery:
        """Papers with this word in any field; the best field counts."""
        fields = []
        for field, weight in FIELDS.items():
            parts = word.name_parts if field == "authors" else word.parts
            fields.append(boosted(self._terms.parts(field, parts, word.joined), weight))
        for phrase in self._meaning(word):
            fields += [self._terms.near(field, phrase, 0, MEANING * FIELDS[field]) for field in TEXT]
        for phrase in word.spelled_out:
            fields += [self._terms.near(field, phrase, 0, FIELDS[field]) for field in TEXT]
            fields += [self._terms.term(field, "".join(phrase), FIELDS[field]) for field in TEXT]
        return either(fields)

    def _meaning(self, word: Word) -> Sequence[Sequence[str]]:
        """The phrase that the word abbreviates, if it is an acronym that the index explains."""
        known = self._meanings.get(word.parts[0]) if len(word.parts) == 1 else None
        return [known] if known else []

    def may_be_misspelt(self, word: Word) -> bool:
        """Whether hardly any paper has the word."""
        letters = sum(map(len, word.parts))
        rare = RARE if letters > SHORTEST_WORD else 0
        return SHORTEST_WORD <= letters <= LONGEST_WORD and self._frequency(word) <= rare

    def _frequency(self, word: Word) -> int:
        counts = [
            self._searcher.doc_freq(field, part) for field in ("title", "abstract") for part in word.parts
        ]
        return max(*counts, *(self._searcher.doc_freq("authors", part) for part in word.name_parts))

    def _extra(self, parsed: ParsedSearch, words: Sequence[Word]) -> Iterator[IndexQuery]:
        """Optional queries that raise a paper's score: the exact title, a full name, words close together."""
        flat = [part for word in parsed.words for part in word.parts]
        yield IndexQuery.boost_query(
            IndexQuery.const_score_query(self._terms.term("heads", key(flat)), 1.0), WHOLE_TITLE
        )
        for word in parsed.modifiers:
            yield self._terms.stem(word.parts[0], MODIFIER)
        for first, second in names_in(words):
            yield self._terms.name(first, second, NAME)
        if 2 <= len(words) <= LONG:
            all_in_title = both(
                (Occur.Must, self._terms.parts("title", word.parts, word.joined)) for word in words
            )
            yield boosted(IndexQuery.const_score_query(all_in_title, 1.0), ALL_IN_TITLE)
            for pair in pairwise(flat):
                yield self._terms.near("title", pair, 0, 0.5)

"""Which papers answer a search, best first: in steps, from the words as typed to whatever has some of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import exp, log
from typing import Literal

from tantivy import DocAddress, Occur, Order, Schema, Searcher
from tantivy import Query as IndexQuery

from bot.search.acronyms import meanings
from bot.search.fields import key
from bot.search.query_parser import ParsedSearch, Word, words_in
from bot.search.terms import TEXT, Terms, boosted, both, either, names_in

Sort = Literal["best", "new", "top"]

CANDIDATES = 50
"""Papers looked at closely."""
ENOUGH = 5
"""Papers that have all the words: with fewer, those that come near are looked for, too."""
SHORT = 5
"""Words of a query whose words are likely to be a title's."""
LONG = 9
"""Words of a query that is likely to be a title, or pasted: not all of them have to be right."""
SOME = 0.6
"""Part of the words that a paper must have to be worth showing."""
RARE = 2
"""Papers. A word that no more have is perhaps misspelt."""
MISSPELT = 4
"""Words of one search that are looked for misspelt, at most: each costs some milliseconds."""
LONGEST_WORD = 24
LONG_WORD = 8
"""Letters of a word that may have two of them wrong, where nothing was found with one."""
FUZZY = 4.0
"""Score of a word that is nearly there: about that of a word of medium rarity."""
NAME = 1.5
MEANT = 0.3
"""How much a phrase counts for which an acronym was typed; its words are several, and each scores."""
WHOLE = 30.0
"""Score of a title, or of its name before the colon, that is all that was typed."""
FRESH, POPULAR = 0.15, 0.05

SCANS = {"title": 2.5, "abstract": 1.0, "authors": 2.0}
READS = {"title": 1.5, "abstract": 1.0, "authors": 1.5}
"""Weights of the fields for short and for longer queries: the former name a paper, the latter describe one."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """What was found."""

    ids: tuple[str, ...]
    total: int
    """Papers that hold all that was typed. There may be more in `ids`, which come near."""
    exact: bool
    """Whether all of them hold to the letter; else the language has to be asked."""


class Ranking:
    """Asks one state of the index."""

    def __init__(self, schema: Schema, searcher: Searcher, today: int) -> None:
        self._terms = Terms(schema, searcher)
        self._searcher = searcher
        self._today = today
        self._meanings: dict[str, Sequence[str]] = {}

    def understood(self, asked: ParsedSearch) -> ParsedSearch:
        """The same with what the index knows: the meanings of acronyms, and titles that happen to be queries.

        What is a paper's title to the word is a title, as in "Learning What NOT to Count".
        """
        if asked.must is not None and asked.pasted:
            words = words_in(asked.text)
            whole = key([part for word in words for part in word.parts])
            if self._searcher.doc_freq("heads", whole):
                asked = replace(asked, words=words, must=None)
        return replace(asked, meanings=meanings(asked, self._searcher))

    def search(
        self,
        asked: ParsedSearch,
        *,
        days: int | None = None,
        sort: Sort = "best",
        enough: int = ENOUGH,
    ) -> Ranked:
        """The first CANDIDATES; those that only come near are among them where fewer than `enough` have all."""
        self._meanings = dict(asked.meanings)
        limits = [(Occur.Must, self._terms.since(self._today - days))] if days is not None else []
        if asked.must is not None:
            limits.append((Occur.Must, self._terms.node(asked.must)))
        scores: dict[str, float] = {}
        total = 0
        for place, step in enumerate(self._steps(asked)):
            if len(scores) >= (enough if sort == "best" else 1):
                break
            query = both([(Occur.Must, step), *limits]) if limits else step
            found, count = self._ask(query, sort)
            for paper_id, score in found:
                scores.setdefault(paper_id, score if not place else score * 0.5**place)
            if place == 0:
                total = count
        ids = list(scores) if sort != "best" else sorted(scores, key=lambda i: -scores[i])
        exact = asked.must is None or self._terms.exactly(asked.must)
        return Ranked(tuple(ids[: max(enough, total)]), total, exact)

    def _ask(self, query: IndexQuery, sort: Sort) -> tuple[list[tuple[str, float]], int]:
        if sort == "best":
            result = self._searcher.search(query, CANDIDATES)
            addresses = [address for _, address in result.hits]
            factors = self._factors(addresses)
            scores = [score * factor for (score, _), factor in zip(result.hits, factors, strict=True)]
        else:
            field = "day" if sort == "new" else "upvotes"
            result = self._searcher.search(query, CANDIDATES, order_by_field=field, order=Order.Desc)
            addresses = [address for _, address in result.hits]
            scores = [0.0] * len(addresses)
        ids = [str(self._searcher.doc(address)["id"][0]) for address in addresses]
        return list(zip(ids, scores, strict=True)), result.count  # type: ignore[attr-defined]  # the library's stubs leave it out

    def _factors(self, addresses: list[DocAddress]) -> Iterator[float]:
        """How much newer and better liked papers count for more. It decides between equals, it does not sort."""
        days = self._searcher.fast_field_values("day", addresses)
        votes = self._searcher.fast_field_values("upvotes", addresses)
        for day, upvotes in zip(days, votes, strict=True):
            age = max(0, self._today - int(day or 0))
            yield 1 + FRESH * exp(-age / 365) + POPULAR * log(1 + max(0, int(upvotes or 0)))

    def _steps(self, asked: ParsedSearch) -> Iterator[IndexQuery]:
        words = [word for word in asked.words if not word.stop] or list(asked.words)
        if not words:
            yield self._terms.term("ids", asked.paper_id) if asked.paper_id else IndexQuery.all_query()
            return
        weights = SCANS if len(words) <= SHORT else READS
        extra = [(Occur.Should, part) for part in self._extra(asked, words)]
        if len(words) < LONG:
            yield both([*((Occur.Must, self._word(word, weights)) for word in words), *extra])
            if asked.also is not None:
                yield self._terms.node(asked.also)
            least = max(1, round(SOME * len(words)))
            yield self._some(self._nearly(words, weights, 1), extra, least)
        some = [self._word(word, weights) for word in words]
        yield self._some(some, extra, max(1, round(SOME * len(words))) if len(words) >= LONG else 1)
        if len(words) <= SHORT:
            yield self._some(self._nearly(words, weights, 2), extra, 1)

    def _some(
        self, words: Sequence[IndexQuery], extra: list[tuple[Occur, IndexQuery]], least: int
    ) -> IndexQuery:
        """Papers with `least` of the words, or more."""
        return both([(Occur.Must, both([(Occur.Should, word) for word in words], least=least)), *extra])

    def _word(self, word: Word, weights: dict[str, float]) -> IndexQuery:
        """Papers with this word in any field; the best field counts."""
        fields = []
        for field, weight in weights.items():
            parts = word.name_parts if field == "authors" else word.parts
            fields.append(boosted(self._terms.parts(field, parts, word.joined), weight))
        if meaning := self._meanings.get(word.parts[0]) if len(word.parts) == 1 else None:
            fields += [self._terms.near(field, meaning, 0, MEANT * weights[field]) for field in TEXT]
        return either(fields)

    def _nearly(self, words: Sequence[Word], weights: dict[str, float], letters: int) -> list[IndexQuery]:
        """The same for each, and papers with something spelled nearly so, where hardly any has the word itself."""
        rare = [word for word in words if self._may_be_misspelt(word)][:MISSPELT]
        found = []
        for word in words:
            either_way = [self._word(word, weights)]
            if word in rare:
                text = "".join(word.parts)
                wrong = letters if len(text) >= LONG_WORD else 1
                either_way += [self._terms.fuzzy(f, text, wrong, FUZZY * w) for f, w in weights.items()]
            found.append(either(either_way))
        return found

    def _may_be_misspelt(self, word: Word) -> bool:
        return 4 <= sum(map(len, word.parts)) <= LONGEST_WORD and self._frequency(word) <= RARE

    def _frequency(self, word: Word) -> int:
        counts = [
            self._searcher.doc_freq(field, part) for field in ("title", "abstract") for part in word.parts
        ]
        return max(*counts, *(self._searcher.doc_freq("authors", part) for part in word.name_parts))

    def _extra(self, asked: ParsedSearch, words: Sequence[Word]) -> Iterator[IndexQuery]:
        """What makes a paper better, without being asked for: the very title, a whole name, words close together."""
        flat = [part for word in asked.words for part in word.parts]
        yield IndexQuery.boost_query(
            IndexQuery.const_score_query(self._terms.term("heads", key(flat)), 1.0), WHOLE
        )
        for one, other in names_in(words):
            yield self._terms.name(one, other, NAME)
        if 2 <= len(words) <= LONG:
            for pair in pairwise(flat):
                yield self._terms.near("title", pair, 0, 0.5)

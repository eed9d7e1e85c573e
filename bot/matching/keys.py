"""The keys of a paper, and the keys that a query's term needs.

A key is a term's canonical text with its words folded: `diffusion model`, `diffus…`, `=ACE`, `title:robot`,
`author:doe`, `author:doe~j`, `cat:cs.*`, `min:30`. A term with a single key matches exactly the papers that have it.
A prefix ends in `…` instead of a star, because a star can be part of a word, as in `A*`.
"""

from collections.abc import Iterable, Iterator, Sequence

from bot.domain.models import Paper
from bot.query.nodes import (
    LAST_RANK,
    MOST_UPVOTES,
    Category,
    Identifier,
    Organization,
    Person,
    Phrase,
    Signal,
    SourceName,
    Term,
)
from bot.query.paper_view import categories_of, sources_of
from bot.query.terms import SHORTEST_PREFIX
from bot.query.variants import variants_of
from bot.text import Token, small, tokens
from bot.text.names import given_first, keys_of_name, spelled
from bot.text.organizations import organization_key

ANY = "…"
"""End of a prefix's key."""
LONGEST_RUN = 4
"""Maximum number of words in a key."""


def keys_of(paper: Paper) -> set[str]:
    """Return every key of `paper`."""
    title, abstract = tokens(paper.title), tokens(paper.abstract)
    in_title = {*_runs(title), *_prefixes(title), *_forms(title)}
    keys = {f"title:{key}" for key in in_title} | in_title
    keys.update(_runs(abstract))
    keys.update(_prefixes(abstract))
    keys.update(_forms(abstract))
    for author in paper.authors:
        name = tokens(given_first(author), plurals=False)
        keys.update(f"author:{key}" for key in keys_of_name(spelled(author)))
        keys.update(f"author:{key}" for key in (*_runs(name), *_prefixes(name)))
    if paper.organization:
        keys.add(f"org:{organization_key(paper.organization)}")
    keys.update(f"cat:{name}" for name in categories_of(paper))
    keys.update(f"source:{name}" for name in sources_of(paper))
    keys.add(f"id:{paper.id.lower()}")
    keys.update(_signals(paper))
    return keys


def key_of(term: Term) -> str | None:
    """Return the key that decides whether `term` matches, or None if no single key does."""
    match term:
        case Phrase(field="abs") | Person(is_whole=True):
            return None
        case Phrase() | Person():
            paths = variants_of(term)
            if len(paths) > 1 or len(paths[0]) > (
                1 if isinstance(term, Phrase) and term.exact else LONGEST_RUN
            ):
                return None
            return next(iter(triggers_of(term)))
        case Category():
            return str(term).lower()
        case Organization():
            return f"org:{term.key}"
        case SourceName() | Identifier() | Signal():
            return str(term)


def triggers_of(term: Term) -> set[str]:  # noqa: PLR0911  one return for each kind of term
    """Return keys of which every paper that matches `term` has at least one."""
    match term:
        case Phrase(field="abs", words=words, exact=exact, prefix=prefix):
            return triggers_of(Phrase(words, "", exact=exact, prefix=prefix))
        case Phrase(prefix=True) | Person(prefix=True):
            return {f"{str(term).removesuffix('*')}{ANY}"}
        case Phrase(field=field, exact=exact):
            before = f"{field}:" if field else ""
            if exact:
                return {f"{before}={max(path, key=len)}" for path in variants_of(term)}
            return {before + " ".join(path[:LONGEST_RUN]) for path in variants_of(term)}
        case Person(is_whole=True):
            return {f"author:{key}" for key in keys_of_name(" ".join(term.words))}
        case Person():
            return {"author:" + " ".join(path[:LONGEST_RUN]) for path in variants_of(term)}
        case _:
            return {key} if (key := key_of(term)) else set()


def _runs(found: Sequence[Token]) -> Iterator[str]:
    """Every run of up to `LONGEST_RUN` adjacent words, joined by spaces."""
    following: list[list[tuple[str, int]]] = [[] for _ in range(found[-1].end + 1 if found else 0)]
    for word, _, start, end in found:
        following[start].append((word, end))
    runs = [(word, end) for word, _, _, end in found]
    yield from (run for run, _ in runs)
    for _ in range(LONGEST_RUN - 1):
        runs = [(f"{run} {word}", end) for run, place in runs for word, end in following[place]]
        yield from (run for run, _ in runs)


def _prefixes(found: Sequence[Token]) -> Iterator[str]:
    """Every prefix of the words with at least `SHORTEST_PREFIX` letters."""
    words = {token.word for token in found} | {
        small(token.form) for token in found if token.end - token.start == 1
    }
    return (f"{word[:length]}{ANY}" for word in words for length in range(SHORTEST_PREFIX, len(word) + 1))


def _forms(found: Iterable[Token]) -> set[str]:
    return {f"={token.form}" for token in found}


def _signals(paper: Paper) -> Iterator[str]:
    yield from (f"min:{votes}" for votes in range(1, min(paper.upvotes or 0, MOST_UPVOTES) + 1))
    if paper.rank is not None:
        yield from (f"top:{rank}" for rank in range(max(paper.rank, 1), LAST_RANK + 1))
    yield f"code:{'yes' if paper.code_url is not None else 'no'}"

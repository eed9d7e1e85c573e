"""The fields of the index, and a paper's content in them. Words are split by `bot.text`, as for matching."""

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from itertools import pairwise

import tantivy

from bot.domain.models import Paper
from bot.query.paper_view import categories_of, sources_of
from bot.text import Token, small, tokens
from bot.text.acronyms import acronyms, folded
from bot.text.names import given_first, keys_of_name, spelled
from bot.text.organizations import organization_key
from bot.text.terms import pairs

VERSION = 10
"""Part of the folder's name, so that an index with other fields gets a new folder."""

GAP = "|"
"""Separates texts, so that no phrase crosses it. It is never a token."""
STEMMED = "stemmed"
"""Name of the engine's tokenizer that stems. Each opened index has to register it."""
_EPOCH = date(1970, 1, 1)
_SCHEME = re.compile(r"^https?://(?:www\.)?|(?<!/)/++$|\.git$")


def schema() -> tantivy.Schema:
    """Return the fields of the index."""
    builder = tantivy.SchemaBuilder()
    builder.add_text_field("id", stored=True, tokenizer_name="raw", index_option="basic")
    builder.add_text_field("ids", tokenizer_name="raw", index_option="basic")
    for name in ("title", "abstract", "authors"):
        builder.add_text_field(name, tokenizer_name="whitespace", index_option="position")
    builder.add_text_field("stems", tokenizer_name=STEMMED, index_option="freq")
    builder.add_text_field("pairs", tokenizer_name="whitespace", index_option="freq")
    for name in ("joins", "acronyms", "names", "heads", "cat", "source", "links"):
        builder.add_text_field(name, tokenizer_name="whitespace", index_option="basic")
    for name in ("day", "upvotes"):
        builder.add_integer_field(name, indexed=True, fast=True)
    for name in ("rank", "code"):
        builder.add_integer_field(name, indexed=True)
    builder.add_integer_field("position", stored=True)
    return builder.build()


def stemmer() -> tantivy.TextAnalyzer:
    """Return an analyzer that splits at spaces and stems English: `hallucinate` and `hallucination` to `hallucin`."""
    builder = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.whitespace())
    return builder.filter(tantivy.Filter.stemmer("english")).build()


def document(paper: Paper) -> tantivy.Document:
    """Return `paper` as a document of the index."""
    title, abstract = tokens(paper.title), tokens(paper.abstract)
    fields: dict[str, str | int] = {
        "id": paper.id,
        "ids": paper.id.lower(),
        "title": _line(title),
        "abstract": _line(abstract),
        "pairs": " ".join((*pairs(title), *pairs(abstract))),
        "stems": " ".join(token.word for token in (*title, *abstract)),
        "acronyms": " ".join(dict.fromkeys(acronym_terms(paper))),
        "joins": " ".join(dict.fromkeys(t.word for t in (*title, *abstract) if t.end - t.start > 1)),
        "authors": f" {GAP} ".join(_line(tokens(given_first(name), plurals=False)) for name in paper.authors),
        "names": " ".join(
            dict.fromkeys(
                name_key
                for name in paper.authors
                for name_key in (*name_keys(name), *keys_of_name(spelled(name)))
            )
        ),
        "heads": " ".join(heads(paper.title)),
        "cat": " ".join(categories_of(paper)),
        "source": " ".join(sources_of(paper)),
        "links": " ".join(links(paper)),
        "day": day_of(paper.published),
        "upvotes": paper.upvotes or 0,
        "code": int(paper.code_url is not None),
    }
    found = tantivy.Document()
    for name, value in fields.items():
        if isinstance(value, int):
            found.add_integer(name, value)
        elif value:
            found.add_text(name, value)
    if paper.rank is not None:
        found.add_integer("rank", paper.rank)
    return found


def mark(position: int) -> tantivy.Document:
    """Return the only document that isn't a paper: it stores the position of the last indexed change."""
    found = tantivy.Document()
    found.add_text("id", "")
    found.add_integer("position", position)
    return found


def day_of(moment: datetime) -> int:
    """Return the days since 1970, in UTC."""
    return (moment.astimezone(UTC).date() - _EPOCH).days


def words_of(found: Iterable[Token]) -> list[str]:
    """Return the words in order, without the joined forms of hyphenated words."""
    return [token.word for token in found if token.end - token.start == 1]


def key(words: Sequence[str]) -> str:
    """Join words to one term."""
    return "_".join(words)


def heads(title: str) -> tuple[str, ...]:
    """Return a title as one term, and the name before its colon as another: `BERT: Pre-training of …`."""
    whole = key(words_of(tokens(title)))
    name, colon, _ = title.partition(":")
    return tuple(dict.fromkeys(filter(None, (whole, key(words_of(tokens(name))) if colon else ""))))


def name_keys(name: str) -> tuple[str, ...]:
    """Return pairs of name parts by which people search for an author: neighbours, first and last, initial and last."""
    parts = words_of(tokens(name, plurals=False))
    if len(parts) < 2:
        return ()
    *given, last = parts
    pairs = [*pairwise(parts), (given[0], last), *((part[0], last) for part in given)]
    return tuple(dict.fromkeys(map(key, pairs)))


def acronym_terms(paper: Paper) -> Iterator[str]:
    """Yield each acronym that `paper` explains, in both directions.

    `rag=retrieval_augmented_generation`, and with folded words `retrieval_augmented_generation=rag`.
    """
    for short, words in dict.fromkeys(acronyms(f"{paper.title}. {paper.abstract}")):
        yield f"{short}={key(words)}"
        yield f"{key(folded(words))}={short}"


def links(paper: Paper) -> Iterator[str]:
    """Yield the links that papers of the same people share: code, project page, organization."""
    for url in (paper.code_url, paper.project_url):
        if url:
            yield _SCHEME.sub("", url.strip().lower()).replace(" ", "")
    if paper.organization:
        yield f"org:{organization_key(paper.organization)}"


def _line(found: Sequence[Token]) -> str:
    """The words in order; after a gap the joined forms, and plurals unchanged, for prefixes."""
    extras = [token.word for token in found if token.end - token.start > 1]
    extras += [form for token in found if (form := small(token.form)) != token.word and "-" not in form]
    words = words_of(found)
    return " ".join((*words, GAP, *dict.fromkeys(extras)) if extras else words)

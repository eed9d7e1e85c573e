"""Random papers and queries for tests, from few words, so that they often match."""

from datetime import UTC, datetime
from typing import Any

from hypothesis import strategies as st

from bot.domain.models import Paper

WORDS = [
    "a", "b", "ab", "ba", "a-b", "b-a-a", "abab", "Ab", "AB", "as", "bs", "a's", "C++", "A*", "ab-A*", "101", "扩散模", "c",
]  # fmt: skip
FIELDS = ["", "", "", "title:", "abs:"]


def paper(title: str = "", abstract: str = "", **facts: Any) -> Paper:
    """Return a paper with defaults for the fields that a test doesn't need."""
    defaults: dict[str, Any] = {
        "id": "2601.00001",
        "authors": (),
        "url": "https://arxiv.org/abs/2601.00001",
        "published": datetime(2026, 1, 5, tzinfo=UTC),
    }
    return Paper(title=title, abstract=abstract, **(defaults | facts))


texts = st.lists(st.sampled_from(WORDS), max_size=10).map(" ".join)
optional_numbers = st.none() | st.integers(1, 40)
papers = st.builds(
    paper,
    title=texts,
    abstract=texts,
    id=st.sampled_from(["2601.00001", "doi:10.1/x"]),
    authors=st.lists(st.sampled_from(["Ada B", "Bo Ab-As", "A. C."]), max_size=2).map(tuple),
    categories=st.lists(st.sampled_from(["cs.CL", "cs.CV", "math.AG", "quant-ph"]), max_size=2).map(tuple),
    sources=st.lists(st.sampled_from(["huggingface", "arxiv:cs.CL"]), max_size=2).map(tuple),
    organization=st.none() | st.sampled_from(["Meta AI", "A-B", "ab", "The C++ Lab", "…"]),
    upvotes=optional_numbers,
    rank=optional_numbers,
    code_url=st.none() | st.just("https://github.com/a/b"),
)

words = st.sampled_from(WORDS)
phrases = st.lists(words, min_size=1, max_size=6).map(lambda parts: f'"{" ".join(parts)}"')
plain_terms = st.builds(
    lambda field, exact, text: f"{field}{exact}{text}",
    st.sampled_from(FIELDS),
    st.sampled_from(["", "", "", "="]),
    words | phrases,
)
facts = st.sampled_from(
    [
        "aba*", "a-ba*", "101*", "title:abs*", "author:ada", 'author:"bo ab"', "author:abas", "au:bo_a", "org:fair", "org:ab", 'org:"c++ lab"', "cat:cs.CL", "cat:cs.*",
        "cat:quant-ph", "source:hf", "source:arxiv", "id:2601.00001", "id:doi:10.1/x", "min:3", "min:30", "top:10",
        "code:yes", "code:no",
    ]
)  # fmt: skip
terms = plain_terms | plain_terms | facts
signs = st.sampled_from(["", "", "", "-"])
signed = st.builds(lambda sign, term: f"{sign}{term}", signs, terms)
query_texts = st.recursive(
    signed,
    lambda inner: st.builds(
        lambda parts, glue, sign: f"{sign}({glue.join(parts)})",
        st.lists(inner, min_size=2, max_size=3),
        st.sampled_from([" ", " OR ", ", ", " AND "]),
        signs,
    ),
    max_leaves=7,
)
"""Texts that are often, but not always, valid queries."""

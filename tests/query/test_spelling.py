"""A query is shown as its author spelled it, with the same meaning."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.errors import UserError
from bot.query import parse, spelled


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("Große Sprachmodelle", "Große Sprachmodelle"),
        ('"Große Sprachmodelle" -Überblick', '"Große Sprachmodelle" -Überblick'),
        ("Gro\u0308ße", "Größe"),
        ("Text-to-Image, RAG", "Text-to-Image OR RAG"),
        ('author:"LeCun, Yann"', 'author:"Yann LeCun"'),
        ("org:MIT", "org:MIT"),
        ('org:"Google DeepMind"', 'org:"Google DeepMind"'),
        ("cat:CS.cl SOURCE:arXiv TITLE:Agents", "cat:cs.CL source:arxiv title:Agents"),
        ("=ACE Diffus*", "=ACE Diffus*"),
        ('"Trending"', '"trending"'),
        ("dif\u200bfusion \u202eRAG", "diffusion RAG"),
        ("diffusion", "diffusion"),
    ],
)
def test_words_and_names_stay_as_typed(typed: str, shown: str) -> None:
    assert spelled(parse(typed)) == shown
    assert parse(shown) == parse(typed)


PIECES = st.sampled_from(
    ["Große", "RAG", '"World Model"', "OR", "(", ")", "-Survey", "title:(A OR B)", "author:LeCun", "org:MIT", "=ACE", "Ünï*",
     "trending", "Or", "cat:CS.ai", "İstanbul", "ﬁne", "Straße-Test", "min:30"]
)  # fmt: skip


@given(st.lists(PIECES, min_size=1, max_size=6).map(" ".join) | st.text(max_size=60))
def test_the_shown_query_parses_to_an_equal_one(typed: str) -> None:
    try:
        query = parse(typed)
    except UserError:
        return
    assert parse(spelled(query)) == query
    assert spelled(parse(spelled(query))) == spelled(query)


def test_an_operator_is_not_a_spelling_of_a_word() -> None:
    assert spelled(parse("Or title:(A OR B) Or")) == "Or (title:A OR title:B)"
    assert spelled(parse("Or (title:A OR title:B)")) == "Or (title:A OR title:B)"
    assert spelled(parse('"OR gate"')) == '"OR gate"'

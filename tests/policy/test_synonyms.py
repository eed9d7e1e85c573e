"""Synonyms for a part of a query: which are offered, and how they widen the query."""

import pytest

from bot.domain.errors import UserError
from bot.policy.synonyms import Synonym, synonyms, usual_meaning, widened
from bot.query import parse

RL = ("reinforcement", "learning")


def offered(query: str) -> list[str]:
    found = synonyms(
        parse(query),
        lambda short: RL if short == "rl" else None,
        lambda words: "rl" if tuple(words) == RL else None,
    )
    return [str(widened(parse(query), one)) for one in found]


@pytest.mark.parametrize(
    ("query", "wider"),
    [
        ("rl", ['rl OR "reinforcement learning"']),
        ("rl robots", ['(rl OR "reinforcement learning") robots', "rl (robots OR robotic)"]),
        ("title:rl -survey", ['(title:rl OR title:"reinforcement learning") -survey']),
        ('"reinforcement learning" min:30', ['("reinforcement learning" OR rl) min:30']),
        ("reinforcement learning", ["reinforcement learning OR rl"]),
        ("deep reinforcement learning", ["deep (reinforcement learning OR rl)"]),
        ("cats, rl", ['cats OR rl OR "reinforcement learning"']),
        ("quantized networks", ["(quantized OR quantization) networks"]),
        ("=RL", []),
        ("robot*", []),
        ("cats -rl", []),
        ("author:rl", []),
    ],
)
def test_each_part_with_synonyms_can_be_widened(query: str, wider: list[str]) -> None:
    assert offered(query) == wider


def test_a_synonym_is_written_as_the_parser_reads_it() -> None:
    for text in ('rl OR "reinforcement learning"', "reinforcement learning OR rl"):
        assert str(Synonym.parse(text)) == text
    for text in ("rl", "rl learning", "rl OR -cats"):
        with pytest.raises(UserError):
            Synonym.parse(text)


def test_a_query_with_both_or_without_the_part_is_not_widened() -> None:
    synonym = Synonym.parse('rl OR "reinforcement learning"')
    for query in ("cats", 'rl OR "reinforcement learning"'):
        with pytest.raises(UserError):
            widened(parse(query), synonym)


def test_a_meaning_must_be_common_and_often_explained() -> None:
    assert usual_meaning({RL: 20}) == RL
    assert usual_meaning({RL: 19}) is None
    assert usual_meaning({RL: 90, ("robot", "learning"): 10}) == RL
    assert usual_meaning({RL: 89, ("robot", "learning"): 11}) is None
    assert usual_meaning({}) is None


def test_spellings_of_one_meaning_count_together() -> None:
    assert usual_meaning({("multi", "modal", "model"): 12, ("multimodal", "models"): 13}) == (
        "multimodal",
        "models",
    )

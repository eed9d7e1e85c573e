"""Papers that a query matches."""

import pytest
from hypothesis import assume, given, settings

from bot.domain.errors import UserError
from bot.domain.models import Paper
from bot.query import parse
from bot.query.nodes import Person, Phrase, terms_of
from bot.query.variants import variants_of
from bot.text import Token, tokens
from tests.query.papers import paper, papers, plain_terms


@pytest.mark.parametrize(
    ("query", "title"),
    [
        ("rag", "RAG at scale"),
        ("llm", "On LLMs"),
        ("llms", "An LLM"),
        ("text-to-image", "Text to image models"),
        ('"text to image"', "Text-to-image models"),
        ("text-to-image", "TextToImage"),
        ("fine-tuning", "Finetuning it"),
        ("finetuning", "Fine-tuning it"),
        ('"supervised finetuning"', "Supervised fine-tuning of models"),
        ('"supervised fine-tuning of"', "Supervised finetuning of models"),
        ("gpt4", "GPT-4-based agents"),
        ("=GPT-4", "GPT-4-based agents"),
        ("müller", "Muller cells"),
        ("=ACE", "ACE-based editing"),
        ("diffus*", "Diffusers"),
        ("polici*", "New policies"),
        ("policy*", "New policies"),
        ("models*", "Big models"),
        ("finetun*", "Fine-tuned"),
        ("模型", "扩散模型"),
        ('"a* search"', "A* Search"),
        ('"state-of-the-art text-to-image fine-tuning of multi-modal models"', "State-of-the-art text-to-image fine-tuning of multi-modal models"),
        ('"state-of-the-art text-to-image fine-tuning of multi-modal models"', "State of the art text to image fine tuning of multi modal models"),
        ("id:2601.00001", "anything"),
    ],
)  # fmt: skip
def test_these_titles_match(query: str, title: str) -> None:
    assert parse(query).matches(paper(title))
    assert parse(query).matches(paper("", title))


@pytest.mark.parametrize(
    ("query", "title"),
    [
        ("rag", "Storage"),
        ("finetuning", "Fine tuning it"),
        ('"fine tuning"', "Finetuning it"),
        ("=ACE", "Ace of ACEs"),
        ("=GPT-4o", "GPT 4o"),
        ("c", "C++"),
        ("rate", "Rating"),
        ('"model large"', "Large model"),
        ('"large model"', "Large language model"),
        ("diffusion -survey", "Diffusion, a survey"),
        ("diffus*", "Infuse"),
    ],
)
def test_these_titles_do_not_match(query: str, title: str) -> None:
    assert not parse(query).matches(paper(title))


def test_a_phrase_does_not_match_across_title_and_abstract() -> None:
    assert not parse('"world model"').matches(paper("My world", "Model of it"))


def test_fields_search_only_their_part_of_a_paper() -> None:
    example = paper(
        "Robots",
        "walk",
        authors=("Jürgen Müller-Lüdenscheidt", "Ada Jones"),
        categories=("cs.RO", "quant-ph"),
    )
    for query in (
        "title:robot",
        "abs:walk",
        'au:"jurgen muller"',
        "author:mullerludenscheidt",
        "cat:cs.*",
        "cat:quant-ph",
    ):
        assert parse(query).matches(example), query
    for query in (
        "title:walk",
        "abs:robot",
        'au:"ludenscheidt ada"',
        "author:jone",
        "cat:cs.CL",
        "robot cat:math.*",
    ):
        assert not parse(query).matches(example), query


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ('author:"王 伟"', "王伟"),
        ('author:"山田太郎"', "山田 太郎"),
        ('author:"Dr. Ada Lovelace"', "A. Lovelace"),
        ('author:"Prof. Dr. Ada Lovelace"', "Ada Lovelace"),
        ('author:"ibn al-Haytham"', "Hasan Ibn al-Haytham"),
        ('author:"Bernhard Schoelkopf"', "Bernhard Schölkopf"),
        ('author:"Bernhard Schölkopf"', "Bernhard Schoelkopf"),
    ],
)
def test_authors_match_other_spellings(query: str, name: str) -> None:
    assert parse(query).matches(paper("Looms", authors=(name,)))
    assert parse(str(parse(query))) == parse(query)


def test_a_source_matches_by_its_name_before_the_colon() -> None:
    assert parse("source:arxiv").matches(paper(sources=("arxiv:cs.CL",)))
    assert not parse("source:arxiv").matches(paper(sources=("huggingface",)))


def test_signals_compare_numbers_of_the_paper() -> None:
    hot = paper("x", upvotes=30, rank=10, code_url="https://github.com/a/b")
    cold = paper("x", upvotes=29, rank=11)
    for query in ("min:30", "trending", "code:yes", "x min:3 top:20"):
        assert parse(query).matches(hot), query
    for query in ("min:30", "trending", "code:yes", "x -code:no"):
        assert not parse(query).matches(cold), query
    assert not parse("min:1 OR top:100").matches(paper("x"))


def _walks(found: list[Token], path: tuple[str, ...]) -> bool:
    """Whether the words of `path` follow each other in a text's tokens, starting at any token."""

    def from_here(place: int, rest: tuple[str, ...]) -> bool:
        return not rest or any(
            t.start == place and t.word == rest[0] and from_here(t.end, rest[1:]) for t in found
        )

    return any(from_here(token.start, path) for token in found)


@given(papers, plain_terms)
@settings(max_examples=400)
def test_a_phrase_matches_if_its_words_follow_each_other(one: Paper, typed: str) -> None:
    try:
        [(term, _)] = terms_of(parse(typed).root)
    except UserError:
        assume(False)
    assert isinstance(term, Phrase)
    places = {"title": [one.title], "abs": [one.abstract]}.get(term.field, [one.title, one.abstract])
    read = [[t._replace(word=t.form) if term.exact else t for t in tokens(text)] for text in places]
    expected = any(_walks(found, path) for found in read for path in variants_of(term))
    assert parse(typed).matches(one) == expected


def test_a_hyphenated_name_has_two_variants() -> None:
    assert variants_of(Person(("lecun-bengio",))) == (("lecun", "bengio"), ("lecunbengio",))

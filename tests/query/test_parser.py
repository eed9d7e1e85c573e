"""The query language: valid queries, and the errors of invalid ones."""

import time

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from bot.cards.errors import point_at
from bot.domain.errors import UserError
from bot.query import Query, parse
from bot.query.lexer import capitalized, narrow
from tests.query.papers import query_texts


@pytest.mark.parametrize(
    ("typed", "understood"),
    [
        ("diffusion policy", "diffusion policy"),
        ("diffusion AND policy", "diffusion policy"),
        ("diffusion, policy", "diffusion OR policy"),
        ("a b OR c d", "a b OR c d"),
        ("a (b OR c)", "a (b OR c)"),
        ("((a)) (b c)", "a b c"),
        ('"Language  Model" -survey', '"language model" -survey'),
        ("“smart quotes” –survey", '"smart quotes" -survey'),
        ("x NOT (a, b)", "x -(a OR b)"),
        ("x -(-b)", "x b"),
        ("a OR a OR b a b", "a OR b a"),
        ("ti:Robots au:LeCun abs:x", "title:robots author:lecun abs:x"),
        ("au:del_maestro", 'author:"del maestro"'),
        (
            "cat:CS.cl cat:cs.* cat:math cat:astro-ph.HE cat:quant-ph",
            "cat:cs.CL cat:cs.* cat:math.* cat:astro-ph.HE cat:quant-ph",
        ),
        (
            'org:"Meta AI" organisation:MIT lab:"ByteDance-Seed"',
            'org:meta org:"massachusetts institute of technology" org:"bytedance seed"',
        ),
        ('org:("the Fin AI" OR Z.ai)', 'org:"fin ai" OR org:zai'),
        ("source:HF source:arxiv", "source:huggingface source:arxiv"),
        ("id:https://arxiv.org/abs/2403.12345v2", "id:2403.12345"),
        ("id:math/0211159", "id:math/0211159"),
        ("id:math.GT/0211159v2", "id:math/0211159"),
        ("id:https://journals.example.org/doi/full/10.1234/ABC.5?x=1", "id:doi:10.1234/abc.5"),
        ("id:https://openreview.net/forum?id=aB3xYz", "id:openreview:ab3xyz"),
        ('id:"10.1016/S0140-6736(20)30183-5"', 'id:"doi:10.1016/s0140-6736(20)30183-5"'),
        ("id:10.1016/S0140-6736(20)30183-5", 'id:"doi:10.1016/s0140-6736(20)30183-5"'),
        ("(id:10.1016/S0140-6736(20)30183-5 OR a) b", '(id:"doi:10.1016/s0140-6736(20)30183-5" OR a) b'),
        ("(rag -id:10.1234/x(20)y)", 'rag -id:"doi:10.1234/x(20)y"'),
        (
            "id:10.1002/(SICI)1097-4571(199806)49:8<693::AID-ASI4>3.0.CO;2-O",
            'id:"doi:10.1002/(sici)1097-4571(199806)49:8<693::aid-asi4>3.0.co;2-o"',
        ),
        ("(a id:10.1234/x)", "a id:doi:10.1234/x"),
        ("id:(2403.12345 OR 2403.12346)", "id:2403.12345 OR id:2403.12346"),
        ('cat:"Cancer Biology" cat:neuroscience', "cat:cancer-biology cat:neuroscience"),
        ("id:https://doi.org/10.1101/2026.05.18.1", "id:doi:10.1101/2026.05.18.1"),
        ("id:10.1038/S41586-026-1", "id:doi:10.1038/s41586-026-1"),
        ("=ACE =GPT-4o", "=ACE =GPT-4o"),
        ('="Chain of Thought"', '="Chain of Thought"'),
        ("title:=RAG", "title:=RAG"),
        ("diffus* fine-tun*", "diffus* finetun*"),
        ("text-to-image", "text-to-image"),
        ("GPT-4o, Qwen2.5-1M, BERT's", "gpt-4o OR qwen2.5-1m OR bert"),
        ("C++ OR C# OR A*", "c++ OR c# OR a*"),
        ("Level-S$^2$fM", "level-s2fm"),
        ("LLMs Müller", "llm muller"),
        ("扩散模型", "扩散模型"),
        ("min:30 top:10 code:yes code:no", "min:30 top:10 code:yes code:no"),
        ("min:30", "min:30"),
        ("trending", "top:10"),
        ("Trending, rag", "top:10 OR rag"),
        ("trending rag", '"trending" rag'),
        ('"trending"', '"trending"'),
        ("LMEB: a Benchmark", "lmeb a benchmark"),
        ("cats or dogs and not birds", "cats or dogs and not birds"),
        ("foo/bar", '"foo bar"'),
        # fields before groups
        ("title:(agents OR rag)", "title:agents OR title:rag"),
        ("x -ti:(a, b)", "x -(title:a OR title:b)"),
        (
            "author:(hinton OR lecun) cat:(cs.CL, cs.CV)",
            "(author:hinton OR author:lecun) (cat:cs.CL OR cat:cs.CV)",
        ),
        ("title:(a author:b (c OR abs:d))", "title:a author:b (title:c OR abs:d)"),
        ("title:(trending)", 'title:"trending"'),
        # characters of other keyboards and autocorrection
        ("title：模型 ｍin：30", "title:模型 min:30"),
        ("「world model」 －survey、rag", '"world model" -survey OR rag'),
        ("（a OR b） ＝ACE diffus＊", "(a OR b) =ACE diffus*"),
        ("“language model” —survey", '"language model" -survey'),
        ("R&D, Ｒ＆Ｄ-based", "r&d OR r&d-based"),
    ],
)
def test_queries_are_parsed_as_expected(typed: str, understood: str) -> None:
    query = parse(typed)
    assert str(query) == understood
    assert parse(understood) == query


@pytest.mark.parametrize(
    ("typed", "message", "marked"),
    [
        ("", "Type what to search for", ""),
        ("   ", "Type what to search for", ""),
        ("a OR OR b", "“OR” needs a word after it", "OR"),
        ("OR b", "“OR” needs a word before it", "OR"),
        ("a,", "“,” needs a word after it", ","),
        ("a AND", "“AND” needs a word after it", "AND"),
        ('rag "unclosed', "Missing closing quote", '"unclosed'),
        ("(a b", "Missing closing bracket", "("),
        ("a)", "Extra closing bracket", ")"),
        ("a ()", "brackets are empty", "()"),
        ("-only", "at least one word to search for", "-"),
        ("a OR -b", "at least one word to search for", "-"),
        ("-(a OR b)", "at least one word to search for", "-"),
        ("a - b", "right before the word", "-"),
        ("a -", "“-” needs a word after it", "-"),
        ("NOT NOT a", "Double minus", "NOT NOT"),
        ("ai*", "at least 3 letters", "ai*"),
        ("*", "no letters or digits", "*"),
        ("dif*sion", "end of a single word", "dif*sion"),
        ('"large lang*"', "end of a single word", '"large lang*"'),
        ("=ACE*", "end of a single word", "=ACE*"),
        ("🚀", "“🚀” has no letters", "🚀"),
        ("titel:x", "the field “titel:”", "titel:x"),
        ("title: x", "right after it", "title:"),
        ("org:goog*", "a whole name", "org:goog*"),
        ("org:🚀", "no letters", "org:🚀"),
        ("org:=x", "“org:” doesn't take it", "org:=x"),
        ("cat:3d", "isn't an arXiv category", "cat:3d"),
        ("min:0", "number from 1", "min:0"),
        ("top:many", "number from 1", "top:many"),
        ("code:maybe", "is yes or no", "code:maybe"),
        ("title:()", "brackets are empty", "()"),
        ("titel:(a)", "the field “titel:”", "titel:"),
        ("author:=X", "for exact words", "author:=X"),
        (
            "see https://huggingface.co/papers/2403.12345",
            "a link",
            "https://huggingface.co/papers/2403.12345",
        ),
        ("https://example.org/a", "a link", "https://example.org/a"),
        ("(" * 60 + "a" + ")" * 60, "8 deep", "("),
        (" ".join("abcdefghijklmnopq"), "at most 16 terms", None),
        ("x" * 300, "at most 256 characters", "x" * 44),
    ],
)
def test_a_mistake_is_explained_and_marked(typed: str, message: str, marked: str | None) -> None:
    with pytest.raises(UserError, match=message.replace("(", r"\(")) as refusal:
        parse(typed)
    at = refusal.value.at
    assert (at and typed[slice(*at)]) == marked


@pytest.mark.parametrize(
    ("typed", "hint"),
    [
        ("-only", "diffusion -only"),
        ('rag "unclosed ', 'rag "unclosed"'),
        ("titel:x", "title:x"),
        ("lang:en", '"lang en"'),
        ("https://arxiv.org/pdf/2403.12345v2", "id:2403.12345"),
        ("cat:3d", "cat:cs.CL"),
        ("min:lots", "min:30"),
        ('"language model" — survey', '"language model" -survey'),
        ("agents - survey rag", "agents -survey rag"),
    ],
)
def test_a_mistake_comes_with_a_hint(typed: str, hint: str) -> None:
    with pytest.raises(UserError) as refusal:
        parse(typed)
    assert refusal.value.hint == hint


def test_carets_mark_the_mistake() -> None:
    assert point_at("a OR OR b", (2, 4)) == "a OR OR b\n  ^^"
    assert point_at("扩散 🚀", (3, 4)) == "扩散 🚀\n     ^^"
    assert point_at("(a", (2, 2)) == "(a\n  ^"


@given(query_texts)
@settings(max_examples=500)
def test_the_canonical_text_means_the_same_query(typed: str) -> None:
    try:
        query = parse(typed)
    except UserError:
        assume(False)
    assert parse(str(query)) == query
    assert str(parse(str(query))) == str(query)


anything = st.text(max_size=280) | st.text(alphabet='ab-*=:"()“, ORNDT扩é🚀$\\^{}', max_size=80)


def parsed(typed: str) -> Query | UserError:
    try:
        return parse(typed)
    except UserError as error:
        return error


@given(anything)
@example("00S")
@settings(max_examples=1000)
def test_any_text_is_a_query_or_a_user_error(typed: str) -> None:
    outcome = parsed(typed)
    if isinstance(outcome, Query):
        assert parse(str(outcome)) == outcome
    else:
        start, end = outcome.at or (0, 0)
        assert str(outcome)
        assert 0 <= start <= end <= len(typed)
        assert point_at(typed, (start, end))


@pytest.mark.parametrize(
    "piece", ["(", "-", '"', "a ", "a-", "a,", "NOT ", "a:", "=", "*", "(a ", "$", "\\", "扩", "-(", "9,9"]
)
def test_the_longest_queries_are_parsed_quickly(piece: str) -> None:
    begun = time.perf_counter()
    for _ in range(10):
        parsed((piece * 256)[:256])
    assert time.perf_counter() - begun < 1


@pytest.mark.parametrize("typed", ["(" * 1_000_000, "a" * 1_000_000])
def test_a_too_long_query_is_refused_before_parsing(typed: str) -> None:
    with pytest.raises(UserError):
        parse(typed)


def test_a_query_knows_whether_it_uses_signals() -> None:
    assert parse("diffusion OR min:3").has_signals
    assert not parse("diffusion -policy").has_signals


@pytest.mark.parametrize(
    ("typed", "operators"),
    [
        ("diffusion or flow", "diffusion OR flow"),
        ("cats or dogs and not birds", "cats OR dogs AND NOT birds"),
        ("a and (b or c)", "a AND (b OR c)"),
        ("“black and white” or colour", "“black and white” OR colour"),
        ("black-and-white", None),
        ("to be or", None),
        ("not only", None),
        ("title:or or x", "title:or OR x"),
        ("a OR b", None),
    ],
)
def test_possibly_intended_operators_are_found(typed: str, operators: str | None) -> None:
    assert capitalized(typed) == (operators and narrow(operators))

"""Any input has an answer or is a user error, and results obey the query language."""

from collections.abc import Sequence

from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.domain.errors import UserError
from bot.domain.models import Paper
from bot.query import Query, parse
from bot.search.fields import day_of
from bot.search.index import Index
from bot.search.query_parser import ParsedSearch, parse_search
from bot.search.ranking import Ranked, Ranking
from bot.search.snippet import snippet
from bot.search.suggestions import complete_title, suggest_spelling
from tests.papers import SPRING, a_paper
from tests.search.typed_inputs import typed

WORDS = (
    "fine",
    "tuning",
    "finetuning",
    "fine-tuning",
    "policies",
    "policy",
    "the",
    "RAG",
    "rag",
    "C++",
    "text-to-image",
)
AUTHORS = ("Ada Lovelace", "Jean-Pierre Serre", "Łukasz Kaiser", "J. Serre")
CATEGORIES = ("cs.CL", "cs.LG", "math.CO")

a_text = st.lists(st.sampled_from(WORDS), min_size=1, max_size=6).map(" ".join)
some_papers = st.lists(
    st.builds(
        lambda title, abstract, authors, categories, upvotes: {
            "title": title,
            "abstract": abstract,
            "authors": tuple(authors),
            "categories": tuple(categories),
            "upvotes": upvotes,
        },
        a_text,
        a_text,
        st.lists(st.sampled_from(AUTHORS), max_size=2),
        st.lists(st.sampled_from(CATEGORIES), max_size=2),
        st.integers(0, 9),
    ),
    min_size=1,
    max_size=8,
)
a_term = st.one_of(
    st.sampled_from(WORDS).map(lambda word: f"title:{word}"),
    st.lists(st.sampled_from(WORDS), min_size=1, max_size=3).map(lambda words: f'abs:"{" ".join(words)}"'),
    st.lists(st.sampled_from(WORDS), min_size=2, max_size=3).map(lambda words: f'title:"{" ".join(words)}"'),
    st.sampled_from(WORDS).map(lambda word: f"=title:{word}" if word == "RAG" else f"abs:{word}"),
    st.sampled_from(
        ('author:"pierre serre"', "author:kaiser", "author:jean-pierre", "abs:tun*", "title:pol*")
    ),
    st.sampled_from(CATEGORIES).map(lambda name: f"cat:{name}"),
    st.integers(1, 9).map(lambda votes: f"min:{votes}"),
)
a_query = st.lists(
    st.tuples(a_term, st.sampled_from((" ", " -", " OR "))).map("".join), min_size=1, max_size=5
).map(lambda parts: "".join(parts).rstrip(" -OR"))


def indexed(papers: Sequence[Paper]) -> Index:
    index = Index()
    index.become_writer()
    index.write(papers, (), 0)
    return index


def ranked(index: Index, search: ParsedSearch) -> Ranked:
    return Ranking(index.schema, index.searcher(), day_of(SPRING)).search(search)


SHELF = tuple(
    a_paper(f"2603.0000{n}", title=title, abstract="We look at policies, and at RAG in C++. 日本語", authors=AUTHORS[:n])
    for n, title in enumerate(("Diffusion Policy: a Survey", "Fine-tuning LLMs", "RAG", "日本語の論文", "Erdős on A* search"))
)  # fmt: skip
INDEX = indexed(SHELF)


@settings(max_examples=400, deadline=None)
@given(typed)
@example("~aaaaaaaaaaaaaaaa")
@example("a" * 400)
@example("|")
@example('"|" -|')
def test_any_input_has_an_answer_or_is_a_user_error(text: str) -> None:
    searcher = INDEX.searcher()
    complete_title(text, INDEX.schema, searcher, 10)
    try:
        search = parse_search(text)
    except UserError:
        return
    found = ranked(INDEX, search)
    assert set(found.ids) <= {paper.id for paper in SHELF}
    suggest_spelling(search, SHELF, searcher)
    for paper in SHELF:
        runs = snippet(search, paper, near=True)
        assert all(run.text for run in runs)


@settings(max_examples=150, deadline=None)
@given(some_papers, a_query)
def test_results_of_a_query_are_the_papers_that_it_matches(
    facts: Sequence[dict[str, object]], text: str
) -> None:
    try:
        query = parse(text)
    except UserError:
        return
    papers = [a_paper(f"p{n}", **fact) for n, fact in enumerate(facts)]
    search = parse_search(text)
    assert search.must is not None
    found = ranked(indexed(papers), search)
    matching = {paper.id for paper in papers if query.matches(paper)}
    assert matching <= set(found.ids)
    if found.exact:
        assert matching == set(found.ids)
    proven = {paper.id for paper in papers if paper.id in found.ids and Query(search.must).matches(paper)}
    assert matching == proven

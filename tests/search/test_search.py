"""The right paper is found, however the query is phrased."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.errors import UserError
from bot.domain.models import Paper
from bot.search.search import Search
from bot.store.papers import Papers
from tests.papers import a_paper
from tests.search.conftest import NOW

Finds = Callable[..., Awaitable[list[str]]]

SHELF = (
    a_paper(
        "2603.00001",
        title="Diffusion Policy: Visuomotor Learning via Action Diffusion",
        abstract="We represent a robot's policy as a denoising process.",
        authors=("Cheng Chi", "Siyuan Feng", "Shuran Song"),
        categories=("cs.RO",),
        upvotes=40,
    ),
    a_paper(
        "2603.00002",
        title="Fine-tuning LLMs with Retrieval-Augmented Generation (RAG)",
        abstract="Large language models are finetuned, with storage for what they read.",
        authors=("Łukasz Kaiser", "José García", "Yoshua Bengio"),
        categories=("cs.CL", "cs.LG"),
        published=NOW - timedelta(days=2),
    ),
    a_paper(
        "2603.00003",
        title="A Survey of Policy Gradients",
        abstract="Policies, gradients and their diffusion through communities.",
        authors=("Yuki Bengio", "Richard Sutton"),
        categories=("cs.LG",),
        published=NOW - timedelta(days=300),
        upvotes=7,
    ),
    a_paper(
        "math/0309136", title="On a Conjecture of Erdős", abstract="We prove it.", authors=("Ada Lovelace",)
    ),
)


@pytest.fixture
async def finds(search: Search, papers: Papers) -> Finds:
    """A function that returns the ids that a search finds, best first."""
    await papers.remember(SHELF)
    await search.catch_up()

    async def ids(text: str, **options: object) -> list[str]:
        return [paper.id for paper in (await search.find(text, **options)).papers]  # type: ignore[arg-type]  # options of `find`

    return ids


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("diffusion policy", "2603.00001"),
        ("Diffusion Policy: Visuomotor Learning via Action Diffusion", "2603.00001"),
        ("visuomotr lerning", "2603.00001"),
        ("finetuning llm", "2603.00002"),
        ("fine-tuning", "2603.00002"),
        ("RAG", "2603.00002"),
        ("kaiser", "2603.00002"),
        ("Łukasz Kaiser et al.", "2603.00002"),
        ("jose garcia", "2603.00002"),
        ("Y. Bengio retrieval", "2603.00002"),
        ("Bengio, Yuki", "2603.00003"),
        ("Sutton R.", "2603.00003"),
        ("erdos conjecture", "math/0309136"),
        ("author:song robot", "2603.00001"),
        ('"policy gradients"', "2603.00003"),
        ("“policy gradients", "2603.00003"),
        ("cat:cs.CL", "2603.00002"),
        ("polic* -diffusion OR title:survey", "2603.00003"),
        ("min:30 robot", "2603.00001"),
    ],
)
async def test_the_intended_paper_comes_first(finds: Finds, typed: str, first: str) -> None:
    assert (await finds(typed))[:1] == [first]


@pytest.mark.parametrize(
    "typed",
    [
        "2603.00001", "2603.00001v3", "arXiv:2603.00001", "id:2603.00001", "arXiv:2603.00001v2 [cs.RO]",
        "https://arxiv.org/abs/2603.00001v1", "http://www.arxiv.org/pdf/2603.00001.pdf", "arxiv.org/html/2603.00001v2#S1",
        "https://huggingface.co/papers/2603.00001", "hf.co/papers/2603.00001?utm=x", "<https://arxiv.org/abs/2603.00001>",
        "10.48550/arXiv.2603.00001", "doi:10.48550/arXiv.2603.00001", "https://doi.org/10.48550/arXiv.2603.00001",
        "https://www.alphaxiv.org/overview/2603.00001", "https://ar5iv.labs.arxiv.org/html/2603.00001",
    ],
)  # fmt: skip
async def test_an_id_or_link_in_any_form_finds_its_paper(finds: Finds, typed: str) -> None:
    assert await finds(typed) == ["2603.00001"]


async def test_old_style_arxiv_ids_are_found(finds: Finds) -> None:
    assert await finds("https://arxiv.org/abs/math.GT/0309136") == ["math/0309136"]
    assert await finds("https://arxiv.org/abs/math/0309136v2") == ["math/0309136"]


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("policy -diffusion", []),
        ("policy -survey", ["2603.00001"]),
        ('policy -"action diffusion"', ["2603.00003"]),
        ('"fine-tuning llms"', ["2603.00002"]),
        ('"finetuning llms"', ["2603.00002"]),
        ('"llms fine-tuning"', []),
        ("=RAG generation", ["2603.00002"]),
        ("=rag generation", []),
        ("kaiser OR sutton", ["2603.00002", "2603.00003"]),
        ("cat:cs.LG min:5", ["2603.00003"]),
        ("rag cat:cs.RO", []),
        ('"yoshua bengio"', ["2603.00002"]),
        ("policy -song", ["2603.00003"]),
    ],
)
async def test_operators_of_the_query_language_are_obeyed(finds: Finds, typed: str, found: list[str]) -> None:
    assert sorted(await finds(typed)) == found


async def test_results_can_be_limited_by_days_and_sorted(finds: Finds) -> None:
    assert await finds("policy", days=30) == ["2603.00001"]
    assert await finds("bengio", sort="new") == ["2603.00002", "2603.00003"]
    assert await finds("policy", sort="top") == ["2603.00001", "2603.00003"]


@pytest.mark.usefixtures("finds")
async def test_a_misspelled_word_finds_results_and_a_suggestion(search: Search) -> None:
    found = await search.find("difusion polcy")
    assert (found.papers[0].id, found.loose, found.spelling) == ("2603.00001", True, "diffusion policy")
    found = await search.find("survay")
    assert (found.papers[0].id, found.spelling) == ("2603.00003", "survey")


async def test_an_acronym_finds_papers_with_its_long_form(search: Search, papers: Papers) -> None:
    explained = [
        a_paper(f"p{n}", title=f"Part {n}", abstract="We use Graph-Structured Attention Nets (GSAN) here.")
        for n in range(3)
    ]
    spelled_out = a_paper("p9", title="On Graph Structured Attention Nets", abstract="No short name for it.")
    other = a_paper("p8", title="Nets", abstract="Graphs with structured attention.")
    await papers.remember([*explained, spelled_out, other])
    await search.catch_up()
    found = await search.find("gsan")
    assert {paper.id for paper in found.papers} == {"p0", "p1", "p2", "p9"}
    assert found.total == 4


async def test_a_title_with_operators_finds_its_paper(search: Search, papers: Papers) -> None:
    titles = ("Learning What NOT to Count", "Cats OR Dogs, (a) Question", "AND so it Begins")
    await papers.remember([a_paper(f"p{n}", title=title) for n, title in enumerate(titles)])
    await papers.remember([a_paper(f"q{n}", title="Learning what we count, or cats") for n in range(6)])
    await search.catch_up()
    for n, title in enumerate(titles):
        assert (await search.find(title)).papers[0].id == f"p{n}", title


async def test_results_have_pages_of_five(search: Search, papers: Papers) -> None:
    await papers.remember([a_paper(f"p{n:02}", title="On rats") for n in range(12)])
    await search.catch_up()
    pages = [await search.find("rats", page=page) for page in (1, 2, 3, 4)]
    assert [len(page.papers) for page in pages] == [5, 5, 2, 2]
    assert {(page.total, page.pages) for page in pages} == {(12, 3)}
    assert len({paper.id for page in pages[:3] for paper in page.papers}) == 12


async def test_an_empty_or_too_long_query_is_a_user_error(search: Search) -> None:
    for typed in ("", "  ", "()", "?!", "x" * 500):
        with pytest.raises(UserError):
            await search.find(typed)


async def test_sample_papers_are_found_until_there_is_a_real_one(papers: Papers) -> None:
    async def sample() -> tuple[Paper, ...]:
        return SHELF

    search = Search(papers, None, lambda: NOW, sample)
    assert (await search.find("robot")).papers == SHELF[:1]
    await papers.remember([a_paper("2603.00009", title="Robot")])
    await search.catch_up()
    assert [paper.id for paper in (await search.find("robot")).papers] == ["2603.00009"]
    await search.close()


QUESTIONS = (
    a_paper("q1", title="Reducing Confabulation", abstract="Hallucinations of language models on medical questions."),
    a_paper("q2", title="Grasping with Transfer", abstract="Sim-to-real transfer for robot hands that fold shirts."),
    a_paper("q3", title="Quantum Channels", abstract="Entanglement and its capacity in quantum networks."),
    a_paper("q4", title="Boiling the Frog", abstract="Gradual attacks on agents."),
    a_paper("q5", title="A Quantum Frog", abstract="It plays games."),
    a_paper("q6", title="Quantum Kernels", abstract="Fast ones."),
)  # fmt: skip


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("why do language models hallucinate on questions of medicine that doctors ask them?", "q1"),
        ("I am looking for recent papers about robots folding a shirt", "q2"),
        ("sim2real", "q2"),
        ("what is known about the capacity of entangled networks", "q3"),
    ],
)
async def test_a_question_finds_papers_that_lack_some_of_its_words(
    search: Search, papers: Papers, typed: str, first: str
) -> None:
    await papers.remember(QUESTIONS)
    await search.catch_up()
    assert (await search.find(typed)).papers[0].id == first


async def test_papers_that_only_share_single_words_are_offered_as_parts(
    search: Search, papers: Papers
) -> None:
    await papers.remember(QUESTIONS)
    await search.catch_up()
    assert (await search.find("quantum entanglement in frogs")).parts == (
        ("quantum entanglement", 1),
        ("frogs", 2),
    )
    assert (await search.find("quantum entanglement")).parts is None


RADIO = a_paper(
    "s1",
    title="Adaptive Codes for Vehicles",
    abstract="Decoding is fast. Errors come in bursts. The radio link fades. Its origin is unknown.",
)
"""A paper that has the words of "fast radio bursts" but is about something else."""


@pytest.mark.parametrize(
    "typed", ["fast radio bursts", "what is the origin of fast radio bursts", "do bursts of radio last"]
)
async def test_a_paper_with_the_words_far_apart_is_not_an_answer(
    search: Search, papers: Papers, typed: str
) -> None:
    await papers.remember([RADIO, *QUESTIONS])
    await search.catch_up()
    assert (await search.find(typed)).parts is not None


@pytest.mark.parametrize(
    "typed",
    [
        "adaptive codes vehicles",  # a title
        "adaptve codes vehicles",  # misspelled
        "adaptive codes fro vehiclse please",
        "why is it so hard to get a fast decoding",  # filler words in the question
        "errors bursts radio",
        "hallucinations of language models",
        "which hallucinations do language models get on medical questions",
    ],
)
async def test_a_paper_with_most_of_the_words_close_together_is_an_answer(
    search: Search, papers: Papers, typed: str
) -> None:
    await papers.remember(
        [replace(RADIO, abstract="Errors come in bursts on a radio link with fast decoding."), *QUESTIONS]
    )
    await search.catch_up()
    found = await search.find(typed)
    assert found.parts is None
    assert found.papers[0].id in {"s1", "q1"}


async def test_several_papers_with_most_of_the_words_are_an_answer(search: Search, papers: Papers) -> None:
    resistant = [a_paper(f"r{n}", title=f"Antibiotic Resistance {n}", abstract="It grows.") for n in range(3)]
    bacteria = a_paper("b1", title="Bacteria in Soil", abstract="They live.")
    await papers.remember([*resistant, bacteria, *QUESTIONS])
    await search.catch_up()
    found = await search.find("how do bacteria become resistant to antibiotics")
    assert found.parts is None
    assert found.papers[0].title.startswith("Antibiotic Resistance")


async def test_a_comparison_does_not_need_all_of_its_words(search: Search, papers: Papers) -> None:
    about = a_paper("c1", title="DPO and PPO Compared", abstract="PPO wins. DPO is simple.")
    aside = [a_paper(f"c{n}", title=f"Game {n}", abstract="We try DPO, PPO, alignment.") for n in range(2, 9)]
    await papers.remember([about, *aside])
    await search.catch_up()
    found = await search.find("DPO vs PPO for alignment", size=20)
    assert "c1" in {paper.id for paper in found.papers}


async def test_each_offered_part_has_a_word_that_earlier_parts_lack(search: Search, papers: Papers) -> None:
    await papers.remember(QUESTIONS)
    await search.catch_up()
    assert (await search.find("frogs hallucinating kernels")).parts == (
        ("hallucinating", 1),
        ("kernels", 1),
        ("frogs", 2),
    )


async def test_a_title_with_all_words_comes_before_a_text_that_repeats_them(
    search: Search, papers: Papers
) -> None:
    titled = a_paper(
        "t1", title="A Study of the Sparse in Long and Wide Attention over Memory", abstract="We prove it."
    )
    often = a_paper(
        "t2", title="Sparse Sparse Memory", abstract="Attention, attention and memory: attention."
    )
    await papers.remember([titled, often])
    await search.catch_up()
    assert (await search.find("memory sparse attention")).papers[0].id == "t1"


async def test_a_paper_with_only_one_of_two_names_is_not_found(search: Search, papers: Papers) -> None:
    tao = a_paper("t1", title="On Proofs", abstract="A question that Terence Tao asked.")
    other = a_paper("t2", title="The Tao of Agents", abstract="It flows.")
    await papers.remember([tao, other])
    await search.catch_up()
    assert [paper.id for paper in (await search.find("terence tao")).papers] == ["t1"]


async def test_other_forms_of_the_words_in_a_question_count(search: Search, papers: Papers) -> None:
    literal = a_paper("l1", title="Probing", abstract="Some LLMs hallucinate on maps.")
    better = a_paper(
        "l2",
        title="LLMs and Hallucinations",
        abstract="LLMs are hallucinating. We explain hallucination by hallucinated data of LLMs.",
    )
    await papers.remember([literal, better])
    await search.catch_up()
    assert [paper.id for paper in (await search.find("why do LLMs hallucinate")).papers] == ["l2", "l1"]


async def test_a_paper_with_most_words_comes_before_one_with_the_rarest_in_its_title(
    search: Search, papers: Papers
) -> None:
    many = a_paper(
        "r2", title="A Policy", abstract="The robot did fold the laundry of a house within an hour or two."
    )
    rare = [a_paper(f"r1{n}", title=f"Folding Context {n}", abstract="It is long.") for n in range(3)]
    others = [a_paper(f"o{n}", title="Robots", abstract="Arms for laundry rooms.") for n in range(9)]
    await papers.remember([many, *rare, *others])
    await search.catch_up()
    assert (await search.find("papers about robots folding laundry")).papers[0].id == "r2"


async def test_similar_papers_share_the_subject_and_a_shared_author_breaks_ties(
    search: Search, papers: Papers
) -> None:
    original = a_paper(
        "p0", title="Process Reward Models", abstract="Verifiers for proofs.", authors=("Ada Byron",)
    )
    same_subject = a_paper("p1", title="On Process Reward", abstract="Verifiers.", authors=("Carl Gauss",))
    same_author = a_paper("p2", title="Gardening at Night", abstract="On tulips.", authors=("Ada Byron",))
    both = a_paper("p3", title="On Process Reward", abstract="Verifiers.", authors=("Ada Byron",))
    other = a_paper("p4", title="Roses", abstract="More on gardens.", authors=("Carl Gauss",))
    await papers.remember([original, same_subject, same_author, both, other])
    await search.catch_up()
    assert [paper.id for paper in await search.similar(original)] == ["p3", "p1"]

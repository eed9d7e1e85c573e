"""Finding the papers that a text mentions."""

from hypothesis import given
from hypothesis import strategies as st

from bot.text.mentions import MAX_PAPERS, papers_in
from tests.text.paper_addresses import NONE, SAME

FORMS = [(form, identity) for identity, forms in SAME.items() for form in forms]
LINKS = [(form, identity) for form, identity in FORMS if form.startswith("http")]


def test_every_form_is_found_among_other_words() -> None:
    for form, identity in FORMS:
        for text in (form, f"Look at {form} please", f"see {form}, then", f"({form})"):
            assert papers_in(text) == (identity,), text


def test_links_are_found_in_the_markup_of_every_platform() -> None:
    for link, identity in LINKS:
        marked = (f"[a title]({link})", f"<{link}>", f"<{link}|a title>", f"||{link}||", f"**{link}**")
        for text in (*marked, f"_{link}_", f"`{link}`", f"[a (long) title](<{link}>)"):
            assert papers_in(text) == (identity,), text


def test_several_papers_are_found_in_order_and_once_each() -> None:
    text = "PMID 38123456, https://arxiv.org/abs/2403.12345v2 (arXiv:2403.12345) and\n- doi: 10.1234/ABC"
    assert papers_in(text) == ("pmid:38123456", "2403.12345", "doi:10.1234/abc")


def test_no_paper_is_found_in_other_text() -> None:
    words = (
        "Lunch at 12.30 in room 5.101? See github.com/a/b, v2.0.1 and https://arxiv.org/list/cs.CL/recent."
    )
    assert papers_in(words) == ()
    assert [text for text in NONE if " " not in text and papers_in(text)] == []


def test_papers_and_length_of_a_text_are_limited() -> None:
    assert len(papers_in(" ".join(f"2403.{number:05}" for number in range(100)))) == MAX_PAPERS
    assert papers_in("x " * 100_000 + "2403.12345") == ()


@given(st.lists(st.sampled_from(sorted(SAME)), unique=True, max_size=MAX_PAPERS))
def test_canonical_ids_are_found(ids: list[str]) -> None:
    assert papers_in(" ".join(ids)) == tuple(ids)


@given(st.text(max_size=300))
def test_any_text_is_accepted_and_no_paper_is_found_twice(text: str) -> None:
    assert len(set(papers_in(text))) == len(papers_in(text))

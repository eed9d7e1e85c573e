"""Every address and identifier of a paper gives the same id."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.text.identity import MAX_LENGTH, arxiv_id, is_arxiv, paper_id
from tests.text.paper_addresses import NONE, SAME

PAIRS = [(form, canonical) for canonical, forms in SAME.items() for form in forms]


def test_at_least_200_forms_are_tested() -> None:
    assert len({form for form, _ in PAIRS}) >= 200


@pytest.mark.parametrize(("form", "canonical"), PAIRS)
def test_every_form_gives_the_canonical_id(form: str, canonical: str) -> None:
    assert paper_id(form) == canonical


@pytest.mark.parametrize("canonical", SAME)
def test_a_canonical_id_stays_the_same(canonical: str) -> None:
    assert paper_id(canonical) == canonical


@pytest.mark.parametrize("form", NONE)
def test_text_that_names_no_paper_has_no_id(form: str) -> None:
    assert paper_id(form) is None


@given(st.text(max_size=200) | st.text("/.:?#&%=10arxivdo() <>[]v", max_size=200))
def test_any_text_is_accepted_and_ids_are_stable(form: str) -> None:
    for text in (
        form,
        f"https://arxiv.org/{form}",
        f"10.1234/{form}",
        f"https://x.example/{form}",
    ):
        found = paper_id(text)
        assert found is None or (paper_id(found) == found and " " not in found)


@given(st.sampled_from(PAIRS), st.sampled_from(["", " ", ".", ")", "\n", "\u200b", ",", "”"]))
def test_following_punctuation_is_not_part_of_the_id(pair: tuple[str, str], tail: str) -> None:
    form, canonical = pair
    assert paper_id(form + tail) == canonical


def test_ids_of_arxiv_are_recognized() -> None:
    assert arxiv_id("https://arxiv.org/abs/math.GT/0309136v1") == "math/0309136"
    assert arxiv_id("10.1234/x") is None
    assert [is_arxiv(one) for one in ("2403.12345", "math/0309136", "doi:10.1/x", "feed:0123")] == [
        True,
        True,
        False,
        False,
    ]


HOSTILE = ["[", "<", "(", ")", "10.", "10.1234/", "/", "%2F", "%25", "arxiv:", "arxiv ", "a.", "a-", "https://", "/https:/", "&a=", "?", "v1", "/full", ".pdf", " [", "2403.", "\u0301"]  # fmt: skip


@pytest.mark.parametrize("piece", HOSTILE)
@pytest.mark.parametrize(
    "head", ["", "10.1234/", "https://arxiv.org/", "https://a.example/?", "https://www.semanticscholar.org/"]
)
@pytest.mark.timeout(10)
def test_hostile_text_is_processed_quickly(piece: str, head: str) -> None:
    form = (head + piece * MAX_LENGTH)[:MAX_LENGTH]
    found = paper_id(form)
    assert found is None or len(found) <= MAX_LENGTH + 4

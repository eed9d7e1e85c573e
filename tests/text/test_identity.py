"""Every address and identifier of a paper gives the same id."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.text.identity import MAX_LENGTH, arxiv_id, is_arxiv, paper_id
from tests.text.paper_addresses import NONE, SAME

PAIRS = [(written, canonical) for canonical, forms in SAME.items() for written in forms]


def test_the_corpus_is_large() -> None:
    assert len({written for written, _ in PAIRS}) >= 200


@pytest.mark.parametrize(("written", "canonical"), PAIRS)
def test_every_form_names_the_same_paper(written: str, canonical: str) -> None:
    assert paper_id(written) == canonical


@pytest.mark.parametrize("canonical", SAME)
def test_a_canonical_id_is_read_as_itself(canonical: str) -> None:
    assert paper_id(canonical) == canonical


@pytest.mark.parametrize("written", NONE)
def test_what_names_no_paper_has_no_id(written: str) -> None:
    assert paper_id(written) is None


@given(st.text(max_size=200) | st.text("/.:?#&%=10arxivdo() <>[]v", max_size=200))
def test_any_text_can_be_read_and_ids_are_stable(written: str) -> None:
    for text in (
        written,
        f"https://arxiv.org/{written}",
        f"10.1234/{written}",
        f"https://x.example/{written}",
    ):
        found = paper_id(text)
        assert found is None or (paper_id(found) == found and " " not in found)


@given(st.sampled_from(PAIRS), st.sampled_from(["", " ", ".", ")", "\n", "\u200b", ",", "”"]))
def test_what_follows_in_a_sentence_is_no_part_of_it(pair: tuple[str, str], tail: str) -> None:
    written, canonical = pair
    assert paper_id(written + tail) == canonical


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
def test_no_text_takes_long(piece: str, head: str) -> None:
    written = (head + piece * MAX_LENGTH)[:MAX_LENGTH]
    found = paper_id(written)
    assert found is None or len(found) <= MAX_LENGTH + 4

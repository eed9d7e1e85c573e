"""Text from upstreams and people is shown as text and nothing else."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.cards.sanitize import MAX_URL, link, plain, visible


@given(st.text())
def test_plain_text_is_one_line_without_control_characters(text: str) -> None:
    shown = plain(text)
    assert shown == " ".join(shown.split())
    assert not any(unicodedata.category(c) in {"Cc", "Cs", "Zl", "Zp"} for c in shown)
    assert not any(
        unicodedata.bidirectional(c) in {"LRO", "RLO", "LRE", "RLE", "PDF", "LRI", "RLI"} for c in shown
    )
    assert plain(shown) == shown


@given(st.text())
def test_visible_text_keeps_its_line_breaks(text: str) -> None:
    assert visible(text).count("\n") == text.count("\n")
    assert plain(visible(text)) == plain(text)


def test_joiners_of_scripts_and_emoji_stay() -> None:
    assert plain("می‌خواهم 👩‍🔬 é") == "می‌خواهم 👩‍🔬 é"


def test_escape_sequences_lose_their_escape() -> None:
    assert plain("\x1b[31mred\x1b]8;;http://evil\x07 \u202egpj.exe") == "[31mred]8;;http://evil gpj.exe"


@pytest.mark.parametrize(
    "url",
    [
        None,
        "",
        "javascript:alert(1)",
        "file:///etc/passwd",
        "https://",
        "https://someone@arxiv.org/",
        "http://[broken",
        "//arxiv.org/abs/1",
        "https://arxiv.org/" + "a" * MAX_URL,
    ],
)
def test_only_web_addresses_become_links(url: str | None) -> None:
    assert link(url) is None


def test_a_link_can_not_break_out_of_its_quotes() -> None:
    assert link('https://arxiv.org/abs/1>|<x\x1b\\ "q') == "https://arxiv.org/abs/1%3E%7C%3Cx%5C%20%22q"


@given(st.text())
def test_any_text_makes_a_safe_link_or_none(text: str) -> None:
    made = link(f"https://arxiv.org/{text}")
    assert made is None or (made.isascii() and made.isprintable() and not set(made) & set('<>|" \\'))

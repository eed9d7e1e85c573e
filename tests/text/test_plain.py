"""Plain text from the markup that upstreams send."""

from itertools import islice
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.text import clean
from tests.bench.text import papers, violations

SAMPLED = 20
"""One in SAMPLED recorded papers is tested; `python -m tests.bench.text` tests all of them."""


@pytest.mark.parametrize(
    ("raw", "plain"),
    [
        ("Level-S$^2$fM: Structure from Motion", "Level-S²fM: Structure from Motion"),
        ("$Q^*$ and beyond", "Q* and beyond"),
        (r"$\textbf{M}^3$-Net", "M³-Net"),
        (r"\textbf{Fed}erated \emph{tuning}, \underline{\textit{now}}", "Federated tuning, now"),
        (r"Schr\"odinger, B\'ezier, Do\~nana, Bj{\o}ntegaard", "Schrödinger, Bézier, Doñana, Bjøntegaard"),
        (r"up to $10\times$ faster on 512$\times$512 images", "up to 10× faster on 512×512 images"),
        (r"a 360$^{\circ}$ view, 30{\deg} off", "a 360° view, 30° off"),
        (r"in $O(n \log n)$ steps", "in O(n log n) steps"),
        (r"$\mathcal{O}(n)$ in $\mathbb{R}^{d+1}$", "O(n) in ℝ^(d+1)"),
        (r"we present \ourmethod, which", "we present ourmethod, which"),
        (r"built on \hydra processes", "built on hydra processes"),
        (r"baselines (\eg, pooling; \ie average)", "baselines (e.g., pooling; i.e. average)"),
        (r"as in~\cite{a,b} and~\citep[see][]{c}.", "as in and."),
        (r"code at \url{https://x.org/a_b%20c}", "code at https://x.org/a_b%20c"),
        (r"on \href{https://x.org/a_b}{our page}", "on our page"),
        (r"\textcolor{red}{new} and {\color[RGB]{1,2,3}{old}}", "new and old"),
        (r"$\unicode{x2013}$ dash", "– dash"),
        (r"{\it target} and {\bf source}", "target and source"),
        (r"gains of 5\% (p$<$0.05)", "gains of 5% (p<0.05)"),
        (r"5% of $x$ is kept", "5% of x is kept"),
        (r"R\&D costs \$5", "R&D costs $5"),
    ],
)
def test_latex_becomes_unicode(raw: str, plain: str) -> None:
    assert clean(raw) == plain


@pytest.mark.parametrize(
    "text",
    [
        "just $4 per test",
        "between $5 and $10 a day",
        "$1 billion, or $2 billion",
        "C++ and C# at 50% & more ~ #1",
        "a {set} of snake_case names and 2^10",
        "<think> and <answer> tokens",
        "👩‍💻 writes 한국어 and ガイド",
    ],
)
def test_text_without_latex_stays_the_same(text: str) -> None:
    assert clean(text) == text


def test_entities_are_resolved_and_spaces_collapse() -> None:
    assert (
        clean("  Q&amp;A:\n\t&#177;1 &lt; 2 &nonsense; AT&T\u00a0Labs ") == "Q&A: ±1 < 2 &nonsense; AT&T Labs"
    )


def test_formatting_tags_are_removed_and_their_text_stays() -> None:
    assert clean("<jats:p>H<sub>2</sub>O is <i>wet</i>.</jats:p><br/>Yes") == "H₂O is wet. Yes"


@pytest.mark.parametrize(
    "hidden", ["\u202e", "\u2066", "\u200b", "\ufeff", "\x00", "\x1b", "\u00ad", "\U000e0041", "\ud800"]
)
def test_invisible_characters_are_removed(hidden: str) -> None:
    assert clean(f"a{hidden}b") == "ab"
    assert clean(rf"a$^2${hidden}b &#8238;") == "a²b"


@pytest.mark.parametrize(
    "broken",
    [
        r"\textbf{never closed",
        r"$x^{2",
        r"a } \x b",
        r"\frac{1}",
        "trailing \\",
        r"\begin{equation} x",
        r"$$",
        r"\left( x",
        r"\x^{{{{{{",
    ],
)
def test_broken_latex_keeps_its_words(broken: str) -> None:
    plain = clean(f"before {broken} after")
    assert plain.startswith("before")
    assert "after" in plain
    assert not set(plain) & set("\\{}")


@pytest.mark.parametrize(
    "piece", ["{", "$^{", r"\textbf{", r"\cite[", "$a", "^{a", r"\begin{a}", "&amp", "<i", r"\(", "_{^{"]
)
def test_hostile_text_is_cleaned_quickly(piece: str) -> None:
    assert isinstance(clean(piece * (20_000 // len(piece)) + " \\ $"), str)


@given(st.text() | st.text(alphabet="\\${}^_%&#~[]() abc123\n"))
@settings(max_examples=400)
def test_clean_never_raises_and_gives_one_clean_line(raw: str) -> None:
    plain = clean(raw)
    assert plain == " ".join(plain.split())
    plain.encode()


def test_recorded_papers_lose_their_latex_but_no_words(shared_data: Path) -> None:
    assert shared_data.is_dir()
    sample = islice(papers(), 0, None, SAMPLED)
    texts = [text for paper in sample for text in (paper["title"], paper["abstract"])]
    assert [wrong for text in texts for wrong in violations(text, clean(text))] == []

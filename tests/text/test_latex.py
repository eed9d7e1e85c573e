"""LaTeX, HTML and addresses in titles and abstracts, and how readers should see them."""

import pytest

from bot.query import parse
from bot.text import clean, clean_html
from tests.papers import a_paper


@pytest.mark.parametrize(
    ("raw", "plain"),
    [
        # symbols before letters and blanks
        (r"$\Lambda$CDM", "ΛCDM"), (r"$\Lambda CDM$", "ΛCDM"), (r"5 $\mu$m", "5 μm"), (r"5 $\mu m$ thick", "5 μm thick"),
        (r"LLM$\times$MapReduce", "LLM×MapReduce"), (r"En$\rightarrow$De", "En→De"), (r"$a \to b$", "a → b"),
        (r"$10\times $ faster", "10× faster"), (r"$P \ne NP$", "P ≠ NP"), (r"$n\log n$ and $\log\log n$", "n log n and log log n"),
        (r"$O(dn\log{n})$", "O(dn log n)"), (r"$\alpha$-stable $\beta x$", "α-stable βx"), (r"\alpha particles", "α particles"),
        ("of order $\\alpha$\nand $\\beta \n$\tthen", "of order α and β then"), ("the\n  \\emph{hard\n wrapped}\n text", "the hard wrapped text"),
        ("uses \\method\nfor all", "uses method for all"), (r"$\\omega^2$", "ω²"),
        # authors' own macros, and empty groups
        (r"We propose \ourmethod{}, a new way", "We propose ourmethod, a new way"), (r"\name{}: fast joins", "name: fast joins"),
        (r"\METHOD~(Modular)", "METHOD (Modular)"), (r"\newcommand{\name}{FooNet} We use \name to win", "We use FooNet to win"),
        (r"\rev{We evaluate} it", "We evaluate it"), (r"\ECUAS{n}: a family", "ECUAS(n): a family"), (r"\celeg\ and RL", "celeg and RL"),
        # accents, spaced or not
        (r"Fran\c cois", "François"), (r"Ho\v rava", "Hořava"), (r"Szeg\H o", "Szegő"), (r"\v Cech, \v{C}ech", "Čech, Čech"),
        (r"\'Etale, na\"{\i}ve, Poincar\' e, Erd\H{o}s", "Étale, naïve, Poincaré, Erdős"), (r"\AA ngstr\"om at 5 \AA resolution", "Ångström at 5 Å resolution"),
        (r"Stra\ss e, \O rsted, \L{}ukasz", "Straße, Ørsted, Łukasz"), (r"$\hat{x}$, $\bar\theta$, $\tilde{O}(n)$", "x̂, θ̄, Õ(n)"),
        (r'\"hello\" he said', '"hello" he said'), ("Mus{é}e", "Musée"),
        # environments, delimiters, verbatim text
        (r"\begin{equation} E=mc^2 \end{equation}", "E=mc²"), (r"\begin{itemize}\item one\item two\end{itemize}", "one two"),
        (r"\[x^2\]where \(y\)-axis", "x² where y-axis"), (r"\{0,1\}^n", "{0,1}ⁿ"), (r"$\{0,1\}^{n}$", "{0,1}ⁿ"), (r"\|x\|", "‖x‖"),
        (r"$\left\{ x \right.$", "{ x"), (r"\binom{n}{2}", "(n choose 2)"), (r"\sqrt T", "√T"), (r"$\sqrt[3]{x+1}$", "³√(x+1)"),
        (r"$\frac{a+b}{c}$ and $\frac12$", "(a+b)/c and 1/2"), (r"$ n $", "n"), (r"\verb+x_1+ and \verb|a b|", "x_1 and a b"),
        (r"$A \not\equiv B$", "A ≢ B"), (r"$p \equiv 1 \pmod{s}$", "p ≡ 1 (mod s)"), (r"10$^{-3}$, $t^{th}$, 10$^{th}$", "10⁻³, t-th, 10th"),
        (r"$\texttt{transformer_lens}$", "transformer_lens"), (r"the set\footnote{See \url{https://x.y/a_b}.} of", "the set (See https://x.y/a_b.) of"),
        (r"\ding{182} First \ding{183} second", "❶ First ❷ second"), (r"\SI{5}{\kilo\meter}", "5 km"),
        # quantities, as siunitx and the units package write them
        (r"at \SI{300}{\kelvin}, \qty[round-mode=none]{10}{\milli\second}", "at 300 K, 10 ms"), (r"\SI{9.8}{\meter\per\second\squared}", "9.8 m/s²"),
        (r"\SIrange{1}{10}{\giga\hertz} and \SIlist{1;2;5}{\micro\metre}", "1–10 GHz and 1, 2, 5 μm"), (r"\qtyrange{10}{20}{\MeV}", "10–20 MeV"),
        (r"in \si{\kilo\gram\per\cubic\metre} or \unit{\newton\meter\tothe{2}}", "in kg/m³ or N·m²"), (r"\unit[5]{km/h}, $\SI{3}{\tesla}$", "5 km/h, 3 T"),
        (r"\ang{45}, \ang{12;30;5}, \SI{50}{\percent}, \numrange{1}{3}, \SI{25}{\celsius}", "45°, 12°30′5″, 50 %, 1–3, 25 °C"), (r"\SI{5}{\furlong}", "5 furlong"),
        ("a ``quoted'' word", "a “quoted” word"),
        # literal braces and dollars, and others
        ("{GSR4B}: a map of 5{,}000 trees, pro{A}ctive", "GSR4B: a map of 5,000 trees, proActive"), ("AP_{50} and FA^{3}", "AP₅₀ and FA³"),
        (r"weights in {-1, 0, 1} save 5\%", "weights in {-1, 0, 1} save 5%"), ("US$5M, A$ 6, $7 and the $ sign", "US$5M, A$ 6, $7 and the $ sign"),
        ("costs $5 and $x$ is 3", "costs $5 and x is 3"), ("from $5-$10 to R$1$", "from $5-$10 to R1"), ("$x^2 is never closed", "x² is never closed"),
        (r"min-\$p\$ sampling for \$5", "min-p sampling for $5"), ("code at https://a.b/c}{https://a.b/c", "code at https://a.b/c https://a.b/c"),
        (r"$W_{ij}^{(l)}$, $M_\odot$, $\langle x, y\rangle$, $\ket{0}$, $\mathring{A}$", "W_ij^(l), M_⊙, ⟨x, y⟩, |0⟩, Å"),
        (r"\begin{align*} a &= b \\ c &= d \end{align*}", "a = b c = d"), ("100~km in Fig.~3 (10~20)", "100 km in Fig. 3 (10~20)"),
        ("see https://a.b/~c and d~e", "see https://a.b/~c and d e"),
        # HTML and inequalities
        ("We use <u>bold</u> claims", "We use bold claims"), ("10<sup>5</sup> times 2<sup>-3</sup>", "10⁵ times 2⁻³"),
        ("H<sub>2</sub>O and Ca<sup>2+</sup>", "H₂O and Ca²⁺"), ("<jats:sub>i</jats:sub> of x<sub>i</sub>", "i of xi"),
        (r"OneEval\textsubscript{Hard}, 1\textsuperscript{st}", "OneEval_Hard, 1st"),
        ("ﬁne-tuning of ﬂows", "fine-tuning of flows"), ("a `small' step, don't say `it's'", "a ‘small’ step, don't say `it's'"),
        ("run `make` and `it`", "run `make` and `it`"), ("the ``code`` stays", "the ``code`` stays"), ("$x<i>y$", "x<i>y"), ("if a<b and c>d", "if a<b and c>d"),
        ("p<i and <think> stay", "p<i and <think> stay"), ('see <a href="https://a.b/c">here</a>', "see here"),
        # addresses
        ("see https://host.example/~user/x, where $x$ is", "see https://host.example/~user/x, where x is"),
        (r"at https://host.example/a\_b\%20c~d and $y$", "at https://host.example/a_b%20c~d and y"), (r"\https://a.b/c", "https://a.b/c"),
        # repetitions, small characters, units
        (r"\texorpdfstring{$\alpha$}{alpha}-decay", "α-decay"), (r"CO\textsubscript{2} of 10\textsuperscript{-3} m", "CO₂ of 10⁻³ m"),
        (r"the 1\textsuperscript{st} of x\textsuperscript{n}", "the 1st of xn"), (r"5 \textmu m at 3\textdegree C", "5 μm at 3°C"),
        # entities
        ("AT&T, R&D; x &lt; y &amp;amp; z", "AT&T, R&D; x < y &amp; z"), ("&#945;-helix &nbsp;&ndash; &bogus;", "α-helix – &bogus;"),
    ],
)  # fmt: skip
def test_latex_is_shown_as_its_author_meant(raw: str, plain: str) -> None:
    assert clean(raw) == plain


@pytest.mark.parametrize(
    ("page", "text"),
    [
        ("<p>$a<b$ then $c>d$</p>", "a<b then c>d"),
        ("<p>x<i>y and <i>slanted</i></p>", "xy and slanted"),
        ("AT&T and R&amp;D", "AT&T and R&D"),
        ("<!-- hidden --> seen <!-- open", "seen <!-- open"),
        ("a &lt;b&gt;bold&lt;/b&gt; claim", "a bold claim"),
        ("<math><mi>x</mi><mo>+</mo><mn>1</mn></math> terms", "x+1 terms"),
        ("<script>never closed", "never closed"),
        ("an <image> token and <br>a line", "an <image> token and a line"),
    ],
)
def test_html_is_shown_as_in_a_browser(page: str, text: str) -> None:
    assert clean_html(page) == text


def test_a_query_finds_words_written_in_latex() -> None:
    found = a_paper(title=clean(r"Beyond $\Lambda$CDM"))
    assert parse("ΛCDM").matches(found)
    assert parse("λcdm").matches(found)

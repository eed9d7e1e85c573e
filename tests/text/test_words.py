"""Spellings of the same word, and of different words."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.text import clean, fold, spell, tokens
from bot.text.plurals import _NO_PLURAL


def words(text: str) -> list[str]:
    return [token.word for token in tokens(clean(text))]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("LLMs", "llm"), ("LMs", "LM"), ("policies", "policy"), ("losses", "loss"), ("analyses", "analysis"),
        ("classes", "class"), ("buses", "bus"), ("lenses", "lens"), ("biases", "bias"), ("matrices", "matrix"),
        ("indices", "index"), ("boxes", "box"), ("approaches", "approach"), ("movies", "movie"), ("caches", "cache"),
        ("phrases", "phrase"), ("viruses", "virus"), ("children", "child"), ("hypotheses", "hypothesis"),
        ("Müller", "muller"), ("Straße", "strasse"), ("Łódź", "lodz"), ("Bjørn", "bjorn"), ("Đặng", "dang"),
        ("ＦＵＬＬ", "full"), ("eﬃcient", "efficient"), ("BERT's", "bert"), ("BERT’s", "bert"), ("authors'", "author"),
        ("GPUs", "gpu"), ("gpus", "GPU"), ("APIs", "api"), ("LLMS", "llm"), ("RAG", "rag"), ("10,000", "10000"), ("É", "e"), ("E\u0301", "é"),
    ],
)  # fmt: skip
def test_spellings_of_the_same_word(one: str, other: str) -> None:
    assert words(one) == words(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("rating", "rate"), ("agentic", "agent"), ("agents", "agency"), ("class", "clas"), ("bias", "bia"),
        ("series", "serie"), ("C++", "c"), ("C#", "c"), ("F#", "f"), ("A*", "a"), ("storage", "rag"),
        ("ガイド", "カイト"), ("가", "각"), ("analysis", "analyst"), ("VAE", "VA"), ("idea", "ideum"), ("taxes", "taxi"), ("dose", "dosis"), ("media", "media's own"), ("women", "wo"),
        ("specimen", "speciman"), ("regimen", "regiman"), ("slice", "slouse"), ("lumen", "luman"), ("opera", "opus"), ("agenda", "agendum"), ("news", "new"), ("lms", "LMs"), ("physics", "physic"),
    ],
)  # fmt: skip
def test_spellings_of_different_words(one: str, other: str) -> None:
    assert words(one) != words(other)


@pytest.mark.parametrize(
    "pair",
    [
        "supernova/supernovae",
        "thallus/thalli",
        "apoptosis/apoptoses",
        "eigenbasis/eigenbases",
        "ellipsis/ellipses",
        "libretto/libretti",
        "supernova/supernovas",
        "nebula/nebulae",
        "bacterium/bacteria",
        "cyanobacterium/cyanobacteria",
        "mitochondrion/mitochondria",
        "fungus/fungi",
        "larva/larvae",
        "alga/algae",
        "microalga/microalgae",
        "taxon/taxa",
        "helix/helices",
        "helix/helixes",
        "cortex/cortices",
        "modulus/moduli",
        "torus/tori",
        "polyhedron/polyhedra",
        "tetrahedron/tetrahedra",
        "momentum/momenta",
        "antenna/antennae",
        "antenna/antennas",
        "schema/schemata",
        "schema/schemas",
        "basis/bases",
        "base/bases",
        "formula/formulae",
        "genus/genera",
        "corpus/corpora",
        "stratum/strata",
        "ovum/ova",
        "phylum/phyla",
        "septum/septa",
        "vertebra/vertebrae",
        "nucleus/nuclei",
        "hippocampus/hippocampi",
        "gyrus/gyri",
        "streptococcus/streptococci",
        "lactobacillus/lactobacilli",
        "coronavirus/coronaviruses",
        "thrombus/thrombi",
        "villus/villi",
        "stimulus/stimuli",
        "annulus/annuli",
        "quantum/quanta",
        "continuum/continua",
        "equilibrium/equilibria",
        "spectrum/spectra",
        "vacuum/vacua",
        "medium/media",
        "symposium/symposia",
        "flagellum/flagella",
        "epithelium/epithelia",
        "criterion/criteria",
        "phenomenon/phenomena",
        "automaton/automata",
        "ganglion/ganglia",
        "protozoon/protozoa",
        "perihelion/perihelia",
        "hypothesis/hypotheses",
        "neurosis/neuroses",
        "metastasis/metastases",
        "stenosis/stenoses",
        "prosthesis/prostheses",
        "axis/axes",
        "crisis/crises",
        "matrix/matrices",
        "index/indices",
        "vortex/vortices",
        "simplex/simplices",
        "radix/radices",
        "carcinoma/carcinomata",
        "stigma/stigmata",
        "lemma/lemmata",
        "foramen/foramina",
        "larynx/larynges",
        "phalanx/phalanges",
        "mouse/mice",
        "louse/lice",
        "goose/geese",
        "tooth/teeth",
        "ox/oxen",
        "wolf/wolves",
        "plateau/plateaux",
        "bureau/bureaus",
        "radius/radii",
        "halo/haloes",
        "halo/halos",
        "tornado/tornadoes",
        "parabola/parabolae",
        "aurora/aurorae",
        "ephemeris/ephemerides",
        "datum/data",
        "gas/gases",
        "virus/viruses",
        "iris/irises",
        "quiz/quizzes",
        "species/species",
        "lens/lenses",
        "bus/buses",
    ],
)
def test_plurals_in_all_sciences_match_their_singulars(pair: str) -> None:
    one, many = pair.split("/")
    assert fold(one) == fold(many)
    assert fold(fold(many)) == fold(many)


def test_a_hyphenated_word_is_its_parts_and_its_joined_forms() -> None:
    assert words("text-to-image") == ["text", "to", "image", "textto", "texttoimage", "toimage"]
    assert words("fine\u2011tuning") == words("fine–tuning") == ["fine", "tuning", "finetuning"]
    assert [(t.start, t.end) for t in tokens("a fine-tuning b")] == [(0, 1), (1, 2), (2, 3), (1, 3), (3, 4)]


def test_names_of_models_and_languages_are_one_word() -> None:
    assert words("GPT-4o and Qwen2.5-1M in C++, C# or F#; A* search") == [
        "gpt", "4o", "gpt4o", "and", "qwen2.5", "1m", "qwen2.51m", "in", "c++", "c#", "or", "f#", "a*", "search",
    ]  # fmt: skip


def test_words_joined_by_an_ampersand_are_one_word() -> None:
    assert words("R&D at AT&T and Q&A-style S&P 500") == [
        "r&d", "at", "at&t", "and", "q&a", "style", "q&astyle", "s&p", "500",
    ]  # fmt: skip
    assert words("R & D, cats&dogs") == ["r", "d", "cat", "dog"]
    assert spell("R&D") == ["r&d"]


def test_tokens_keep_the_written_form() -> None:
    assert [token.form for token in tokens("GPT-4o's LLMs")] == ["GPT", "4o", "GPT-4o", "LLMs"]


def test_words_of_latex_titles_are_those_that_readers_see() -> None:
    assert words("Level-S$^2$fM") == ["level", "s2fm", "levels2fm"]
    assert words("$Q^*$") == ["q*"]


def test_chinese_japanese_and_korean_become_pairs_of_characters() -> None:
    assert words("扩散模型") == ["扩散", "散模", "模型"]
    assert words("GPT模型") == ["gpt", "模型"]
    assert words("ガイド") == ["ガイ", "イド"]
    assert words("한국어") == ["한국", "국어"]


def test_a_long_chain_of_hyphens_gives_few_words() -> None:
    assert len(tokens("-".join("a" * 2000))) < 4 * 2000


def test_names_keep_their_last_letter() -> None:
    assert [token.word for token in tokens("Jürgen Meyers", plurals=False)] == ["jurgen", "meyers"]


@given(st.text(alphabet=st.characters(codec="utf-8")))
@settings(max_examples=300)
def test_normalizing_twice_changes_nothing(text: str) -> None:
    once = spell(text)
    assert spell(" ".join(once)) == once


@example("protozoa")
@example("bacteria")
@given(st.from_regex(r"[a-z]{2,11}[abdfgklmnprtvw]", fullmatch=True))
def test_a_plural_in_s_matches_its_singular(word: str) -> None:
    plural = f"{word}s"
    assert fold(fold(plural)) == fold(plural)
    assert fold(plural) == fold(word) or plural in _NO_PLURAL

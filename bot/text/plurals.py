"""English plurals folded to their singular, and nothing else: no stemming.

Both sides of every comparison are folded, so what matters is that a word and its plural meet, and that no two
different words do. The exceptions are those that 75,000 abstracts of papers have.
"""

_SINGULAR = {
    "analyses": "analysis", "hypotheses": "hypothesis", "theses": "thesis", "syntheses": "synthesis",
    "parentheses": "parenthesis", "diagnoses": "diagnosis", "misdiagnoses": "misdiagnosis", "crises": "crisis",
    "prognoses": "prognosis", "metastases": "metastasis", "prostheses": "prosthesis", "emphases": "emphasis",
    "axes": "axis", "ellipses": "ellipse", "oases": "oasis",
    "indices": "index", "matrices": "matrix", "submatrices": "submatrix", "vertices": "vertex",
    "appendices": "appendix", "vortices": "vortex", "simplices": "simplex",
    "criteria": "criterion", "phenomena": "phenomenon", "automata": "automaton", "spectra": "spectrum",
    "corpora": "corpus", "curricula": "curriculum", "optima": "optimum", "minima": "minimum", "maxima": "maximum",
    "equilibria": "equilibrium", "strata": "stratum", "desiderata": "desideratum", "genera": "genus",
    "nuclei": "nucleus", "radii": "radius", "stimuli": "stimulus", "foci": "focus", "loci": "locus",
    "children": "child", "women": "woman", "men": "man", "mice": "mouse", "feet": "foot", "teeth": "tooth",
    "halves": "half", "leaves": "leaf", "calves": "calf", "shelves": "shelf", "wolves": "wolf", "lives": "life",
    "knives": "knife", "selves": "self", "sheaves": "sheaf", "wives": "wife",
    "heroes": "hero", "echoes": "echo", "potatoes": "potato", "tomatoes": "tomato", "tornadoes": "tornado",
    "vetoes": "veto", "zeroes": "zero", "volcanoes": "volcano", "cargoes": "cargo", "mosquitoes": "mosquito",
    "quizzes": "quiz", "buses": "bus", "viruses": "virus", "statuses": "status", "campuses": "campus",
    "bonuses": "bonus", "censuses": "census", "fetuses": "fetus", "corpuses": "corpus", "focuses": "focus",
    "choruses": "chorus", "apparatuses": "apparatus", "geniuses": "genius", "thesauruses": "thesaurus",
    "viri": "virus", "octopuses": "octopus", "nexuses": "nexus", "surpluses": "surplus", "radiuses": "radius",
    "lenses": "lens", "metalenses": "metalens", "biases": "bias", "debiases": "debias", "gases": "gas",
    "aliases": "alias", "atlases": "atlas", "canvases": "canvas", "pancreases": "pancreas", "irises": "iris",
    "caches": "cache", "niches": "niche", "headaches": "headache", "avalanches": "avalanche",
    "movies": "movie", "cookies": "cookie", "calories": "calorie", "zombies": "zombie", "selfies": "selfie",
    "ties": "tie", "lies": "lie", "pies": "pie", "dies": "die", "hoodies": "hoodie", "rookies": "rookie",
    "prairies": "prairie", "smoothies": "smoothie", "genies": "genie", "brownies": "brownie",
}  # fmt: skip

_NO_PLURAL = """
always analysis perhaps sometimes themselves ourselves yourselves whereas does goes undergoes has was gas
series species physics mathematics statistics dynamics robotics ethics semantics linguistics economics
electronics mechanics genomics informatics politics biomechanics combinatorics astrophysics multiphysics
psychophysics diabetes news lens metalens always besides towards afterwards nowadays oftentimes
bias debias alias atlas canvas pancreas texas pandas keras thomas christmas chaos cosmos ethos pathos kairos
logos neurips lpips movielens hololens nuscenes brats cityscapes kubernetes afrikaans bayes naves stokes
reynolds gibbs holmes hermes flores netherlands massachusetts charles athens paris adas nuplans
aes des dies https http tls dns gps
"""


_UNFOLDED = frozenset(_NO_PLURAL.split())

_IN_US_OR_IS = """
gpus cpus tpus npus mcus imus ious grus glus relus skus menus plateaus bureaus gurus emus
apis guis uis rois pois kpis mris hsis wsis bcis hois clis uris emojis taxis wikis alibis bikinis
"""
_FOLDED_AFTER_ALL = frozenset(_IN_US_OR_IS.split())


def singular(word: str) -> str:
    """`word`, in small letters, without its plural ending."""
    if len(word) < 4 or word in _UNFOLDED:
        return word
    if word in _SINGULAR:
        return _SINGULAR[word]
    if not word.endswith("s") or (word.endswith(("ss", "us", "is")) and word not in _FOLDED_AFTER_ALL):
        return word
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("sses", "shes", "ches", "xes", "zzes")):
        return word[:-2]
    return word[:-1]

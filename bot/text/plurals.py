"""Folds English plurals to their singular, without stemming.

Both sides of every comparison are folded, so a word and its plural must fold to the same form, and different words must
not. Regular plurals follow rules; the irregular plurals of all sciences, and words that only look like plurals, are
listed. Two pairs of different words do fold to the same form: "bases" is the plural of base and of basis, "ellipses" of
ellipse and of ellipsis.
"""


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_US_TO_I = """
abacus alumnus annulus bacillus lactobacillus bronchus cactus calculus canthus circulus cirrus coccus colossus cumulus
discus embolus emeritus esophagus oesophagus fundus fungus glomerulus gyrus hippocampus homunculus humerus hypothalamus
isthmus lacertus limbus locus meniscus modulus monoculus nevus nimbus nucleolus nucleus nystagmus octopus papyrus phallus
platypus polypus ramus rhombus sarcophagus stimulus strobilus stylus succubus sulcus syllabus talus tarsus metatarsus terminus
thalamus thesaurus thrombus torus hypertorus tumulus umbilicus uterus villus microvillus volvulus focus radius genius nautilus
hippopotamus enterococcus gonococcus meningococcus pneumococcus staphylococcus streptococcus micrococcus cryptococcus
virus bacteriovirus retrovirus locus sublocus incubus fetus foetus crocus lotus rebus campus census chorus corpus nexus
status surplus bonus apparatus bus sinus plexus anus walrus prospectus consensus iambus tetanus typhus mucus lupus
hiatus ruckus citrus hibiscus eucalyptus asparagus exodus genus stratus impetus opus minibus omnibus
alveolus acinus nidus limulus calamus thallus magus bolus colliculus canaliculus ventriculus
fasciculus tubulus lobulus sacculus hilus naevus tophus pilus soleus vagus
"""
"""Singulars in -us, with plurals in -i and in -uses."""

_UM_TO_A = """
addendum aquarium atrium auditorium bacterium cyanobacterium mycobacterium eubacterium archaebacterium proteobacterium
enterobacterium cerebellum cilium compendium consortium continuum corrigendum cranium curriculum desideratum dictum
diverticulum endothelium epithelium equilibrium erratum extremum flagellum forum gymnasium honorarium ilium infundibulum
inoculum maximum memorandum millennium minimum momentum moratorium mycelium neuroepithelium operculum optimum ovum pericardium
myocardium phylum subphylum planetarium plasmodium podium quantum rectum referendum reticulum sanatorium septum serum
solarium spectrum sporangium stadium sternum stratum substratum superstratum symposium tympanum vacuum velum emporium sensorium
labium paramecium trapezium ganglium dodecapodium scholium residuum interregnum mesothelium crematorium terrarium
vivarium herbarium arboretum rostrum speculum candelabrum encomium ultimatum medium colloquium ostium antrum capitulum coagulum frenulum
"""
_ON_TO_A = """
automaton criterion ganglion mitochondrion noumenon perihelion aphelion phenomenon prolegomenon spermatozoon taxon hyperon
archaeon entozoon subtaxon epiphenomenon organon parhelion oxymoron
"""
_IS_TO_ES = """
analysis reanalysis meta-analysis metanalysis antithesis apotheosis arthrosis axis catalysis catharsis crisis diagnosis
misdiagnosis dialysis electrolysis emphasis exegesis fibrosis genesis homeostasis hydrolysis hypothesis meiosis
metamorphosis metastasis micrometastasis mitosis necrosis nemesis neurosis oasis osmosis paralysis parenthesis pelvis
photosynthesis prognosis prosthesis endoprosthesis psychosis sclerosis stenosis restenosis symbiosis synopsis synthesis
biosynthesis testis thesis thrombosis anastomosis cirrhosis ptosis scoliosis dermatosis mycosis prophylaxis praxis
parataxis ecdysis symphysis epiphysis hypophysis anaphylaxis biogenesis pathogenesis tuberculosis zoonosis trichinosis
keratosis periphrasis amanuensis ambulis sepsis hysteresis kinesis mimesis paresis stasis diuresis apoptosis
eigenbasis subbasis hypnosis narcosis acidosis alkalosis ketosis phagocytosis endocytosis exocytosis leukocytosis
endometriosis atherosclerosis arteriosclerosis nephrosis cyanosis gnosis catachresis diaeresis
"""
_X_TO_ICES = """
apex appendix auspex calix cervix cicatrix codex cortex neocortex directrix dominatrix executrix fornix helix index
subindex matrix submatrix supermatrix radix vertex vortex simplex varix vertices mediatrix subcortex
"""
_A_TO_AE = """
alga microalga macroalga antenna aorta areola amoeba axilla bulla bursa cochlea cornea corona costa exuvia fascia fibula fistula
formula fossa fovea gastrula hydra hypha lacuna lamina larva macula maxilla medulla medusa minutia morula nebula nova supernova
hypernova kilonova papilla penumbra persona petechia pinna placenta planula pupa retina scapula sequela seta stria tessera tibia
trachea ulna umbra urethra uvula vena vertebra vesicula mandibula patella pleura ala fauna flora alumna cicada aura abscissa hyperbola parabola
aurora penna lympha
"""
_A_TO_ATA = (
    "schema stigma stoma lemma dogma trauma enigma edema oedema stemma soma dilemma miasma magma pragma gumma"
)

_IRREGULAR = {
    "corpora": "corpus", "subcorpora": "subcorpus", "genera": "genus", "subgenera": "subgenus", "viscera": "viscus",
    "tempora": "tempus", "opuscula": "opusculum", "foramina": "foramen", "lumina": "lumen", "nomina": "nomen",
    "larynges": "larynx", "pharynges": "pharynx", "phalanges": "phalanx", "meninges": "meninx", "syringes": "syringe",
    "datum": "data", "basis": "base", "bases": "base",
    "ellipses": "ellipse", "ellipsis": "ellipse", "irides": "iris", "clitorides": "clitoris", "epididymides": "epididymis", "chrysalides": "chrysalis",
    "children": "child", "grandchildren": "grandchild", "schoolchildren": "schoolchild", "oxen": "ox", "mice": "mouse",
    "dormice": "dormouse", "lice": "louse", "feet": "foot", "forefeet": "forefoot", "teeth": "tooth", "geese": "goose", "mongeese": "mongoose",
    "women": "woman", "men": "man", "policemen": "policeman", "firemen": "fireman", "salesmen": "salesman",
    "craftsmen": "craftsman", "fishermen": "fisherman", "chairmen": "chairman", "laymen": "layman", "freshmen": "freshman",
    "herdsmen": "herdsman", "servicemen": "serviceman", "congressmen": "congressman", "businessmen": "businessman",
    "spokesmen": "spokesman", "clergymen": "clergyman", "humans": "human", "policewomen": "policewoman", "spokeswomen": "spokeswoman",
    "halves": "half", "leaves": "leaf", "calves": "calf", "shelves": "shelf", "bookshelves": "bookshelf", "wolves": "wolf",
    "werewolves": "werewolf", "lives": "life", "afterlives": "afterlife", "knives": "knife", "penknives": "penknife", "selves": "self", "sheaves": "sheaf",
    "wives": "wife", "housewives": "housewife", "midwives": "midwife", "loaves": "loaf", "thieves": "thief", "scarves": "scarf",
    "hooves": "hoof", "elves": "elf", "dwarves": "dwarf", "wharves": "wharf", "beeves": "beef", "oafs": "oaf",
    "heroes": "hero", "superheroes": "superhero", "echoes": "echo", "potatoes": "potato", "tomatoes": "tomato", "tornadoes": "tornado", "vetoes": "veto",
    "zeroes": "zero", "volcanoes": "volcano", "cargoes": "cargo", "mosquitoes": "mosquito", "haloes": "halo",
    "torpedoes": "torpedo", "embargoes": "embargo", "mangoes": "mango", "mottoes": "motto", "buffaloes": "buffalo",
    "dominoes": "domino", "grottoes": "grotto", "archipelagoes": "archipelago", "manifestoes": "manifesto", "mementoes": "memento",
    "ghettoes": "ghetto", "desperadoes": "desperado", "innuendoes": "innuendo", "negroes": "negro", "viragoes": "virago", "tuxedoes": "tuxedo",
    "quizzes": "quiz", "whizzes": "whiz", "fezzes": "fez", "lenses": "lens", "metalenses": "metalens", "microlenses": "microlens", "biases": "bias", "debiases": "debias",
    "gases": "gas", "gasses": "gas", "biogases": "biogas", "aliases": "alias", "atlases": "atlas", "canvases": "canvas", "pancreases": "pancreas",
    "irises": "iris", "pelvises": "pelvis", "trellises": "trellis", "penises": "penis", "metropolises": "metropolis", "necropolises": "necropolis", "chrysalises": "chrysalis", "clitorises": "clitoris", "christmases": "christmas",
    "rhinoceroses": "rhinoceros", "albinos": "albino", "caches": "cache", "niches": "niche", "headaches": "headache", "avalanches": "avalanche", "psyches": "psyche", "aches": "ache", "toothaches": "toothache", "creches": "creche", "quiches": "quiche", "moustaches": "moustache", "mustaches": "mustache", "pastiches": "pastiche", "axes": "axis", "hoaxes": "hoax", "deluxes": "deluxe",
    "movies": "movie", "cookies": "cookie", "calories": "calorie", "kilocalories": "kilocalorie", "zombies": "zombie", "selfies": "selfie",
    "ties": "tie", "lies": "lie", "pies": "pie", "dies": "die", "vies": "vie", "hoodies": "hoodie", "rookies": "rookie", "prairies": "prairie",
    "smoothies": "smoothie", "genies": "genie", "brownies": "brownie", "birdies": "birdie", "eyries": "eyrie", "menageries": "menagerie", "reveries": "reverie", "collies": "collie", "eeries": "eerie", "magpies": "magpie", "neckties": "necktie", "aeries": "aerie",
    "radii": "radius", "nauplii": "nauplius", "bureaux": "bureau", "plateaux": "plateau", "chateaux": "chateau", "gateaux": "gateau",
    "ephemerides": "ephemeris", "occipita": "occiput", "murices": "murex", "woodlice": "woodlouse", "booklice": "booklouse",
    "quartzes": "quartz", "topazes": "topaz", "chilies": "chili", "octopodes": "octopus", "stamina": "stamina",
    "viri": "virus", "stadii": "stadium", "testes": "testis",
    "virtuosi": "virtuoso", "libretti": "libretto", "concerti": "concerto", "graffiti": "graffito", "tempi": "tempo",
    "tableaux": "tableau", "axones": "axon",
}  # fmt: skip

_NO_PLURAL = _set("""
always analysis perhaps sometimes themselves ourselves yourselves whereas does goes undergoes has was gas biogas
series species subspecies physics mathematics statistics dynamics robotics ethics semantics linguistics economics
electronics mechanics genomics informatics politics biomechanics combinatorics astrophysics multiphysics
psychophysics diabetes news lens metalens microlens always besides towards afterwards nowadays oftentimes
bias debias alias atlas canvas pancreas texas pandas keras thomas christmas chaos cosmos ethos pathos kairos
logos neurips lpips movielens hololens nuscenes brats cityscapes kubernetes afrikaans bayes naves stokes
reynolds gibbs holmes hermes flores netherlands massachusetts charles athens paris adas nuplans
aes des dies https http tls dns gps rhinoceros asbestos herpes rabies scabies pus mars
""")

_IN_US_OR_IS = _set("""
gpus cpus tpus npus mcus imus ious grus glus relus skus menus plateaus bureaus gurus emus tofus ecus gnus
apis guis uis rois pois kpis mris hsis wsis bcis hois clis uris emojis taxis wikis alibis bikinis safaris martinis khakis
""")
"""Plurals that look like singulars in -us or -is."""


def _table() -> dict[str, str]:
    """Irregular plural -> singular."""
    found: dict[str, str] = {}
    for word in _US_TO_I.split():
        found |= {f"{word[:-2]}i": word, f"{word}es": word}
    found |= {f"{word[:-2]}a": word for word in _UM_TO_A.split()}
    found |= {f"{word[:-2]}a": word for word in _ON_TO_A.split()}
    found |= {f"{word[:-2]}es": word for word in _IS_TO_ES.split()}
    found |= {f"{word[:-2]}ices": word for word in _X_TO_ICES.split()}
    found |= {f"{word}e": word for word in _A_TO_AE.split()}
    found |= {f"{word}ta": word for word in _A_TO_ATA.split()}
    return found | _IRREGULAR


_SINGULAR = _table()

_FAMILIES = (
    ("bacteria", "bacterium"), ("hedra", "hedron"), ("chondria", "chondrion"), ("zoa", "zoon"), ("omata", "oma"),
    ("cocci", "coccus"), ("bacilli", "bacillus"), ("lyses", "lysis"), ("theses", "thesis"), ("novae", "nova"),
    ("women", "woman"), ("thelia", "thelium"), ("viruses", "virus"),
)  # fmt: skip
"""Endings of irregular plurals that many words share."""


def singular(word: str) -> str:
    """Return the singular of `word`, which is in lower case."""
    if word in _SINGULAR:
        return _SINGULAR[word]
    if len(word) < 4 or word in _NO_PLURAL:
        return word
    if word[-1] != "s":
        return _of_family(word, word) if word[-1] in "aeixn" else word
    if word.endswith(("ss", "us", "is")) and word not in _IN_US_OR_IS:
        return word
    without_s = _without_s(word)
    # Some people add an s to a plural: bacterias.
    return _SINGULAR.get(without_s) or _of_family(without_s, without_s)


def _without_s(word: str) -> str:
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("sses", "shes", "ches", "xes", "zzes")):
        return word[:-2]
    return _of_family(word, word[:-1]) if word.endswith("ses") else word[:-1]


def _of_family(word: str, otherwise: str) -> str:
    return next(
        (word.removesuffix(plural) + one for plural, one in _FAMILIES if word.endswith(plural)), otherwise
    )

"""Finds the sentence of an abstract that says what is new. Pure, and quick enough to run for each card.

Abstracts have an order: the field, the gap, what was done, how, how well, where to get it. We want the sentence that
says what was done. Each sentence is scored by its subject and verb ("we propose", "this work introduces", "a method is
developed"), by its opening ("To this end", "However", "Experiments show"), by the things that it names, and by its
position.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from bot.text.sentences import shorten_at_clause, spans

LONGEST = 6_000
"""Maximum number of characters read. arXiv's abstracts have up to 1,920, structured ones of journals up to 4,000."""
REACH = 7
"""Number of words after "we" or "this paper" that are searched for the verb."""

_MAKING = 10
_BUILDING = 8
_FINDING = 7
_STUDYING = 5.5
_PASSIVE = 7
_VERBS = {
    _MAKING: "propose introduce present unveil pioneer reformulate recast reframe",
    _BUILDING: "develop design devise describe formulate formalize formalise establish construct build create release "
    "contribute curate advocate launch outline invent derive engineer offer implement assemble generalize extend "
    "integrate combine leverage employ adopt augment improve adapt train collect compile simplify accelerate",
    _FINDING: "show find demonstrate prove reveal discover observe report argue identify uncover characterize characterise "
    "provide give achieve obtain establish conclude detect measure solve resolve enable explain",
    _STUDYING: "study investigate examine analyze analyse explore address evaluate compare assess audit ask revisit consider "
    "test focus tackle quantify aim seek use apply review survey benchmark conduct perform determine estimate look",
}


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


def _forms(verb: str) -> tuple[str, ...]:
    stem = verb[:-1] if verb.endswith("e") else verb[:-1] + "i" if verb.endswith("y") else verb
    third = (
        f"{stem}es"
        if verb.endswith("y")
        else f"{verb}es"
        if verb.endswith(("s", "x", "ch", "sh"))
        else f"{verb}s"
    )
    return verb, third, f"{stem}ed"


_WEIGHTS: dict[str, float] = {
    form: weight for weight, verbs in reversed(_VERBS.items()) for verb in verbs.split() for form in _forms(verb)
} | {
    "built": _BUILDING, "found": _FINDING, "showed": _FINDING, "shown": _FINDING, "gave": _FINDING, "sought": _STUDYING,
    "designed": _BUILDING, "puts": _BUILDING, "put": _BUILDING, "proven": _FINDING, "aim": _STUDYING,
}  # fmt: skip
_PASSIVES = _set(
    "proposed introduced presented developed designed devised described formulated established constructed investigated "
    "studied trained built created derived"
)
_SUBJECTS = frozenset(
    ("we", "i", "paper", "work", "study", "article", "research", "letter", "thesis", "report", "survey")
)
_AUTHORS = frozenset(("we", "i"))
_OURS = frozenset(("this", "our", "the", "present", "here", "current"))
_ACTING = _SUBJECTS | _PASSIVES
_STRONG_SECTION = 2
"""Minimum score of a section whose sentences count even without a verb from `_VERBS`: aims, conclusions."""
_NO_VERB = 20
"""Penalty for a sentence without such a verb."""
_NAMING = 12
"""Maximum bonus for what a sentence names: something new, a thing, a system, the title's words, the title's system."""
_HOPELESS = float("-inf")
_BE = frozenset(("is", "are", "was", "were", "be", "been"))
_THINGS = _set(
    "framework method approach model benchmark dataset algorithm system architecture pipeline paradigm technique strategy "
    "theory tool library platform protocol metric formulation mechanism agent network scheme methodology solution "
    "corpus suite module"
)
_NOVEL = frozenset(("novel", "new", "first", "first-ever", "original", "unprecedented"))

_OPENINGS: tuple[tuple[str, float], ...] = (
    ("to address", 3), ("to this end", 3), ("to tackle", 3), ("to overcome", 3), ("to bridge", 3), ("to fill", 3),
    ("to solve", 3), ("to resolve", 3), ("to mitigate", 3), ("to close", 2), ("in this paper", 3), ("in this work", 3),
    ("in this study", 3), ("in this article", 3), ("in this research", 3), ("in this letter", 3), ("in this thesis", 3),
    ("here,", 3), ("here we", 3), ("this paper", 3), ("this work", 2), ("this study", 3), ("this article", 3),
    ("this thesis", 3), ("this research", 2), ("inspired by", 2), ("motivated by", 2), ("thus, we", 2), ("addressing", 2), ("we address", 2),
    ("unlike", 1), ("in contrast to", 0.5), ("instead", 1), ("based on this", 1), ("therefore, we", 1),
    ("however", -3), ("existing", -4), ("despite", -3), ("although", -2), ("while ", -2), ("recent", -4), ("traditional", -4),
    ("previous", -4), ("prior", -4), ("current", -4), ("conventional", -4), ("nevertheless", -3), ("yet", -2), ("most", -3), ("many", -3),
    ("experiment", -6), ("extensive", -6), ("comprehensive ex", -6), ("empirical", -6), ("evaluation", -6), ("numerical", -5), ("simulation", -6),
    ("we evaluate", -3), ("we demonstrate", -2), ("we conduct", -4), ("we validate", -5), ("we test", -4), ("we compare", -2), ("results", -4), ("on ", -3), ("across", -3), ("our experiment", -6),
    ("our results", -3), ("the results", -4), ("these results", -4), ("these findings", -4), ("our findings", -3), ("our evaluation", -6), ("our experimental", -6),
    ("specifically", -4), ("in particular", -4), ("concretely", -4), ("first,", -4), ("second,", -5), ("third,", -5), ("then", -5), ("next", -5),
    ("moreover", -5), ("furthermore", -5), ("additionally", -5), ("in addition", -5), ("further", -5), ("finally", -5), ("besides", -5), ("also", -5), ("as such", -3), ("lastly", -6),
    ("we further", -5), ("we also", -5), ("we then", -4), ("we additionally", -5), ("beyond", -4), ("to evaluate", -4), ("to validate", -5), ("to verify", -5), ("to demonstrate", -4), ("to assess", -2),
    ("to train", -4), ("to enhance", -2), ("to support", -2), ("for ", -2), ("to facilitate", -2), ("to comprehensively", -2), ("based on that", -3), ("with ", -1.5), ("using", -1), ("by ", -1.5),
    ("code", -9), ("our code", -9), ("the code", -9), ("data ", -5), ("all code", -9), ("we release", -3), ("we open-source", -6), ("project page", -9), ("we hope", -8), ("we believe", -8),
    ("our work", -1), ("our study", -1), ("our contribution", 0), ("the contribution", -1), ("as a case study", -3), ("it ", -3), ("these ", -3), ("such ", -3), ("they ", -4),
)  # fmt: skip
KEY = 3
"""Number of letters by which openings are looked up: the length of the shortest opening."""
_OPENINGS_BY_KEY: dict[str, list[tuple[str, float]]] = {}
for _start, _worth in _OPENINGS:
    _OPENINGS_BY_KEY.setdefault(_start[:KEY], []).append((_start, _worth))

_LABEL = (
    r"backgrounds?|introduction|context|motivation|importance|rationale|aims?|objectives?|purpose|goals?|questions?|"
    r"hypothes[ie]s|design|setting|participants|patients|materials?|methods?|methodology|approach|procedures?|"
    r"key results|main results|results?|findings|outcomes?|measurements?|main outcomes?(?: and measures)?|conclusions?|"
    r"interpretation|discussion|significance|implications|impact|limitations|novelty|contributions?|summary|abstract|"
    r"trial registration|funding|keywords|availability|experimental (?:design|approach)|statement of significance"
)
_HEADING = re.compile(
    rf"(?:\d{{1,2}}[.)]? ?)?(?P<label>{_LABEL})(?: ?(?:and|&|/) ?(?:{_LABEL}))?"
    r"(?: ?[:.—–](?: |$)| - | ?\| |$| (?=(?:To|We|This) ))",
    re.IGNORECASE,
)
_HEADING_STARTS = frozenset(label[:3] for label in _LABEL.split("|"))
"""The first three letters of all headings. Sentences that begin with others aren't matched against the pattern."""
_SECTIONS = {
    "background": -5, "introduc": -4, "context": -5, "motivati": -4, "importan": -5, "rational": -4, "aim": 7, "aims": 7, "objectiv": 7, "purpose": 7,
    "goal": 6, "goals": 6, "question": 3, "hypothes": 2, "design": 0, "setting": -6, "particip": -6, "patients": -6,
    "material": 0, "method": 1, "methods": 1, "methodol": 1, "approach": 1, "procedur": -2, "result": 0, "results": 0, "findings": 1,
    "outcome": -3, "outcomes": -3, "measurem": -6, "conclusi": 3, "interpre": 3, "discussi": 0, "signific": 0, "implicat": -4,
    "impact": -4, "limitati": -9, "trial re": -20, "funding": -20, "keywords": -20, "availabi": -20, "novelty": 7, "contribu": 7,
}  # fmt: skip
"""First eight letters of a heading -> score of the sentences of its section."""

_NOTICES = (
    "(c) 1", "(c) 2", "©", "copyright", "all rights reserved", "published by", "licen", "creative commons", "accepted ",
    "to appear in", "arxiv:", "doi:", "preprint", "keyword", "key word", "comments:", "available", "http", "github",
)  # fmt: skip
"""Strings of sentences about the publication, such as a copyright line."""
SHORT, OPENING = 120, 50
"""A sentence of fewer than SHORT characters is such a notice if it has one of these strings anywhere, a longer one only
if it has one in its first OPENING characters."""
_DIGITS = frozenset("0123456789")
_LATE_SUBJECT = re.compile(r"[,;:] (?=(?:we|this (?:paper|work|study|article)) )")
_COMMON = _set(
    "the a an of for in on and with to from by via using towards toward is are at as its their new based learning model "
    "models large language neural deep"
)


_Part = tuple[int, int, float]
"""Start of a sentence after its heading, its end, and the score of its section."""


class _Abstract(NamedTuple):
    """An abstract in three forms of the same length."""

    text: str
    lower: str
    """In lower case."""
    unmarked: str
    """In lower case, with blanks instead of punctuation."""


class _Title(NamedTuple):
    """A title in lower case: its words, and the name before its colon, as in `FooNet: …`."""

    words: set[str]
    system: str


def core_sentence(abstract: str, limit: int, title: str = "") -> str:
    """Return the sentence that says what is new, in at most `limit` characters; "" for an empty abstract.

    `abstract` and `title` are lines of plain text. A long sentence is cut at a clause, never inside a word.
    """
    text = abstract[:LONGEST]
    lower = text.lower()
    if len(lower) != len(text):  # a few Turkish and Lithuanian capitals become two characters
        lower = text
    whole = _Abstract(text, lower, _unmarked(lower))
    about = _read_title(title.lower())
    most, sentence = _HOPELESS, ""
    for place, part in enumerate(_parts(text, lower)):
        merit = _merit(place, part, whole, about, most)
        if merit > most and not _is_notice(lower[part[0] : part[1]]):
            most, sentence = merit, text[part[0] : part[1]]
    if not sentence:
        return shorten_at_clause(abstract, limit)
    if len(sentence) > limit and (late := _LATE_SUBJECT.search(sentence)):
        sentence = sentence[late.end()].upper() + sentence[late.end() + 1 :]
    return shorten_at_clause(sentence, limit)


def _read_title(lower: str) -> _Title:
    system, colon, _ = lower.partition(":")
    words = set(_unmarked(lower).replace(":", " ").split()) - _COMMON
    return _Title(words, system if colon and " " not in system else "")


def _parts(text: str, lower: str) -> Iterator[_Part]:
    """The sentences without their headings."""
    section = 0.0
    for begin, end in spans(text):
        while (lower[begin : begin + 3] in _HEADING_STARTS or lower[begin : begin + 1] in _DIGITS) and (
            heading := _HEADING.match(text, begin, end)
        ):
            section = _SECTIONS.get(heading["label"].lower()[:8], section)
            begin = heading.end()  # noqa: PLW2901  the sentence begins after its heading
        if begin < end:
            yield begin, end, section


def _is_notice(lower: str) -> bool:
    """Whether a sentence is a copyright line, an address, or otherwise not about the work."""
    start = lower if len(lower) < SHORT else lower[:OPENING]
    return any(notice in start for notice in _NOTICES)


def _unmarked(text: str) -> str:
    """`text` with blanks instead of punctuation, so that words can be looked up."""
    for mark in ",.()":
        text = text.replace(mark, " ")
    return text


def _merit(place: int, part: _Part, abstract: _Abstract, title: _Title, most: float) -> float:
    """Score a part, the `place`-th, by how likely it says what is new; _HOPELESS if the score can't exceed `most`.

    The quick checks come first, because they rule out most parts.
    """
    begin, end, section = part
    text, lower, unmarked = abstract
    words = unmarked[begin:end].split()
    acting = _ACTING.intersection(words)
    verb = _verb_weight(words, acting) if acting else 0
    merit = section - 0.35 * place
    if not verb and section < _STRONG_SECTION:
        return merit - _NO_VERB  # chosen only if no other sentence says what was done
    opening = _opening(lower, begin)
    merit += verb + opening if verb else min(opening, 0)
    if merit + _NAMING < most:
        return _HOPELESS
    merit += 1.5 * (not _NOVEL.isdisjoint(words)) + 1.0 * (not _THINGS.isdisjoint(words))
    if verb >= _BUILDING and _explains_name(text, begin, end):
        merit += 2.5
    if title.words:
        merit += 4 * len(title.words.intersection(words)) / len(title.words)
    if title.system and verb and lower.find(title.system, begin, end) >= 0:
        merit += 3
    return merit - 3 * (text[end - 1] == "?") - 3 * (len(words) < 8)


def _explains_name(text: str, begin: int, end: int) -> bool:
    """Whether the sentence explains a system's name: `FooNet, a …`."""
    for marker in (", a ", ", an ", ", the "):
        place = text.find(marker, begin, end)
        if place > 0:
            name = text[max(begin, place - 30) : place].rpartition(" ")[2]
            if not name.islower() and sum(map(str.isupper, name)) > 1:
                return True
    return False


def _opening(lower: str, begin: int) -> float:
    for opening, weight in _OPENINGS_BY_KEY.get(lower[begin : begin + KEY], ()):
        if lower.startswith(opening, begin):
            return weight
    return 0


def _verb_weight(words: list[str], acting: set[str] | frozenset[str]) -> float:
    """The weight of the strongest verb in the sentence whose subject is the authors or the paper.

    `acting` has the `words` that are in `_ACTING`.
    """
    best: float = 0
    for actor in acting:
        place = words.index(actor)
        if actor in _PASSIVES:
            if best < _PASSIVE and not _BE.isdisjoint(words[max(0, place - 2) : place]):
                best = _PASSIVE
        elif actor in _AUTHORS or (place and words[place - 1] in _OURS):
            for verb in words[place + 1 : place + 1 + REACH]:
                if weight := _WEIGHTS.get(verb):
                    best = max(best, weight)
                    break
    return best

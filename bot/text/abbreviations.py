"""Words that end with a full stop and seldom end a sentence, of all sciences."""


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


NEVER_LAST = _set(
    "e.g i.e cf c.f vs viz ca approx resp w.r.t a.k.a aka incl excl esp "
    "fig figs eq eqs eqn eqns sec secs sect sects ref refs tab tabs def defs thm thms prop props lem lems cor cors conj "
    "alg algs app apps ch chap chaps no nos vol vols pp art ex exs rem assump supp suppl "
    "dr prof mr mrs ms st mt rev hon gen col lt capt sgt jr sr messrs "
    "jan feb mar apr jun jul aug sep sept oct nov dec mon tue tues wed thu thur thurs fri sat "
    "sp spp subsp ssp var cv str gen fam ser sect syn "
    "phys lett astron astrophys proc natl acad sci chem soc trans int conf biol med math stat comput eng res "
    "univ dept inst lab ltd bros avg est min max std dev temp conc wt lat lon long ave blvd rd "
    "s.t a.s a.e i.v i.p s.c r.m.s r.h.s l.h.s d.o.f s.d s.e w.l.o.g q.v op loc ibid"
)
"""Without their last stop, in small letters: a number, a name or a letter follows."""

ALWAYS_BEFORE = _set("vs cf dr prof mr mrs viz")
"""Of these, the ones that never end a sentence, whatever follows."""

WORDS_TOO = _set(
    "no nos art min max long lab app apps int mon sat gen ex rev mar dec fam prop props sec secs lat std conc temp est "
    "var ser st ch ref refs res tab tabs eng wt vol avg def defs trans med stat assump inst conj cat pp hon col soc sect"
)
"""Of these, the ones that are words or ends of words as well: abbreviations only before a number."""

SOMETIMES_LAST = _set(
    "etc al i.i.d a.m p.m u.s u.k u.s.a e.u u.n ph.d m.d m.sc b.sc inc co corp d.c b.c a.d c.e"
)
"""These end a sentence where one of `OPENERS` follows."""

OPENERS = _set(
    "We The This These In Our Here However It Its To For A An Although While Despite As On By Using Moreover Furthermore "
    "Additionally Thus Therefore Hence Finally First Second Then They There That Those When Where With From At After "
    "Since Because Existing Current Recent Previous Such Both Many Most Some Given I Yet But And If One"
)
"""Words that sentences begin with, and names seldom."""

EXCLAIMED_NAMES = ("Yahoo!", "Jeopardy!", "Kahoot!", "Yum!", "Joomla!", "Wham!", "Oh!", "hello!")

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")

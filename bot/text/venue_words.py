"""Patterns to read arXiv comments: cues for and against an acceptance, and words in names of venues."""

import re
from collections.abc import Iterator

_SOCIETY = r"(?:AMS|LMS|ACM [a-z]{2,9}\.|IEEE(?:,| \d| ?\Z)|[a-z]{1,4}\. |VLDB)"
"""The text after `Proc.` if that is part of a journal's name."""

CUE = {
    "never": (
        r"\b(?:if|once|when|until|upon|after|before|pending) (?:it is |it has been |being |finally )?(?:accept|publi)\w{0,10}"
        r"|\b(?:conditional|provisional|tentative)(?:ly)? accept\w{0,5}|\b(?:hopefully|(?-i:may)|might|could|should|would) (?:\w{2,9} ){0,2}(?:appear|accept|publi|present)"
        r"|\b(?:hop|expect|plann|aim|likely|suppos)\w{0,3} to (?:be |get )?(?:appear|accept|publi|present)|\ba?wait(?:s|ing)?\b|\bpending\b|\b(?:recommend\w{0,3}|probability of|chances? of) accept"
        r"|\baccepted (?:for|to) (?:peer )?(?:review|consideration|funding|deployment|flight|observation\w{0,4})\b|\bsubject to\b|\baccepted (?:as|for|in) (?:an? |my |the )?(?:\w{2,14} ){0,2}(?:thesis|dissertation|fulfil\w{1,6})\b"
        r"|\b(?:part of|in) (?:the|my|a|his|her) (?:ph\.?d\.?|doctoral|master'?s?) (?:thesis|dissertation)\b|\b(?:not|never|nor) (?:\w{2,9} ){0,5}accepted\b"
        r"|\b(?:code|data|datasets?|models?|weights|materials?) (?:and \w{2,12} )?(?:will|shall|to|can)\b"
    ),
    "no": (
        r"\b(?:re-?)?(?:submi\w{1,8}|sumbit\w{0,6})\b"
        r"|\bunder[ -](?:[\w-]{2,12} ){0,2}(?:peer[ -])?(?:review|revision|consideration|evaluation|submission)\b"
        r"|\b(?:in|for|currently|pending|awaiting) (?:peer )?review\b|\bbeing reviewed\b|\b(?:desk[ -])?reject(?:ed)?\b"
        r"|\bin preparation\b|\bintended for\b|\baim(?:ed|ing)? (?:at|for)\b|\btargeting\b|\btarget venue\b|\bwithdrawn\b|\bretracted\b"
        r"|\bnot (?:yet |been |yet been )?(?:accepted|published|peer)|\bunpublished\b"
        r"|\bsoumis(?:e|es)?\b|\beingereicht\b|\benviad[oa]\b|\bsubmetid[oa]\b|\bsottomess[oa]\b|投稿|审稿|查読|査読中|отправлен|подан[ао]?\b"
    ),
    "other": (
        r"\b(?<!this is the )(?<!this is an )(?<!this is a )(?:preliminary|early|initial) versions? (?:of|to|in|was|is|has|will|appear|accepted|published|presented|at)\w{0,3}\b"
        r"|\b(?:short|shorter|abridged|earlier|previous|former|prior|conference|condensed|abbreviated|workshop|brief"
        r"|extended|full|long|longer|expanded|journal|different) (?:and \w{2,12} )?versions? (?:of|to|in|was|is|has|will|appear|accepted|published|presented|at)\w{0,3}\b"
        r"|\b(?:parts?|portions?|some) of (?:this|the|these|our)\b|\b(?:a|another|one) versions? of\b|\bsee also\b|\bparts? (?:[ivx]{1,4}|\d) of\b|(?<!preprint )(?<!version )(?<!manuscript )(?<!copy )(?<!print )(?<!draft )\b(?:of|see|also|with|for|to) (?:our|an?|the) (?:paper|work|article)\b|\bextends\b|\bextension of\b|\bextending\b|\bbased on\b|\bbuilds (?:up)?on\b"
        r"|\bfollow-?up (?:of|to|on)\b|\bcompanion\b|\bsequel\b|\bcomment(?:ary)? on\b|\breply to\b|\bchallenge\b|\bcompetition\b|\bshared task\b"
        r"|\bthesis\b|\bdissertation\b|\b(?:thèse|mémoire|tesis|tesi|tese|diplomarbeit|habilitation)\b|\beditors? for\b|\bsupersed\w{1,4}\b|\btext overlap\b|\bsame as\b|\.sty\b|\b(?:template|style|format)\b"
        r"|\b(?:talk|tutorial|demo|course|lectures?) (?:given )?at\b|\bour (?:previous|earlier|prior|\w{2,10} 20\d\d) (?:paper|work)\b|\bcites?\b|\bet al\b|\btutorial\b(?! (?:article|paper|review))|\bslides\b|\bappendix (?:to|of|for)\b|\bsupplement\w{0,6} (?:\w{2,12} )?(?:to|of|for)\b|\bwhite paper\b|\breport\b|\breview process\b|\bcorrection to\b|\berratum\b|\bcorrigendum\b"
    ),
    "yes": (
        r"(?<!widely )(?<!generally )(?<!commonly )(?<!broadly )(?<!be )(?<!being )(?<!code )(?<!software )(?<!package )(?<!proposal )(?<!patent )(?<!dataset )(?<!papers )(?<!articles )\b(?:accepted|aceepted|accpeted|acccepted|acepted|accecpted|accept(?= (?:by|at|in|to)\b))\b(?=\W*(?:\Z|(?-i:[A-Z0-9])|[^\W\d_a-z]|(?:at|to|by|in|into|for|as|on|with|without|from|after|and|but|version|manuscript|paper|article|author|draft|preprint"
        r"|publication|contribution|work|main|full|short|long|regular|poster|oral|spotlight|early|also|under|within)\b(?! (?:principle|users|humans|default|(?:the |all |most )?(?:reviewer|referee|faculty|department|universit|jury)))))"
        r"|\b(?:to|will|shall) appear\b|\bappear(?:s|ed|ing) (?:at|in|on)\b|\bforthcoming\b(?! (?:paper|work|article|publication|data|stud))|\bin press\b|\bto be (?:published|presented)\b|(?<!papers )(?<!articles )(?<!studies )(?<!works )(?<!data )(?<!dataset )(?<!datasets )(?<!code )(?<!values )(?<!measurements )(?<!catalogue )(?<!catalog )(?<!observations )(?<!software )(?<!model )(?<!models )(?<!method )(?<!methods )(?<!those )\bpublished (?:(?:online|open[- ]access) )?(?:at|in|by|as(?! an? (?:preprint|technical|report|working|book|blog))|with(?= (?-i:[A-Z]))|to|version (?:in|of))\b"
        r"|\bpublished\Z|\b(?:match(?:es|ing)?|agrees with|corresponds to|same as|identical to|similar to|close to|equivalent to) (?:the )?(?:published|journal|accepted|printed)(?: version)?\b|(?:\A|(?<=, )|(?<=: ))(?:published|journal) version\Z|\bacceptance (?:at|by|to|in|for)\b"
        r"|\bacceptée?s?\b|\bà paraître\b|\baceptad[oa]s?\b|\baceit[oa]s?\b|\baccettat[oa]\b|\bakzeptiert\b|\bangenommen\b|\bpubli(?:cad[oa]|ée?|kováno) (?:en|em|no|na|dans|à|aux?)\b|\bpubblicat[oa] (?:in|su|sul|sulla)\b|\bveröffentlicht in\b|发表于|\bопубликован[аоы]? в\b|\berscheint (?:in|bei)\b|接收|录用|採録|採択|\bпринят[аоы]?\b"
    ),
    "weak": (
        r"\bpresented (?:at|in|as|to|on)\b(?! (?:(?:the|this|our) )?(?:pdf|paper|text|main|appendix|table|figure|section|manuscript|article))|\bpublished (?=(?-i:[A-Z]))|\bpublished \d{1,2} \w{3,9} 20\d\d|\b(?:oral|spotlight|poster|highlight) (?:presentation |paper )?(?:at|in)\b|\bpublication (?:in|at)\b"
        r"|\bin:? (?:the )?proceedings\b|\binproceedings\b|\bproceedings of\b(?! the (?:[a-z]{3,14} ){1,3}(?:academy|society|endowment|institution)\b)|\bin proc\b|\bproc\. (?!"
        rf"{_SOCIETY})"
        r"|\bcamera[- ]ready\b|\bfinal version (?:for|of|at)\b"
    ),
}
"""Kind of cue -> its pattern:

- `never`: there is no acceptance, whatever else the sentence says
- `no`: speaks against an acceptance
- `other`: the sentence is about something else
- `yes`: speaks for an acceptance
- `weak`: speaks for it if a venue follows and nothing in the sentence speaks against it
"""

KNOWN = (
    "NeurIPS|Neurips|NIPS|ICML|ICLR|AAAI|IJCAI|UAI|AISTATS|COLT|ACL|EMNLP|NAACL|EACL|AACL|COLING|CoNLL|TACL|CVPR|ICCV|"
    "ECCV|WACV|BMVC|ACCV|3DV|MICCAI|MIDL|ISBI|Interspeech|INTERSPEECH|ICASSP|SIGIR|WWW|KDD|WSDM|CIKM|RecSys|"
    "ECIR|ICDE|VLDB|SIGMOD|PODS|ICRA|IROS|CoRL|HRI|Siggraph|CHI|UIST|CSCW|IUI|SIGGRAPH Asia|SIGGRAPH|ICSE|FSE|ASE|ISSTA|ICST|MSR|POPL|"
    "PLDI|OOPSLA|CAV|ICALP|STOC|FOCS|SODA|ITCS|ESA|SoCG|STACS|CCS|NDSS|USENIX Security|USENIX ATC|USENIX|ASPLOS|ISCA|HPCA|OSDI|SOSP|NSDI|"
    "SIGCOMM|EuroSys|MLSys|LREC|COLM|TMLR|JMLR|TPAMI|TNNLS|TIP|TKDE|IJCV|ISMIR|ISWC|ESWC|ECAI|AAMAS|ICAPS|KR|"
    "GECCO|IJCNN|ECML|PAKDD|ICDM|SDM|ICPR|ICIP|ICME|DAC|ICCAD|ISSCC|PNAS|SLT|ASRU|CHIL|ML4H|CLeaR|FAccT|AIES|"
    "Eurocrypt|Asiacrypt|Crypto|Eurographics|Euro-Par|SPIE|ICRC|INFOCOM|RSS|IWSLT|WINE|IPDPS|PPoPP|EDBT|SOICT|MNRAS|ApJ|TVCG|RA-L|RAL|CogSci|EAAI|IAAI|MLHC|ICTIR|SIGDIAL|INLG"
)
"""Venues that people name by their acronym alone."""

NOT_ACRONYMS = frozenset(
    [
        "IEEE",
        "ACM",
        "USA",
        "UK",
        "LNCS",
        "MSC",
        "AMS",
        "ARXIV",
        "PHD",
        "CC",
        "BY",
        "EU",
        "LLM",
        "LLMS",
        "AI",
        "ML",
        "NLP",
        "COVID",
        "GPU",
        "IEEE/ACM",
        "IEEE/CVF",
        "ORAL",
        "CORE",
        "ICORE",
        "DOI",
        "GPT",
        "PDF",
    ]
)
"""Words that look like a venue's acronym and aren't one."""

LEADING = (
    r"[\s,:.\"“”'`\[*!@–—-]++|(?:at|from|submitted|special issue|volume \d{1,3}|vol\. \d{1,3}|conference(?=:)|(?:draft )?(?:book )?chapter|to|by|in|into|on|as|for|the|of|a|an|and|it|is|was|be|will|has|been|full|regular|short|long|research|main|paper|papers|article|manuscript|poster|oral|spotlight|highlight"
    r"|conference(?= (?:paper|track|proceedings))|journal(?= (?:paper|article))|track|industry|demo|presentation|presented|publication|published|accepted|appear|appearing|with minor \w{2,12}|conférence|publicación|publicação|pubblicazione|veröffentlichung|(?-i:conferencia|revista|revue|tagung|rivista)|die zeitschrift|non-?archival|late-breaking(?: \w{4,9})?|\d{1,3}(?:st|nd|rd|th)|first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|inclusion|upcoming|prestigious|(?:after|following) (?:\w{3,9} )?(?:revisions?|review)|proceedings(?! of the (?:[a-z]{3,14} ){1,3}(?:academy|society|endowment|institution)\b)|proc(?!\.? "
    rf"{_SOCIETY})\.?"
    r"|version|camera[- ]ready|extended abstract"
    r"|dans|à|au|aux|par|pour|la|le|les|en|el|em|no|na|nos|para|auf|bei|der|die|das|von|für|il|da|al|nel|nella|su|sul|sulla|per|zur|и|к|в|публикации|журнал[е]?|workshop paper)(?=[\s:,.]|$)"
)
"""Words between a cue and a venue's name."""

TRAILING = (
    r"(?:(?:,? |\A)\(?\d+ ?(?:pages?|pp|figures?|figs?|tables?)\b)|https?:|\bwww\.|\bdoi\b|(?<![\s,(])[\s,(]++(?:code|project|website|this is|with (?:an?|supp\w+|code|\d+)|please|see|copyright|equal|supplement(?:ary|al)?(?! series)|pages|pp|vol|volume|issue"
    r"|for (?:publication|presentation|inclusion|oral)|on \d+|on (?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}|arxiv|which|but|where|key ?words|supersedes|as (?:an? )?(?:part|perspectives?|letter|oral|spotlight|poster|highlight|full|short|long|regular)|special issue|published by|and will|after|available)\b"
)
"""Words after the end of a venue's name."""

VENUE_WORD = r"\b(?:conference|symposium|workshops?|proceedings|journal|transactions|trans|letters|annals|congress|meeting|magazine|colloquium|communications (?:in|on)|lecture notes|handbook|encyclop\w{2,6}|advances in|quarterly)\b|\bj\. |\bconf\. "
"""Words in names of venues."""

BARE_STOP = (
    r"(?:now|already|just|recently|finally|currently|also|this|these|we|our|i|added|adds|add|fixed|corrected|updated|update|code|data|dataset|datasets|version|v\d|uses|using|comments?|title|typos?|results?|winner|winning|solution|report|technical|work|project"
    r"|supplement\w*|new|revised|revision|minor|major|some|improved|changed|changes|extended|expanded|draft|preprint of|review|survey|invited|notes?|lecture|draws|compared|comparison|includes?|written|prepared|started|first (?:version|draft|published)"
    r"|funded|supported|award|from|contains|replaces|removed|see|for|msc ?\d*|mathematics subject|ams|published online|keywords?|key words|bachelor|master|phd|manuscript|article|preprint|final|authors?|peer|letter|tutorial)(?!\w)"
)
"""Words at the start of a sentence that isn't a venue."""

NO_JOURNAL = r"\A(?:arxiv|preprint|e-?prints?|technical report|tech\. rep|working paper|white paper|report|master|ph\.?d|bachelor|doctoral)\b|\b(?:thesis|dissertation|thèse|unpublished)\b"
"""Words in a journal reference that names no journal."""

AWARD = r"(?:(?:received|won|awarded|selected|winner) )?(?:of |as |for )?(?:the |an? )?(?:[\w-]{3,13} ){0,2}(?:award|best|mention|nomin\w{0,5}|finalist|candidate|prize)\b"
"""Awards, which only accepted papers get: `Best Paper Award at ICML 2026`."""

PUBLISHER = r"(?:springer(?: nature)?|elsevier|wiley|mdpi|iop(?: publishing)?|world scientific|de gruyter|taylor (?:&|and) francis|[a-z]{3,12} university press|mit press)\W*\Z"
"""Publishers, which aren't venues."""


_END = re.compile(r"[.!?](?=\s|$)|[;|•]|\s/\s")
_ABBREVIATED = re.compile(
    r"(?:(?:\A|[\s.(])[A-Z]|\b(?:[Pp]roc|Conf|Int|Internat|Symp|[Vv]ol|No|al|Phys|Rev|Lett|Nucl|Math|Trans|Sci|Appl|Comput|Commun"
    r"|Astron|Ann|Inst|Acad|Soc|Stat|Statist|Theor|Exp|Mech|Eng|Res|Amer|Roy|Eur|Lang|Geom|Funct|Anal|Combin|Probab|Oper|Inf|Artif|Intell|Mach|Learn|Syst|Autom|Netw|Electron|Biol|Med|Chem|Mater|Philos|Econ|Robot))\.\Z"
)
"""An initial, or an abbreviated word in the name of a journal."""
_SHORT_WORD = re.compile(r"\b[A-Z][a-z]{0,7}\.\Z")
_NEXT_ABBREVIATED = re.compile(r"\s[A-Z](?:[a-z]{1,8}\.|\W|\Z)")
_ACRONYMS = re.compile(r"[A-Z][a-z]*+[A-Z]\w*+ / [A-Z][a-z]*+[A-Z]")
_NEAR = 14
"""Number of characters read before and after a full stop."""


def sentences(text: str) -> Iterator[str]:
    """Yield the sentences without their end marks. A full stop after an abbreviation doesn't end a sentence."""
    at = 0
    for end in _END.finditer(text):
        before, after = text[max(at, end.end() - _NEAR) : end.end()], text[end.end() : end.end() + _NEAR]
        if not _is_abbreviation(before, after) and not _ACRONYMS.search(before + after):
            yield text[at : end.start()].strip()
            at = end.end()
    yield text[at:].strip()


def _is_abbreviation(before: str, after: str) -> bool:
    """Whether a full stop belongs to an abbreviation: `Math.`, or `Amer.` before another abbreviation."""
    return bool(
        _ABBREVIATED.search(before) or (_SHORT_WORD.search(before) and _NEXT_ABBREVIATED.match(after))
    )

"""Maps the names of an organization to one canonical name.

>>> organization("FAIR"), organization("The University of Hong Kong")
('meta', 'university of hong kong')
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

from bot.text.words import spell

_ARTICLES = re.compile("^(?:the )+")

_ALIASES: Mapping[str, tuple[str, ...]] = MappingProxyType({
    "adobe": ("adobe research",),
    "ai2": ("allenai", "allen ai", "allen institute for ai", "allen institute for artificial intelligence"),
    "alibaba": ("alibaba inc", "alibaba group", "alibaba research", "阿里巴巴"),
    "amazon": ("amazon science", "amazon research"),
    "ant group": ("antgroup", "ant research"),
    "apple": ("apple machine learning research", "apple ml"),
    "baai": ("beijing academy of artificial intelligence",),
    "baidu": ("baidu research", "baidu inc", "百度"),
    "beijing institute of technology": ("bit",),
    "bytedance": ("bytedance research", "bytedance inc", "字节跳动"),
    "california institute of technology": ("caltech",),
    "carnegie mellon university": ("cmu", "carnegie mellon", "carnegie mellon u"),
    "chinese academy of sciences": ("cas", "中国科学院"),
    "chinese university of hong kong": ("cuhk", "cuohk"),
    "cnrs": ("centre national de la recherche scientifique", "french national centre for scientific research"),
    "columbia university": ("columbia",),
    "cornell university": ("cornell",),
    "damo academy": ("alibaba damo academy", "alibaba damo", "damo"),
    "deepmind": ("google deepmind", "deepmind technologies"),
    "deepseek": ("deepseek ai",),
    "delft university of technology": ("tu delft", "technische universiteit delft"),
    "epfl": ("école polytechnique fédérale de lausanne", "swiss federal institute of technology lausanne"),
    "eth zurich": ("eth", "ethz", "eth zürich", "eidgenössische technische hochschule zürich"),
    "fudan university": ("fudan", "复旦大学"),
    "georgia institute of technology": ("georgia tech", "gatech"),
    "google": ("google research", "google ai", "google brain", "google inc"),
    "harbin institute of technology": ("hit",),
    "harvard university": ("harvard",),
    "hong kong polytechnic university": ("polyu", "polyuhk", "hk polyu"),
    "hong kong university of science and technology": ("hkust", "hongkongust"),
    "huawei": ("huawei technologies", "华为"),
    "huazhong university of science and technology": ("hust",),
    "hugging face": ("huggingface", "hf"),
    "ibm": ("ibm research", "international business machines"),
    "imperial college london": ("imperial", "imperial college"),
    "intel": ("intel labs",),
    "johns hopkins university": ("jhu", "johns hopkins"),
    "kaist": ("kaist ai", "korea advanced institute of science and technology"),
    "karlsruhe institute of technology": ("kit",),
    "kaust": ("king abdullah university of science and technology",),
    "korea university": ("korea univ",),
    "ku leuven": ("katholieke universiteit leuven",),
    "kuaishou": ("kuaishou technology",),
    "kyoto university": ("京都大学",),
    "massachusetts institute of technology": ("mit",),
    "max planck institute for intelligent systems": ("mpi is",),
    "mbzuai": ("mohamed bin zayed university of artificial intelligence", "mohamed bin zayed university of ai"),
    "mcgill university": ("mcgill",),
    "meituan longcat": ("longcat",),
    "meta": (
        "meta ai", "fair", "facebook", "facebook ai", "facebook ai research", "ai at meta", "meta fair",
        "fair at meta", "meta ai research", "meta research", "meta platforms", "meta fundamental ai research",
    ),
    "microsoft": ("microsoft research", "msr", "microsoft corporation", "microsoft research asia", "msra"),
    "mila": ("mila quebec ai institute", "quebec ai institute"),
    "mistral ai": ("mistral", "mistralai"),
    "monash university": ("monash",),
    "moonshot ai": ("moonshot", "kimi"),
    "nanjing university": ("nju", "南京大学"),
    "nanyang technological university": ("ntu singapore", "nanyang tech"),
    "national taiwan university": ("國立臺灣大學",),
    "national university of singapore": ("nus",),
    "new york university": ("nyu", "nyuniversity"),
    "nvidia": ("nvidia research", "nvidia ai", "nvidia corporation"),
    "openai": ("open ai",),
    "opendatalab": ("open data lab",),
    "openmoss": ("openmoss team",),
    "peking university": ("pku", "pku1898", "北京大学", "beida"),
    "pohang university of science and technology": ("postech",),
    "princeton university": ("princeton",),
    "qualcomm": ("qualcomm ai research",),
    "qwen": ("qwen team", "alibaba qwen"),
    "renmin university of china": ("ruc", "renmin university", "中国人民大学"),
    "salesforce": ("salesforce research", "salesforce ai research"),
    "samsung": ("samsung research", "samsung ai", "samsung electronics"),
    "seoul national university": ("snu", "seoul natl univ"),
    "shanghai ai laboratory": (
        "shanghai ai lab", "shanghai artificial intelligence laboratory", "pjlab",
    ),
    "shanghai jiao tong university": ("sjtu", "shanghai jiaotong university", "上海交通大学"),
    "simon fraser university": ("sfu",),
    "sony": ("sony ai", "sony research"),
    "southern university of science and technology": ("sustech",),
    "stanford university": ("stanford",),
    "stepfun": ("stepfun ai",),
    "sun yat sen university": ("sysu",),
    "technical university of berlin": ("tu berlin", "technische universität berlin"),
    "technical university of darmstadt": ("tu darmstadt", "technische universität darmstadt"),
    "technical university of munich": ("tum", "tu munich", "tu münchen", "technische universität münchen"),
    "technion israel institute of technology": ("technion",),
    "tencent": ("tencent ai lab", "tencent research", "腾讯"),
    "tencent hunyuan": ("hunyuan",),
    "tongyi lab": ("alibaba tongyi lab", "tongyi"),
    "tsinghua university": ("tsinghua", "thu", "thu1911", "清华大学", "清华"),
    "university college london": ("ucl",),
    "university of amsterdam": ("universiteit van amsterdam",),
    "university of british columbia": ("ubc",),
    "university of california berkeley": (
        "berkeley", "uc berkeley", "uc-berkeley", "university of california at berkeley",
    ),
    "university of california irvine": ("uci", "uc irvine"),
    "university of california los angeles": ("ucla", "university of california at los angeles"),
    "university of california san diego": ("ucsd", "uc san diego", "university of california at san diego"),
    "university of california santa barbara": ("ucsb", "uc santa barbara", "university of california at santa barbara"),
    "university of cambridge": ("cambridge", "cambridge university"),
    "university of edinburgh": ("edinburgh university",),
    "university of hong kong": ("hku", "hong kong university"),
    "university of illinois at urbana champaign": ("uiuc", "university of illinois urbana champaign"),
    "university of maryland": ("umd", "university of maryland college park"),
    "university of michigan": ("umich", "u michigan", "university of michigan ann arbor"),
    "university of north carolina at chapel hill": ("unc", "unc chapel hill", "university of north carolina"),
    "university of oxford": ("oxford", "oxford university"),
    "university of pennsylvania": ("upenn", "penn"),
    "university of science and technology of china": ("ustc", "中国科学技术大学"),
    "university of southern california": ("usc",),
    "university of texas at austin": ("ut austin", "utexas"),
    "university of tokyo": ("utokyo", "東京大学", "todai"),
    "university of toronto": ("uoft",),
    "university of tübingen": ("university of tuebingen", "universität tübingen"),
    "university of washington": ("uw",),
    "university of wisconsin madison": ("uw madison", "wisconsin", "university of wisconsin"),
    "university of zurich": ("universität zürich", "uzh"),
    "université de montréal": ("university of montreal", "udem"),
    "université paris saclay": ("paris saclay university", "university of paris saclay"),
    "xiaomi": ("xiaomi research",),
    "yale university": ("yale",),
    "yonsei university": ("yonsei",),
    "zai": ("z.ai", "zai org", "zhipu", "zhipu ai"),
    "zhejiang university": ("zju", "浙江大学"),
})  # fmt: skip
"""The best-known organizations, and their other names. A lab that publishes under a well-known name is separate from
its parent: DeepMind isn't Google, and Qwen isn't Alibaba."""


def organization(name: str) -> str:
    """Return an organization's name as in queries; "" if `name` has no letters or digits."""
    words = _words(_without_additions(name))
    first, comma, second = name.partition(",")
    if comma and (reversed_ := _NAMES.get(_folded(f"{_words(second)} {_words(first)}"))):
        return reversed_  # FAIR, Meta
    if (
        comma
        and (known := _NAMES.get(_folded(_words(first))))
        and known == _NAMES.get(_folded(_words(second)))
    ):
        return known  # Meta AI, FAIR
    return _NAMES.get(_folded(words), words)


def organization_key(name: str) -> str:
    """Return the name without spaces, equal for all names of an organization: `ByteDance-Seed`, `ByteDance Seed`."""
    return organization(name).replace(" ", "")


def known_as(prefix: str) -> set[str]:
    """Return the organizations with a name that begins like this."""
    start = _folded(_words(prefix))
    return {name for other, name in _NAMES.items() if start and other.startswith(start)}


@lru_cache(maxsize=4096)
def _words(name: str) -> str:
    """The name's words in lower case, without an article and without endings such as "Inc"."""
    words = [_LONG.get(word, word) for word in " ".join(spell(name.casefold())).replace("-", " ").split()]
    while len(words) > 1 and words[-1] in _COMPANY:
        words.pop()
    if words and words[0] in _UNIVERSITY:
        place = [word for word in words[1:] if word not in _OF]
        words = ["university", "of", *place] if len(place) == 1 else words
    return _ARTICLES.sub("", " ".join(words))


def _without_additions(name: str) -> str:
    """The name without an abbreviation in brackets and a country: `Tsinghua University (THU), China`."""
    parts = name.split(",")
    while len(parts) > 1 and " ".join(spell(parts[-1].casefold())) in _COUNTRIES:
        parts.pop()
    plain = _ABBREVIATION.sub("", ",".join(parts).rstrip())
    return plain if _words(plain) else name


def _folded(words: str) -> str:
    """The form in which known names are compared: without spaces and small words, and with umlauts in one spelling."""
    significant = [word for word in words.split() if word not in _SMALL] or words.split()
    return _UMLAUT.sub(r"\1", "".join(significant))


_LONG: Mapping[str, str] = MappingProxyType(
    {"univ": "university", "inst": "institute", "natl": "national", "intl": "international"}
)
"""Abbreviated words."""
_COMPANY = frozenset(["inc", "llc", "ltd", "limited", "corp", "corporation", "co", "gmbh", "plc"])
_UNIVERSITY = frozenset(
    ["uni", "universitat", "universite", "universidad", "universita", "universidade", "universiteit"]
)
_OF = frozenset(["de", "di", "du", "da", "do", "van", "von"])
_SMALL = frozenset(["of", "at", "in", "the", "for", "and"])
_COUNTRIES = frozenset({
    "australia", "austria", "beijing", "belgium", "brazil", "canada", "china", "denmark", "england", "finland", "france",
    "germany", "greece", "guangzhou", "hangzhou", "hong kong", "india", "ireland", "israel", "italy", "japan", "korea",
    "nanjing", "netherlands", "new zealand", "norway", "poland", "portugal", "pr china", "russia", "shanghai", "shenzhen",
    "singapore", "south korea", "spain", "sweden", "switzerland", "taiwan", "the netherlands", "turkey", "uk", "united kingdom",
    "united states", "us", "usa", "vietnam", "wuhan",
})  # fmt: skip
"""Countries and cities that authors write after an organization's name."""
_ABBREVIATION = re.compile(r"\([^()]{1,40}\)\Z")
_UMLAUT = re.compile("([aou])e(?=[b-df-hj-np-tv-z])")
_NAMES: Mapping[str, str] = MappingProxyType(
    {_folded(_words(other)): _words(name) for name, others in _ALIASES.items() for other in (name, *others)}
)

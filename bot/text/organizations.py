"""Names of organizations: which of them mean the same one.

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
    "alibaba": ("alibaba inc", "alibaba group", "alibaba research"),
    "amazon": ("amazon science", "amazon research"),
    "ant group": ("antgroup", "ant research"),
    "apple": ("apple machine learning research", "apple ml"),
    "baai": ("beijing academy of artificial intelligence",),
    "baidu": ("baidu research", "baidu inc"),
    "beijing institute of technology": ("bit",),
    "bytedance": ("bytedance research", "bytedance inc"),
    "carnegie mellon university": ("cmu", "carnegie mellon", "carnegie mellon u"),
    "chinese university of hong kong": ("cuhk", "cuohk"),
    "columbia university": ("columbia",),
    "cornell university": ("cornell",),
    "damo academy": ("alibaba damo academy", "alibaba damo", "damo"),
    "deepmind": ("google deepmind",),
    "deepseek": ("deepseek ai",),
    "eth zurich": ("eth", "ethz", "eth zürich"),
    "fudan university": ("fudan",),
    "georgia institute of technology": ("georgia tech", "gatech"),
    "google": ("google research", "google ai", "google brain", "google inc"),
    "harbin institute of technology": ("hit",),
    "harvard university": ("harvard",),
    "hong kong polytechnic university": ("polyu", "polyuhk", "hk polyu"),
    "hong kong university of science and technology": ("hkust", "hongkongust"),
    "huazhong university of science and technology": ("hust",),
    "hugging face": ("huggingface", "hf"),
    "ibm": ("ibm research",),
    "intel": ("intel labs",),
    "johns hopkins university": ("jhu", "johns hopkins"),
    "kaist": ("kaist ai", "korea advanced institute of science and technology"),
    "kaust": ("king abdullah university of science and technology",),
    "korea university": ("korea univ",),
    "kuaishou": ("kuaishou technology",),
    "massachusetts institute of technology": ("mit",),
    "max planck institute for intelligent systems": ("mpi is",),
    "mbzuai": ("mohamed bin zayed university of artificial intelligence", "mohamed bin zayed university of ai"),
    "meituan longcat": ("longcat",),
    "meta": (
        "meta ai", "fair", "facebook", "facebook ai", "facebook ai research", "ai at meta", "meta fair", "fair at meta",
        "meta ai research", "meta research", "meta platforms",
    ),
    "microsoft": ("microsoft research", "msr", "microsoft corporation"),
    "mistral ai": ("mistral", "mistralai"),
    "moonshot ai": ("moonshot", "kimi"),
    "nanjing university": ("nju",),
    "nanyang technological university": ("ntu singapore", "nanyang tech"),
    "national university of singapore": ("nus",),
    "new york university": ("nyu", "nyuniversity"),
    "nvidia": ("nvidia research", "nvidia ai", "nvidia corporation"),
    "opendatalab": ("open data lab",),
    "openmoss": ("openmoss team",),
    "peking university": ("pku", "pku1898"),
    "pohang university of science and technology": ("postech",),
    "princeton university": ("princeton",),
    "qualcomm": ("qualcomm ai research",),
    "qwen": ("qwen team", "alibaba qwen"),
    "renmin university of china": ("ruc", "renmin university"),
    "salesforce": ("salesforce research", "salesforce ai research"),
    "samsung": ("samsung research", "samsung ai"),
    "seoul national university": ("snu", "seoul natl univ"),
    "shanghai ai laboratory": (
        "shanghai ai lab", "shanghai artificial intelligence laboratory", "pjlab",
    ),
    "shanghai jiao tong university": ("sjtu", "shanghai jiaotong university"),
    "simon fraser university": ("sfu",),
    "sony": ("sony ai", "sony research"),
    "southern university of science and technology": ("sustech",),
    "stanford university": ("stanford",),
    "stepfun": ("stepfun ai",),
    "sun yat sen university": ("sysu",),
    "technical university of munich": ("tum", "tu munich", "tu münchen"),
    "technion israel institute of technology": ("technion",),
    "tencent": ("tencent ai lab", "tencent research"),
    "tencent hunyuan": ("hunyuan",),
    "tongyi lab": ("alibaba tongyi lab", "tongyi"),
    "tsinghua university": ("tsinghua", "thu", "thu1911"),
    "university college london": ("ucl",),
    "university of british columbia": ("ubc",),
    "university of california berkeley": (
        "berkeley", "uc berkeley", "uc-berkeley", "university of california at berkeley",
    ),
    "university of california los angeles": ("ucla", "university of california at los angeles"),
    "university of california san diego": ("ucsd", "uc san diego", "university of california at san diego"),
    "university of california santa barbara": ("ucsb", "uc santa barbara", "university of california at santa barbara"),
    "university of cambridge": ("cambridge", "cambridge university"),
    "university of hong kong": ("hku", "hong kong university"),
    "university of illinois at urbana champaign": ("uiuc", "university of illinois urbana champaign"),
    "university of maryland": ("umd", "university of maryland college park"),
    "university of north carolina at chapel hill": ("unc", "unc chapel hill", "university of north carolina"),
    "university of oxford": ("oxford", "oxford university"),
    "university of pennsylvania": ("upenn", "penn"),
    "university of science and technology of china": ("ustc",),
    "university of southern california": ("usc",),
    "university of texas at austin": ("ut austin", "utexas"),
    "university of tokyo": ("utokyo",),
    "university of toronto": ("uoft",),
    "university of washington": ("uw",),
    "university of wisconsin madison": ("uw madison", "wisconsin", "university of wisconsin"),
    "xiaomi": ("xiaomi research",),
    "yale university": ("yale",),
    "yonsei university": ("yonsei",),
    "zai": ("z.ai", "zai org", "zhipu", "zhipu ai"),
    "zhejiang university": ("zju",),
})  # fmt: skip
"""The best known organizations, and their other names. A lab that publishes under a name that people know is not folded
into what it belongs to: DeepMind isn't Google, and Qwen isn't Alibaba."""


def organization(name: str) -> str:
    """The name by which an organization is written in queries; "" if `name` has no letters or digits."""
    words = _words(name)
    return _NAMES.get(words.replace(" ", ""), words)


def organization_key(name: str) -> str:
    """The same without spaces: equal for all names of one organization, with and without spaces: `ByteDance-Seed` is `ByteDance Seed`."""
    return organization(name).replace(" ", "")


def known_as(begun: str) -> set[str]:
    """The organizations of which another name begins like this."""
    start = _words(begun).replace(" ", "")
    return {name for other, name in _NAMES.items() if start and other.startswith(start)}


@lru_cache(maxsize=4096)
def _words(name: str) -> str:
    words = " ".join(spell(name.casefold())).replace("-", " ")
    return _ARTICLES.sub("", words)


_NAMES: Mapping[str, str] = MappingProxyType(
    {
        _words(other).replace(" ", ""): _words(name)
        for name, others in _ALIASES.items()
        for other in (name, *others)
    }
)

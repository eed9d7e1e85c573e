"""Suggestions for an option while it is typed, on platforms that show them."""

import re
from collections.abc import Mapping, Sequence

from bot.cards import Choice
from bot.cards.paper import QUERY
from bot.cards.sanitize import plain
from bot.commands.services import Services
from bot.commands.table import find
from bot.domain.models import ChannelRef
from bot.text import shorten

CATEGORIES: Mapping[str, str] = {
    "cs.AI": "Artificial Intelligence",
    "cs.AR": "Hardware Architecture",
    "cs.CC": "Computational Complexity",
    "cs.CE": "Computational Engineering, Finance, and Science",
    "cs.CG": "Computational Geometry",
    "cs.CL": "Computation and Language",
    "cs.CR": "Cryptography and Security",
    "cs.CV": "Computer Vision and Pattern Recognition",
    "cs.CY": "Computers and Society",
    "cs.DB": "Databases",
    "cs.DC": "Distributed, Parallel, and Cluster Computing",
    "cs.DL": "Digital Libraries",
    "cs.DS": "Data Structures and Algorithms",
    "cs.GR": "Graphics",
    "cs.GT": "Computer Science and Game Theory",
    "cs.HC": "Human-Computer Interaction",
    "cs.IR": "Information Retrieval",
    "cs.IT": "Information Theory",
    "cs.LG": "Machine Learning",
    "cs.LO": "Logic in Computer Science",
    "cs.MA": "Multiagent Systems",
    "cs.MM": "Multimedia",
    "cs.NE": "Neural and Evolutionary Computing",
    "cs.NI": "Networking and Internet Architecture",
    "cs.OS": "Operating Systems",
    "cs.PL": "Programming Languages",
    "cs.RO": "Robotics",
    "cs.SD": "Sound",
    "cs.SE": "Software Engineering",
    "cs.SI": "Social and Information Networks",
    "eess.AS": "Audio and Speech Processing",
    "eess.IV": "Image and Video Processing",
    "eess.SP": "Signal Processing",
    "eess.SY": "Systems and Control",
    "math.OC": "Optimization and Control",
    "math.ST": "Statistics Theory",
    "physics.comp-ph": "Computational Physics",
    "q-bio.BM": "Biomolecules",
    "q-bio.NC": "Neurons and Cognition",
    "q-bio.QM": "Quantitative Methods",
    "q-fin.ST": "Statistical Finance",
    "quant-ph": "Quantum Physics",
    "stat.AP": "Statistics: Applications",
    "stat.ME": "Statistics: Methodology",
    "stat.ML": "Statistics: Machine Learning",
}


MAX_CHOICES = 25
"""Suggestions at most: the smallest limit of a platform."""
MAX_TITLES = 10
MAX_LABEL = 100
"""Characters of a suggestion: the smallest limit of a platform."""
_WORD = re.compile(r"[^\W_]{3,}")


async def complete(
    command: str, option: str, typed: str, channel: ChannelRef, services: Services
) -> Sequence[Choice]:
    """Suggestions, the likeliest first; none for an unknown command or option."""
    spec = find(command)
    kind = next((o.kind for o in spec.options if o.name == option), None) if spec else None
    match kind:
        case "subscription":
            return await _subscriptions(typed, channel, services)
        case "title":
            return await _titles(typed, services)
        case "query":
            return await _queries(typed, channel, services)
        case _:
            return ()


async def _subscriptions(typed: str, channel: ChannelRef, services: Services) -> Sequence[Choice]:
    wanted = typed.casefold().removeprefix("#").strip()
    return [
        Choice(f"#{s.number}", f"#{s.number} {shorten(s.query, QUERY)}")
        for s in await services.subscriptions.of(channel)
        if wanted in s.query.casefold() or str(s.number).startswith(wanted)
    ][:MAX_CHOICES]


async def _queries(typed: str, channel: ChannelRef, services: Services) -> Sequence[Choice]:
    """The text with its last word completed to a category, or to a word of a subscription here."""
    before, space, last = typed.rpartition(" ")
    if categories := _categories(
        last.casefold().removeprefix("cat:"), wanted=last.casefold().startswith("cat:")
    ):
        return [
            Choice(f"{before}{space}cat:{one}", f"{before}{space}cat:{one} – {CATEGORIES[one]}")
            for one in categories
        ]
    queries = [s.query for s in await services.subscriptions.of(channel)]
    whole = [query for query in queries if typed.casefold().strip() in query.casefold()]
    said = dict.fromkeys(word for query in queries for word in _WORD.findall(query.casefold()))
    words = [f"{before}{space}{word}" for word in said if len(last) > 1 and word.startswith(last.casefold())]
    return [Choice(text, text) for text in dict.fromkeys((*words, *whole))][:MAX_CHOICES]


def _categories(begun: str, *, wanted: bool) -> list[str]:
    """Categories that begin like this; without `cat:` only if it can be nothing else, as in `cs.c`."""
    if not wanted and "." not in begun:
        return []
    return [category for category in CATEGORIES if category.casefold().startswith(begun)][:MAX_CHOICES]


async def _titles(typed: str, services: Services) -> Sequence[Choice]:
    papers = await services.search.titled(typed, MAX_TITLES)
    return [Choice(paper.id, shorten(plain(paper.title), MAX_LABEL)) for paper in papers]

"""arXiv's own search: https://info.arxiv.org/help/api/user-manual.html."""

from collections.abc import Iterator, Sequence

from bot.domain.models import Paper
from bot.query import Category, Not, Person, Phrase, Query
from bot.query.nodes import And, Node
from bot.sources.arxiv_api import parse_answer
from bot.sources.http import Upstream, user_agent
from bot.sources.wiring import Wiring
from bot.store.request_gate import Gate
from bot.text import spell
from bot.text.identity import is_arxiv

MOST_WORDS = 12
"""More make its search slow, and no better."""
_FIELDS = {"": "all", "title": "ti", "abs": "abs"}


class ArxivSearch:
    """By words and fields, best match first. It keeps to arXiv's one request in three seconds: it may come too late."""

    name = "arXiv"

    def __init__(self, upstream: Upstream, url: str) -> None:
        self._upstream = upstream
        self._url = f"{url}/api/query"

    async def search(self, words: str, query: Query | None, most: int) -> Sequence[Paper]:
        asked = (query and _translated(query.root)) or _all_of(words)
        if not asked:
            return ()
        params = {"search_query": asked, "max_results": str(most), "sortBy": "relevance"}
        return parse_answer((await self._upstream.get(self._url, params, accept=(200, 400))).body)

    async def paper(self, paper_id: str) -> Paper | None:
        if not is_arxiv(paper_id):
            return None
        params = {"id_list": paper_id, "max_results": "1"}
        answer = await self._upstream.get(self._url, params, accept=(200, 400))
        return next(iter(parse_answer(answer.body)), None)


def build(wiring: Wiring) -> Iterator[ArxivSearch]:
    upstream = Upstream(
        "arXiv",
        wiring.session,
        user_agent=user_agent(wiring.settings.contact),
        now=wiring.now,
        turn=Gate(wiring.redis, "arxiv").turn,
        timeout=wiring.timeout,
    )
    yield ArxivSearch(upstream, wiring.settings.arxiv_api_url)


def _all_of(words: str) -> str:
    return " AND ".join(f"all:{word}" for word in spell(words)[:MOST_WORDS])


def _translated(node: Node) -> str | None:
    """A query that is a plain list of terms in arXiv's language; None for any other, and where no term is left."""
    nodes = node.nodes if isinstance(node, And) else (node,)
    wanted = [_term(part) for part in nodes if not isinstance(part, Not)]
    unwanted = [_term(part.node) for part in nodes if isinstance(part, Not)]
    if None in wanted or len(nodes) > MOST_WORDS:
        return None
    return "".join((" AND ".join(filter(None, wanted)), *(f" ANDNOT {term}" for term in unwanted if term)))


def _term(node: Node) -> str | None:
    match node:
        case Phrase(words, field):
            return f"{_FIELDS[field]}:{_quoted(words)}{'*' if node.prefix else ''}"
        case Person(words):
            return f"au:{_quoted(words)}{'*' if node.prefix else ''}"
        case Category(name):
            return f"cat:{name}"
        case _:
            return None


def _quoted(words: Sequence[str]) -> str:
    text = " ".join(words)
    return f'"{text}"' if len(words) > 1 or not text.isalnum() else text

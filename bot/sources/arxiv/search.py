"""arXiv on demand: its search (https://info.arxiv.org/help/api/user-manual.html), one paper, one past day."""

from collections.abc import Sequence
from datetime import date

import structlog

from bot.domain.errors import SourceError
from bot.domain.models import Paper
from bot.query import Category, Not, Person, Phrase, Query
from bot.query.nodes import And, Node
from bot.sources.arxiv.abstract_page import parse_abstract_page
from bot.sources.arxiv.announcements import parse_answer
from bot.sources.arxiv.oai_records import parse_record
from bot.sources.http import Upstream
from bot.text import spell
from bot.text.identity import is_arxiv

MAX_WORDS = 12
"""Maximum number of words in a search; with more, arXiv's search is slow and no better."""
PAGE = 1000
"""Number of papers per request for a day: arXiv allows 2,000, but is slow then."""
MAX_PAGES = 10
_FIELDS = {"": "all", "title": "ti", "abs": "abs"}

log = structlog.get_logger(__name__)


class ArxivSearch:
    """Searches by words and fields, best match first. arXiv allows one request in 3 s, which can delay an answer."""

    name = "arXiv"

    def __init__(self, upstream: Upstream, api_url: str, oai_url: str) -> None:
        self._upstream = upstream
        self._api_url = f"{api_url}/api/query"
        self._pages_url = f"{api_url}/abs"
        self._oai_url = f"{oai_url}/oai"

    async def search(self, words: str, query: Query | None, most: int) -> Sequence[Paper]:
        search_query = (query and _translated(query.root)) or _all_of(words)
        if not search_query:
            return ()
        params = {"search_query": search_query, "max_results": str(most), "sortBy": "relevance"}
        return parse_answer((await self._upstream.get(self._api_url, params, accept=(200, 400))).body)

    async def paper(self, paper_id: str) -> Paper | None:
        """Look up a paper by OAI-PMH, which is reliable; if that fails, by the search API, then the abstract page."""
        if not is_arxiv(paper_id):
            return None
        for look_up in (self._by_oai, self._by_api):
            try:
                return await look_up(paper_id)
            except SourceError as error:
                if error.refused or error.retry_after is not None:
                    raise
                log.info("arxiv_record_not_read", paper=paper_id, reason=str(error))
        return await self._by_page(paper_id)

    async def _by_oai(self, paper_id: str) -> Paper | None:
        identifier = f"oai:arXiv.org:{paper_id}"
        params = {"verb": "GetRecord", "metadataPrefix": "arXivRaw", "identifier": identifier}
        return parse_record((await self._upstream.get(self._oai_url, params)).body)

    async def _by_api(self, paper_id: str) -> Paper | None:
        params = {"id_list": paper_id, "max_results": "1"}
        answer = await self._upstream.get(self._api_url, params, accept=(200, 400))
        return next(iter(parse_answer(answer.body)), None)

    async def _by_page(self, paper_id: str) -> Paper | None:
        answer = await self._upstream.get(f"{self._pages_url}/{paper_id}", accept=(200, 404))
        return None if answer.status == 404 else parse_abstract_page(answer.body.decode("utf-8", "replace"))


class ArxivHistory:
    """The papers that were submitted on a day, from the search API."""

    name = "arXiv"

    def __init__(self, upstream: Upstream, api_url: str, categories: Sequence[str]) -> None:
        self._upstream = upstream
        self._url = f"{api_url}/api/query"
        self._categories = " OR ".join(f"cat:{category}" for category in categories)

    async def of(self, day: date) -> Sequence[Paper]:
        wanted = f"({self._categories}) AND submittedDate:[{day:%Y%m%d}0000 TO {day:%Y%m%d}2359]"
        found: list[Paper] = []
        for page in range(MAX_PAGES):
            params = {"search_query": wanted, "start": str(page * PAGE), "max_results": str(PAGE)}
            answer = await self._upstream.get(self._url, params, accept=(200, 400), slow=True)
            papers = parse_answer(answer.body)
            found += papers
            if len(papers) < PAGE:
                return found
        raise SourceError(f"arXiv lists more than {PAGE * MAX_PAGES} papers for {day}, which can't be right")


def _all_of(words: str) -> str:
    return " AND ".join(f"all:{word}" for word in spell(words)[:MAX_WORDS])


def _translated(node: Node) -> str | None:
    """Translate a plain list of terms into arXiv's query language; None for any other query."""
    nodes = node.nodes if isinstance(node, And) else (node,)
    wanted = [_term(part) for part in nodes if not isinstance(part, Not)]
    unwanted = [_term(part.node) for part in nodes if isinstance(part, Not)]
    if None in wanted or len(nodes) > MAX_WORDS:
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

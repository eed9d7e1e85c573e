"""Hugging Face's search for papers."""

import json
from collections.abc import Iterator, Sequence
from urllib.parse import quote

from bot.domain.errors import SourceError
from bot.domain.models import Paper
from bot.query import Query
from bot.sources.http import Upstream, user_agent
from bot.sources.huggingface_list import parse_list
from bot.sources.wiring import Wiring

LONGEST = 250
"""Characters of a search; longer ones are refused."""


class HuggingFaceSearch:
    """By meaning and by words: it takes a whole sentence."""

    name = "Hugging Face"

    def __init__(self, upstream: Upstream, url: str) -> None:
        self._upstream = upstream
        self._url = f"{url}/api/papers"

    async def search(self, words: str, query: Query | None, most: int) -> Sequence[Paper]:  # noqa: ARG002  # it knows no query
        params = {"q": words[:LONGEST], "limit": str(most)}
        answer = await self._upstream.get(f"{self._url}/search", params)
        return parse_list(answer.body)[:most]

    async def paper(self, paper_id: str) -> Paper | None:
        answer = await self._upstream.get(f"{self._url}/{quote(paper_id, safe='')}", accept=(200, 400, 404))
        if answer.status != 200:
            return None
        try:
            found = json.loads(answer.body)
        except (ValueError, RecursionError) as error:
            raise SourceError(
                f"Hugging Face sent something that is not JSON ({len(answer.body)} bytes)"
            ) from error
        return next(iter(parse_list(json.dumps([{"paper": found}]).encode())), None)


def build(wiring: Wiring) -> Iterator[HuggingFaceSearch]:
    agent = user_agent(wiring.settings.contact)
    upstream = Upstream(
        "Hugging Face", wiring.session, user_agent=agent, now=wiring.now, timeout=wiring.timeout
    )
    yield HuggingFaceSearch(upstream, wiring.settings.huggingface_url)

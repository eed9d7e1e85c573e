"""What detects arXiv's papers: the feeds, which are quick, and OAI-PMH, which is complete."""

from collections.abc import Iterator

from bot.sources.arxiv_calendar import Calendar
from bot.sources.arxiv_oai import ArxivOai
from bot.sources.arxiv_rss import ArxivRss
from bot.sources.http import Upstream, user_agent
from bot.sources.wiring import Wiring
from bot.store.request_gate import ARXIV_PAUSE, Gate


def build(wiring: Wiring) -> Iterator[ArxivRss | ArxivOai]:
    """Two sources for each category. All of them wait at one gate, and rest together."""
    settings = wiring.settings
    upstream = Upstream(
        "arXiv",
        wiring.session,
        user_agent=user_agent(settings.contact),
        now=wiring.now,
        turn=Gate(wiring.redis, "arxiv", pause=ARXIV_PAUSE * wiring.pace).turn,
        timeout=wiring.timeout,
    )
    calendar, cross = Calendar(settings.arxiv_holidays), settings.arxiv_cross_lists
    for category in dict.fromkeys(settings.arxiv_categories):
        yield ArxivRss(category, upstream, settings.arxiv_rss_url, wiring.now, calendar=calendar, cross=cross)
        yield ArxivOai(
            category,
            upstream,
            settings.arxiv_oai_url,
            wiring.now,
            wiring.progress,
            calendar=calendar,
            cross=cross,
        )

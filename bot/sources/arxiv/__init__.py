"""arXiv. Its feeds detect papers quickly, OAI-PMH completely; its search API is only for requests on demand."""

import re
from collections.abc import Iterator
from datetime import date
from typing import Annotated

from pydantic import AfterValidator, Field

from bot.settings import BaseUrl, CommaSeparated, SettingsGroup
from bot.sources.arxiv.calendar import Calendar
from bot.sources.arxiv.oai import ArxivOai
from bot.sources.arxiv.on_demand import ArxivOnDemand
from bot.sources.arxiv.rss import ArxivRss
from bot.sources.arxiv.search import ArxivHistory, ArxivSearch
from bot.sources.context import SourceContext
from bot.sources.http import Upstream
from bot.store.limits import ARXIV_PAUSE

_CATEGORY = r"^[A-Za-z][A-Za-z-]+(\.[A-Za-z-]+)?$"


def _check_category(value: str) -> str:
    if not re.match(_CATEGORY, value):
        raise ValueError("needs arXiv categories such as cs.AI, separated by commas")
    archive, dot, subject = value.partition(".")
    if dot and (subject != subject.upper() and len(subject) == 2):
        raise ValueError(
            f"“{value}” isn't a category of arXiv. Did you mean {archive.lower()}.{subject.upper()}?"
        )
    return value


Category = Annotated[str, AfterValidator(_check_category)]


class ArxivSettings(SettingsGroup):
    """arXiv's categories to follow, and its addresses."""

    arxiv_rss_url: BaseUrl = "https://rss.arxiv.org"
    arxiv_oai_url: BaseUrl = "https://oaipmh.arxiv.org"
    arxiv_api_url: BaseUrl = "https://export.arxiv.org"
    """Used for searches on demand and for backfilling, never to detect new papers."""
    arxiv_categories: CommaSeparated[Category] = ("cs.AI", "cs.CL", "cs.CV", "cs.LG")
    arxiv_cross_lists: bool = False
    """Whether a paper counts as new in these categories even if its primary category is another one."""
    arxiv_on_demand: int = Field(default=150, ge=0, le=500)
    """Maximum number of further categories, followed because subscriptions ask for them (`cat:math.AG`); 0 for none."""
    arxiv_holidays: CommaSeparated[date] = ()
    """More dates on which arXiv announces nothing, in addition to the known ones: `2027-05-03,2027-08-16`."""

    @property
    def categories(self) -> tuple[str, ...]:
        """The categories to follow, without duplicates."""
        return tuple(dict.fromkeys(self.arxiv_categories))


SETTINGS = ArxivSettings


def build(context: SourceContext) -> Iterator[ArxivRss | ArxivOai]:
    """Build two sources for each category. All of them share one rate limit, and pause together."""
    settings = context.settings.of(ArxivSettings)
    for category in settings.categories:
        yield from _sources(context, category)


def build_on_demand(context: SourceContext) -> Iterator[ArxivOnDemand]:
    """Build the reader of categories that subscriptions ask for."""
    settings = context.settings.of(ArxivSettings)

    def sources_of(category: str) -> Iterator[ArxivRss | ArxivOai]:
        return _sources(context, category)

    yield ArxivOnDemand(
        sources_of,
        Calendar(settings.arxiv_holidays),
        context.now,
        limit=settings.arxiv_on_demand,
        categories=settings.categories,
    )


def _sources(context: SourceContext, category: str) -> Iterator[ArxivRss | ArxivOai]:
    settings = context.settings.of(ArxivSettings)
    upstream = context.shared_upstream("arXiv", gate="arxiv", pause=ARXIV_PAUSE)
    calendar, cross = Calendar(settings.arxiv_holidays), settings.arxiv_cross_lists
    yield ArxivRss(category, upstream, settings.arxiv_rss_url, context.now, calendar=calendar, cross=cross)
    yield ArxivOai(
        category,
        upstream,
        settings.arxiv_oai_url,
        context.now,
        context.progress,
        calendar=calendar,
        cross=cross,
    )


def build_search(context: SourceContext) -> Iterator[ArxivSearch]:
    """Build arXiv's own search."""
    settings = context.settings.of(ArxivSettings)
    yield ArxivSearch(_upstream(context), settings.arxiv_api_url, settings.arxiv_oai_url)


def build_history(context: SourceContext) -> Iterator[ArxivHistory]:
    """Build the reader of past days, for the operator's categories."""
    settings = context.settings.of(ArxivSettings)
    if settings.categories:
        yield ArxivHistory(_upstream(context), settings.arxiv_api_url, settings.categories)


def _upstream(context: SourceContext) -> Upstream:
    return context.upstream("arXiv", gate="arxiv", pause=ARXIV_PAUSE)

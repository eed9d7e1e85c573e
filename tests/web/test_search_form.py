"""The search form: its filters, and the chart of papers per week."""

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import html5lib
import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.asyncio import Redis

from bot.commands.weekly_plot import FEWEST_WEEKS
from bot.domain.models import Paper
from bot.query import parse
from bot.store.papers import Papers
from bot.web.filters import filters_of
from bot.web.plot import HEIGHT, plot
from tests.papers import a_paper
from tests.web.site import NOW, Client, site
from tests.web.test_pages import page, titles

PAPERS = (
    a_paper(
        "1",
        title="Gecko one",
        categories=("cs.CL",),
        published=NOW - timedelta(days=2),
        upvotes=1,
        sources=("arxiv",),
    ),
    a_paper(
        "2",
        title="Gecko two",
        categories=("cs.RO",),
        published=NOW - timedelta(days=20),
        upvotes=9,
        sources=("arxiv",),
    ),
    a_paper(
        "3",
        title="Gecko three",
        categories=("cs.CL",),
        published=NOW - timedelta(days=400),
        organization="Google DeepMind",
        sources=("huggingface",),
    ),
    a_paper("4", title="A newt", categories=("cs.CL",), published=NOW - timedelta(days=3)),
)


async def found(client: Client, **fields: object) -> list[str]:
    return titles(await page(client, f"/?{urlencode(fields)}"))


async def test_fields_narrow_a_search(redis: Redis) -> None:
    await Papers(redis).remember(PAPERS)
    async with site(redis) as client:
        assert set(await found(client, q="gecko")) == {"Gecko one", "Gecko two", "Gecko three"}
        assert set(await found(client, q="gecko", days=30)) == {"Gecko one", "Gecko two"}
        assert set(await found(client, q="gecko", cat="cs.CL")) == {"Gecko one", "Gecko three"}
        assert set(await found(client, q="gecko OR newt", cat="cs.CL", days=7)) == {"Gecko one", "A newt"}
        assert await found(client, q="gecko", org="Google DeepMind") == ["Gecko three"]
        assert await found(client, q="gecko", source="huggingface") == ["Gecko three"]
        assert (await found(client, q="gecko", sort="top"))[0] == "Gecko two"
        assert (await found(client, q="gecko", sort="new"))[0] == "Gecko one"
        assert set(await found(client, cat="cs.CL", sort="new")) == {"Gecko one", "A newt", "Gecko three"}


async def test_a_page_of_results_keeps_the_filters(redis: Redis) -> None:
    many = [a_paper(str(n), title=f"Gecko {n}", published=NOW, categories=("cs.CL",)) for n in range(12)]
    await Papers(redis).remember(many)
    async with site(redis) as client:
        first = await page(client, "/?q=gecko+OR+newt&cat=cs.CL&days=30&sort=new&source=&org=")
    assert 'value="cs.CL"' in first
    assert '<option value="30" selected' in first
    assert '<option value="new" selected' in first
    assert "/?q=gecko+OR+newt&amp;days=30&amp;sort=new&amp;cat=cs.CL&amp;page=2" in first
    assert "/paper subscribe (gecko OR newt) cat:cs.CL" in first
    assert "/feeds/search.atom?q=%28gecko+OR+newt%29+cat%3Acs.CL" in first


@pytest.mark.parametrize("name", ["days", "sort", "source", "cat", "org"])
async def test_any_value_of_a_field_is_answered_with_a_page(redis: Redis, name: str) -> None:
    await Papers(redis).remember(PAPERS)
    async with site(redis) as client:
        for value in ('"', "\\", "x" * 5000, "<script>", "(((", "-1", "\u202e", "cs.CL OR a", "\0"):
            assert "<script>" not in await page(client, f"/?{urlencode({'q': 'gecko', name: value})}")
            await page(client, f"/?{urlencode({name: value})}")


@given(
    st.fixed_dictionaries({}, optional={name: st.text() for name in ("days", "sort", "source", "cat", "org")})
)
def test_filters_survive_a_round_trip(values: dict[str, str]) -> None:
    filters = filters_of(values)
    assert filters_of(filters.fields) == filters
    assert filters.text.count('"') == 2 * sum(
        map(bool, (filters.source, filters.category, filters.organization))
    )


async def test_the_chart_shows_the_papers_of_each_week(redis: Redis) -> None:
    await Papers(redis).remember(weekly(range(2, 32)))
    async with site(redis) as client:
        text = await page(client, "/?q=gecko")
        narrowed = await page(client, "/?q=gecko&cat=cs.RO")
        assert "<svg" not in await page(client, "/?q=gecko&page=2")
        assert "<svg" not in await page(client, "/?q=newts+of+mars")
    assert "Published per week: 495 in 30 weeks, at most 31 in one" in text
    assert table(text) == [(NOW.date() - timedelta(days=7 * n + 6), 31 - n) for n in range(30)]
    assert "at most 15 in one" in narrowed


def weekly(counts: range) -> list[Paper]:
    """Return `counts` papers per week, oldest first; every second one is in cs.RO."""
    return [
        a_paper(
            f"2603.{week:03}{n:02}",
            title=f"Gecko {week} {n}",
            categories=("cs.RO",) if n % 2 else ("cs.CL",),
            published=NOW - timedelta(days=7 * (len(counts) - week) - n % 7 - 1),
        )
        for week, count in enumerate(counts)
        for n in range(count)
    ]


def table(text: str) -> list[Any]:
    tree = html5lib.parse(text, namespaceHTMLElements=False)
    rows = [[cell.text for cell in row.iter("td")] for row in tree.iter("tr")]
    return [(NOW.date().fromisoformat(day), int(count)) for day, count in filter(None, rows)]


@given(st.lists(st.integers(0, 10_000), max_size=60))
def test_the_height_of_a_bar_follows_its_count(counts: list[int]) -> None:
    drawn = plot(counts, NOW.date())
    if drawn is None:
        assert len(counts) < FEWEST_WEEKS or sum(counts) < 5
        return
    assert [bar.count for bar in drawn.bars] == counts
    assert drawn.bars[-1].begins + timedelta(days=6) == NOW.date()
    for bar in drawn.bars:
        assert bar.y + bar.height == pytest.approx(HEIGHT, abs=0.2)
        assert 0 <= bar.x <= drawn.width - drawn.bar_width
        assert (bar.height > 0) == (bar.count > 0)
    highest = max(drawn.bars, key=lambda bar: bar.count)
    assert highest.height == HEIGHT


def test_filters_become_a_query() -> None:
    filters = filters_of(
        {"cat": "cs.CL", "source": "arxiv", "org": "Google DeepMind", "days": "9", "sort": "x"}
    )
    assert filters.query == parse('source:arxiv cat:cs.CL org:"Google DeepMind"')
    assert (filters.days, filters.sort) == (None, "best")

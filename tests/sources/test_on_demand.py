"""Categories that are read on demand: papers announced before they were followed are history."""

from datetime import UTC, date, datetime, timedelta

import pytest

from bot.ports import Batch
from bot.query import parse
from bot.sources.arxiv.on_demand import SinceFollowed
from bot.sources.biorxiv_on_demand import Cursor, FollowedBiorxiv
from bot.sources.categories import ALIASES, ARCHIVES, ARXIV, BIORXIV, MEDRXIV
from tests.papers import a_paper
from tests.sources.on_demand import an_arxiv
from tests.sources.upstreams import Clock

FOLLOWED = datetime(2026, 5, 20, 15, tzinfo=UTC)


class Listing:
    """A source that answers with prepared batches, and records the cursors."""

    name = "listing"

    def __init__(self, *batches: Batch) -> None:
        self._batches = list(batches)
        self.cursors: list[str | None] = []

    async def fetch(self, cursor: str | None) -> Batch:
        self.cursors.append(cursor)
        return self._batches.pop(0)

    def next_poll(self, now: datetime) -> datetime:
        return now + timedelta(hours=2)


async def test_papers_are_news_only_from_the_next_announcement_on() -> None:
    clock = Clock()
    first = clock.now() + timedelta(hours=5)
    paper, older = a_paper("2605.00001"), a_paper("2605.00002")
    listing = Listing(Batch((paper,), "a", history=(older,)), Batch((paper,), "b", alarm="silent"))
    source = SinceFollowed(listing, first, clock.now)
    batch = await source.fetch(None)
    assert batch.papers == ()
    assert [(one.id, one.backfilled) for one in batch.history] == [(older.id, True), (paper.id, True)]
    clock.at = first
    batch = await source.fetch(batch.cursor)
    assert (batch.papers, batch.alarm) == ((paper,), None)


async def test_older_papers_of_a_late_list_are_not_news() -> None:
    clock = Clock()
    first = datetime(2026, 5, 21, 0, tzinfo=UTC)  # 20:00 in New York, on the 20th
    before, after, undated = a_paper("2605.00001"), a_paper("2605.00002"), a_paper("2605.00003")
    announced = {before.id: date(2026, 5, 20), after.id: date(2026, 5, 21)}
    clock.at = first
    batch = await SinceFollowed(
        Listing(Batch((before, after, undated), "a", announced=announced)), first, clock.now
    ).fetch(None)
    assert batch.papers == (after, undated)
    assert [(one.id, one.backfilled) for one in batch.history] == [(before.id, True)]


def test_every_category_of_arxiv_can_be_followed() -> None:
    arxiv = an_arxiv(lambda: FOLLOWED, categories=("cs.AI",))
    assert len(ARXIV) == 155
    for name in (*ARXIV, *(f"{archive}.*" for archive in ARCHIVES)):
        assert str(parse(f"cat:{name}")) == f"cat:{name}"
        assert arxiv.has(name)
        sources = [source.name for source in arxiv.sources({name: FOLLOWED})]
        assert sources == ([] if name == "cs.AI" else list(arxiv.source_names(name)))
        assert arxiv.is_read(name, (name,))


def test_an_archive_is_read_if_all_its_categories_are() -> None:
    econ = tuple(name for name in ARXIV if name.startswith("econ."))
    arxiv = an_arxiv(lambda: FOLLOWED, categories=econ)
    assert arxiv.is_read("econ.*")
    assert arxiv.is_read("q-fin.EC")
    assert ALIASES["q-fin.EC"] == "econ.GN"
    assert not arxiv.is_read("math.*")


def test_categories_of_biorxiv_are_named_as_in_queries() -> None:
    for name in (*BIORXIV, *MEDRXIV):
        assert str(parse(f"cat:{name}")) == f"cat:{name}"


@pytest.mark.parametrize(
    ("days", "known", "is_news"),
    [(1, False, True), (0, False, False), (0, True, True), (-1, True, False), (-13, False, False)],
)
async def test_a_preprint_is_news_if_it_was_posted_after_its_category_was_followed(
    days: int, known: bool, is_news: bool
) -> None:
    paper = a_paper("doi:10.1101/1", categories=("neuroscience",), published=FOLLOWED + timedelta(days=days))
    other = a_paper("doi:10.1101/2", categories=("zoology",), published=FOLLOWED)
    source = FollowedBiorxiv("biorxiv", Listing(Batch((paper, other), "b")))
    source.since = {"neuroscience": FOLLOWED}
    batch = await source.fetch(str(Cursor("a", ("neuroscience",))) if known else None)
    assert [one.id for one in batch.papers] == ([paper.id] if is_news else [])
    assert [one.id for one in batch.history] == ([] if is_news else [paper.id])


async def test_an_added_category_is_read_14_days_back() -> None:
    listing = Listing(*(Batch((), name, more=name in "ac") for name in "abcde"))
    source = FollowedBiorxiv("biorxiv", listing)
    source.since = {"neuroscience": FOLLOWED}
    cursor = (await source.fetch(None)).cursor
    source.since = {"neuroscience": FOLLOWED, "zoology": FOLLOWED}  # in the middle of a list
    for _ in range(4):
        cursor = (await source.fetch(cursor)).cursor
    assert listing.cursors == [None, "a", None, "c", "d"]

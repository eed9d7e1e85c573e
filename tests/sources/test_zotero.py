"""Each paper is in the Zotero library once, whatever goes wrong."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.errors import SourceError
from bot.sources.zotero import COLLECTION, MAX_WAIT, KeyRefused, Pushed, Zotero
from bot.text.bibliography import Listed, listed
from bot.text.zotero_items import KEY_LENGTH, key_for
from tests.papers import a_paper
from tests.zotero_double import KEY
from tests.zotero_double import Zotero as Service

PAPERS = listed(a_paper(f"2611.{n:05}", title=f"Whales, part {n}") for n in range(120))


@dataclass
class Desk:
    """A client and its service, on a clock that only its waits advance."""

    service: Service
    url: str
    session: aiohttp.ClientSession
    now: datetime = datetime(2026, 11, 23, tzinfo=UTC)
    waits: list[float] = field(default_factory=list)

    @property
    def client(self) -> Zotero:
        """Return a new client, as after a restart."""
        return Zotero(self.session, self.url, contact="", now=lambda: self.now, pause=self._pause)

    async def push(self, papers: list[Listed] = PAPERS) -> Pushed:
        return await self.client.push(self.service.key, papers)

    async def _pause(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += timedelta(seconds=seconds)


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    service = Service()
    async with service.serve() as url, aiohttp.ClientSession() as session:
        yield Desk(service, url, session)


async def test_papers_go_into_a_collection_fifty_at_a_time(desk: Desk) -> None:
    assert await desk.push() == Pushed(new=120)
    assert desk.service.requests == [
        "GET /keys/current",
        "POST /users/475425/collections",
        *["POST /users/475425/items"] * 3,
    ]
    [collection] = desk.service.collections.values()
    assert collection["name"] == COLLECTION
    assert all(item["collections"] == [collection["key"]] for item in desk.service.items.values())


async def test_everything_known_about_a_paper_is_in_its_item(desk: Desk) -> None:
    paper = a_paper(
        "1706.03762",
        authors=("Ashish Vaswani", "OpenAI"),
        doi="10.1000/1",
        journal_ref="NeurIPS 2017",
        versions=7,
    )
    await desk.push([Listed(paper, "read section 3", ("to-read",))])
    [item] = desk.service.items.values()
    assert item["creators"] == [
        {"creatorType": "author", "firstName": "Ashish", "lastName": "Vaswani"},
        {"creatorType": "author", "name": "OpenAI"},
    ]
    assert (item["archiveID"], item["DOI"], item["tags"]) == (
        "arXiv:1706.03762",
        "10.1000/1",
        [{"tag": "to-read"}],
    )
    assert item["extra"].split("\n") == [
        "Published in: NeurIPS 2017",
        "arXiv version: 7",
        "Citation Key: vaswani2026:1706.03762",
        "Note: read section 3",
    ]


async def test_existing_items_are_not_changed(desk: Desk) -> None:
    await desk.push(PAPERS[:1])
    [item] = desk.service.items.values()
    [collection] = desk.service.collections.values()
    item |= {"title": "Changed by hand", "version": 9}
    collection |= {"name": "Renamed", "version": 9}
    assert await desk.push(PAPERS[:2]) == Pushed(new=1, there=1)
    assert item["title"] == "Changed by hand"
    assert [one["name"] for one in desk.service.collections.values()] == ["Renamed"]


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("step", range(1, 6))
async def test_a_kill_at_any_step_doubles_no_paper(desk: Desk, step: int, *, after: bool) -> None:
    """The client is killed before and after the service has carried out each of the five requests."""
    desk.service.stop_at, desk.service.stop_after = step, after
    pushing = asyncio.create_task(desk.push())
    await desk.service.stopped.wait()
    pushing.cancel()
    await asyncio.gather(pushing, return_exceptions=True)
    desk.service.stop_at = 0
    pushed = await desk.push()
    assert pushed.new + pushed.there == len(PAPERS)
    assert sorted(desk.service.created) == sorted({key_for(one.paper.id) for one in PAPERS})
    assert len(desk.service.collections) == 1
    assert await desk.push() == Pushed(there=len(PAPERS))


async def test_the_client_waits_as_long_as_zotero_asks(desk: Desk) -> None:
    desk.service.busy = [(429, {"Retry-After": "7"}), (503, {"Retry-After": "3"}), (500, {}), (409, {})]
    assert await desk.push() == Pushed(new=120)
    assert desk.waits == [7, 3, 8, 16]
    desk.waits.clear()
    desk.service.backoff = "5"
    assert (await desk.push()).there == 120
    assert desk.waits == [5] * 5


async def test_papers_that_are_refused_are_left_for_another_time(desk: Desk) -> None:
    desk.service.busy = [(429, {"Retry-After": "3000"})]
    with pytest.raises(SourceError):
        await desk.push()
    assert desk.waits == []
    desk.now += timedelta(hours=1)
    desk.service.full_after = len(desk.service.requests) + 3
    pushed = await desk.push()
    assert (pushed.new, pushed.left) == (50, 70)
    assert "fewer requests" in pushed.why
    assert sum(desk.waits) <= MAX_WAIT
    desk.now += timedelta(hours=1)
    desk.service.full_after = 0
    assert await desk.push() == Pushed(new=70, there=50)


async def test_a_key_without_write_access_is_refused(desk: Desk) -> None:
    with pytest.raises(KeyRefused):
        await desk.client.push("another key", PAPERS)
    desk.service.may_write = False
    with pytest.raises(KeyRefused):
        await desk.client.name_of(desk.service.key)
    assert desk.service.items == {}


async def test_too_large_a_body_is_sent_in_parts(desk: Desk) -> None:
    desk.service.largest = 10_000
    assert await desk.push() == Pushed(new=120)


async def test_an_odd_answer_is_an_error(desk: Desk) -> None:
    desk.service.busy = [(200, {})]
    with pytest.raises(SourceError, match="can't be read"):
        await desk.push()


@given(st.text(), st.text())
def test_keys_have_zoteros_form_and_are_unique(one: str, other: str) -> None:
    assert KEY.fullmatch(key_for(one.encode("utf-8", "replace").decode()))
    assert (key_for(ascii(one)) == key_for(ascii(other))) == (one == other)
    assert len(key_for(ascii(one))) == KEY_LENGTH

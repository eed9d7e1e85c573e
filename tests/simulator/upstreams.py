"""The upstreams of the simulated world over HTTP, with their faults."""

import asyncio
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from random import Random
from time import monotonic
from urllib.parse import parse_qs, quote, unquote, urlencode

from aiohttp import web
from aiohttp.typedefs import Handler

from tests.simulator.clock import SimulatedClock
from tests.simulator.world import DAY, Arxived, World, announces, at
from tests.sources.oai_answers import Stored, oai, oai_error
from tests.sources.preprints import Row, posted
from tests.sources.upstreams import Announced, listed, rss

PAGE = 150
"""Records per answer of OAI-PMH. arXiv's has 2,500."""


OF_REQUESTS = {"unavailable": 0.02, "limited": 0.01, "half": 0.01, "charset": 0.005, "slow": 0.002}
"""Kind of failure -> share of the requests."""


@dataclass(frozen=True)
class Faults:
    """Probabilities of the other faults; those of feeds are per category and evening."""

    empty_page: float = 0.05
    """The search interface answers with an empty page."""
    stale: float = 0.06
    """The feed still has the previous batch for a day."""
    late: float = 0.10
    """The batch appears only at night."""
    skipped: float = 0.03
    """The batch is never in the feed."""
    dropped: float = 0.02
    """A new paper is left out of its feed."""


class Upstreams:
    """One server that plays all upstreams."""

    def __init__(self, world: World, clock: SimulatedClock, faults: Faults) -> None:
        self.world = world
        self.clock = clock
        self.faults = faults
        self.arxiv_requests: list[float] = []
        """Times of requests to arXiv, in real seconds."""
        self.answers: Counter[str] = Counter()
        self._dice = Random(world.seed + 1)
        self._feeds: dict[tuple[str, date], bytes] = {}
        self._by_evening: dict[datetime, list[Arxived]] = {}
        self._by_category: dict[str, list[Arxived]] = {}
        for paper in world.arxived:
            self._by_evening.setdefault(paper.announced, []).append(paper)
            later = [paper.crossed[1]] if paper.crossed else []
            for category in {*paper.categories, *later}:
                self._by_category.setdefault(category, []).append(paper)

    @property
    def app(self) -> web.Application:
        app = web.Application(middlewares=[self._failing])
        app.router.add_get("/rss/{category}", self._rss)
        app.router.add_get("/oai", self._oai)
        app.router.add_get("/api/query", self._search)
        app.router.add_get("/api/daily_papers", self._daily)
        app.router.add_get("/details/{server}/{first}/{last}/{start}/json", self._details)
        return app

    @web.middleware
    async def _failing(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path.startswith(("/rss", "/oai", "/api/query")):
            self.arxiv_requests.append(monotonic())
        dice = self._dice.random()
        for name, share in OF_REQUESTS.items():
            dice -= share
            if dice < 0:
                self.answers[name] += 1
                return await self._fail(name, request, handler)
        self.answers["well"] += 1
        return await handler(request)

    async def _fail(self, name: str, request: web.Request, handler: Handler) -> web.StreamResponse:
        if name == "unavailable":
            return web.Response(status=503, headers={"Retry-After": "120"})
        if name == "limited":
            return web.Response(status=429, headers={"RateLimit": '"api";r=0;t=90', "Retry-After": "90"})
        if name == "slow":
            await asyncio.sleep(4)  # longer than any client's timeout here
        answer = await handler(request)
        assert isinstance(answer, web.Response)
        body = answer.body if isinstance(answer.body, bytes) else b""
        if name == "charset":
            return web.Response(body=b"\xff\xfe\x00" + body[::-1])
        if name == "half":
            half = web.StreamResponse(headers={"Content-Length": str(len(body) + 10)})
            await half.prepare(request)
            await half.write(body[: len(body) // 2])
            assert request.transport
            request.transport.close()
            return half
        return answer

    # arXiv's feeds

    def _weather(self, category: str, evening: date) -> tuple[datetime | None, Random]:
        """Return when an evening's batch appears in a category's feed, None for never, and dice for its papers."""
        dice = Random(f"{self.world.seed} {category} {evening}")
        fate, faults = dice.random(), self.faults
        if fate < faults.stale:
            return at(evening + DAY, 20), dice
        if fate < faults.stale + faults.late:
            return at(evening + DAY, 1, 30), dice
        if fate < faults.stale + faults.late + faults.skipped:
            return None, dice
        return at(evening, 20, 5 + dice.randrange(20)), dice

    async def _rss(self, request: web.Request) -> web.StreamResponse:
        category, now = request.match_info["category"], self.clock.now()
        evening = now.astimezone(at(date(2026, 1, 1), 0).tzinfo).date()
        for back in range(8):
            day = evening - back * DAY
            # On the day after an evening without papers, the feed is empty.
            if back and not announces(day) and at(day, 20) <= now < at(day + DAY, 20):
                return web.Response(body=rss())
            appears, dice = self._weather(category, day) if announces(day) else (None, Random(0))
            if appears and appears <= now:
                if (category, day) not in self._feeds:
                    self._feeds[category, day] = rss(*self._batch(category, day, dice), dated=day + DAY)
                return web.Response(body=self._feeds[category, day])
        return web.Response(body=rss())

    def _batch(self, category: str, evening: date, dice: Random) -> list[Announced]:
        moment = at(evening, 20)
        rows = []
        for paper in self._by_evening.get(moment, []):
            if category in paper.categories and dice.random() >= self.faults.dropped:
                kind = "new" if paper.categories[0] == category else "cross"
                rows.append(Announced(paper.id, kind, categories=paper.categories, title=paper.title))
        for paper in self._by_category.get(category, []):
            if category in paper.categories and any(moment - DAY < s <= moment for s in paper.submitted[1:]):
                kind = "replace" if paper.categories[0] == category else "replace-cross"
                rows.append(Announced(paper.id, kind, categories=paper.categories, title=paper.title))
        return rows + rows[:1]  # and one of them twice

    # arXiv's other interfaces

    async def _oai(self, request: web.Request) -> web.StreamResponse:
        query, skip, now = dict(request.query), 0, self.clock.now()
        if token := query.get("resumptionToken"):
            query = {name: values[0] for name, values in parse_qs(unquote(token)).items()}
            skip = int(query.pop("skip"))
            if date.fromisoformat(query.pop("day")) != now.date():
                return web.Response(body=oai_error("badResumptionToken", answered=now))
        category, since = query["set"].split(":", 1)[1].replace(":", "."), date.fromisoformat(query["from"])
        found = []
        for paper in self._by_category.get(category, []):
            changed = paper.changed(now)
            if changed and changed.date() >= since and category in paper.categories_at(now):
                found.append((changed, paper.id, paper))
        found.sort(key=lambda one: one[:2])
        rest = None if skip == 0 else ""
        if len(found) > skip + PAGE:
            rest = quote(urlencode({**query, "skip": skip + PAGE, "day": now.date().isoformat()}))
        rows = [_stored(paper, changed.date(), now) for changed, _, paper in found[skip : skip + PAGE]]
        return web.Response(body=oai(*rows, token=rest, answered=now))

    async def _search(self, request: web.Request) -> web.StreamResponse:
        """Answer with the newest papers by submission. The index is half a day behind, and some pages are empty."""
        now, category = self.clock.now(), request.query["search_query"].removeprefix("cat:")
        lag = timedelta(hours=12)
        found = [p for p in self.world.arxived if p.announced + lag <= now and category in p.categories]
        found.sort(key=lambda p: p.submitted[0], reverse=True)
        most = int(request.query["max_results"])
        rows = [] if self._dice.random() < self.faults.empty_page else found[:most]
        ids = "".join(f"<entry><id>http://arxiv.org/abs/{p.id}v1</id></entry>" for p in rows)
        return web.Response(body=f"<feed>{ids}</feed>".encode())

    # the other upstreams

    async def _daily(self, request: web.Request) -> web.StreamResponse:
        now = self.clock.now()
        headers = {"RateLimit": '"api";r=400;t=200'}
        if request.query.get("sort") == "trending":
            rows = [row for day in (now.date() - n * DAY for n in range(5)) for row in self._of(day, now)]
        else:
            day = date.fromisoformat(request.query["date"])
            if at(day - DAY, 21, 30) > now:
                return web.json_response({"error": "in the future"}, status=400)
            rows = self._of(day, now)
        limit, page = min(int(request.query.get("limit", 50)), 10), int(request.query.get("p", 0))
        if len(rows) > (page + 1) * limit:
            headers["Link"] = f'<{request.url.update_query(p=page + 1)}>; rel="next"'
        return web.json_response(rows[page * limit : (page + 1) * limit], headers=headers)

    def _of(self, day: date, now: datetime) -> list[dict[str, object]]:
        found = [row for row in self.world.listed.get(day, []) if row.appears <= now]
        found.sort(key=lambda row: -row.upvotes)
        return [listed(row.id, upvotes=row.upvotes, title=row.title) for row in found]

    async def _details(self, request: web.Request) -> web.StreamResponse:
        where, now = request.match_info, self.clock.now()
        first, last = date.fromisoformat(where["first"]), date.fromisoformat(where["last"])
        rows = [
            Row(doi, day=str(day), version=str(version), title=f"On Cells {doi[-6:]}")
            for day in (first + n * DAY for n in range((last - first).days + 1))
            for doi, version, appears in self.world.posted.get(day, [])
            if appears <= now
        ]
        start = int(where["start"])
        return web.Response(body=posted(*rows[start : start + 10], cursor=start, total=len(rows)))


def _stored(paper: Arxived, stamp: date, now: datetime) -> Stored:
    return Stored(
        paper.id,
        stamp=stamp,
        submitted=tuple(s.astimezone(UTC) for s in paper.versions(now)),
        categories=" ".join(paper.categories_at(now)),
        title=paper.title,
        comments=paper.comment_at(now),
        source_type="I" if paper.is_gone(now) else "D",
    )

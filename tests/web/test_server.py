"""Probes and metrics, which every process serves over HTTP."""

from datetime import UTC, datetime, timedelta
from typing import Any

from prometheus_client.parser import text_string_to_metric_families
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from bot.domain.deliveries import Outcome, PlannedDelivery
from bot.domain.models import MessageRef
from bot.domain.polls import PollResult
from bot.store.outbox.outbox import Outbox
from bot.store.polls import record_poll
from bot.web.probes import OVERDUE
from tests.papers import a_channel
from tests.web.site import NOW, Client, Gateway, site


async def ready(client: Client) -> tuple[int, dict[str, Any]]:
    async with client.get("/readyz") as response:
        return response.status, await response.json()


async def scrape(client: Client) -> dict[tuple[str, ...], float]:
    """Return (name of the metric, *values of its labels) -> value."""
    async with client.get("/metrics") as response:
        assert response.status == 200
        families = text_string_to_metric_families(await response.text())
    return {(s.name, *s.labels.values()): s.value for family in families for s in family.samples}


async def polled(redis: Redis, next_at: datetime, source: str = "arxiv:cs.CL", **facts: Any) -> None:
    await record_poll(redis, PollResult(source=source, at=NOW - timedelta(hours=1), next_at=next_at, **facts))


async def test_healthz_answers_while_the_process_is_alive(redis: Redis) -> None:
    async with site(redis) as client, client.get("/healthz") as response:
        assert (response.status, await response.text()) == (200, "ok\n")


async def test_readyz_waits_for_the_first_poll(redis: Redis) -> None:
    async with site(redis) as client:
        assert await ready(client) == (
            503,
            {"ready": False, "redis": "answers", "polls": "nothing was polled yet"},
        )
        await polled(redis, NOW + timedelta(hours=1))
        assert await ready(client) == (
            200,
            {"ready": True, "redis": "answers", "polls": "last at 2026-03-10T11:00:00+00:00"},
        )


async def test_a_poller_is_not_ready_while_a_source_is_overdue(redis: Redis) -> None:
    await polled(redis, NOW - OVERDUE - timedelta(seconds=1))
    async with site(redis, roles=frozenset({"poller"})) as client:
        status, body = await ready(client)
        assert (status, body["polls"]) == (503, "overdue: arxiv:cs.CL")
    async with site(redis, roles=frozenset({"delivery"})) as client:
        assert (await ready(client))[0] == 200


async def test_readyz_fails_while_its_platform_is_disconnected(redis: Redis) -> None:
    await polled(redis, NOW)
    gateway = Gateway()
    async with site(redis, gateway) as client:
        assert (await ready(client))[1]["fake"] == "connected"
        gateway.is_connected = False
        status, body = await ready(client)
        assert (status, body["fake"]) == (503, "not connected")
        assert (await scrape(client))["paperboy_platform_connected", "fake"] == 0
    async with site(redis, gateway, roles=frozenset({"delivery"})) as client:
        assert (await ready(client))[0] == 200  # another process keeps the connection


async def test_without_redis_the_process_is_alive_but_not_ready() -> None:
    nowhere = Redis(host="127.0.0.1", port=9, retry=Retry(NoBackoff(), 0))
    async with site(nowhere) as client:
        status, body = await ready(client)
        assert (status, body["ready"]) == (503, False)
        assert "paperboy_poller_leader" in {name for name, *_ in await scrape(client)}
        async with client.get("/healthz") as response:
            assert response.status == 200
        async with client.get("/") as response:
            assert "database does not answer" in await response.text()
    await nowhere.aclose()


async def test_metrics_cover_sources_and_the_outbox(redis: Redis) -> None:
    await polled(redis, NOW, failures=3, new_at=NOW, error="it is down")
    await polled(redis, NOW, source="nature", alarm="it stands still")
    outbox = Outbox(redis)
    past = round((datetime.now(UTC).timestamp() - 100) * 1000)
    await outbox.enqueue(
        PlannedDelivery(channel=a_channel(n), papers=((n, ()),), due=past, label=n) for n in "abc"
    )
    first, second, *_ = (await outbox.claim("fake", 32, range(16), token="t")).deliveries
    await outbox.done(first, MessageRef("m"))
    await outbox.record_outcome(second, Outcome(state="dead", why="refused"))
    async with site(redis, Gateway()) as client:
        found = await scrape(client)
    assert found["paperboy_source_failures", "cs.CL", "arxiv"] == 3
    assert found["paperboy_source_new_timestamp_seconds", "cs.CL", "arxiv"] == NOW.timestamp()
    assert found["paperboy_source_alarm", "", "nature"] == 1
    assert found["paperboy_source_alarm", "cs.CL", "arxiv"] == 0
    assert found["paperboy_dead_letters", "dead"] == 1
    assert found["paperboy_dead_letters", "held"] == 0
    assert found[("paperboy_outbox_open",)] == 1
    assert found[("paperboy_poller_lease_held",)] == 0
    assert found["paperboy_redis_memory_bytes", "used"] > 0


async def test_a_paused_channel_does_not_make_the_outbox_overdue(redis: Redis) -> None:
    outbox = Outbox(redis)
    past = round((datetime.now(UTC).timestamp() - 100) * 1000)
    await outbox.enqueue([PlannedDelivery(channel=a_channel(), papers=(("p", ()),), due=past, label="p")])
    assert 99 < await outbox.overdue("fake") < 110
    assert await outbox.overdue("other") == 0
    await outbox.pause(a_channel(), "archived")
    assert await outbox.overdue("fake") == 0


async def test_metrics_can_require_a_token(redis: Redis) -> None:
    async with site(redis, token="planted") as client:
        for headers in ({}, {"Authorization": "Bearer wrong"}):
            async with client.get("/metrics", headers=headers) as response:
                assert response.status == 401
        async with client.get("/metrics", headers={"Authorization": "Bearer planted"}) as response:
            assert response.status == 200


async def test_only_the_web_role_serves_pages(redis: Redis) -> None:
    async with site(redis, roles=frozenset({"delivery"})) as client, client.get("/") as response:
        assert response.status == 404
    async with site(redis, roles=frozenset({"web"})) as client, client.get("/") as response:
        assert response.status == 200


class Letterbox:
    """A platform with a sign-up form."""

    name = "fake"

    def form(self) -> str:
        return "<form id=join></form>"


async def test_the_front_page_shows_a_platforms_sign_up_form(redis: Redis) -> None:
    async with site(redis, Letterbox()) as client, client.get("/") as response:
        assert (response.status, "<form id=join></form>" in await response.text()) == (200, True)

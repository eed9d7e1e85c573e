"""The JSON API: its answers, its access checks, and whether its description is correct."""

import json
import random
from collections import Counter
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import jsonschema_rs
import pytest
from redis.asyncio import Redis

from bot.domain.models import ChannelRef, ChannelSettings
from bot.ports import Batch, Rate
from bot.store.papers import Papers
from bot.store.tokens import Grant, Tokens
from bot.web import api, feeds
from tests.papers import a_channel, a_paper
from tests.platform_harness import PUBLIC_URL
from tests.scenario import Board, Clock, House, set_clock
from tests.web.site import NOW, Client, site

HERE = a_channel(platform="board")
THERE = a_channel("C2", platform="board")


async def get(client: Client, path: str, status: int = 200, token: str = "", **headers: str) -> Any:
    """Return the body and the response of an operation, after checking its status."""
    all_headers = headers | ({"Authorization": f"Bearer {token}"} if token else {})
    async with client.get(f"/api/v1{path}", headers=all_headers) as response:
        assert response.status == status, await response.text()
        assert "q=60;w=60" in response.headers["RateLimit-Policy"]
        body = await response.read()
        return (json.loads(body) if body else None), response


async def token_of(redis: Redis, channel: ChannelRef) -> str:
    return await Tokens(redis).make(Grant(channel=channel, kind="api", at=NOW))


@pytest.fixture
async def clock(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = set_clock(monkeypatch, redis)
    await clock.set(NOW)
    return clock


@pytest.fixture
async def house(redis: Redis, clock: Clock) -> House:
    """Two channels with different subscriptions, and papers."""
    house = House(redis, Board(clock))
    await house.subscribe(HERE, "now", ChannelSettings())
    await house.subscriptions.add(HERE, "gecko", "now", "U1 Ada Secret")
    await house.subscriptions.add(THERE, "lizard", "daily", "U2 Eve Secret")
    papers = [
        a_paper("2603.00001", upvotes=3),
        a_paper("2603.00002", title="A gecko"),
        a_paper("2603.00003", title="A lizard"),
    ]
    for paper in papers:
        await clock.set(clock.now + timedelta(seconds=1))
        await house.poll(paper, cursor=paper.id)
        await house.deliver()
    await house.papers.ingest("trends", Batch((), "c", trending=("2603.00002", "2603.00001")), 0)
    return house


@pytest.mark.usefixtures("house")
async def test_a_paper_is_found_by_any_of_its_ids_and_links(redis: Redis) -> None:
    async with site(redis) as client:
        for name in ("2603.00001", "2603.00001v2", "https://arxiv.org/abs/2603.00001"):
            paper, response = await get(client, f"/papers/{quote(name, safe='')}")
            assert (paper["id"], paper["title"], paper["upvotes"]) == ("2603.00001", "On paper 2603.00001", 3)
        assert response.headers["Access-Control-Allow-Origin"] == "*"
        await get(client, "/papers/2603.00001", 304, **{"If-None-Match": response.headers["ETag"]})
        missing, response = await get(client, "/papers/2603.00009", 404)
    assert response.content_type == "application/problem+json"
    assert missing == {
        "type": "about:blank", "title": "Not Found", "status": 404, "detail": "This paper isn't known here."
    }  # fmt: skip


@pytest.mark.usefixtures("house")
async def test_searches_and_lists_have_the_same_papers_as_the_bot(redis: Redis) -> None:
    async with site(redis) as client:
        found, _ = await get(client, "/search?q=gecko")
        matching, _ = await get(client, "/matching?q=gecko OR lizard")
        trending, _ = await get(client, "/trending")
        wrong, _ = await get(client, "/search?q=gecko&page=x", 400)
        await get(client, f"/search?q={'a' * 257}", 400)
    assert ([paper["id"] for paper in found["items"]], found["total"]) == (["2603.00002"], 1)
    assert {paper["id"] for paper in matching["items"]} == {"2603.00002", "2603.00003"}
    assert [paper["id"] for paper in trending["items"]] == ["2603.00002", "2603.00001"]
    assert wrong["detail"] == "“page” is a number from 1 to 999999."


@pytest.mark.usefixtures("house")
async def test_an_invalid_query_finds_nothing_and_says_why(redis: Redis) -> None:
    async with site(redis) as client:
        for query in ("?!", " ", "\x0f", "-gecko", '"', "cat:", "title:"):
            for operation in ("search", "matching"):
                found, response = await get(client, f"/{operation}?q={quote(query)}")
                readable = operation == "search" and query not in {"?!", " ", "\x0f"}
                assert found["items"] == [] or readable, query
                assert bool(found["problem"]) or readable, query
        assert response.headers["Access-Control-Allow-Origin"] == "*"
        found, _ = await get(client, "/matching?q=gecko")
        assert found["problem"] is None
        for path in ("/search", "/search?q=", "/matching?q="):
            await get(client, path, 400)


async def test_a_long_list_has_pages(redis: Redis) -> None:
    papers = tuple(a_paper(f"2603.{n:03}", title=f"Gecko {n}", published=NOW) for n in range(25))
    await Papers(redis).ingest("test", Batch((), "c", history=papers), 0)
    found: list[str] = []
    async with site(redis) as client:
        path: str | None = "/search?q=title:gecko&sort=new"
        while path:
            page, response = await get(client, path)
            found += [paper["id"] for paper in page["items"]]
            path = page["next"] and page["next"].removeprefix(f"{PUBLIC_URL}/api/v1")
            assert ("Link" in response.headers) is bool(path)
        beyond, _ = await get(client, "/search?q=title:gecko&page=9")
    assert sorted(found) == [paper.id for paper in papers]
    assert (beyond["items"], beyond["next"]) == ([], None)


@pytest.mark.usefixtures("house")
async def test_a_token_shows_its_channel_and_nothing_else(redis: Redis) -> None:
    here, there = await token_of(redis, HERE), await token_of(redis, THERE)
    async with site(redis) as client:
        posts, response = await get(client, "/channels/mine/posts", token=here)
        assert [post["paper"]["id"] for post in posts["items"]] == ["2603.00002", "2603.00001"]
        assert posts["items"][0]["reasons"] == [{"subscription": 2, "query": "gecko"}]
        assert response.headers["Cache-Control"] == "private, no-cache"
        assert "Access-Control-Allow-Origin" not in response.headers
        of_subscription, _ = await get(client, f"/channels/{HERE}/posts?subscription=2", token=here)
        assert [post["paper"]["id"] for post in of_subscription["items"]] == ["2603.00002"]
        subscriptions, _ = await get(client, f"/channels/{HERE}/subscriptions", token=here)
        assert [(item["number"], item["query"]) for item in subscriptions["items"]] == [
            (1, "paper"),
            (2, "gecko"),
        ]
        assert "Secret" not in json.dumps(subscriptions)
        for path in ("posts", "subscriptions"):
            for token, channel, status in (
                (here, THERE, 404),
                (there, HERE, 404),
                ("", HERE, 401),
                ("x" * 32, HERE, 401),
            ):
                await get(client, f"/channels/{channel}/{path}", status, token)
        feed = await Tokens(redis).make(Grant(channel=HERE, kind="feed", at=NOW))
        await get(client, "/channels/mine/posts", 401, feed)
        await Tokens(redis).end(HERE, "api")
        await get(client, "/channels/mine/posts", 401, here)
        await get(client, "/channels/mine/posts", 200, there)


async def test_no_request_leaks_a_channel_to_another(
    redis: Redis, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Combine operations with tokens, channels and odd values: only a channel's own token shows its data."""
    for part in (api, feeds):
        monkeypatch.setattr(part, "READS_EACH", Rate(100_000, 60))
    secrets = {HERE: "gecko", THERE: "lizard"}
    tokens = {channel: await token_of(redis, channel) for channel in secrets}
    addresses = {
        channel: await Tokens(redis).make(Grant(channel=channel, kind="feed", at=NOW)) for channel in secrets
    }
    for channel, word in secrets.items():
        await house.subscriptions.add(channel, f"private{word}", "now", "U")
    odd = [
        "mine",
        "*",
        "..",
        "%2e%2e",
        f"{HERE}%00",
        f"{HERE},{THERE}",
        str(HERE).upper(),
        f"{THERE}/..%2f{HERE}",
        "mine%20",
    ]
    names = [*map(str, secrets), *odd]
    dice, shown = random.Random(1), Counter[str]()
    async with site(redis) as client:
        for _ in range(400):
            holder = dice.choice(list(tokens))
            token = dice.choice([tokens[holder], addresses[holder], tokens[holder][:-1], ""])
            path = dice.choice(
                [
                    f"/api/v1/channels/{dice.choice(names)}/{dice.choice(['posts', 'subscriptions'])}",
                    f"/feeds/{addresses[holder]}{dice.choice(['.atom', '.json', '.opml', '/1.atom', '/2.json', '/3.atom'])}",
                ]
            )
            more = dice.choice(
                ["", "?subscription=1", "?subscription=2", "?channel=" + str(THERE), "?page=1"]
            )
            async with client.get(path + more, headers={"Authorization": f"Bearer {token}"}) as answer:
                text = await answer.text()
            shown[str(answer.status)] += 1
            for channel, word in secrets.items():
                if channel != holder:
                    assert f"private{word}" not in text, (path, more, holder)
                elif answer.status == 200 and path.endswith("subscriptions"):
                    assert f"private{word}" in text
    assert shown["200"] > 150, shown


class Description:
    """Checks answers against the OpenAPI document."""

    def __init__(self, spec: Any) -> None:
        self.spec = spec

    def resolved(self, node: Any) -> Any:
        while isinstance(node, dict) and "$ref" in node:
            found = self.spec
            for step in node["$ref"].removeprefix("#/").split("/"):
                found = found[step]
            node = found
        return node

    def problems(
        self, operation: Any, status: int, content_type: str, headers: Any, body: bytes
    ) -> list[str]:
        """Return the differences between an answer and the description."""
        answer = self.resolved(operation["responses"].get(str(status)))
        if answer is None:
            return [f"an undocumented status {status}"]
        missing = [name for name in answer.get("headers", {}) if name not in headers]
        if missing:
            return [f"{missing} are missing"]
        if not answer.get("content"):
            return [f"a body with {status}"] if body else []
        if content_type not in answer["content"]:
            return [f"an undocumented type {content_type}"]
        schema = {**answer["content"][content_type]["schema"], "components": self.spec["components"]}
        return [
            str(error)
            for error in jsonschema_rs.validator_for(schema, validate_formats=True).iter_errors(
                json.loads(body)
            )
        ]


VALUES = (
    "1", "2", "0", "-1", "1e9", "9" * 30, "²", "", " ", "gecko", "gecko OR lizard", "(((", "-x", '"', "title:", "best", "new", "top", "day",
    "week", "month", "2603.00001", "2603.00009", "doi:10.1/x", "mine", "a" * 300, "\x00", "\u202e", "💩", "%", "null", "[]", "../..", "<script>",
)  # fmt: skip


@pytest.mark.usefixtures("house")
async def test_answers_match_the_description(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    """Send hundreds of valid and invalid requests: each answer is as described, and never a server error."""
    monkeypatch.setattr(api, "READS_EACH", Rate(100_000, 60))
    monkeypatch.setattr(api, "READS_TOTAL", Rate(100_000, 60))
    token, dice = await token_of(redis, HERE), random.Random(1)
    async with site(redis) as client:
        async with client.get("/api/v1/openapi.json") as response:
            description = Description(await response.json())
        jsonschema_rs.meta.validate(
            {
                "$schema": "https://json-schema.org/draft/2020-12/schema",
                **description.spec["components"]["schemas"]["Paper"],
            }
        )
        served = {route.resource.canonical for route in client.server.app.router.routes() if route.resource}  # type: ignore[attr-defined]
        assert {f"/api/v1{path}" for path in description.spec["paths"]} == {
            one for one in served if one.startswith("/api/v1")
        }
        statuses = Counter[tuple[str, int]]()
        for _ in range(700):
            path, item = dice.choice(list(description.spec["paths"].items()))
            parameters, operation = {}, item["get"]
            for parameter in map(description.resolved, operation["parameters"]):
                value = dice.choice(VALUES)
                if parameter["in"] == "path":
                    value = dice.choice([value, "2603.00001", "mine", str(HERE)]) or "x"
                    path = path.replace(f"{{{parameter['name']}}}", quote(value, safe=""))
                elif dice.random() < (0.9 if parameter.get("required") else 0.4):
                    parameters[parameter["name"]] = dice.choice([value, "gecko", "1"])
            headers = {
                "Authorization": dice.choice(
                    [f"Bearer {token}", f"Bearer {token}", "Bearer x", "Basic eDp4", ""]
                )
            }
            async with client.get(f"/api/v1{path}", params=parameters, headers=headers) as answer:
                body = await answer.read()
            wrong = description.problems(operation, answer.status, answer.content_type, answer.headers, body)
            assert wrong == [], (path, parameters, answer.status, body[:500])
            statuses[operation["operationId"], answer.status] += 1
        for operation_id in ("getPaper", "search", "matching", "trending", "posts", "subscriptions"):
            assert statuses[operation_id, 200] > 5, statuses


@pytest.mark.usefixtures("house")
async def test_errors_outside_operations_are_problem_documents(redis: Redis) -> None:
    async with site(redis) as client:
        for method, path, status in (
            ("POST", "/search?q=x", 405),
            ("DELETE", "/papers/1", 405),
            ("GET", "/nothing", 404),
            ("GET", "/search", 400),
        ):
            async with client.request(method, f"/api/v1{path}") as response:
                assert (response.status, response.content_type) == (status, "application/problem+json"), path
                assert (await response.json())["status"] == status


async def test_requests_without_a_token_are_rate_limited(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api, "READS_EACH", Rate(3, 60))
    async with site(redis) as client:
        for _ in range(3):
            await get(client, "/papers/1", 404)
        refused, response = await get(client, "/papers/1", 429)
    assert refused["status"] == 429
    assert response.headers["RateLimit"] == f'"api";r=0;t={response.headers["Retry-After"]}'

"""Forged, replayed, old and malformed requests are refused, and tokens stay secret."""

import json
import random
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from time import time
from traceback import format_exception

import aiohttp
import pytest
import yarl
from redis.asyncio import Redis

from adapters.slack.connection_mode import ConnectionMode
from adapters.slack.http import INSTALLS_EACH
from adapters.slack.installations import STATE, OneTimeStates, RedisInstallationStore
from adapters.slack.manifest import manifest
from adapters.slack.platform import SlackPlatform
from bot.domain.errors import ConfigurationError, SendError, WorkspaceGone
from bot.domain.models import ChannelRef
from bot.encryption import Encryptor
from tests.adapters.slack.double import Channel, Message, Person, Slack
from tests.adapters.slack.double.links import Http, encoded, signed
from tests.adapters.slack.double.people import words
from tests.adapters.slack.running import SECRET_KEY, Running, install
from tests.adapters.slack.test_posting import CARD


class Lab:
    """A workspace that installed the app over HTTP, and hand-written requests."""

    def __init__(self, slack: Slack, redis: Redis) -> None:
        self.slack = slack
        self.redis = redis
        self.running = Running(slack, redis)
        self.workspace = slack.workspace("lab")
        self.ada: Person = slack.person(self.workspace)
        self.room: Channel = slack.channel(self.workspace, "papers", self.ada)
        self.to = ChannelRef("slack", self.workspace.id, self.room.id)

    def command(self, text: str = "subscribe diffusion") -> tuple[str, str]:
        trigger = self.slack.trigger(self.ada.user)
        payload = {
            "team_id": self.workspace.id,
            "channel_id": self.room.id,
            "channel_name": "papers",
            "user_id": self.ada.user,
            "user_name": "ada",
            "command": "/paper",
            "text": text,
            "trigger_id": trigger,
            "response_url": self.slack.response_url(self.room, self.ada.user, trigger),
        }
        return encoded("slash_commands", payload)

    async def send(self, body: str, content: str, headers: dict[str, str]) -> int:
        link = self.slack.link
        assert isinstance(link, Http)
        status, _ = await link.request(body, {"Content-Type": content, **headers})
        await self.running.settled()
        return status

    async def state(self) -> dict[str, object]:
        """Return everything in Redis except the keys of `Dedup`."""
        found: dict[str, object] = {}
        async for key in self.redis.scan_iter("*"):
            if not key.endswith(":heard"):
                found[key] = await self._value(key)
        return found

    async def _value(self, key: str) -> object:
        match await self.redis.type(key):
            case "string":
                return await self.redis.get(key)
            case "hash":
                return await self.redis.hgetall(key)
            case "set":
                return await self.redis.smembers(key)
            case "zset":
                return await self.redis.zrange(key, 0, -1, withscores=True)
            case other:
                assert other == "stream"
                return await self.redis.xrange(key)


@pytest.fixture
async def lab(redis: Redis) -> AsyncIterator[Lab]:
    async with Slack(manifest("http")).serve() as slack:
        made = Lab(slack, redis)
        await made.running.start(made.running.http())
        await install(slack, made.running.address, made.ada)
        yield made
        await made.running.stop()


async def test_forged_replayed_and_old_requests_are_refused_and_change_nothing(lab: Lab) -> None:
    secret = lab.slack.app.signing_secret
    body, content = lab.command()
    before = await lab.state()
    forged = signed("another secret", body)
    old = signed(secret, body, int(time()) - 360)
    early = signed(secret, body, int(time()) + 360)
    other = signed(secret, body.replace("diffusion", "robots"))
    for headers in (
        forged,
        old,
        early,
        other,
        {},
        {"X-Slack-Signature": "v0=", "X-Slack-Request-Timestamp": "x"},
    ):
        assert await lab.send(body, content, headers) == 401
    assert await lab.state() == before

    right = signed(secret, body)
    assert await lab.send(body, content, right) == 200
    after = await lab.state()
    assert after != before
    assert await lab.send(body, content, right) == 401
    assert await lab.state() == after


async def test_a_repeated_interaction_is_handled_once(lab: Lab) -> None:
    """The same interaction arrives again with a new signature."""
    secret = lab.slack.app.signing_secret
    body, content = lab.command()
    now = int(time())
    for seconds in (0, 1):
        assert await lab.send(body, content, signed(secret, body, now - seconds)) == 200
    assert len(lab.room.messages) == 1


async def test_a_form_acts_in_the_workspace_of_its_request(lab: Lab) -> None:
    """A form that names a channel of another workspace doesn't change that channel."""
    other = lab.slack.workspace("rival")
    eve = lab.slack.person(other, "eve")
    lab.slack.channel(other, "theirs", eve)
    await install(lab.slack, lab.running.address, eve)
    await eve.type(other.named("theirs"), "settings")
    await lab.running.settled()
    form = eve.modals()[-1]
    form.view["private_metadata"] = json.dumps({"command": "settings", "channel": lab.room.id})
    await eve.submit(form, zone="Europe/Berlin")
    assert (await lab.running.bot.core.settings(lab.to)).zone == "UTC"


async def test_tokens_never_appear_in_errors_or_unencrypted_in_redis(lab: Lab) -> None:
    app = lab.slack.app
    errors = [await error_text(lab, f) for f in ("invalid_auth", "500", "lose", "garbage", "missing_scope")]
    for token in lab.slack.world.tokens.values():
        token.state = "revoked"
    errors.append(await error_text(lab, ""))
    planted = {app.client_secret, app.signing_secret, SECRET_KEY}
    for token in lab.slack.world.tokens.values():
        planted |= {token.value, str(token.refresh)}
    seen = "".join(errors) + repr(lab.running.http()) + str(await lab.state())
    assert [secret for secret in planted if secret in seen] == []
    assert len([key async for key in lab.redis.scan_iter("*installation*")]) == 1


async def error_text(lab: Lab, fault: str) -> str:
    """Post with a fault. Return the text of the error, with its causes."""
    if fault:
        lab.slack.faults.next("chat.postMessage", fault)
    with pytest.raises(SendError) as caught:
        await lab.running.platform.send(lab.to, CARD, "k")
    return "".join(format_exception(caught.value))


async def test_installations_are_reencrypted_with_a_new_key(lab: Lab, redis: Redis) -> None:
    found = await RedisInstallationStore(redis, Encryptor([SECRET_KEY])).of(lab.workspace.id)
    assert found is not None
    await RedisInstallationStore(redis, Encryptor(["another key of the operator", SECRET_KEY])).reseal()
    renewed = RedisInstallationStore(redis, Encryptor(["another key of the operator"]))
    again = await renewed.of(lab.workspace.id)
    assert again is not None
    assert again.bot_token == found.bot_token
    with pytest.raises(ConfigurationError, match="PAPERBOY_SECRET_KEY"):
        await RedisInstallationStore(redis, Encryptor([SECRET_KEY])).of(lab.workspace.id)
    with pytest.raises(ConfigurationError, match="PAPERBOY_SECRET_KEY"):
        SlackPlatform(
            ConnectionMode(kind="http", api_url=lab.slack.api_url, signing_secret="s", client_id="c"), redis
        )


async def test_an_installation_started_in_another_browser_is_refused(lab: Lab) -> None:
    eve = lab.slack.person(lab.slack.workspace("rival"), "eve")
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as browser:
        for state, cookie in (("", ""), ("made-up", "slack-app-oauth-state=made-up")):
            answer = await browser.get(
                f"{lab.running.address}/slack/oauth_redirect",
                params={"code": "c", "state": state},
                headers={"Cookie": cookie},
            )
            assert answer.status in {400, 401}
    assert eve.workspace.bot_user == ""
    with pytest.raises(WorkspaceGone):
        await lab.running.platform.send(ChannelRef("slack", eve.workspace.id, "C1"), CARD, "k")


async def test_the_state_cookie_has_safe_flags(lab: Lab) -> None:
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as browser:
        page = await browser.get(f"{lab.running.address}/slack/install")
        flags = {flag.strip() for flag in page.headers["Set-Cookie"].split(";")[1:]}
        assert {"Secure", "HttpOnly", "SameSite=Lax"} <= flags


async def test_a_state_works_once_within_ten_minutes(redis: Redis) -> None:
    now = datetime(2026, 3, 2, 9, tzinfo=UTC)
    states = OneTimeStates(redis, Encryptor([SECRET_KEY]), lambda: now)
    state = await states.async_issue()
    assert await states.async_consume(state)
    assert not await states.async_consume(state)
    old = (
        Encryptor([SECRET_KEY]).for_purpose(STATE).seal(json.dumps([now.timestamp() - 601, "x"])).rstrip("=")
    )
    assert not await states.async_consume(old)
    for forged in ("", "x", "é", "\0" * 200, Encryptor(["another key of the operator"]).seal('[1, "x"]')):
        assert not await states.async_consume(forged)


async def test_install_pages_store_no_state_and_are_rate_limited(lab: Lab) -> None:
    before = await lab.state()
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as browser:
        statuses = [
            (await browser.get(f"{lab.running.address}/slack/install")).status
            for _ in range(INSTALLS_EACH.count + 20)
        ]
    assert set(statuses) == {200, 429}
    added = (await lab.state()).keys() - before.keys()
    assert len(added) < 5, "only the counters of one client"
    assert all([await lab.redis.ttl(key) > 0 for key in added])


async def test_an_installation_for_a_whole_organization_is_refused_with_an_explanation(lab: Lab) -> None:
    eve = lab.slack.person(lab.slack.workspace("rival"), "eve")
    page = await install(lab.slack, lab.running.address, eve, organization=True)
    assert "whole Enterprise organization" in page
    assert len([key async for key in lab.redis.scan_iter("*installation*")]) == 1


async def test_the_page_suggests_a_retry_if_slack_does_not_confirm_an_installation(lab: Lab) -> None:
    eve = lab.slack.person(lab.slack.workspace("rival"), "eve")
    for fault in ("lose", "html 502", "cut 200"):
        lab.slack.faults.next("oauth.v2.access", fault)
        page = await install(lab.slack, lab.running.address, eve)
        assert "again" in page
    assert "Thank you" in await install(lab.slack, lab.running.address, eve)


HOSTILE = {
    "X-Slack-Signature": ["", "v0=é", "v0=" + "a" * 60_000, "\x80", "v0=\u0661"],
    "X-Slack-Request-Timestamp": ["", "9" * 5000, "-1", "1e9", "\u0661\u0662", "٣" * 40, "NaN", "0x1"],
    "Content-Type": [
        "",
        "application/json",
        "application/json; charset=nonsense",
        "multipart/form-data",
        "é/é",
    ],
}
BODIES = [b"", b"\xff\xfe", b"{", b"[]", b"[" * 50_000, b"payload=%7B", b"payload=[]", b'{"a":' * 9000, b"\0"]


async def test_malformed_requests_never_cause_a_server_error(lab: Lab) -> None:
    """Some of the requests are signed."""
    secret = lab.slack.app.signing_secret
    dice = random.Random(7)
    seen: Counter[int] = Counter()
    async with aiohttp.ClientSession() as session:
        for _ in range(600):
            headers = {name: dice.choice(values) for name, values in HOSTILE.items()}
            body = dice.choice(BODIES)
            if dice.random() < 0.5:
                headers |= signed(secret, body, int(time()) - dice.randrange(200))
            raw = {name.encode(): value.encode("utf-8", "ignore") for name, value in headers.items()}
            seen[await _status(session, f"{lab.running.address}/slack/events", raw, body)] += 1
    assert all(status < 500 for status in seen), seen
    assert min(seen[400], seen[401]) > 30, seen


async def _status(session: aiohttp.ClientSession, url: str, headers: dict[bytes, bytes], body: bytes) -> int:
    given = [(name.decode(), value.decode("utf-8", "surrogateescape")) for name, value in headers.items()]
    try:
        async with session.post(url, data=body, headers=given) as answer:
            return answer.status
    except aiohttp.ClientError:  # aiohttp's server drops connections with invalid HTTP
        return 400


@pytest.mark.parametrize(
    "query",
    [
        "state=" + "x" * 5000,
        "code=" + "9" * 1999,
        "error=%00%ff",
        "error=<script>alert(1)</script>",
        "state=%ed%a0%80&code=1",
        "state=a&state=b&code",
        "=&&&",
    ],
)
async def test_malformed_oauth_callbacks_are_refused(lab: Lab, query: str) -> None:
    async with aiohttp.ClientSession() as session:
        url = f"{lab.running.address}/slack/oauth_redirect?{query}"
        answer = await session.get(
            yarl.URL(url, encoded=True), headers={"Cookie": "slack-app-oauth-state=é;;=;"}
        )
        assert answer.status in {200, 400, 401}
        assert "<script>" not in await answer.text()


async def test_the_install_page_ignores_its_query(lab: Lab) -> None:
    async with aiohttp.ClientSession() as session:
        url = f"{lab.running.address}/slack/install?team=T1%26user_scope%3Dadmin"
        page = await (await session.get(yarl.URL(url, encoded=True))).text()
    assert "admin" not in page


@pytest.mark.parametrize("unit", ["<@", "<", "<#C|", "<@U1|x> ", " ", "&amp;", "@paperboy ", "page:1 "])
async def test_a_line_that_is_too_long_is_refused_at_once(lab: Lab, unit: str) -> None:
    trigger = await lab.ada.type(lab.room, (unit * 8000)[:8000])
    await lab.running.settled()
    (answer,) = lab.ada.answers(trigger)
    assert isinstance(answer, Message)
    assert "too long" in words(answer.blocks)

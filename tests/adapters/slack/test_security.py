"""Who speaks in Slack's name: forged, repeated and old requests are refused. And tokens are seen by nobody."""

import json
from collections.abc import AsyncIterator
from time import time
from traceback import format_exception

import aiohttp
import pytest
from redis.asyncio import Redis

from adapters.slack.connection_mode import ConnectionMode
from adapters.slack.installations import RedisInstallationStore
from adapters.slack.manifest import manifest
from adapters.slack.platform import SlackPlatform
from bot.domain.errors import ConfigurationError, SendError, WorkspaceGone
from bot.domain.models import ChannelRef
from bot.encryption import Encryptor
from tests.adapters.slack.double import Channel, Person, Slack
from tests.adapters.slack.double.links import Http, encoded, signed
from tests.adapters.slack.running import SECRET_KEY, Running, install
from tests.adapters.slack.test_posting import CARD


class Town:
    """A workspace that installed the app over HTTP, and somebody who writes requests by hand."""

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
        status, _ = await link.send(body, {"Content-Type": content, **headers})
        await self.running.settled()
        return status

    async def state(self) -> dict[str, object]:
        """All of Redis but what was heard."""
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
async def town(redis: Redis) -> AsyncIterator[Town]:
    async with Slack(manifest("http")).serve() as slack:
        made = Town(slack, redis)
        await made.running.start(made.running.http())
        await install(slack, made.running.address, made.ada)
        yield made
        await made.running.stop()


async def test_forged_repeated_and_old_requests_are_refused_and_change_nothing(town: Town) -> None:
    secret = town.slack.app.signing_secret
    body, content = town.command()
    before = await town.state()
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
        assert await town.send(body, content, headers) == 401
    assert await town.state() == before

    right = signed(secret, body)
    assert await town.send(body, content, right) == 200
    after = await town.state()
    assert after != before
    assert await town.send(body, content, right) == 401
    assert await town.state() == after


async def test_the_same_interaction_is_acted_on_once(town: Town) -> None:
    """Slack, or whoever has its secret, says the same again under a new signature."""
    secret = town.slack.app.signing_secret
    body, content = town.command()
    now = int(time())
    for seconds in (0, 1):
        assert await town.send(body, content, signed(secret, body, now - seconds)) == 200
    assert len(town.room.messages) == 1


async def test_a_tenant_is_who_slack_says_it_is(town: Town) -> None:
    """A form that names another channel's workspace acts in the workspace of the request."""
    other = town.slack.workspace("rival")
    eve = town.slack.person(other, "eve")
    town.slack.channel(other, "theirs", eve)
    await install(town.slack, town.running.address, eve)
    await eve.type(other.named("theirs"), "settings")
    await town.running.settled()
    form = eve.modals()[-1]
    form.view["private_metadata"] = json.dumps({"command": "settings", "channel": town.room.id})
    await eve.submit(form, zone="Europe/Berlin")
    assert (await town.running.bot.core.settings(town.to)).zone == "UTC"


async def test_planted_tokens_are_in_no_error_and_no_key_of_redis(town: Town) -> None:
    app = town.slack.app
    errors = [await failing(town, f) for f in ("invalid_auth", "500", "lose", "garbage", "missing_scope")]
    for token in town.slack.world.tokens.values():
        token.state = "revoked"
    errors.append(await failing(town, ""))
    planted = {app.client_secret, app.signing_secret, SECRET_KEY}
    for token in town.slack.world.tokens.values():
        planted |= {token.value, str(token.refresh)}
    seen = "".join(errors) + repr(town.running.http()) + str(await town.state())
    assert [secret for secret in planted if secret in seen] == []
    assert len([key async for key in town.redis.scan_iter("*installation*")]) == 1


async def failing(town: Town, fault: str) -> str:
    """What an error says, with all that led to it."""
    if fault:
        town.slack.faults.next("chat.postMessage", fault)
    with pytest.raises(SendError) as caught:
        await town.running.platform.send(town.to, CARD, "k")
    return "".join(format_exception(caught.value))


async def test_a_new_key_goes_before_the_old_one_and_without_any_nothing_is_read(
    town: Town, redis: Redis
) -> None:
    found = await RedisInstallationStore(redis, Encryptor([SECRET_KEY])).of(town.workspace.id)
    assert found is not None
    await RedisInstallationStore(redis, Encryptor(["another key of the operator", SECRET_KEY])).reseal()
    renewed = RedisInstallationStore(redis, Encryptor(["another key of the operator"]))
    again = await renewed.of(town.workspace.id)
    assert again is not None
    assert again.bot_token == found.bot_token
    with pytest.raises(ConfigurationError, match="PAPERBOY_SECRET_KEY"):
        await RedisInstallationStore(redis, Encryptor([SECRET_KEY])).of(town.workspace.id)
    with pytest.raises(ConfigurationError, match="PAPERBOY_SECRET_KEY"):
        SlackPlatform(
            ConnectionMode(kind="http", api_url=town.slack.api_url, signing_secret="s", client_id="c"), redis
        )


async def test_an_installation_that_another_browser_began_is_refused(town: Town) -> None:
    eve = town.slack.person(town.slack.workspace("rival"), "eve")
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as browser:
        for state, cookie in (("", ""), ("made-up", "slack-app-oauth-state=made-up")):
            answer = await browser.get(
                f"{town.running.address}/slack/oauth_redirect",
                params={"code": "c", "state": state},
                headers={"Cookie": cookie},
            )
            assert answer.status in {400, 401}
    assert eve.workspace.bot_user == ""
    with pytest.raises(WorkspaceGone):
        await town.running.platform.send(ChannelRef("slack", eve.workspace.id, "C1"), CARD, "k")

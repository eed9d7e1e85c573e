"""Attacks on the running program by someone who recorded Slack's requests, or who tampers with installation pages."""

import asyncio
import json
import re
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from time import time

import aiohttp
import pytest
from redis.asyncio import Redis
from yarl import URL

from adapters.slack.http import EVENTS, INSTALL, INSTALLS_EACH, REDIRECT
from adapters.slack.installations import STATE, STATE_LIFE
from adapters.slack.manifest import manifest
from bot.encryption import Encryptor
from tests.adapters.slack.double import Channel, Person, Slack
from tests.adapters.slack.double.links import encoded, signed
from tests.adapters.slack.double.people import words
from tests.adapters.slack.running import SECRET_KEY, install
from tests.ports import free_port
from tests.program import environment, running
from tests.waiting import until

Headers = Sequence[tuple[str, str]]
CONTENT = "Content-Type"
STAMP, SIGNATURE = "X-Slack-Request-Timestamp", "X-Slack-Signature"
COOKIE = "slack-app-oauth-state"


@dataclass
class Target:
    """The running program, with a workspace that installed it."""

    slack: Slack
    address: str
    ada: Person
    room: Channel

    def recorded(self, text: str) -> tuple[str, dict[str, str], str]:
        """Return a command as Slack sends it: body, signed headers, and the trigger that identifies its answer."""
        payload = self.ada.typed(self.room, text)
        body, content = encoded("slash_commands", payload)
        headers = {CONTENT: content, **signed(self.slack.app.signing_secret, body)}
        return body, headers, str(payload["trigger_id"])

    async def send(self, body: str | bytes, headers: Headers, path: str = EVENTS) -> int:
        async with (
            aiohttp.ClientSession() as session,
            session.post(URL(self.address + path, encoded=True), data=body, headers=headers) as answer,
        ):
            return answer.status

    async def answer(self, trigger: str) -> str:
        """Wait for the program's answer to a command, and return its text."""
        await self.slack.until(lambda: self.ada.answers(trigger))
        return words(self.ada.answers(trigger)[-1].blocks)  # type: ignore[union-attr]  # it isn't a form

    async def subscriptions(self) -> str:
        return await self.answer(await self.ada.type(self.room, "list"))


@asynccontextmanager
async def target(folder: Path, valkey: str) -> AsyncIterator[Target]:
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    async with Slack(manifest("http")).serve() as slack:
        settings = {
            "REDIS_URL": valkey,
            "PORT": str(port),
            "PAPERBOY_SECRET_KEY": SECRET_KEY,
            **slack.http_settings,
        }
        async with running("run", env=environment(folder, **settings)) as process:
            await until(lambda: answers(address), "the program to listen", within=60)
            slack.at(address + EVENTS)
            lab = slack.workspace("lab")
            ada = slack.person(lab, is_admin=True)
            room = slack.channel(lab, "papers", ada)
            await install(slack, address, ada)
            yield Target(slack, address, ada, room)
            assert process.returncode is None
            process.terminate()
            _, log = await process.communicate()
        assert b"Traceback" not in log, log.decode()[-5_000:]


async def answers(address: str) -> bool:
    try:
        async with aiohttp.ClientSession() as session, session.get(f"{address}/healthz") as answer:
            return answer.status == 200
    except aiohttp.ClientError:
        return False


@pytest.mark.timeout(120)
async def test_a_recorded_request_acts_once_however_it_is_sent_again(tmp_path: Path, valkey: str) -> None:
    async with target(tmp_path, valkey) as program:
        await old_and_early_requests(program)
        await the_same_request_again(program)
        await the_same_request_at_the_same_time(program)
        await signatures_for_something_else(program)
        assert "2 subscriptions" in await program.subscriptions()


async def old_and_early_requests(program: Target) -> None:
    body, content, _ = program.recorded("subscribe stale")
    secret, now = program.slack.app.signing_secret, int(time())
    for at in (now - 302, now + 330, now - 86_400, 0, now * 1000, 2**31 - 1):
        headers = {**content, **signed(secret, body, at)}
        assert await program.send(body, list(headers.items())) == 401, at
    for stamp in (f"{now}.0", f"+{now}", f"0{now}", f"{now:_}", f"{now},{now}"):
        headers = {**content, STAMP: stamp}
        assert await program.send(body, list(headers.items())) == 401, stamp


async def the_same_request_again(program: Target) -> None:
    """A repeated request must not pass as another one because of a second header of the same name."""
    body, headers, trigger = program.recorded("subscribe replayed")
    right = list(headers.items())
    assert await program.send(body, right) == 200
    assert "replayed" in await program.answer(trigger)
    stamp, signature = headers[STAMP], headers[SIGNATURE]
    twice: list[Headers] = [
        right,
        [*right, (SIGNATURE, "v0=" + "0" * 64)],
        [(SIGNATURE, "v0=" + "0" * 64), *right],
        [*right, (SIGNATURE, signature)],
        [*right, (SIGNATURE.lower(), signature.upper())],
        [*right, (STAMP, str(int(stamp) + 1))],
        [(CONTENT, headers[CONTENT]), (STAMP, stamp), (SIGNATURE, signature + " ")],
        [(CONTENT, headers[CONTENT]), (STAMP, stamp), (SIGNATURE, signature.upper())],
        [(CONTENT, "application/json"), (STAMP, stamp), (SIGNATURE, signature)],
        [(CONTENT, headers[CONTENT] + "; charset=utf-16"), (STAMP, stamp), (SIGNATURE, signature)],
        [*right, ("X-Slack-Retry-Num", "1"), ("X-Slack-Retry-Reason", "http_timeout")],
        [*right, ("X-Forwarded-For", "198.51.100.7")],
    ]
    for again in twice:
        assert await program.send(body, again) in {400, 401}, again
    for path in (EVENTS + "?again", EVENTS + "?x-slack-signature=v0"):
        assert await program.send(body, right, path) == 401, path
    for path in (EVENTS + "/", "/slack//events", "/slack/commands", "/slack/interactive"):
        assert await program.send(body, right, path) in {401, 404, 405}, path


async def the_same_request_at_the_same_time(program: Target) -> None:
    body, headers, trigger = program.recorded("subscribe races")
    right = list(headers.items())
    statuses = await asyncio.gather(*(program.send(body, right) for _ in range(20)))
    assert Counter(statuses) == {200: 1, 401: 19}
    assert "races" in await program.answer(trigger)


async def signatures_for_something_else(program: Target) -> None:
    body, headers, _ = program.recorded("subscribe forged")
    for changed in (
        body + "&text=subscribe+evil",
        body.replace("forged", "evil"),
        body.replace(program.room.id, "C0OTHER"),
        "",
        body + "\n",
        body[:-1],
    ):
        assert await program.send(changed, list(headers.items())) == 401, changed
    secret = program.slack.app.signing_secret
    for other in ("", secret[:-1], secret.upper(), secret + "\n"):
        forged = {**headers, **signed(other, body)}
        assert await program.send(body, list(forged.items())) == 401, other


@pytest.mark.timeout(120)
async def test_an_installation_state_works_once_and_only_in_its_own_browser(
    tmp_path: Path, valkey: str, redis: Redis
) -> None:
    async with target(tmp_path, valkey) as program:
        await forged_and_expired_states(program)
        await another_browsers_state(program)
        await a_state_again(program)
        await a_flood_of_installations(program, redis)


async def began(program: Target, peer: str = "127.0.0.1") -> tuple[str, str]:
    """Begin an installation in a browser. Returns its state, and the address of Slack's page."""
    async with browser(peer) as session, session.get(program.address + INSTALL) as page:
        assert page.status == 200, page.status
        link = unescape(re.findall(r'href="([^"]+/oauth/v2/authorize[^"]*)"', await page.text())[0])
        return page.headers["Set-Cookie"].partition(";")[0].partition("=")[2], link


async def ended(program: Target, code: str, state: str, cookie: str, peer: str = "127.0.0.1") -> int:
    """Let a browser return from Slack's page. Returns the status of the answer."""
    async with browser(peer) as session:
        query, headers = {"code": code, "state": state}, {"Cookie": f"{COOKIE}={cookie}"}
        async with session.get(program.address + REDIRECT, params=query, headers=headers) as page:
            return page.status


def browser(peer: str) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        cookie_jar=aiohttp.DummyCookieJar(), connector=aiohttp.TCPConnector(local_addr=(peer, 0))
    )


async def forged_and_expired_states(program: Target) -> None:
    """Only a state is accepted as one: no other text, even if it was encrypted with the operator's key."""
    ours = Encryptor([SECRET_KEY])
    theirs = Encryptor(["another key of another operator"])
    expired = json.dumps([time() - STATE_LIFE - 1, "n"])
    states = (
        "",
        "made-up",
        theirs.for_purpose(STATE).seal(json.dumps([time(), "n"])),
        ours.for_purpose(STATE).seal(expired),
        ours.for_purpose(STATE).seal(json.dumps([time() + 3600, "n"])),
        ours.seal(json.dumps([time(), "n"])),
        ours.seal('["wait", 1e10, {}]'),
        ours.seal('{"issued": 1, "nonce": 2}'),
    )
    before = len(program.slack.calls("oauth.v2.access"))
    for n, state in enumerate(states):
        assert await ended(program, "a-code", state, state, f"127.0.2.{n + 1}") in {400, 401}, state
    assert len(program.slack.calls("oauth.v2.access")) == before, "no request to Slack"


async def another_browsers_state(program: Target) -> None:
    """An attacker's link must not install the attacker's workspace in a victim's name, or the other way round."""
    eve = program.slack.person(program.slack.workspace("rival"), "eve")
    state, link = await began(program, "127.0.3.1")
    victims, _ = await began(program, "127.0.3.2")
    code = program.slack.oauth.approve(link, eve)["code"]
    for n, (sent_state, cookie) in enumerate(((state, victims), (victims, state), (state, ""), (state, "x"))):
        assert await ended(program, code, sent_state, cookie, f"127.0.3.{n + 3}") in {400, 401}
    assert eve.workspace.bot_user == ""


async def a_state_again(program: Target) -> None:
    """Of twenty concurrent requests one is accepted, and none later."""
    eve = program.slack.person(program.slack.workspace("another"), "eve")
    state, link = await began(program, "127.0.4.1")
    before = len(program.slack.calls("oauth.v2.access"))
    codes = [program.slack.oauth.approve(link, eve)["code"] for _ in range(20)]
    statuses = await asyncio.gather(
        *(ended(program, code, state, state, f"127.{n + 20}.4.1") for n, code in enumerate(codes))
    )
    assert Counter(statuses) == {200: 1, 401: 19} or Counter(statuses) == {200: 1, 400: 19}, statuses
    code = program.slack.oauth.approve(link, eve)["code"]
    assert await ended(program, code, state, state, "127.60.4.1") in {400, 401}
    assert len(program.slack.calls("oauth.v2.access")) == before + 1


async def a_flood_of_installations(program: Target, redis: Redis) -> None:
    """One client can't fill the memory or block others."""
    before = {key async for key in redis.scan_iter("*")}
    statuses = []
    async with browser("127.5.5.5") as session:
        for _ in range(INSTALLS_EACH.count * 4):
            async with session.get(program.address + INSTALL) as page:
                statuses.append(page.status)
    assert set(statuses) == {200, 429}
    added = {key async for key in redis.scan_iter("*")} - before
    assert len(added) < 10
    assert all([await redis.ttl(key) > 0 for key in added])
    await began(program, "127.77.0.1")

"""`paperboy doctor` reports exactly what is wrong in broken set-ups."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from redis.asyncio import Redis

from bot.app import read_settings
from bot.cli.doctor import checks, examine, outside
from bot.cli.doctor.server import LATE, check_server
from bot.clock import wall_clock
from bot.domain.deliveries import Outcome, PlannedDelivery
from bot.domain.life import Watch
from bot.domain.polls import PollResult
from bot.ports import Finding, Rates
from bot.settings import Settings
from bot.store import connect as connecting
from bot.store import keys
from bot.store.outbox.outbox import Outbox
from bot.store.polls import record_poll
from bot.store.watches import Watches
from tests.papers import a_channel
from tests.program import NOWHERE, environment, start
from tests.replay import serve
from tests.sources.upstreams import app_of, listed

Wrong = Callable[..., Awaitable[dict[str, Finding]]]
SECRETS = ("planted-secret", "hunter2-planted")


@pytest.fixture
async def upstream() -> AsyncIterator[str]:
    async def answer(_request: web.Request) -> web.Response:
        return web.json_response([listed("2605.00001")])

    async with serve(app_of(answer)) as url:
        yield url


@pytest.fixture
async def server(redis: Redis) -> AsyncIterator[Redis]:
    """The Redis server of a set-up, with its settings restored afterwards."""
    yield redis
    await redis.config_set("maxmemory-policy", "noeviction")
    await redis.config_set("appendonly", "yes")
    await redis.config_set("maxmemory", "0")
    await redis.acl_deluser("doctor")


@pytest.fixture
def wrong(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    valkey: str,
    server: Redis,  # noqa: ARG001  # the fixture empties it
    upstream: str,
) -> Wrong:
    """A function that applies settings to a working set-up and returns the failed findings by name."""
    monkeypatch.setattr(connecting, "CONNECT_TIMEOUT", 1.5)
    monkeypatch.chdir(tmp_path)
    for name in Settings.environment_names():
        monkeypatch.delenv(name, raising=False)

    async def examine_(now: Callable[[], datetime] | None = None, **changes: str) -> dict[str, Finding]:
        right = {
            "REDIS_URL": valkey,
            "PAPERBOY_DATA_DIR": str(tmp_path / "data"),
            "PAPERBOY_HUGGINGFACE_URL": upstream,
            "PAPERBOY_ARXIV_CATEGORIES": ",",
        }
        for name, value in (right | changes).items():
            monkeypatch.setenv(name, value)
        found = [finding async for finding in examine(read_settings(), now=now or wall_clock)]
        text = " ".join(f"{finding.message} {finding.todo}" for finding in found)
        assert not any(secret in text for secret in SECRETS)
        bad = {finding.name: finding for finding in found if not finding.ok}
        assert all(finding.todo for finding in bad.values()), "each finding says what to do"
        return bad

    return examine_


def with_user(url: str, user: str, password: str) -> str:
    return url.replace("redis://", f"redis://{user}:{password}@")


def ago(time: timedelta) -> int:
    return round((datetime.now(UTC) - time).timestamp() * 1000)


async def test_a_working_set_up_has_no_failed_findings(wrong: Wrong) -> None:
    assert await wrong() == {}


class TestRedis:
    async def test_no_server_answers(self, wrong: Wrong) -> None:
        found = await wrong(REDIS_URL="redis://:planted-secret@127.0.0.1:9/0")
        assert list(found) == ["redis"]
        assert "No Redis answers at 127.0.0.1:9" in found["redis"].message

    async def test_the_url_is_invalid(self, wrong: Wrong) -> None:
        found = await wrong(REDIS_URL="https://127.0.0.1")
        assert "must begin with redis://" in found["redis"].message

    async def test_the_password_is_wrong(self, wrong: Wrong, server: Redis, valkey: str) -> None:
        await server.acl_setuser("doctor", enabled=True, passwords="+right", keys=["*"], categories=["+@all"])
        found = await wrong(REDIS_URL=with_user(valkey, "doctor", "planted-secret"))
        assert "refuses us" in found["redis"].message

    async def test_the_user_can_only_read(self, wrong: Wrong, server: Redis, valkey: str) -> None:
        await server.acl_setuser(
            "doctor",
            enabled=True,
            passwords="+hunter2-planted",
            keys=["*"],
            categories=["+@read"],
            commands=["+info", "+ping", "+hello", "+client"],
        )
        found = await wrong(REDIS_URL=with_user(valkey, "doctor", "hunter2-planted"))
        assert list(found) == ["redis"]
        assert "can't be written to" in found["redis"].message

    async def test_the_server_evicts_keys(self, wrong: Wrong, server: Redis) -> None:
        await server.config_set("maxmemory-policy", "allkeys-lru")
        assert "CONFIG SET maxmemory-policy noeviction" in (await wrong())["redis"].message

    async def test_the_server_does_not_persist(self, wrong: Wrong, server: Redis) -> None:
        await server.config_set("appendonly", "no")
        assert "appendonly is off" in (await wrong())["redis"].message

    async def test_the_data_are_from_a_newer_paperboy(self, wrong: Wrong, server: Redis) -> None:
        await server.set(keys.SCHEMA, 10_000)
        assert "update Paperboy" in (await wrong())["redis"].message

    async def test_the_servers_memory_is_almost_full(self, wrong: Wrong, server: Redis) -> None:
        used = (await server.info("memory"))["used_memory"]
        await server.config_set("maxmemory", int(used * 1.1))
        found = await wrong()
        assert list(found) == ["memory"]
        assert "raise its maxmemory" in found["memory"].todo


class TestMachine:
    async def test_the_clock_is_off(self, wrong: Wrong) -> None:
        found = await wrong(now=lambda: datetime.now(UTC) + timedelta(minutes=5))
        assert list(found) == ["clock"]
        assert "NTP" in found["clock"].todo

    async def test_the_disk_is_full(self, wrong: Wrong, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(
            "bot.cli.doctor.machine.shutil.disk_usage", lambda _: SimpleNamespace(free=3 * 2**20)
        )
        found = await wrong(REDIS_URL="")
        assert list(found) == ["disk"]
        assert found["disk"].message.startswith("3 MB free")

    async def test_the_data_folder_is_a_file(self, wrong: Wrong, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        found = await wrong(REDIS_URL="", PAPERBOY_DATA_DIR=str(tmp_path / "file"))
        assert "PAPERBOY_DATA_DIR" in found["redis"].message

    async def test_the_port_is_used_by_another_program(self, wrong: Wrong, upstream: str) -> None:
        found = await wrong(PORT=upstream.rpartition(":")[2])
        assert list(found) == ["port"]
        assert "another program listens" in found["port"].message

    async def test_the_port_used_by_a_running_paperboy_is_fine(self, wrong: Wrong) -> None:
        async def alive(_request: web.Request) -> web.Response:
            return web.Response(text="ok\n")

        async with serve(app_of(alive)) as url:
            assert await wrong(PORT=url.rpartition(":")[2]) == {}


class TestSources:
    async def test_a_source_cannot_be_reached(self, wrong: Wrong) -> None:
        found = await wrong(PAPERBOY_HUGGINGFACE_URL=NOWHERE)
        assert list(found) == ["huggingface"]
        assert "could not be reached" in found["huggingface"].message
        assert "DNS, proxy, firewall" in found["huggingface"].todo

    async def test_all_categories_of_a_server_that_is_down_are_one_finding(self, wrong: Wrong) -> None:
        found = await wrong(
            PAPERBOY_ARXIV_CATEGORIES="cs.AI,cs.CL,cs.CV,cs.LG,cs.RO,stat.ML,math.OC,eess.AS",
            PAPERBOY_ARXIV_RSS_URL=NOWHERE,
            PAPERBOY_ARXIV_OAI_URL=NOWHERE,
        )
        assert list(found) == ["network"]
        assert "arxiv:cs.AI, arxiv:cs.AI:oai can't be reached" in found["network"].message
        assert "7 more there: cs.CL, cs.CV" in found["network"].message

    async def test_a_machine_without_a_network_is_one_finding(self, wrong: Wrong) -> None:
        found = await wrong(
            PAPERBOY_HUGGINGFACE_URL=NOWHERE,
            PAPERBOY_ARXIV_CATEGORIES="cs.AI,cs.CL",
            PAPERBOY_ARXIV_RSS_URL=NOWHERE,
            PAPERBOY_ARXIV_OAI_URL=NOWHERE,
        )
        assert list(found) == ["network"]
        assert "nothing can be reached (huggingface, arxiv:cs.AI, " in found["network"].message
        assert "DNS, proxy, firewall" in found["network"].todo

    async def test_the_same_problem_of_all_sources_is_one_finding(self, wrong: Wrong) -> None:
        async def refuse(_request: web.Request) -> web.Response:
            return web.Response(status=403)

        async with serve(app_of(refuse)) as url:
            found = await wrong(
                PAPERBOY_HUGGINGFACE_URL=url,
                PAPERBOY_ARXIV_CATEGORIES="cs.AI",
                PAPERBOY_ARXIV_RSS_URL=url,
                PAPERBOY_ARXIV_OAI_URL=url,
            )
        assert list(found) == ["sources"]
        assert "huggingface, arxiv:cs.AI, arxiv:cs.AI:oai have the same problem" in found["sources"].message
        assert "PAPERBOY_CONTACT" in found["sources"].todo

    async def test_one_slow_source_is_not_a_failure(self, wrong: Wrong) -> None:
        never = asyncio.Event()

        async def wait(_request: web.Request) -> web.Response:
            await never.wait()
            return web.Response()

        async with serve(app_of(wait)) as url:
            checking = wrong(
                PAPERBOY_ARXIV_CATEGORIES="cs.AI", PAPERBOY_ARXIV_RSS_URL=url, PAPERBOY_ARXIV_OAI_URL=url
            )
            assert await checking == {}
            never.set()

    async def test_a_login_page_answers_for_a_source(self, wrong: Wrong) -> None:
        async def login(_request: web.Request) -> web.Response:
            return web.Response(text="<html>Please log in</html>", content_type="text/html")

        async with serve(app_of(login)) as url:
            found = await wrong(PAPERBOY_HUGGINGFACE_URL=url)
        assert list(found) == ["huggingface"]
        assert "proxy" in found["huggingface"].todo

    async def test_a_source_refuses_us(self, wrong: Wrong) -> None:
        async def refuse(_request: web.Request) -> web.Response:
            return web.Response(status=403)

        async with serve(app_of(refuse)) as url:
            found = await wrong(PAPERBOY_HUGGINGFACE_URL=url)
        assert "PAPERBOY_CONTACT" in found["huggingface"].todo

    async def test_a_source_never_answers(self, wrong: Wrong, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(outside, "TIMEOUT", 0.0)
        assert "no answer within" in (await wrong())["huggingface"].message


class TestWork:
    """Problems of an installation that has worked before."""

    async def test_no_process_polls(self, wrong: Wrong, server: Redis) -> None:
        past = datetime.now(UTC) - LATE - timedelta(minutes=1)
        await record_poll(server, PollResult(source="huggingface", at=past, next_at=past))
        found = await wrong()
        assert list(found) == ["polls"]
        assert "role poller" in found["polls"].todo
        await server.set(keys.LEASE, "somebody")
        assert "it hangs" in (await wrong())["polls"].todo

    async def test_a_source_has_had_nothing_new_for_long(self, server: Redis) -> None:
        async def completeness() -> Finding:
            found = [finding async for finding in check_server(server, (), wall_clock)]
            return next(finding for finding in found if finding.name == "completeness")

        soon = datetime.now(UTC) + timedelta(hours=1)
        alarm = "cs.CL has had nothing new since Wed 20 May"
        for name, found, reported in (("arxiv:cs.CL", 9, alarm), ("arxiv:cs.CL:oai", 4, None)):
            poll = PollResult(source=name, at=soon, next_at=soon, found=found, alarm=reported)
            await record_poll(server, poll)
        assert alarm in (await completeness()).message
        await record_poll(server, PollResult(source="arxiv:cs.CL", at=soon, next_at=soon, found=9))
        assert "4 arXiv papers" in (await completeness()).message

    async def test_no_process_posts(self, wrong: Wrong, server: Redis) -> None:
        due = ago(LATE + timedelta(minutes=1))
        await Outbox(server).enqueue(
            [PlannedDelivery(channel=a_channel(platform="console"), papers=(("p", ()),), due=due, label="p")]
        )
        found = await wrong()
        assert list(found) == ["posts"]
        assert "role delivery" in found["posts"].todo

    async def test_a_post_waits_for_a_decision(self, wrong: Wrong, server: Redis) -> None:
        outbox = Outbox(server)
        await outbox.enqueue([PlannedDelivery(channel=a_channel(), papers=(("p", ()),), due=0, label="p")])
        (delivery,) = (await outbox.claim("fake", 9, range(keys.SHARDS), token="t")).deliveries
        await outbox.record_outcome(delivery, Outcome(state="dead", why="refused"))
        found = await wrong()
        assert list(found) == ["dead letters"]
        assert "paperboy deliveries list" in found["dead letters"].todo


class Broken:
    """A platform whose diagnosis fails."""

    name = "broken"
    on_uncertain = "resend"
    rates = Rates()

    async def diagnose(self) -> AsyncIterator[Finding]:
        yield Finding("broken", ok=True, message="it was there a moment ago")
        raise aiohttp.ClientError("the line is dead")

    async def close(self) -> None:
        pass


class Slow(Broken):
    """A platform whose diagnosis hangs after its first finding."""

    async def diagnose(self) -> AsyncIterator[Finding]:
        yield Finding("broken", ok=False, message="its token is refused", todo="replace it")
        await asyncio.Event().wait()


class TestPlatforms:
    async def test_findings_before_a_timeout_are_reported(
        self, wrong: Wrong, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(checks, "build_platforms", lambda *_: (Slow(),))
        monkeypatch.setattr(outside, "TIMEOUT", 0.3)
        found = await wrong()
        assert list(found) == ["broken"]
        assert found["broken"].message == "its token is refused"

    async def test_a_failed_diagnosis_is_a_finding(
        self, wrong: Wrong, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def build(*_: Any) -> tuple[Broken, ...]:
            return (Broken(),)

        monkeypatch.setattr(checks, "build_platforms", build)
        found = await wrong()
        assert "the line is dead" in found["broken"].message

    async def test_the_mail_server_does_not_answer(self, wrong: Wrong) -> None:
        found = await wrong(
            SMTP_URL="smtp://me:planted-secret@127.0.0.1:9",
            PAPERBOY_MAIL_FROM="papers@example.org",
            PAPERBOY_PUBLIC_URL="https://papers.example.org",
            PAPERBOY_SECRET_KEY="hunter2-planted-is-long-enough",
        )
        assert list(found) == ["mail"]
        assert "SMTP_URL" in found["mail"].todo

    async def test_the_secret_key_is_too_short(self, wrong: Wrong) -> None:
        found = await wrong(
            SLACK_SIGNING_SECRET="hunter2-planted",
            SLACK_CLIENT_ID="1.2",
            SLACK_CLIENT_SECRET="hunter2-planted",
            PAPERBOY_SECRET_KEY="short",
            PORT="8099",
        )
        assert "PAPERBOY_SECRET_KEY" in " ".join(finding.message for finding in found.values())

    async def test_one_platform_can_be_checked_alone(self, tmp_path: Path) -> None:
        process = await start("doctor", "slack", env=environment(tmp_path))
        out, _ = await process.communicate()
        assert process.returncode == 1
        assert "FAIL  slack: its tokens are not set" in out.decode()
        assert "huggingface" not in out.decode()


async def test_json_output_has_no_log_lines(tmp_path: Path) -> None:
    process = await start("doctor", "slack", "--json", env=environment(tmp_path))
    out, log = await process.communicate()
    assert process.returncode == 1
    findings = {finding["name"]: finding for finding in json.loads(out)}
    assert findings["slack"]["level"] == "fail"
    assert log == b""


async def test_an_unknown_setting_exits_with_78(tmp_path: Path) -> None:
    process = await start("doctor", env=environment(tmp_path, PAPERBOY_DISCORD_TOKEN="planted-secret"))
    _, log = await process.communicate()
    assert process.returncode == 78
    assert "Paperboy has no setting PAPERBOY_DISCORD_TOKEN" in log.decode()
    assert "planted-secret" not in log.decode()


async def test_watched_papers_need_arxivs_oai_records(redis: Redis) -> None:
    async def news() -> Finding:
        found = [finding async for finding in check_server(redis, ("board",), wall_clock)]
        return next(finding for finding in found if finding.name == "news")

    assert "no paper is watched" in (await news()).message
    watch = Watch(frozenset({"accepted"}), "U1 Ada", wall_clock())
    await Watches(redis).put(a_channel("@U1"), "2605.00001", watch)
    assert (await news()).level == "warn"
    now = wall_clock()
    poll = PollResult(source="arxiv:cs.CL:oai", at=now, next_at=now + timedelta(hours=8), succeeded_at=now)
    await record_poll(redis, poll)
    assert (await news()).level == "ok"
    await record_poll(redis, replace(poll, succeeded_at=now - timedelta(days=3)))
    assert ":oai" in (await news()).todo

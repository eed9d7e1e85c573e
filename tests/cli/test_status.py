"""`paperboy status`, as operators see it."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from redis.asyncio import Redis
from rich.console import Console

from bot.cli.status import InstallationStatus, rendered
from bot.domain.models import ChannelRef
from bot.domain.polls import PollResult
from bot.observability.error_tally import ErrorKind
from bot.store.outbox.outbox import Outbox
from bot.store.polls import record_poll
from tests.program import environment, start

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)


def poll(name: str, ago: float, error: str | None = None) -> PollResult:
    at = NOW - timedelta(seconds=ago)
    return PollResult(source=name, at=at, next_at=at + timedelta(minutes=15), new=3, error=error)


def shown(found: InstallationStatus) -> str:
    console = Console(width=120)
    with console.capture() as capture:
        console.print(rendered(found))
    return capture.get()


def test_late_paused_and_failed_items_are_shown() -> None:
    text = shown(
        InstallationStatus(
            at=NOW,
            sources=[poll("arxiv:cs.CL", 3000, "arXiv could not be reached"), poll("huggingface", 60)],
            waiting=1200,
            late={"slack": 7200.0},
            dead_letters={"held": 2},
            paused={"discord channel": 4},
            unreadable=1,
            errors=[
                (ErrorKind("slack", "post_failed RetryLater"), 1204),
                *((ErrorKind("discord", f"event_failed E{n}"), 1) for n in range(9)),
            ],
        )
    )
    for words in (
        "arXiv could not be reached", "50 min ago", "due", "1 min ago", "in 14 min", "1,200 posts waiting",
        "slack: the oldest is 2 h late", "2 held", "4 paused (discord channel)", "1 record can't be read",
        "1,213 errors in the last hour", "1,204  slack", "post_failed RetryLater", "and 2 rarer kinds",
    ):  # fmt: skip
        assert words in text, text


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s ago"),
        (59, "59 s ago"),
        (60, "1 min ago"),
        (3599, "60 min ago"),
        (3600, "1 h ago"),
        (86_400, "24 h ago"),
        (172_800, "2 days ago"),
    ],
)
def test_times_have_one_unit(seconds: float, words: str) -> None:
    assert words in shown(InstallationStatus(NOW, [poll("huggingface", seconds)], 0, {}, {}, {}, 0))


def test_errors_are_not_mentioned_if_there_are_none() -> None:
    assert "error" not in shown(InstallationStatus(NOW, [], 0, {}, {}, {}, 0)).replace(
        "new  skipped  error", ""
    )


async def test_errors_of_an_ended_process_are_shown_without_their_texts(
    redis: Redis, valkey: str, tmp_path: Path
) -> None:
    env = environment(tmp_path, REDIS_URL=valkey, PAPERBOY_FEEDS="lab=http://127.0.0.1:9/secret-path.xml")
    program = await start("run", "--once", env=env)
    await program.communicate(b"")
    program = await start("status", "--json", env=env)
    out, log = await program.communicate()
    assert program.returncode == 0, log
    errors = {(error["origin"], error["name"]): error["count"] for error in json.loads(out)["errors"]}
    assert errors["lab", "poll_failed"] == 1
    assert errors["huggingface", "poll_failed"] == 1
    stored = [await redis.hgetall(key) async for key in redis.scan_iter("pb:{errors}:errors:*")]
    assert stored
    assert "secret-path" not in str(stored)


async def test_the_status_can_be_printed_as_json(redis: Redis, valkey: str, tmp_path: Path) -> None:
    await record_poll(redis, poll("huggingface", 0))
    await Outbox(redis).pause(ChannelRef("slack", "T1", "C1"), "is archived")
    program = await start("status", "--json", env=environment(tmp_path, REDIS_URL=valkey))
    out, log = await program.communicate()
    assert program.returncode == 0, log
    found = json.loads(out)
    assert [source["source"] for source in found["sources"]] == ["huggingface"]
    assert found["paused"] == {"slack channel": 1}

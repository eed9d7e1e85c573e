"""`paperboy run` as people use it: it starts without settings, stops on a signal, and survives being killed."""

import asyncio
import signal
from pathlib import Path

from redis.asyncio import Redis

from tests.program import environment, first, running, servers, start


async def test_without_any_upstream_sample_papers_are_shown(tmp_path: Path) -> None:
    async with running("run", env=environment(tmp_path)) as bot:
        async with asyncio.timeout(15):
            post = await first(bot, "post")
    assert post["papers"]
    assert "sample" in str(post["card"])


async def test_it_stops_on_a_signal_and_leaves_nothing_behind(tmp_path: Path) -> None:
    async with running("run", env=environment(tmp_path)) as bot:
        await first(bot, "post")
        assert len(servers(tmp_path)) == 1
        bot.send_signal(signal.SIGTERM)
        async with asyncio.timeout(5):
            _, log = await bot.communicate()
        assert bot.returncode == 0, log.decode()
    assert servers(tmp_path) == []


async def test_after_a_kill_the_next_start_takes_over_the_server_and_its_data(tmp_path: Path) -> None:
    env = environment(tmp_path)
    async with running("run", env=env) as bot:
        assert bot.stdin is not None
        bot.stdin.write(b"/paper subscribe diffusion\n")
        await first(bot, "reply")
        bot.kill()
        await bot.wait()
    (left,) = servers(tmp_path)
    async with running("run", env=env) as bot:
        assert bot.stdin is not None
        bot.stdin.write(b"/paper list\n")
        reply = await first(bot, "reply")
        assert "diffusion" in str(reply["card"])
        assert servers(tmp_path) == [left]
        bot.send_signal(signal.SIGTERM)
        await bot.communicate()
        assert bot.returncode == 0
    assert servers(tmp_path) == []


async def test_a_command_typed_while_it_runs_is_answered(tmp_path: Path) -> None:
    async with running("run", env=environment(tmp_path)) as bot:
        assert bot.stdin is not None
        bot.stdin.write("/paper sbscribe “language model”\n".encode())
        reply = await first(bot, "reply")
        assert "subscribe “language model”" in str(reply["card"])


async def test_the_operators_server_is_used_and_left_running(
    tmp_path: Path, valkey: str, redis: Redis
) -> None:
    async with running("run", env=environment(tmp_path, REDIS_URL=valkey)) as bot:
        await first(bot, "post")
        assert servers(tmp_path) == []
        bot.send_signal(signal.SIGTERM)
        await bot.communicate()
        assert bot.returncode == 0
    assert await redis.ping()


async def test_a_bad_setting_is_one_line_and_exit_code_78(tmp_path: Path) -> None:
    process = await start("run", env=environment(tmp_path, PORT="many"))
    _, output = await process.communicate()
    assert process.returncode == 78
    assert output.decode().count("\n") == 1
    assert output.decode().startswith("paperboy: PORT ")


async def test_an_unknown_role_is_one_line_and_exit_code_78(tmp_path: Path) -> None:
    process = await start("run", "polller", env=environment(tmp_path))
    _, output = await process.communicate()
    assert process.returncode == 78
    assert "Roles are poller, fanout" in output.decode()


async def test_a_newcomer_is_shown_the_commands(tmp_path: Path) -> None:
    process = await start("--help", env=environment(tmp_path))
    out, _ = await process.communicate()
    assert process.returncode == 0
    assert all(command in out.decode() for command in ("run", "demo", "doctor"))


async def test_the_doctor_names_each_problem(tmp_path: Path) -> None:
    process = await start("doctor", env=environment(tmp_path))
    out, _ = await process.communicate()
    assert process.returncode == 1
    assert "Hugging Face could not be reached" in out.decode()
    assert "ok    redis" in out.decode()


async def test_the_tour_needs_no_network_and_leaves_nothing_behind(tmp_path: Path) -> None:
    process = await start("demo", env=environment(tmp_path, PAPERBOY_CONSOLE_FORMAT="rich"))
    out, log = await process.communicate()
    assert process.returncode == 0, log.decode()
    shown = out.decode()
    assert "Subscribed as #1: diffusion" in shown
    assert "matched diffusion (#1)" in shown
    assert servers(tmp_path) == []

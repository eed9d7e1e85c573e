"""The app is killed, with or without its embedded server, and restarted at once."""

import asyncio
import os
import signal
from pathlib import Path
from time import monotonic

from bot.store.connect import connect
from bot.store.embedded import EmbeddedServer
from bot.store.subscriptions import Subscriptions
from tests.faults.scene import Outcome, Size
from tests.program import environment, first, running, servers

READY_WITHIN = 5.0
EACH = 2
"""Number of commands between two kills."""


async def of_the_app(folder: Path, size: Size) -> Outcome:
    """Every acknowledged command survives each kill, and there is never more than one server."""
    kills = 20 if size.pace == 1 else 2
    env = environment(folder)
    answered: list[str] = []
    lost, most, slowest, began = 0, 0, 0.0, monotonic()
    for kill in range(kills + 1):
        started = monotonic()
        async with running("run", env=env) as app:
            await _say(app, "/paper list")
            slowest = max(slowest, monotonic() - started)
            most = max(most, len(servers(folder)))
            stored = await _stored(folder)
            lost += sum(word not in stored for word in answered)
            for n in range(EACH if kill < kills else 0):
                word = f"word{chr(97 + kill)}{chr(97 + n)}"
                await _say(app, f"/paper subscribe {word}")
                answered.append(word)
            if kill == kills:
                app.send_signal(signal.SIGTERM)
                await app.wait()
                break
            app.kill()
            if kill % 3 == 1:  # and its server, too
                for pid in servers(folder):
                    os.kill(pid, signal.SIGKILL)
    return Outcome(
        test="app with its own server killed",
        deliveries=len(answered),
        kills=kills,
        lost=lost,
        doubled=0,
        seconds=round(monotonic() - began, 1),
        note=f"{most} server, ready within {slowest:.1f} s, {len(servers(folder))} left in the end",
        fine=most == 1 and not servers(folder) and (slowest <= READY_WITHIN or size.pace < 1),
    )


async def _stored(folder: Path) -> set[str]:
    redis = await connect(EmbeddedServer(folder).url)
    found = {subscription.query async for subscription in Subscriptions(redis).load()}
    await redis.aclose()
    return found


async def _say(app: asyncio.subprocess.Process, line: str) -> str:
    assert app.stdin is not None
    app.stdin.write(f"{line}\n".encode())
    async with asyncio.timeout(30):
        return str(await first(app, "reply"))

"""Weeks of faults, after which every paper has been announced exactly once."""

from datetime import timedelta

from redis.asyncio import Redis

from tests.simulator.run import START, Simulation, every_source
from tests.simulator.upstreams import Faults
from tests.simulator.world import DAY, World, at


async def test_every_paper_is_announced_once_despite_all_faults(redis: Redis) -> None:
    world = World(3, START, 2, per_category=8)
    outcome = await Simulation(redis, world, Faults(), every_source).run(kill_every=timedelta(hours=20))
    assert len(outcome.expected()) > 80
    assert outcome.missed() == []
    assert outcome.repeated() == []
    assert outcome.wrong() == []
    assert outcome.closest() >= 3.0


async def test_papers_announced_during_downtime_are_not_missed(redis: Redis) -> None:
    world = World(4, START, 6, per_category=5)
    down = (at(START + 1 * DAY, 18), at(START + 5 * DAY, 18))
    outcome = await Simulation(redis, world, Faults(), every_source).run(down=[down])
    assert len(outcome.expected()) > 80
    assert outcome.missed() == []
    assert outcome.repeated() == []
    assert any(poll.found for name, poll in outcome.polls.items() if name.endswith(":oai"))

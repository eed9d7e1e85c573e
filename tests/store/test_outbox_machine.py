"""In any order of events, each enqueued paper is posted, and none twice."""

from hypothesis import HealthCheck, settings

from tests.store.machine import try_machine

RUNS = settings(
    max_examples=15,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    database=None,
)


def test_any_order_of_events_loses_nothing_and_doubles_nothing(valkey: str) -> None:
    try_machine(valkey, RUNS)

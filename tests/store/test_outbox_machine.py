"""In any order of events, each enqueued paper is posted once."""

from hypothesis import HealthCheck, settings

from tests.store.machine import try_machine

RUNS = settings(
    max_examples=15,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    database=None,
)


def test_no_order_of_events_loses_or_doubles_a_paper(valkey: str) -> None:
    try_machine(valkey, RUNS)

"""What this process counts and times, for Prometheus. What all processes share is read from Redis at a scrape.

No label holds a channel, a workspace or a person: there are a million of them, and they are nobody's business.
"""

import asyncio
from time import monotonic

from prometheus_client import Counter, Gauge, Histogram, disable_created_metrics

disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series for each, which nothing here reads

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
WAITS = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 900.0, 3600.0, 14400.0)
TICK = 1.0
"""Seconds between two looks at the event loop."""

papers = Counter(
    "paperboy_papers", "New papers, by the source that listed them first", ["source", "category"]
)
polls = Counter("paperboy_polls", "Polls: ok, failed, refused", ["source", "category", "outcome"])
matches = Counter("paperboy_matches", "Subscriptions that matched a paper")
offers = Counter(
    "paperboy_offers", "Papers owed to channels: matches that were not sent or owed there already"
)
matching_lag = Histogram(
    "paperboy_matching_lag_seconds", "From a paper's announcement until it is owed to channels", buckets=WAITS
)
deliveries = Counter(
    "paperboy_deliveries", "What became of deliveries that a worker had in hand", ["platform", "state"]
)
failures = Counter(
    "paperboy_delivery_failures", "Posts that were not confirmed, by error", ["platform", "error"]
)
post_delay = Histogram(
    "paperboy_detection_to_post_seconds",
    "From a paper's announcement until it was posted, of those that were to be posted at once",
    ["platform"],
    buckets=WAITS,
)
send_seconds = Histogram(
    "paperboy_send_seconds", "Calls of the platform for one post", ["platform"], buckets=SECONDS
)
rate_waits = Histogram(
    "paperboy_rate_wait_seconds",
    "Waits for a turn, by whose rate it is",
    ["platform", "scope"],
    buckets=SECONDS,
)
command_seconds = Histogram(
    "paperboy_command_seconds",
    "Commands, until the reply was there: ok, refused (what was typed), failed",
    ["command", "outcome"],
    buckets=SECONDS,
)
leader = Gauge("paperboy_poller_leader", "1 where this process holds the poller's lease")
worker_failures = Counter(
    "paperboy_worker_failures",
    "Failures of background workers, each followed by a retry",
    ["worker", "error"],
)
role_restarts = Counter("paperboy_role_restarts", "Times that a role crashed and was started again", ["role"])
role_up = Gauge(
    "paperboy_role_up", "1 while a role of this process runs, 0 while it waits to be restarted", ["role"]
)
unreadable_records = Counter(
    "paperboy_unreadable_records", "Records in Redis that can't be read and were set aside", ["kind"]
)
loop_lag = Histogram(
    "paperboy_event_loop_lag_seconds", "How late the event loop was with what was due", buckets=SECONDS
)


def source_labels(name: str) -> tuple[str, str]:
    """`arxiv:cs.CL` -> source `arxiv`, category `cs.CL`."""
    source, _, category = name.partition(":")
    return source, category


async def watch_loop() -> None:
    """See how late the event loop is, until cancelled."""
    while True:
        due = monotonic() + TICK
        await asyncio.sleep(TICK)
        loop_lag.observe(max(0.0, monotonic() - due))

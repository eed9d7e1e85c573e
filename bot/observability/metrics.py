"""Prometheus metrics of this process. Values that all processes share are read from Redis at each scrape.

Labels never contain channels, workspaces or people: there can be a million of them, and they are private.
"""

import asyncio
from time import monotonic

from prometheus_client import Counter, Gauge, Histogram, disable_created_metrics

# Otherwise each metric has a second series with its creation time, which nothing reads.
disable_created_metrics()  # type: ignore[no-untyped-call]  # prometheus_client leaves it untyped

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
WAITS = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 900.0, 3600.0, 14400.0)
TICK = 1.0
"""Seconds between two measurements of the event loop's lag."""

papers = Counter(
    "paperboy_papers", "New papers, by the source that listed them first", ["source", "category"]
)
polls = Counter("paperboy_polls", "Polls: ok, failed, refused", ["source", "category", "outcome"])
matches = Counter("paperboy_matches", "Subscriptions that matched a paper")
enqueued = Counter(
    "paperboy_enqueued",
    "Papers enqueued for channels, without those that were sent or enqueued there already",
)
life_events = Counter("paperboy_life_events", "Events of papers after they appeared, by kind", ["kind"])
matching_lag = Histogram(
    "paperboy_matching_lag_seconds", "From a paper's announcement until it is enqueued", buckets=WAITS
)
deliveries = Counter(
    "paperboy_deliveries", "Deliveries by the state in which a worker left them", ["platform", "state"]
)
failures = Counter(
    "paperboy_delivery_failures", "Posts that were not confirmed, by error", ["platform", "error"]
)
pause_notifications = Counter(
    "paperboy_pause_notifications",
    "People notified of a pause: reached, no one reached, failed",
    ["platform", "outcome"],
)
post_delay = Histogram(
    "paperboy_detection_to_post_seconds",
    "From a paper's announcement until it was posted, for posts that were due at once",
    ["platform"],
    buckets=WAITS,
)
send_seconds = Histogram(
    "paperboy_send_seconds", "Duration of the platform's API call for one post", ["platform"], buckets=SECONDS
)
rate_waits = Histogram(
    "paperboy_rate_wait_seconds",
    "Waits for a rate limit, by its scope",
    ["platform", "scope"],
    buckets=SECONDS,
)
command_seconds = Histogram(
    "paperboy_command_seconds",
    "Commands until their reply: ok, refused (a mistyped command), failed (an error of ours)",
    ["command", "outcome"],
    buckets=SECONDS,
)
leader = Gauge("paperboy_poller_leader", "1 while this process holds the poller's lease")
worker_failures = Counter(
    "paperboy_worker_failures",
    "Failures of background workers, each followed by a retry",
    ["worker", "error"],
)
role_restarts = Counter("paperboy_role_restarts", "Times that a role crashed and was started again", ["role"])
role_up = Gauge(
    "paperboy_role_up", "1 while a role of this process runs, 0 while it waits to be restarted", ["role"]
)
records_set_aside = Counter(
    "paperboy_records_set_aside", "Records in Redis that this process could not read and set aside", ["kind"]
)
loop_lag = Histogram(
    "paperboy_event_loop_lag_seconds", "How late the event loop ran a timer", buckets=SECONDS
)


def source_labels(name: str) -> tuple[str, str]:
    """Return the labels of a source: `arxiv` and `cs.CL` for `arxiv:cs.CL`."""
    source, _, category = name.partition(":")
    return source, category


async def watch_loop() -> None:
    """Measure the event loop's lag until cancelled."""
    while True:
        due = monotonic() + TICK
        await asyncio.sleep(TICK)
        loop_lag.observe(max(0.0, monotonic() - due))

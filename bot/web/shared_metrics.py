"""Metrics that all processes share, read from Redis on each scrape.

Every process reports the same values, so queries need `max` over instances, not `sum`.
"""

from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import version
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from redis.asyncio import Redis

from bot.domain.polls import PollResult
from bot.observability.metrics import source_labels
from bot.ports import Connected, Platform
from bot.store import keys
from bot.store.outbox.outbox import Outbox
from bot.store.outbox.reader import REFUSED_FOR
from bot.store.polls import last_polls
from bot.store.unreadable import unreadable_count


class _Families(Collector):
    """A collector of metrics that have already been read."""

    def __init__(self, families: Iterable[GaugeMetricFamily]) -> None:
        self._families = tuple(families)

    def collect(self) -> Iterator[GaugeMetricFamily]:
        yield from self._families


async def shared_metrics(redis: Redis, outbox: Outbox, platforms: Iterable[Platform]) -> bytes:
    """Return the shared metrics in Prometheus' text format. Raises RedisError."""
    registry = CollectorRegistry()
    registry.register(
        _Families(
            [
                _gauge("build_info", "Always 1", ("version",), {(version("paperboy"),): 1}),
                *_sources((await last_polls(redis)).values()),
                *await _outbox(outbox, [platform.name for platform in platforms]),
                *await _server(redis),
                _gauge(
                    "unreadable_records",
                    "Records in Redis that can't be read",
                    (),
                    {(): await unreadable_count(redis)},
                ),
                _connected(platforms),
            ]
        )
    )
    return generate_latest(registry)


def _gauge(
    name: str, help_text: str, labels: tuple[str, ...], values: Mapping[Any, float]
) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"paperboy_{name}", help_text, labels=labels)
    for names, value in values.items():
        family.add_metric(names, value)
    return family


def _sources(polls: Iterable[PollResult]) -> Iterator[GaugeMetricFamily]:
    labels = ("source", "category")
    named = {source_labels(poll.source): poll for poll in polls}
    moments = (
        ("new", "When a source last brought a new paper", {k: p.new_at for k, p in named.items()}),
        ("success", "When a source was last read", {k: p.succeeded_at for k, p in named.items()}),
        ("next", "When a source is polled next", {k: p.next_at for k, p in named.items()}),
    )
    for name, help_text, times in moments:
        known = {k: at.timestamp() for k, at in times.items() if at is not None}
        yield _gauge(f"source_{name}_timestamp_seconds", help_text, labels, known)
    yield _gauge(
        "source_alarm",
        "1 if a source answers, but its answers are suspicious",
        labels,
        {k: p.alarm is not None for k, p in named.items()},
    )
    yield _gauge(
        "source_failures", "Polls that failed in a row", labels, {k: p.failures for k, p in named.items()}
    )


async def _outbox(outbox: Outbox, platforms: list[str]) -> list[GaugeMetricFamily]:
    dead = await outbox.dead_letter_counts()
    late = {(name,): await outbox.overdue(name) for name in platforms}
    paused = await outbox.paused_counts()
    refused = await outbox.refused_counts(REFUSED_FOR)
    counts = {(name, scope): 0.0 for name in platforms for scope in ("channel", "workspace")}
    return [
        _gauge("outbox_open", "Deliveries that are due or late", (), {(): await outbox.open()}),
        _gauge(
            "dead_letters",
            "Deliveries that wait for the operator's decision",
            ("state",),
            {(state,): count for state, count in dead.items()},
        ),
        _gauge("outbox_overdue_seconds", "How late the most overdue delivery is", ("platform",), late),
        _gauge(
            "paused",
            "Channels and workspaces where posting is paused, except for a probe now and then",
            ("platform", "scope"),
            counts | {place: count for place, (count, _) in paused.items()},
        ),
        _gauge(
            "paused_since_timestamp_seconds",
            "Time since which the first of these has been paused",
            ("platform", "scope"),
            {place: since.timestamp() for place, (_, since) in paused.items()},
        ),
        _gauge(
            "refused_channels",
            "Channels whose posts have been refused for a day, for a reason that the platform doesn't document",
            ("platform",),
            {(name,): refused.get(name, (0,))[0] for name in platforms},
        ),
    ]


async def _server(redis: Redis) -> list[GaugeMetricFamily]:
    """Return the metrics of Redis. Its memory is that of a Cluster's fullest primary; 0 if the server hides it."""
    leased = await redis.exists(keys.LEASE)
    info: dict[str, Any] = await redis.info("memory")
    servers = [info] if "used_memory" in info else [node for node in info.values() if isinstance(node, dict)]
    memory = {
        ("used",): max((float(server["used_memory"]) for server in servers), default=0.0),
        ("limit",): max((float(server.get("maxmemory", 0)) for server in servers), default=0.0),
    }
    return [
        _gauge("poller_lease_held", "1 if a process polls", (), {(): leased}),
        _gauge("redis_memory_bytes", "Redis' memory: used, and its limit (0: none)", ("kind",), memory),
    ]


def _connected(platforms: Iterable[Platform]) -> GaugeMetricFamily:
    """Return the metric of the platforms that this process is connected to."""
    connected = {(one.name,): float(one.connected()) for one in platforms if isinstance(one, Connected)}
    return _gauge(
        "platform_connected", "1 if this process is connected to the platform", ("platform",), connected
    )

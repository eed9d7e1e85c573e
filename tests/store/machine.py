"""A state machine: all kinds of events hit the outbox in any order, on a real server and a simulated clock."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from typing import Any, TypeVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from redis.asyncio import Redis

from bot.domain.deliveries import Budget, Delivery, Outcome, PlannedDelivery
from bot.domain.models import ChannelRef, ChannelSettings, MessageRef, Reason, Rules
from bot.pipeline.sending import SEND_TIMEOUT
from bot.policy.planner import DIGEST, fold, folded
from bot.store import keys
from bot.store.channel_rules import ChannelSettingsStore
from bot.store.outbox.outbox import LEASE, Outbox
from tests.clock import advance
from tests.papers import a_channel

ALL = tuple(range(keys.SHARDS))
CHANNELS = [a_channel("C1", "T1"), a_channel("C2", "T1"), a_channel("C3", "T2")]
PAPERS = ["p1", "p2", "p3", "p4"]
ALWAYS = 7
"""Number of the subscription whose papers are posted despite the budget: it matches p1."""
DAY, EARLY = 86_400, 2 * 3600
"""Seconds. A digest can be EARLY less than a day after the previous one."""

_T = TypeVar("_T")


@dataclass
class ClaimedDelivery:
    """A delivery that a worker has claimed, and the steps that are done."""

    delivery: Delivery
    looked_up: bool = False
    began: float | None = None
    sent: bool = False
    rules: Rules = field(default_factory=Rules)


@dataclass(frozen=True)
class PostedPapers:
    """The papers that a message names, which count towards its channel's budget."""

    at: float
    papers: int
    in_digest: bool


def try_machine(url: str, runs: settings) -> None:
    """Run the machine. Raises for an order of events that breaks an invariant, and shows the shortest one."""
    machine: Any = partial(OutboxMachine, url)  # Hypothesis only calls it
    run_state_machine_as_test(machine, settings=runs)


class OutboxMachine(RuleBasedStateMachine):
    """Workers that follow the protocol, can die at any moment, and repeat any call whose answer was lost."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.redis: Redis = Redis.from_url(url, decode_responses=True)
        self.outbox = Outbox(self.redis)
        self.claimed: list[ClaimedDelivery] = []
        self.posted: Counter[tuple[str, str]] = Counter()
        self.messages: set[str] = set()
        """Keys of deliveries that the platform received."""
        self.enqueued: set[tuple[str, str]] = set()
        self.budgets: dict[ChannelRef, int] = {}
        self.posted_papers: dict[ChannelRef, list[PostedPapers]] = {channel: [] for channel in CHANNELS}
        self.clock = 0.0
        self.tokens = count()

    def run(self, awaitable: Awaitable[_T]) -> _T:
        async def answer() -> _T:
            return await awaitable

        return self.runner.run(answer())

    def call(self, twice: bool, operation: Callable[[], Awaitable[_T]]) -> _T:
        """Call the outbox; `twice` if the first answer was lost."""
        if twice:
            self.run(operation())
        return self.run(operation())

    @initialize(budgets=st.tuples(*[st.sampled_from([0, 1, 2])] * len(CHANNELS)))
    def begin(self, budgets: tuple[int, ...]) -> None:
        self.run(self.redis.flushall())
        self.budgets = dict(zip(CHANNELS, budgets, strict=True))
        store = ChannelSettingsStore(self.redis)
        for channel, most in self.budgets.items():
            self.run(store.put(channel, ChannelSettings(most=most, always=(ALWAYS,))))

    @rule(
        channel=st.sampled_from(CHANNELS),
        papers=st.sets(st.sampled_from(PAPERS), min_size=1),
        digest=st.booleans(),
        later=st.sampled_from([0, 0, 90]),
        most=st.sampled_from([0, 1, 2]),
        twice=st.booleans(),
    )
    def enqueue(
        self, channel: Any, papers: set[str], *, digest: bool, later: int, most: int, twice: bool
    ) -> None:
        """Enqueue papers; `most` can be an outdated budget, or 0 for none."""
        due = round(self.run(self.outbox.now()).timestamp() * 1000) + later * 1000
        if digest:
            deliveries = [
                PlannedDelivery(
                    channel=channel,
                    papers=tuple(map(with_reason, sorted(papers))),
                    due=due,
                    label=f"group {later}" if most else f"{DIGEST}{later}",
                    **(self.limited(papers, most, due) if most else {}),
                )
            ]
        else:
            deliveries = [
                PlannedDelivery(channel=channel, papers=(with_reason(p),), due=due, label=p)
                for p in sorted(papers)
            ]
        self.call(twice, lambda: self.outbox.enqueue(deliveries))
        self.enqueued |= {(str(channel), paper) for paper in papers}

    def limited(self, papers: set[str], most: int, due: int) -> dict[str, Any]:
        """Return arguments for flood control and a budget: one paper isn't good enough, another always is."""
        budget = Budget(
            most=most,
            fits=dict.fromkeys(papers, 0.5),
            always=frozenset({"p1"}),
            below=frozenset({"p2"}),
            label="rest",
            due=due + 3_600_000,
        )
        return {"budget": budget, "digest_threshold": 1, "flood_window": 600_000}

    @rule(most=st.sampled_from([1, 16, 64]), twice=st.booleans())
    def claim(self, most: int, twice: bool) -> None:
        token = f"t{next(self.tokens)}"
        claims = self.call(twice, lambda: self.outbox.claim("fake", most, ALL, token=token))
        self.claimed += map(ClaimedDelivery, claims.deliveries)

    @rule(
        outcome=st.sampled_from(["ok", "ok, but slow", "lost", "refused", "died", "died later"]),
        twice=st.booleans(),
    )
    def claim_and_work(self, outcome: str, twice: bool) -> None:
        """Let a worker claim what is due, and process each delivery as far as the outcome allows."""
        before = list(self.claimed)
        self.claim(16, twice)
        for claimed in [claimed for claimed in self.claimed if claimed not in before]:
            while claimed in self.claimed and not claimed.sent:
                self.work(self.claimed.index(claimed), outcome, twice)

    @precondition(lambda self: self.claimed)
    @rule(
        which=st.integers(0),
        outcome=st.sampled_from(
            ["ok", "ok", "ok, but slow", "lost", "refused", "limited", "dead", "died", "died later"]
        ),
        twice=st.booleans(),
    )
    def work(self, which: int, outcome: str, twice: bool) -> None:
        """Let a worker take the next step with one of its deliveries."""
        claimed = self.claimed[which % len(self.claimed)]
        if claimed.sent:
            self.confirm(claimed, twice)
        elif claimed.delivery.state == "unknown" and not claimed.looked_up:
            claimed.looked_up = True
            if claimed.delivery.key in self.messages:
                self.confirm(claimed, twice)
        elif claimed.rules.folds:
            self.fold(claimed, outcome, twice)
        elif claimed.began is None:
            rules = self.call(twice, lambda: self.outbox.begin(claimed.delivery, gap=1))
            if rules is None:
                self.claimed.remove(claimed)
            else:
                claimed.began, claimed.rules = self.clock, rules
        elif self.clock - claimed.began > LEASE - SEND_TIMEOUT:
            self.claimed.remove(claimed)
        else:
            self.send(claimed, outcome, twice)

    def fold(self, claimed: ClaimedDelivery, outcome: str, twice: bool) -> None:
        """Fold the papers of a delivery that exceeds the budget, unless the worker dies before."""
        if outcome == "died":
            self.claimed.remove(claimed)
        else:
            self.record_outcome(claimed, fold(claimed.rules, self.run(self.outbox.now())), twice)

    def send(self, claimed: ClaimedDelivery, outcome: str, twice: bool) -> None:
        if outcome in {"ok", "ok, but slow", "lost", "died later"}:
            self.messages.add(claimed.delivery.key)
            self.posted.update((str(claimed.delivery.channel), paper) for paper, _ in claimed.delivery.papers)
            self.record_posted_papers(claimed)
        match outcome:
            case "ok":
                self.confirm(claimed, twice)
            case "ok, but slow":
                claimed.sent = True
            case "died" | "died later":
                self.claimed.remove(claimed)
            case "lost":
                self.record_outcome(
                    claimed, Outcome(state="unknown", why="no answer", after=5, counts=True), twice
                )
            case "refused":
                self.record_outcome(
                    claimed, Outcome(state="pending", why="no", after=300, counts=True), twice
                )
            case "limited":
                self.record_outcome(
                    claimed, Outcome(state="pending", why="429", after=30, limit="channel"), twice
                )
            case "dead":
                self.record_outcome(claimed, Outcome(state="dead", why="invalid blocks"), twice)

    def record_posted_papers(self, claimed: ClaimedDelivery) -> None:
        """Record which papers the card names, except those that are always posted."""
        _, _, label = claimed.delivery.key.partition("/")
        entries: Any = claimed.delivery.papers  # ids are enough
        counted = [paper for paper, _ in folded(entries, claimed.rules, label)]
        papers = {paper for paper, _ in claimed.delivery.papers} - {*counted, "p1"}
        self.posted_papers[claimed.delivery.channel].append(
            PostedPapers(claimed.began or 0.0, len(papers), label.startswith(DIGEST))
        )

    def confirm(self, claimed: ClaimedDelivery, twice: bool) -> None:
        self.call(twice, lambda: self.outbox.done(claimed.delivery, MessageRef("m")))
        self.claimed.remove(claimed)

    def record_outcome(self, claimed: ClaimedDelivery, outcome: Outcome, twice: bool) -> None:
        self.call(twice, lambda: self.outbox.record_outcome(claimed.delivery, outcome))
        self.claimed.remove(claimed)

    @rule(seconds=st.sampled_from([1, 10, 50, 61, 400, 9 * 3600, 25 * 3600]))
    def time_passes(self, seconds: int) -> None:
        self.run(advance(self.redis, seconds))
        self.clock += seconds

    @rule(channel=st.sampled_from(CHANNELS), on=st.booleans(), twice=st.booleans())
    def pause(self, channel: Any, on: bool, twice: bool) -> None:
        if on:
            self.call(twice, lambda: self.outbox.pause(channel, "archived"))
        else:
            self.call(twice, lambda: self.outbox.resume(channel))

    @rule(workspace=st.sampled_from(["T1", "T2"]), on=st.booleans(), twice=st.booleans())
    def pause_workspace(self, workspace: str, on: bool, twice: bool) -> None:
        if on:
            self.call(twice, lambda: self.outbox.pause_workspace("fake", workspace, "uninstalled"))
        else:
            self.call(twice, lambda: self.outbox.resume_workspace("fake", workspace))

    @rule(twice=st.booleans())
    def retry_all(self, twice: bool) -> None:
        for key in self.run(self.dead_letter_keys()):
            self.call(twice, partial(self.outbox.retry, key))

    @rule()
    def the_server_was_replaced(self) -> None:
        for shard in ALL:
            self.run(self.redis.set(f"{keys.shard(shard)}run", "the one before"))

    @invariant()
    def nothing_is_posted_twice(self) -> None:
        assert max(self.posted.values(), default=0) <= 1, self.posted

    @invariant()
    def no_budget_is_exceeded(self) -> None:
        for channel, most in self.budgets.items():
            for last in self.posted_papers[channel] if most else ():
                earlier = [one for one in self.posted_papers[channel] if last.at - DAY < one.at <= last.at]
                if last.in_digest:
                    earlier = [n for n in earlier if not n.in_digest or n.at > last.at - DAY + EARLY]
                assert sum(one.papers for one in earlier) <= most, (channel, most, earlier)

    def teardown(self) -> None:
        try:
            self.check_that_everything_is_posted()
        finally:
            self.run(self.redis.aclose())
            self.runner.close()

    def check_that_everything_is_posted(self) -> None:
        """Check that, without pauses and faults, everything enqueued is posted or counted in a folded line, and nothing
        is left."""
        self.claimed.clear()
        for channel in CHANNELS:
            self.run(self.outbox.resume(channel))
        for workspace in ("T1", "T2"):
            self.run(self.outbox.resume_workspace("fake", workspace))
        for _ in range(100):
            self.retry_all(twice=False)
            self.run(advance(self.redis, 3600))
            self.claim(64, twice=False)
            for claimed in list(self.claimed):
                while claimed in self.claimed:
                    self.work(self.claimed.index(claimed), "ok", twice=False)
            if not self.run(self.transient_keys()):
                break
        self.nothing_is_posted_twice()
        self.no_budget_is_exceeded()
        assert set(self.posted) == self.enqueued
        assert self.run(self.transient_keys()) == []
        assert self.run(self.outbox.open()) == 0

    async def dead_letter_keys(self) -> list[str]:
        return [stuck.key async for stuck in self.outbox.dead_letters()]

    async def transient_keys(self) -> list[str]:
        """Return the keys that exist only while something is enqueued."""
        names = ("delivery:", "box:", "lane:", "due:", "leases:", "open:", "dead", "held")
        return [
            key async for key in self.redis.scan_iter("pb:*") if str(key).partition("}:")[2].startswith(names)
        ]


def with_reason(paper: str) -> tuple[str, tuple[Reason, ...]]:
    """Return a paper with its reason; p1 matches the exception."""
    return paper, (Reason(ALWAYS if paper == "p1" else 1, "robot"),)

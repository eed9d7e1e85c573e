"""Every fault at small size; `make faults` runs them at full size."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from tests.faults import (
    crowds,
    embedded_server,
    failovers,
    kills,
    points,
    stops,
    store,
    survival,
    upgrades,
    webhooks,
)
from tests.faults.scene import SMALL, Outcome, Size

Fault = Callable[[Path, Size], Awaitable[Outcome]]


@pytest.mark.parametrize(
    "fault",
    [
        kills.in_bad_weather,
        kills.with_budgets,
        webhooks.of_a_receiver,
        points.of_a_delivery,
        stops.of_a_worker,
        stops.of_the_leader,
        stops.on_request,
        store.loses_answers,
        store.is_full,
        store.is_wiped,
        embedded_server.of_the_app,
        failovers.of_a_server,
        crowds.outage,
        crowds.one_dead_channel,
        crowds.rates,
        failovers.of_a_cluster,
        failovers.of_a_watched_primary,
        survival.of_a_proxy,
        survival.of_poison,
        survival.of_a_role,
    ],
)
async def test_nothing_is_lost_and_nothing_doubled(tmp_path: Path, fault: Fault) -> None:
    outcome = await fault(tmp_path, SMALL)
    assert outcome.holds, outcome


async def test_a_rolling_upgrade_from_the_previous_release(tmp_path: Path) -> None:
    if why := upgrades.reason_to_skip():
        pytest.skip(why)
    outcome = await upgrades.beside_the_previous_release(tmp_path, SMALL)
    assert outcome.holds, outcome


async def test_the_harness_reports_doubles_without_reconciliation(tmp_path: Path) -> None:
    outcome = await kills.without_asking(tmp_path, SMALL)
    assert (outcome.lost, outcome.doubled > 0) == (0, True), outcome


async def test_the_harness_reports_doubles_if_each_attempt_has_a_new_id(tmp_path: Path) -> None:
    outcome = await webhooks.with_new_ids(tmp_path, SMALL)
    assert (outcome.lost, outcome.doubled > 0) == (0, True), outcome


async def test_the_harness_reports_a_lost_delivery(tmp_path: Path) -> None:
    outcome = await kills.with_one_thrown_away(tmp_path, SMALL)
    assert (outcome.lost, outcome.doubled) == (1, 0), outcome

"""`make faults`: run every fault at full size, and print a table of the outcomes.

python -m tests.faults [--only WORD] [--small]
"""

import argparse
import asyncio
import logging
import sys
import traceback
from collections.abc import Awaitable, Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic

import structlog

from tests.faults import (
    crowds,
    embedded_server,
    failovers,
    kills,
    points,
    spells,
    stops,
    store,
    survival,
    upgrades,
    webhooks,
)
from tests.faults.scene import SMALL, Outcome, Size

Fault = Callable[[Path, Size], Awaitable[Outcome]]

WHOLE = Size()
FAULTS: tuple[tuple[Fault, Size], ...] = (
    (kills.in_good_weather, WHOLE),
    (kills.in_bad_weather, WHOLE),
    (kills.with_budgets, WHOLE),
    (webhooks.of_a_receiver, WHOLE),
    (points.of_a_delivery, WHOLE),
    (failovers.of_a_server, Size(kills=10)),
    (stops.of_a_worker, WHOLE),
    (stops.of_the_leader, WHOLE),
    (stops.on_request, WHOLE),
    (embedded_server.of_the_app, WHOLE),
    (failovers.of_a_cluster, Size(kills=10)),
    (failovers.of_a_watched_primary, Size(kills=10)),
    (store.loses_answers, WHOLE),
    (store.is_full, WHOLE),
    (store.is_wiped, WHOLE),
    (store.in_any_order, WHOLE),
    (crowds.outage, Size(channels=50, papers=20)),
    (crowds.one_dead_channel, WHOLE),
    (crowds.rates, WHOLE),
    (spells.of_foreign_answers, WHOLE),
    (spells.of_slacks_proxies, WHOLE),
    (survival.of_a_proxy, WHOLE),
    (survival.of_poison, WHOLE),
    (survival.of_a_role, WHOLE),
    (survival.of_an_upgrade, WHOLE),
    (upgrades.beside_the_previous_release, WHOLE),
    (kills.without_asking, WHOLE),
    (kills.with_one_thrown_away, WHOLE),
    (webhooks.with_new_ids, WHOLE),
)
COLUMNS = ("test", "deliveries", "kills", "lost", "doubled", "seconds")


async def run(fault: Fault, size: Size) -> Outcome:
    """Run one fault, in its own folder."""
    began = monotonic()
    with TemporaryDirectory(prefix="paperboy-faults-") as folder:
        try:
            return await fault(Path(folder), size)
        except Exception:  # noqa: BLE001  # the other faults must still run
            traceback.print_exc()
            name = f"{fault.__module__}.{fault.__name__}"
            seconds = round(monotonic() - began, 1)
            return Outcome(
                test=name, deliveries=0, kills=0, lost=0, doubled=0, seconds=seconds, note="BROKE", fine=False
            )


def row(outcome: Outcome) -> str:
    """Return a line of the table. Tests in parentheses check the harness itself: they must fail."""
    values = " ".join(f"{getattr(outcome, column):>10}" for column in COLUMNS[1:])
    harness = outcome.test.startswith("(")
    return f"{outcome.test:<34} {values}  {'' if outcome.holds != harness else 'FAILED: '}{outcome.note}"


def main() -> None:
    """Run from the command line. Exits with 1 if anything fails."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="run the faults whose names contain this")
    parser.add_argument("--small", action="store_true", help="the size of `make test`")
    options = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    failed = False
    sys.stdout.write(f"{COLUMNS[0]:<34} {' '.join(f'{column:>10}' for column in COLUMNS[1:])}\n")
    for fault, size in FAULTS:
        if options.only in f"{fault.__module__}.{fault.__name__}":
            line = row(asyncio.run(run(fault, SMALL if options.small else size)))
            failed = failed or "FAILED" in line
            sys.stdout.write(f"{line}\n")
            sys.stdout.flush()
    sys.exit(failed)


if __name__ == "__main__":
    main()

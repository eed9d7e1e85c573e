"""The loop that every background worker runs: do the work, and survive whatever it raises."""

import asyncio
import random
from collections.abc import Awaitable, Callable

from redis.exceptions import RedisClusterException, RedisError
from structlog import get_logger

from bot.domain.errors import ConfigurationError
from bot.observability import metrics

FIRST_BACKOFF = 1.0
"""Pause in seconds after the first failure in a row; it doubles with each further one."""
LONGEST_CONNECTION_BACKOFF = 5.0
"""Maximum pause in seconds while Redis or another server can't be reached: work goes on soon after it is back."""
LONGEST_BACKOFF = 60.0
"""Maximum pause in seconds after any other error, such as a bug."""
STABLE_AFTER = 60.0
"""A call that fails after running for this many seconds counts as the first failure in a row again."""

CONNECTION_ERRORS = (RedisError, RedisClusterException, OSError, TimeoutError)
"""Errors that a lost connection raises. redis-py's aren't OSErrors, and a Cluster's aren't RedisErrors."""

_log = get_logger()


async def run_worker(
    name: str,
    work: Callable[[], Awaitable[None]],
    *,
    until: Callable[[], bool] = lambda: False,
    on_failure: Callable[[], None] = lambda: None,
) -> None:
    """Call `work` again and again until cancelled, or until `until` says so after a call.

    `work` itself waits for something to do. An error that it raises is logged, counted in
    `paperboy_worker_failures_total`, and followed by a pause; `on_failure` is called before the pause.

    Raises ConfigurationError, since repeating the call can't help against that.
    """
    clock = asyncio.get_running_loop().time
    failures = 0
    while not until():
        began = clock()
        try:
            await work()
        except ConfigurationError:
            raise
        except Exception as error:  # noqa: BLE001  # the loop's edge: bad records or lost connections must not end it
            failures = failures + 1 if clock() - began < STABLE_AFTER else 1
            wait = _report(name, error, failures)
            on_failure()
            await asyncio.sleep(wait)
        else:
            failures = 0


def backoff(failures: int, longest: float) -> float:
    """Return the seconds to wait after this many failures in a row, with jitter: replicas must not retry together."""
    doubled = FIRST_BACKOFF * 2.0 ** min(failures - 1, 20)
    return float(min(doubled, longest) * random.uniform(0.75, 1.0))  # noqa: S311  # no secret


def _report(name: str, error: Exception, failures: int) -> float:
    """Log and count a failure, and return the seconds to wait."""
    metrics.worker_failures.labels(name, type(error).__name__).inc()
    if isinstance(error, CONNECTION_ERRORS):
        wait = backoff(failures, LONGEST_CONNECTION_BACKOFF)
        _log.warning(
            "worker_waits", worker=name, error=str(error), failures=failures, retry_in=round(wait, 1)
        )
    else:
        wait = backoff(failures, LONGEST_BACKOFF)
        _log.error("worker_failed", worker=name, failures=failures, retry_in=round(wait, 1), exc_info=error)
    return wait

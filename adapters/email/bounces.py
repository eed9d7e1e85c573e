"""Bounces: every mail leaves with its own return address, so that a report says which address failed."""

import asyncio
import re
from dataclasses import dataclass, field

from structlog import get_logger

from adapters.email.address import Address
from adapters.email.addresses import DOMAIN_HASH, HASH, PLATFORM, Addresses
from bot.domain.models import ChannelRef
from bot.limited_process import LimitExceeded, run_limited
from bot.ports import Core

MAX_REPORT = 256 * 1024
"""Bytes of a report that are read; the returned mail is at its end."""
PARSE_SECONDS = 10.0
"""Seconds that parsing one report may take on a busy machine."""
CONCURRENT = 2
"""Reports that one process parses at a time."""
MAX_WAITING = 20
"""Reports that wait for their turn in one process; the sender of any further one is asked to try again."""

_HEAD_END = re.compile(rb"\r?\n\r?\n")
_RETURN_ADDRESS = re.compile(rb"\+([a-z2-7]{%d})-([a-z2-7]{%d})@" % (DOMAIN_HASH, HASH), re.IGNORECASE)

log = get_logger()


class TooManyReports(Exception):
    """More reports came in than can be parsed. The sender should try again later."""


def return_address(bounce: Address, channel: ChannelRef) -> str:
    """The envelope sender of mail to `channel`: `bounces+…@example.org`. Only the recipient's server learns it."""
    return f"{bounce.local}+{channel.workspace}-{channel.channel}@{bounce.domain}"


def recipient(report: bytes) -> ChannelRef | None:
    """The channel whose return address the report was sent to; None if it has none of ours. Looks at bytes only.

    A return address can't be guessed, so a report that was sent to one is believed.
    """
    head = _HEAD_END.split(report[:MAX_REPORT], maxsplit=1)[0]
    found = _RETURN_ADDRESS.search(head)
    if found is None:
        return None
    workspace, channel = (group.decode("ascii").lower() for group in found.groups())
    return ChannelRef(PLATFORM, workspace, channel)


@dataclass(slots=True)
class BounceReports:
    """Pauses addresses whose mail failed for good."""

    addresses: Addresses
    _turns: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(CONCURRENT))
    _waiting: int = 0

    async def accept(self, report: bytes, core: Core) -> bool:
        """Pause the address that `report` names, if it reports a final failure. Returns whether it was ours.

        A report that can't be parsed is logged and counts as read. Every report for one of our return addresses is
        parsed, whether the address exists or not, so that the time of an answer doesn't say which. Raises RedisError,
        and TooManyReports.
        """
        channel = recipient(report)
        if channel is None:
            return False
        status = await self._status(report)
        if not status or (await self.addresses.account(channel)).address is None:
            return False
        await core.pause(channel, f"mail was returned: {status}")
        return True

    async def _status(self, report: bytes) -> str:
        if self._waiting >= MAX_WAITING:
            raise TooManyReports
        self._waiting += 1
        try:
            async with self._turns:
                out = await run_limited(
                    "adapters.email.bounce_worker", report[:MAX_REPORT], seconds=PARSE_SECONDS
                )
        except LimitExceeded as error:
            log.warning("bounce_report_unreadable", size=len(report), reason=str(error))
            return ""
        finally:
            self._waiting -= 1
        return out.decode("ascii", "replace")

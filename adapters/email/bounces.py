"""Bounces. Each recipient's mails have their own return address, so that a report shows which address failed."""

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
"""Maximum number of bytes read from a report, which ends with the returned mail."""
PARSE_SECONDS = 10.0
"""Timeout for parsing a report, in seconds. Long enough for a busy machine."""
CONCURRENT = 2
"""Maximum number of reports parsed concurrently per process."""
MAX_WAITING = 20
"""Maximum number of reports that wait per process. The sender of a further one is asked to try again."""

_HEAD_END = re.compile(rb"\r?\n\r?\n")
_RETURN_ADDRESS = re.compile(rb"\+([a-z2-7]{%d})-([a-z2-7]{%d})@" % (DOMAIN_HASH, HASH), re.IGNORECASE)

log = get_logger()


class TooManyReports(Exception):
    """More reports came in than can be parsed. The sender should try again later."""


def return_address(bounce: Address, channel: ChannelRef) -> str:
    """Return the envelope sender of mail to `channel`: `bounces+…@example.org`. Only the recipient's server sees it."""
    return f"{bounce.local}+{channel.workspace}-{channel.channel}@{bounce.domain}"


def recipient(report: bytes) -> ChannelRef | None:
    """Return the channel whose return address the report was sent to; None if there is none. Doesn't parse the mail.

    A return address can't be guessed, so a report that was sent to one is trusted.
    """
    head = _HEAD_END.split(report[:MAX_REPORT], maxsplit=1)[0]
    found = _RETURN_ADDRESS.search(head)
    if found is None:
        return None
    workspace, channel = (group.decode("ascii").lower() for group in found.groups())
    return ChannelRef(PLATFORM, workspace, channel)


@dataclass(slots=True)
class BounceReports:
    """Pauses addresses whose mail failed permanently."""

    addresses: Addresses
    _turns: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(CONCURRENT))
    _waiting: int = 0

    async def accept(self, report: bytes, core: Core) -> bool:
        """Pause the address that `report` is about, if it reports a final failure. Return whether it did.

        A report that can't be parsed is logged and counts as read. Every report for a well-formed return address is
        parsed, whether the address exists or not, so that the response time doesn't reveal that. Raises RedisError,
        or TooManyReports.
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

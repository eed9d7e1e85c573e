"""A limited process that reads a bounce report from standard input and writes its final status code to standard output.

Python's mail parser needs seconds for some mails of a few kilobytes and recurses infinitely on others. The output is
empty if the mail doesn't report a final failure, such as a delay or an absence note.
"""

import re
import sys
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import Message

from bot.limited_process import limit_resources

MEMORY = 64 * 1024 * 1024
"""Memory limit of the process, in bytes."""
CPU_SECONDS = 2
"""Limit of the process's CPU time, in seconds."""

_STATUS = re.compile(r"5\.\d{1,3}\.\d{1,3}")


def final_status(mail: Message) -> str:
    """Return the status code of a final failure (RFC 3464), such as `5.1.1`; "" if the mail doesn't report one."""
    for fields in _recipients(mail):
        action = str(fields.get("Action", "")).strip().lower()
        status = str(fields.get("Status", "")).strip().partition(" ")[0]
        if action == "failed" and _STATUS.fullmatch(status):
            return status
    return ""


def _recipients(mail: Message) -> Iterator[Message]:
    """Yield the fields of each recipient. Python parses a delivery status as one message per recipient."""
    for part in mail.walk():
        if part.get_content_type() == "message/delivery-status" and part.is_multipart():
            yield from (fields for fields in part.get_payload() if isinstance(fields, Message))


def main() -> None:
    """Read one mail and write its status code."""
    limit_resources(memory=MEMORY, cpu_seconds=CPU_SECONDS)
    # compat32 doesn't parse the values of headers, which can take very long for a hostile mail.
    sys.stdout.write(final_status(message_from_bytes(sys.stdin.buffer.read(), policy=policy.compat32)))


if __name__ == "__main__":
    main()

"""Reads one bounce report in a limited process: the mail on standard input, the final status code on standard output.

Python's mail parser needs seconds for some mails of a few kilobytes and recurses without end on others. Prints nothing
for a mail that isn't a report of a final failure, such as a delay or an absence note.
"""

import re
import sys
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import Message

from bot.limited_process import limit_resources

MEMORY = 64 * 1024 * 1024
"""Bytes of memory of the process."""
CPU_SECONDS = 2
"""Seconds of processor time of the process."""

_STATUS = re.compile(r"5\.\d{1,3}\.\d{1,3}")


def final_status(mail: Message) -> str:
    """The status code of a final failure (RFC 3464), such as `5.1.1`; "" if the mail doesn't report one."""
    for fields in _recipients(mail):
        action = str(fields.get("Action", "")).strip().lower()
        status = str(fields.get("Status", "")).strip().partition(" ")[0]
        if action == "failed" and _STATUS.fullmatch(status):
            return status
    return ""


def _recipients(mail: Message) -> Iterator[Message]:
    """The fields of each recipient. Python reads a delivery status as one message for each."""
    for part in mail.walk():
        if part.get_content_type() == "message/delivery-status" and part.is_multipart():
            yield from (fields for fields in part.get_payload() if isinstance(fields, Message))


def main() -> None:
    """Read one mail."""
    limit_resources(memory=MEMORY, cpu_seconds=CPU_SECONDS)
    # compat32 doesn't parse the values of headers, which is what takes long for a hostile one.
    sys.stdout.write(final_status(message_from_bytes(sys.stdin.buffer.read(), policy=policy.compat32)))


if __name__ == "__main__":
    main()

"""Mails that came back. Each mail leaves with a return address of its own, so that a report says whose it is."""

import re
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage, Message

from adapters.email.address import Address
from adapters.email.store import DOMAIN_HASH, HASH, PLATFORM, Addresses
from bot.domain.models import ChannelRef
from bot.ports import Core

LARGEST = 256 * 1024
"""Bytes of a report that are looked at; the mail that came back is at its end."""

_OWNER = re.compile(rf"\+([a-z2-7]{{{DOMAIN_HASH}}})-([a-z2-7]{{{HASH}}})@", re.IGNORECASE)
_RECIPIENT_HEADERS = ("To", "Delivered-To", "X-Original-To", "Envelope-To")


def return_address(bounce: Address, channel: ChannelRef) -> str:
    """Where mail to the channel comes back to: `bounces+…@example.org`. Nobody but its owner's server gets to know it."""
    return f"{bounce.local}+{channel.workspace}-{channel.channel}@{bounce.domain}"


def bounced(report: bytes) -> tuple[ChannelRef, str] | None:
    """Whose mail came back for good, and why; None for anything else, such as a delay or an absence note.

    Who isn't told a return address can't make one up; so what is sent to one is believed. Never raises.
    """
    mail = message_from_bytes(report[:LARGEST], policy=policy.default)
    try:
        owner = _owner(mail)
        status = _final(mail)
    except (ValueError, LookupError, TypeError, AttributeError):  # Python's parser and what spammers send
        return None
    return (owner, f"mail came back: {status}") if owner and status else None


async def take_back(report: bytes, core: Core, addresses: Addresses) -> bool:
    """Pause the address whose mail came back for good. -> whether there was one"""
    found = bounced(report)
    if found is None or await addresses.of(found[0]) is None:
        return False
    await core.pause(*found)
    return True


def _owner(mail: Message) -> ChannelRef | None:
    for name in _RECIPIENT_HEADERS:
        for value in mail.get_all(name, []):
            if found := _OWNER.search(str(value)):
                return ChannelRef(PLATFORM, found[1].lower(), found[2].lower())
    return None


def _final(mail: EmailMessage) -> str:
    """The status of a failure that is final (RFC 3464); "" where there is none."""
    for fields in _reports(mail):
        action, status = str(fields.get("Action", "")).strip().lower(), str(fields.get("Status", "")).strip()
        if action == "failed" and re.fullmatch(r"5\.\d{1,3}\.\d{1,3}", status.split(" ")[0]):
            return status.split(" ")[0]
    return ""


def _reports(mail: EmailMessage) -> Iterator[Message]:
    """What is said for each recipient. Python reads a delivery status as one message for each."""
    for part in mail.walk():
        if part.get_content_type() == "message/delivery-status" and part.is_multipart():
            yield from (fields for fields in part.get_payload() if isinstance(fields, Message))

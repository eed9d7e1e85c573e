"""Signatures as in the Standard Webhooks specification 1.0: HMAC-SHA256 over id, time and body. Pure."""

import hmac
from base64 import b64decode, b64encode
from hashlib import sha256
from secrets import token_bytes

PREFIX = "whsec_"
"""Begins a secret; the rest is its key in base64."""
KEY_BYTES = 32
"""The specification asks for 24 to 64."""


def new_secret() -> str:
    """A secret that can't be guessed."""
    return PREFIX + b64encode(token_bytes(KEY_BYTES)).decode()


def headers(secret: str, identity: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The headers that say which delivery it is, when it was sent, and that it comes from us."""
    signed = f"{identity}.{timestamp}.".encode() + body
    digest = hmac.digest(b64decode(secret.removeprefix(PREFIX)), signed, sha256)
    return {
        "webhook-id": identity,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": f"v1,{b64encode(digest).decode()}",
    }


def identity_of(webhook: str, label: str) -> str:
    """The id of a delivery: the same each time it is sent, and different from that of any other one."""
    return f"msg_{sha256(f'{webhook} {label}'.encode()).hexdigest()[:32]}"

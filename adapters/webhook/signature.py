"""Signatures as in the Standard Webhooks specification 1.0: HMAC-SHA256 over id, time and body. Pure."""

import hmac
from base64 import b64decode, b64encode
from hashlib import sha256
from secrets import token_bytes

PREFIX = "whsec_"
"""Prefix of a secret; the rest is the key in base64."""
KEY_BYTES = 32
"""Size of a key, in bytes. The specification requires 24 to 64."""


def new_secret() -> str:
    """Return a random secret."""
    return PREFIX + b64encode(token_bytes(KEY_BYTES)).decode()


def headers(secret: str, identity: str, timestamp: int, body: bytes) -> dict[str, str]:
    """Return the headers with the id of the delivery, its time, and its signature."""
    signed = f"{identity}.{timestamp}.".encode() + body
    digest = hmac.digest(b64decode(secret.removeprefix(PREFIX)), signed, sha256)
    return {
        "webhook-id": identity,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": f"v1,{b64encode(digest).decode()}",
    }


def identity_of(webhook: str, label: str) -> str:
    """Return the id of a delivery: unique, and the same for each attempt."""
    return f"msg_{sha256(f'{webhook} {label}'.encode()).hexdigest()[:32]}"

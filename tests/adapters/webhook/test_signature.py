"""Signatures are checked with the code in the documentation, and with the example of the specification."""

import re
import time
from collections.abc import Callable
from typing import Any

import pytest

from adapters.webhook.signature import headers, identity_of, new_secret
from tests.program import ROOT

DOCUMENT = (ROOT / "docs" / "webhooks.md").read_text()


def documented_check() -> Callable[..., bool]:
    found = re.search(r"```python\n(.*?)```", DOCUMENT, re.DOTALL)
    assert found
    names: dict[str, Any] = {}
    exec(found[1], names)  # noqa: S102  # our own documentation
    check: Callable[..., bool] = names["is_ours"]
    return check


def test_the_code_in_the_documentation_accepts_only_our_signatures() -> None:
    check, secret, now = documented_check(), new_secret(), int(time.time())
    sent = headers(secret, "msg_1", now, b"{}")
    assert check(secret, sent, b"{}")
    assert not check(secret, sent, b"{ }")
    assert not check(new_secret(), sent, b"{}")
    assert not check(secret, sent | {"webhook-id": "msg_2"}, b"{}")
    assert not check(secret, headers(secret, "msg_1", now - 600, b"{}"), b"{}")
    assert check(secret, sent | {"webhook-signature": f"v1,AAAA {sent['webhook-signature']}"}, b"{}")


def test_the_example_of_the_specification_gets_its_signature() -> None:
    sent = headers(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1614265330,
        b'{"test": 2432232314}',
    )
    assert sent["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_delivery_always_has_the_same_id() -> None:
    assert identity_of("a", "2405.01234") == identity_of("a", "2405.01234")
    assert len({identity_of("a", "1"), identity_of("b", "1"), identity_of("a", "2")}) == 3


@pytest.mark.parametrize("word", ["webhook-id", "webhook-timestamp", "webhook-signature", "410", "429"])
def test_the_documentation_names_headers_and_statuses(word: str) -> None:
    assert word in DOCUMENT

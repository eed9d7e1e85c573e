"""Signatures, checked by the code that the documentation shows, and by a known example."""

import re
import time
from collections.abc import Callable
from typing import Any

import pytest

from adapters.webhook.signature import headers, identity_of, new_secret
from tests.program import ROOT

DOCUMENT = (ROOT / "docs" / "webhooks.md").read_text()


def documented() -> Callable[..., bool]:
    found = re.search(r"```python\n(.*?)```", DOCUMENT, re.DOTALL)
    assert found
    names: dict[str, Any] = {}
    exec(found[1], names)  # noqa: S102  # our own documentation
    check: Callable[..., bool] = names["is_ours"]
    return check


def test_the_documented_ten_lines_accept_ours_and_nothing_else() -> None:
    check, secret, now = documented(), new_secret(), int(time.time())
    sent = headers(secret, "msg_1", now, b"{}")
    assert check(secret, sent, b"{}")
    assert not check(secret, sent, b"{ }")
    assert not check(new_secret(), sent, b"{}")
    assert not check(secret, sent | {"webhook-id": "msg_2"}, b"{}")
    assert not check(secret, headers(secret, "msg_1", now - 600, b"{}"), b"{}")
    assert check(secret, sent | {"webhook-signature": f"v1,AAAA {sent['webhook-signature']}"}, b"{}")


def test_it_is_the_specifications_own_example() -> None:
    sent = headers(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1614265330,
        b'{"test": 2432232314}',
    )
    assert sent["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_delivery_has_one_id() -> None:
    assert identity_of("a", "2405.01234") == identity_of("a", "2405.01234")
    assert len({identity_of("a", "1"), identity_of("b", "1"), identity_of("a", "2")}) == 3


@pytest.mark.parametrize("word", ["webhook-id", "webhook-timestamp", "webhook-signature", "410", "429"])
def test_the_documentation_names_it(word: str) -> None:
    assert word in DOCUMENT

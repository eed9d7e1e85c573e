"""Addresses that are accepted or refused; no request reaches a private one, however it is spelled."""

from contextlib import suppress
from datetime import UTC, datetime

import pytest
from redis.asyncio import Redis

from adapters.webhook.client import Answered, Unanswered, WebhookClient
from adapters.webhook.destination import parse_address
from adapters.webhook.platform import WebhookPlatform
from bot.domain.errors import UserError
from bot.encryption import Encryptor
from tests.adapters.webhook.listener import Listener
from tests.adapters.webhook.scene import KEY, open_scene, webhook_platform
from tests.sources.test_ssrf_guard import TRICKS, Trap

ADDRESSES = (*TRICKS, *(trick.replace("http:", "https:", 1) for trick in TRICKS))


def public_only() -> WebhookClient:
    return WebhookClient(user_agent="Paperboy/test", now=lambda: datetime.now(UTC), patience=2)


async def test_no_spelling_of_an_address_reaches_a_private_one(redis: Redis) -> None:
    client = public_only()
    platform = WebhookPlatform(redis, Encryptor([KEY]), client, now=lambda: datetime.now(UTC))
    async with Trap().listening() as trap:
        for trick in ADDRESSES:
            address = trick.format(port=trap.port)
            with suppress(UserError):  # a refused address isn't stored
                await platform.destination(address, "json", existing=())
            assert isinstance(await client.post(address, b"{}", {}), Unanswered)
        assert trap.reached == 0
    await platform.close()


async def test_a_redirect_is_not_followed(redis: Redis) -> None:
    async with Trap().listening() as trap, open_scene(redis) as scene:
        scene.listener.always = "307"
        scene.listener.redirect = f"http://127.0.0.1:{trap.port}/"
        client = scene.platform._client
        headers = {"webhook-id": "1", "webhook-timestamp": "1"}
        answer = await client.post(f"{scene.listener.url}/x", b"{}", headers)
        assert answer == Answered(307, None)
        assert scene.listener.asked == 1
        assert trap.reached == 0


@pytest.mark.parametrize(
    "address",
    ["", "hooks.example.org", "http://hooks.example.org/x", "https://", "https://user:pw@example.org/", "https://a b/",
     "https://example.org:0/", "https://exa\nmple.org/", "https://" + "a" * 600, "https://[::1", "mailto:a@b.org",
     "https://example.org:99999/", "file:///etc/passwd", "https://\u2024/"],
)  # fmt: skip
def test_text_that_is_not_an_address_is_refused_with_an_explanation(address: str) -> None:
    with pytest.raises(UserError, match=r"\.$|characters"):
        parse_address(address)


@pytest.mark.parametrize(
    ("typed", "parsed"),
    [
        ("https://hooks.slack.com/services/T0/B0/xyz", "https://hooks.slack.com/services/T0/B0/xyz"),
        ("<https://chat.example.org/hooks/a?b=c>", "https://chat.example.org/hooks/a?b=c"),
        ("HTTPS://Example.org:8443/A#top", "https://example.org:8443/A"),
    ],
)
def test_an_accepted_address_is_normalized(typed: str, parsed: str) -> None:
    assert parse_address(typed) == parsed


async def test_a_private_address_is_refused_unless_the_operator_allows_it(redis: Redis) -> None:
    client = public_only()
    platform = WebhookPlatform(redis, Encryptor([KEY]), client, now=lambda: datetime.now(UTC))
    with pytest.raises(UserError, match="private network"):
        await platform.destination("https://127.0.0.1/hook", "json", existing=())
    await platform.close()
    async with Listener().open() as listener:
        allowed = webhook_platform(redis)
        to = await allowed.destination(f"{listener.url}/hook", "json", existing=())
        with pytest.raises(UserError, match="already sent to that address"):
            await allowed.destination(f"{listener.url}/hook", "json", existing=[to.sealed])
        await allowed.close()

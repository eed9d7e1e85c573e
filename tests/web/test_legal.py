"""The pages on privacy and terms name the operator and describe what the program does."""

import pytest
from redis.asyncio import Redis

from bot.web.legal import Operator
from tests.web.site import site
from tests.web.test_pages import page


@pytest.mark.parametrize("path", ["/privacy", "/terms"])
async def test_a_page_names_the_operator_and_is_linked_from_the_front_page(redis: Redis, path: str) -> None:
    async with site(redis) as client:
        assert "The lab of Ada" in await page(client, path)
        assert f'href="{path}"' in await page(client)


async def test_the_privacy_page_names_the_commands_that_delete(redis: Redis) -> None:
    async with site(redis) as client:
        text = await page(client, "/privacy")
    assert "/paper forget me" in text
    assert "/paper forget channel" in text
    assert "30 days later" in text


@pytest.mark.parametrize(
    ("contact", "url"),
    [
        ("ada@example.org", "mailto:ada@example.org"),
        ("https://example.org/ada", "https://example.org/ada"),
        ("javascript:alert(1)", ""),
        ("Room 101", ""),
        ("", ""),
    ],
)
def test_a_contact_is_a_link_only_if_it_is_a_mail_or_web_address(contact: str, url: str) -> None:
    assert Operator("Ada", contact).contact_url == url

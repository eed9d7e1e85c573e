"""Our requests match Discord's OpenAPI description, and planted mistakes are detected."""

import copy
from collections.abc import Callable
from typing import Any

import pytest
from redis.asyncio import Redis

from adapters.discord.buttons import mark
from bot.cards.paper import paper_card
from bot.domain.models import Reason
from tests.adapters.discord.double.openapi import DESCRIPTION, Description, description, tally
from tests.adapters.discord.harness import discord_harness
from tests.adapters.discord.limits import embed_body, v2_body
from tests.papers import SPRING, a_paper
from tests.platform_harness import arrive

MESSAGES = "/channels/2000/messages"
CARD = paper_card(a_paper(), [Reason(1, "paper")], SPRING, "full")


@pytest.fixture
def discord() -> Description:
    found = description()
    if found is None:
        pytest.skip(f"Discord's OpenAPI description is missing (expected in {DESCRIPTION.parent.name}/)")
    return found


async def test_a_card_and_an_embed_match_the_description(discord: Description) -> None:
    for body in (v2_body(CARD, mark("k")), embed_body(CARD, mark("k"))):
        assert list(discord.judge("POST", MESSAGES, {}, body)) == []


@pytest.mark.usefixtures("discord")
async def test_every_request_of_a_first_day_is_judged_valid(redis: Redis) -> None:
    before, violations = tally.requests, len(tally.violations)
    async with discord_harness(redis) as harness:
        await harness.say("/paper subscribe paper")
        await arrive(harness.bot, a_paper(abstract="First. Second."))
        (post,) = await harness.posted()
        await harness.press(post, "Save")
        await harness.press(post, "Full abstract")
        await harness.say("/paper settings")
        await harness.joe.autocomplete(harness.papers, "paper unsubscribe", "subscription", "pa")
    assert tally.requests - before >= 10
    assert len(tally.violations) == violations


def plant(change: Callable[[dict[str, Any]], object]) -> Callable[[dict[str, Any]], dict[str, Any]]:
    def planted(body: dict[str, Any]) -> dict[str, Any]:
        body = copy.deepcopy(body)
        change(body)
        return body

    return planted


def parts(body: dict[str, Any], kind: int) -> list[dict[str, Any]]:
    """Return the components of a kind in the container."""
    inner = body["components"][0]["components"]
    return [part for row in inner for part in (row, *row.get("components", ())) if part["type"] == kind]


BUTTON, TEXT, ROW = 2, 10, 1
MISTAKES: dict[str, Callable[[dict[str, Any]], object]] = {
    "a long custom_id": lambda b: parts(b, BUTTON)[-1].update(custom_id="x" * 101),
    "an empty custom_id": lambda b: parts(b, BUTTON)[-1].update(custom_id=""),
    "a long label": lambda b: parts(b, BUTTON)[0].update(label="x" * 81),
    "a long address": lambda b: parts(b, BUTTON)[0].update(url="https://a.b/" + "x" * 512),
    "an invalid style": lambda b: parts(b, BUTTON)[0].update(style=99),
    "no style": lambda b: parts(b, BUTTON)[0].pop("style"),
    "an unknown property of a button": lambda b: parts(b, BUTTON)[0].update(colour="red"),
    "a component of an unknown kind": lambda b: parts(b, BUTTON)[0].update(type=77),
    "six buttons in a row": lambda b: parts(b, ROW)[0]["components"].extend(
        [copy.deepcopy(parts(b, BUTTON)[-1]) for _ in range(6)]
    ),
    "an empty text": lambda b: parts(b, TEXT)[0].update(content=""),
    "a text that is a number": lambda b: parts(b, TEXT)[0].update(content=5),
    "a container without parts": lambda b: b["components"][0].pop("components"),
    "41 components": lambda b: b["components"].extend([b["components"][0]] * 41),
    "a long nonce": lambda b: b.update(nonce="x" * 26),
    "flags as text": lambda b: b.update(flags="32768"),
    "an unknown field": lambda b: b.update(pin=True),
    "a ping of everything": lambda b: b.update(allowed_mentions={"parse": ["all"]}),
    "a reply to a name": lambda b: b.update(message_reference={"message_id": "last"}),
}


@pytest.mark.parametrize("mistake", MISTAKES)
async def test_a_planted_mistake_in_a_post_is_detected(discord: Description, mistake: str) -> None:
    body = plant(MISTAKES[mistake])(v2_body(CARD, mark("k")))
    assert list(discord.judge("POST", MESSAGES, {}, body))


@pytest.mark.parametrize(
    ("method", "path", "query", "body"),
    [
        ("POST", "/channels/2000/message", {}, {"content": "x"}),
        ("PUT", MESSAGES, {}, {"content": "x"}),
        ("POST", MESSAGES, {}, None),
        ("GET", MESSAGES, {}, {"content": "x"}),
        ("GET", MESSAGES, {"limit": "101"}, None),
        ("GET", MESSAGES, {"since": "5"}, None),
        ("GET", "/channels/papers/messages", {}, None),
        ("POST", "/channels/2000/threads", {}, {"name": "x" * 101, "message": {"content": "x"}}),
        ("POST", "/channels/2000/threads", {}, {"name": "x", "message": {}, "tags": []}),
        ("POST", "/channels/2000/messages/1/threads", {}, {"name": "x", "auto_archive_duration": 5}),
        ("POST", "/users/@me/channels", {}, {"recipient": "5"}),
        ("POST", "/interactions/1/t/callback", {}, {"type": 8, "data": {"choices": [{"name": "x"}] * 26}}),
        ("POST", "/interactions/1/t/callback", {}, {"type": 9, "data": {"title": "x"}}),
        ("PUT", "/applications/900/commands", {}, [{"name": "x" * 33, "description": "x"}]),
        ("PUT", "/applications/900/commands", {}, [{"name": "x", "options": [{"type": 3, "name": "y"}]}]),
    ],
)
def test_a_planted_mistake_in_another_request_is_detected(
    discord: Description, method: str, path: str, query: dict[str, str], body: Any
) -> None:
    assert list(discord.judge(method, path, query, body))

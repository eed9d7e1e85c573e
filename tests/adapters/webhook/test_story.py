"""On every platform, each post is sent, signed, to a webhook's address until the webhook is removed."""

import re

from redis.asyncio import Redis

from bot.domain.models import Paper
from tests.adapters.webhook.listener import Listener
from tests.papers import a_paper
from tests.platform_harness import PlatformHarness, Seen, arrive
from tests.platform_harnesses import Opened

SECRET = re.compile(r"whsec_[A-Za-z0-9+/=]{44}")


async def add_webhook(place: PlatformHarness, listener: Listener, options: str = "") -> Seen:
    """Add a webhook as a person does, with the command's option. Returns the answer."""
    seen = await place.say(f'api webhook:"add {listener.url}/hook{options}"')
    found = SECRET.search(seen.text)
    assert found, seen.text
    listener.secrets["/hook"] = found[0]
    return seen


def gecko_paper(n: int) -> Paper:
    return a_paper(f"2611.0000{n}", title=f"Gecko number {n}")


async def test_each_post_is_sent_to_a_webhook_until_it_is_removed(opened: Opened) -> None:
    async with Listener().open() as listener, opened() as place:
        await place.say("subscribe gecko")
        answer = await add_webhook(place, listener)
        assert answer.private
        assert "127.0.0.1, as json" in answer.text
        await arrive(place.bot, gecko_paper(2))
        assert len(listener.taken) == 1, (listener.refused, listener.asked)
        (post,) = listener.taken
        assert listener.refused == []
        (entry,) = post.json["data"]["papers"]
        assert post.json["type"] == "post.papers"
        assert post.json["data"]["channel"] == str(place.channel)
        assert (entry["paper"]["id"], entry["paper"]["title"]) == ("2611.00002", "Gecko number 2")
        assert entry["reasons"] == [{"subscription": 1, "query": "gecko"}]
        await place.restart()
        listed = await place.say('api webhook:"list"')
        assert "#1 127.0.0.1, as json" in listed.text
        assert "/hook" not in listed.text
        assert SECRET.search(listed.text) is None
        removed = await place.press(listed, "Remove #1")
        assert "nothing more is sent" in removed.text
        await arrive(place.bot, gecko_paper(3))
        assert len(listener.taken) == 1


async def test_forgetting_a_channel_removes_its_webhooks(opened: Opened, redis: Redis) -> None:
    async with Listener().open() as listener, opened() as place:
        await place.say("subscribe gecko")
        await add_webhook(place, listener)
        await place.bot.core.forget(place.channel)
        await place.say("subscribe gecko")
        await arrive(place.bot, gecko_paper(1))
        assert listener.taken == []
        assert [key async for key in redis.scan_iter("*cop*")] == []

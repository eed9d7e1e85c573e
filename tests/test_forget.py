"""`/paper forget`, as one story on every platform: afterwards no key, record or stream contains the ids or names."""

from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

from redis.asyncio import Redis

from bot.domain.models import ChannelRef, User
from bot.encryption import Encryptor
from bot.store import keys
from bot.store.data_deletion import DataDeletion
from bot.store.zotero_keys import ZoteroKeys
from tests.papers import a_paper
from tests.platform_harness import PlatformHarness, arrive, deliver
from tests.platform_harnesses import HARNESSES, Opened

READ: Mapping[str, Callable[[Any, str], Any]] = {
    "string": lambda redis, key: redis.get(key),
    "hash": lambda redis, key: redis.hgetall(key),
    "set": lambda redis, key: redis.smembers(key),
    "zset": lambda redis, key: redis.zrange(key, 0, -1),
    "list": lambda redis, key: redis.lrange(key, 0, -1),
    "stream": lambda redis, key: redis.xrange(key),
}


async def dump(redis: Redis) -> AsyncIterator[str]:
    """Return every key with its value as text, except keys that expire within a minute: claims of workers."""
    async for key in redis.scan_iter("*"):
        if 0 <= await redis.ttl(key) <= 60:
            continue
        kind = str(await redis.type(key))
        if kind == "none":  # it has just expired
            continue
        yield f"{key} {await READ[kind](redis, key)}"


async def found(redis: Redis, *words: str) -> list[str]:
    return [line async for line in dump(redis) if any(word in line for word in words)]


async def live(harness: PlatformHarness) -> None:
    """Do everything that leaves traces: subscriptions, mutes, settings, posts, votes, saved and watched papers."""
    await harness.say("/paper subscribe diffusion")
    await harness.say("/paper subscribe robots every:daily")
    await harness.say("/paper mute survey")
    await harness.say("/paper settings quiet:22-7")
    await harness.say("/paper settings quiet:off")
    await arrive(
        harness.bot, a_paper("2611.00001", title="Diffusion one"), a_paper("2611.00002", title="Robots")
    )
    await deliver(harness.bot)
    await harness.say("/paper watch 2611.00002")
    await harness.say('/paper save 2611.00002 note:"for Monday" tag:to-read')
    await harness.say('/paper save 2611.00001 here note:"for us all"')
    for button in ("Save", "👍"):
        await harness.press((await harness.posted())[0], button)


async def test_a_forgotten_channel_leaves_no_trace(opened: Opened, redis: Redis) -> None:
    async with opened() as harness:
        await live(harness)
        channel = str(harness.channel)
        assert await found(redis, channel)
        confirmation = await harness.say("/paper forget channel")
        assert "can't be undone" in confirmation.text
        answer = await harness.press(confirmation, "Forget this channel")
        assert "Everything about this channel is deleted" in answer.text
        assert await found(redis, channel) == []
        assert "no subscriptions" in (await harness.say("/paper list")).text


async def test_a_forgotten_channel_can_subscribe_again(opened: Opened) -> None:
    async with opened() as harness:
        await live(harness)
        posted = len(await harness.posted())
        await harness.press(await harness.say("/paper forget channel"), "Forget this channel")
        await harness.say("/paper subscribe whales")
        await arrive(harness.bot, a_paper("2611.00003", title="Whales"))
        await deliver(harness.bot)
        assert len(await harness.posted()) == posted + 1


async def test_a_forgotten_person_leaves_no_trace_but_the_channels_subscriptions(
    opened: Opened, redis: Redis
) -> None:
    async with opened() as harness:
        await live(harness)
        [subscription, *_] = await harness.bot.subscriptions.of(harness.channel)
        signature = subscription.created_by
        user = signature.partition(" ")[0]
        person = ChannelRef(harness.channel.platform, harness.channel.workspace, user)
        await ZoteroKeys(redis, Encryptor.of("a key that can't be guessed")).put(
            User(user, ""), harness.channel, "of Zotero"
        )
        assert await found(redis, keys.zotero(person))
        assert await found(redis, signature)
        answer = await harness.press(await harness.say("/paper forget me"), "Forget me")
        assert "Everything about you is deleted" in answer.text
        private = ChannelRef.of_person(person.platform, person.workspace, user)
        assert (
            await found(
                redis, signature, f"'{user} ", keys.saved_by(person), keys.zotero(person), str(private)
            )
            == []
        )
        theirs = user in (harness.channel.channel, harness.channel.person)  # a terminal, or a mail account
        assert len(await harness.bot.subscriptions.of(harness.channel)) == (0 if theirs else 2)


async def test_a_forgotten_workspace_leaves_no_trace(opened: Opened, redis: Redis) -> None:
    async with opened() as harness:
        await live(harness)
        workspace = keys.workspace(harness.channel.platform, harness.channel.workspace)
        await harness.bot.core.pause_workspace(
            harness.channel.platform, harness.channel.workspace, "it went away"
        )
        await DataDeletion(redis).workspace(harness.channel.platform, harness.channel.workspace)
        assert await found(redis, workspace) == []


async def test_forgetting_deletes_nothing_of_others(redis: Redis) -> None:
    one, other = ChannelRef("slack", "T1", "C1"), ChannelRef("slack", "T1", "C12")
    ada, bob = User("U1", "Ada"), User("U12", "Bob")
    async with HARNESSES["console"](redis) as harness:
        for channel, user in ((one, ada), (other, bob)):
            await harness.bot.subscriptions.add(channel, "diffusion", "now", user.signature)
        before = sorted(await found(redis, "C12", "U12"))
        await DataDeletion(redis).channel(one)
        await DataDeletion(redis).person("slack", "U1")
        left = sorted(await found(redis, "C12", "U12"))
        assert [line for line in before if "changes" not in line] == [
            line for line in left if "changes" not in line
        ]
        assert await found(redis, "slack:T1:C1'", "slack:T1:C1 ", "U1 Ada") == []

"""Addresses in Redis can't be read without the key, and are deleted when they are forgotten."""

from datetime import timedelta

import pytest
from redis.asyncio import Redis

from adapters.email.address import Address
from adapters.email.addresses import Addresses
from bot.domain.errors import ConfigurationError
from bot.encryption import Encryptor
from bot.ports import Rate
from bot.store import keys
from bot.store.limits import Limit, Limits

OLD, NEW = "a key that can't be guessed", "another key, just as good"
ADA = Address.parse("Ada@example.org")


async def test_an_address_has_the_same_channel_in_every_process(redis: Redis) -> None:
    first, second = (Addresses(redis, Encryptor([OLD])) for _ in range(2))
    channel = await first.channel(ADA)
    assert await second.channel(Address.parse("ada@EXAMPLE.org")) == channel
    assert await second.channel(Address.parse("eve@example.org")) != channel
    await first.confirm(channel, ADA)
    assert (await second.account(channel)).address == ADA
    await second.forget(channel)
    assert (await first.account(channel)).address is None


async def test_addresses_of_one_provider_share_a_workspace(redis: Redis) -> None:
    addresses = Addresses(redis, Encryptor([OLD]))
    ada, eve, bob = [
        await addresses.channel(Address.parse(text))
        for text in ("ada@example.org", "eve@example.org", "bob@example.net")
    ]
    assert ada.workspace == eve.workspace != bob.workspace


async def test_a_new_key_does_not_change_the_channel_of_an_address(redis: Redis) -> None:
    before = Addresses(redis, Encryptor([OLD]))
    channel = await before.channel(ADA)
    await before.confirm(channel, ADA)
    after = Addresses(redis, Encryptor([NEW, OLD]))
    assert await after.channel(ADA) == channel
    assert (await after.account(channel)).address == ADA


async def test_after_reencryption_the_old_key_can_be_removed(redis: Redis) -> None:
    before = Addresses(redis, Encryptor([OLD]))
    confirmed, expiring = [
        await before.channel(Address.parse(text)) for text in ("ada@example.org", "eve@example.org")
    ]
    await before.confirm(confirmed, ADA)
    await before.confirm(expiring, ADA)
    await before.expire(expiring)
    await Addresses(redis, Encryptor([NEW, OLD])).reseal()
    after = Addresses(redis, Encryptor([NEW]))
    assert await after.channel(ADA) == confirmed
    assert (await after.account(confirmed)).address == ADA
    assert await redis.ttl(keys.installation("email", expiring.channel)) > 0


async def test_addresses_cannot_be_used_with_another_key(redis: Redis) -> None:
    await Addresses(redis, Encryptor([OLD])).channel(ADA)
    with pytest.raises(ConfigurationError, match="PAPERBOY_SECRET_KEY"):
        await Addresses(redis, Encryptor([NEW])).channel(ADA)


async def test_signing_up_ending_links_and_forgetting_each_start_a_new_generation(redis: Redis) -> None:
    addresses = Addresses(redis, Encryptor([OLD]))
    channel = await addresses.channel(ADA)
    generations = [(await addresses.account(channel)).generation]
    for change in (
        addresses.confirm(channel, ADA),
        addresses.end_links(channel),
        addresses.confirm(channel, ADA),
        addresses.forget(channel),
        addresses.confirm(channel, ADA),
    ):
        await change
        generations.append((await addresses.account(channel)).generation)
    assert generations[0] == ""
    assert len(set(generations)) == len(generations)


async def test_an_address_that_was_stored_without_a_generation_is_read(redis: Redis) -> None:
    encryptor = Encryptor([OLD])
    addresses = Addresses(redis, encryptor)
    channel = await addresses.channel(ADA)
    await redis.set(keys.installation("email", channel.channel), encryptor.seal(str(ADA)))
    account = await addresses.account(channel)
    assert (account.address, account.generation) == (ADA, "")


async def test_a_token_is_used_once(redis: Redis) -> None:
    addresses = Addresses(redis, Encryptor([OLD]))
    hour = timedelta(hours=1)
    assert [await addresses.use_once(token, hour) for token in ("a", "a", "b")] == [True, False, True]
    assert [await redis.ttl(key) > 0 async for key in redis.scan_iter("*heard")] == [True, True]


async def test_limits_are_counted_together_or_not_at_all_and_store_no_network(redis: Redis) -> None:
    limits = Limits(redis)
    network, everyone = Limit("192.0.2.1", Rate(2, 3600)), Limit("all", Rate(3, 3600))
    answers = [await limits.count("mail", [network, everyone]) for _ in range(3)]
    assert [answer and answer.limit for answer in answers] == [None, None, network]
    other = Limit("192.0.2.2", Rate(2, 3600))
    answers = [await limits.count("mail", [other, everyone]) for _ in range(2)]
    assert [answer and answer.limit for answer in answers] == [None, everyone]
    assert await limits.count("other purpose", [network, everyone]) is None
    stored = [key async for key in redis.scan_iter("*limit*")]
    assert stored
    assert not any("192.0.2" in key for key in stored)
    assert all([0 < await redis.ttl(key) <= 3600 for key in stored])

"""What is kept of an address can't be read, and is gone when it is forgotten."""

import pytest
from redis.asyncio import Redis

from adapters.email.address import Address
from adapters.email.store import PEPPER, Addresses
from bot.domain.errors import ConfigurationError
from bot.encryption import Encryptor
from bot.ports import Rate
from bot.store import keys

OLD, NEW = "a key that nobody can guess", "another key, just as good"
ADA = Address.parse("Ada@example.org")


async def test_an_address_is_one_channel_in_every_process(redis: Redis) -> None:
    first, second = (Addresses(redis, Encryptor([OLD])) for _ in range(2))
    channel = await first.channel(ADA)
    assert await second.channel(Address.parse("ada@EXAMPLE.org")) == channel
    assert await second.channel(Address.parse("eve@example.org")) != channel
    await first.keep(channel, ADA)
    assert await second.of(channel) == ADA
    await second.forget(channel)
    assert await first.of(channel) is None


async def test_channels_of_one_provider_are_neighbours(redis: Redis) -> None:
    addresses = Addresses(redis, Encryptor([OLD]))
    ada, eve, bob = [
        await addresses.channel(Address.parse(text))
        for text in ("ada@example.org", "eve@example.org", "bob@example.net")
    ]
    assert ada.workspace == eve.workspace != bob.workspace


async def test_a_new_key_leaves_every_channel_where_it_is(redis: Redis) -> None:
    before = Addresses(redis, Encryptor([OLD]))
    channel = await before.channel(ADA)
    await before.keep(channel, ADA)
    after = Addresses(redis, Encryptor([NEW, OLD]))
    assert await after.channel(ADA) == channel
    assert await after.of(channel) == ADA


async def test_once_all_is_sealed_anew_the_former_key_may_go(redis: Redis) -> None:
    before = Addresses(redis, Encryptor([OLD]))
    stays, goes = [
        await before.channel(Address.parse(text)) for text in ("ada@example.org", "eve@example.org")
    ]
    await before.keep(stays, ADA)
    await before.keep(goes, ADA)
    await before.let_go(goes)
    await Addresses(redis, Encryptor([NEW, OLD])).reseal()
    after = Addresses(redis, Encryptor([NEW]))
    assert await after.channel(ADA) == stays
    assert await after.of(stays) == ADA
    assert await redis.ttl(keys.installation("email", goes.channel)) > 0


async def test_without_its_key_nothing_is_guessed(redis: Redis) -> None:
    await Addresses(redis, Encryptor([OLD])).channel(ADA)
    with pytest.raises(ConfigurationError, match="PAPERBOY_SECRET_KEY"):
        await Addresses(redis, Encryptor([NEW])).channel(ADA)


async def test_what_may_be_done_so_often_is_not_done_more_often(redis: Redis) -> None:
    addresses = Addresses(redis, Encryptor([OLD]))
    twice = Rate(2, 3600)
    assert [await addresses.allows(twice, "from", "192.0.2.1") for _ in range(3)] == [True, True, False]
    assert await addresses.allows(twice, "from", "192.0.2.2")
    kept = [key async for key in redis.scan_iter()]
    assert PEPPER in kept
    assert not any("192.0.2" in key for key in kept)

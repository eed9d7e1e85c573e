"""`/paper feed` and `/paper api`: addresses and tokens are created, replaced and revoked."""

import re
from dataclasses import replace

from redis.asyncio import Redis

from bot.commands.core import Commands
from bot.commands.services import Services
from bot.domain.models import User
from bot.store import keys
from bot.store.backup.export import facts
from bot.store.backup.import_ import Restore
from bot.store.tokens import SHARED_LIST
from tests.commands.conftest import Ask, card_text, commands_of
from tests.papers import a_channel

GUEST = User("U2", "Guest", may_manage=False)


def secret_in(text: str) -> str:
    found = re.search(r"/feeds/([\w-]{32})\.atom", text)
    assert found, text
    return found[1]


async def test_a_channel_has_one_address_until_it_is_replaced(ask: Ask, services: Services) -> None:
    card = await ask("feed")
    first = secret_in(card_text(card))
    assert f"https://papers.example.org/feeds/{first}.opml" in card_text(card)
    assert secret_in(card_text(await ask("feed"))) == first
    second = secret_in(card_text(await ask(commands_of(card)["Replace the address"])))
    assert second != first
    assert await services.tokens.find(first) is None
    granted = await services.tokens.find(second)
    assert granted is not None
    assert (granted.channel, granted.number) == (a_channel(), 0)


async def test_a_subscription_has_its_own_address(ask: Ask, services: Services) -> None:
    await ask("subscribe agents")
    one, all_ = secret_in(card_text(await ask("feed #1"))), secret_in(card_text(await ask("feed")))
    assert one != all_
    granted = await services.tokens.find(one)
    assert granted is not None
    assert granted.number == 1
    assert "has no subscription #7" in (await ask("feed #7")).notice
    assert "has ended" in (await ask("feed #1 feed:off")).notice
    assert await services.tokens.find(one) is None
    assert await services.tokens.find(all_) is not None
    assert "There is no feed of #1" in (await ask("feed #1 feed:off")).notice


async def test_the_shared_list_has_its_own_address(ask: Ask, services: Services) -> None:
    card = await ask("feed list:here")
    assert "the shared list of this channel" in card_text(card)
    first = secret_in(card_text(card))
    assert ".opml" not in card_text(card)
    granted = await services.tokens.find(first)
    assert granted is not None
    assert granted.number == SHARED_LIST
    assert secret_in(card_text(await ask("feed"))) != first
    second = secret_in(card_text(await ask(commands_of(card)["Replace the address"])))
    assert second != first
    assert await services.tokens.find(first) is None
    assert "of the shared list has ended" in (await ask("feed list:here feed:off")).notice
    assert await services.tokens.find(second) is None


async def test_only_editors_create_a_feed_address_but_members_see_it(core: Commands, ask: Ask) -> None:
    refused = await core.handle_text("feed", GUEST, a_channel())
    assert "Only people who manage this channel" in refused.card.notice
    address = secret_in(card_text(await ask("feed")))
    seen = await core.handle_text("feed", GUEST, a_channel())
    assert seen.private
    assert secret_in(card_text(seen.card)) == address
    assert "Only people who manage" in (await core.handle_text("api new", GUEST, a_channel())).card.notice


async def test_a_token_for_programs_is_shown_once_and_stored_as_a_hash(
    ask: Ask, redis: Redis, services: Services
) -> None:
    assert "no token yet" in (await ask("api")).notice
    card = await ask("api new")
    found = re.search(r"any former token: ([\w-]{32})", card_text(card))
    assert found
    granted = await services.tokens.find(found[1])
    assert granted is not None
    assert granted.kind == "api"
    assert "has a token" in (await ask("api")).notice
    assert found[1] not in card_text(await ask("api"))
    stored = [*(await redis.hvals(keys.tokens(a_channel()))), *await redis.keys("*")]
    assert not any(found[1] in text for text in stored)
    assert "refused now" in (await ask("api off")).notice
    assert await services.tokens.find(found[1]) is None


async def test_forgetting_a_channel_deletes_its_addresses_and_tokens(
    ask: Ask, core: Commands, services: Services, redis: Redis
) -> None:
    address = secret_in(card_text(await ask("feed")))
    await ask("api new")
    await core.forget(a_channel())
    assert await services.tokens.find(address) is None
    assert await redis.keys("pb:{tokens}:*") == []


async def test_addresses_follow_a_channel_that_gets_a_new_id(
    ask: Ask, core: Commands, services: Services
) -> None:
    await ask("subscribe agents")
    addresses = [secret_in(card_text(await ask(line))) for line in ("feed", "feed #1")]
    await core.move(a_channel(), a_channel("C9"))
    found = [await services.tokens.find(address) for address in addresses]
    assert [(one.channel, one.number) for one in found if one] == [(a_channel("C9"), 0), (a_channel("C9"), 1)]
    assert await services.tokens.secret(a_channel()) is None


async def test_a_channel_has_a_limited_number_of_addresses(ask: Ask) -> None:
    for number in range(1, 62):
        await ask(f"subscribe topic{number} sure:yes")
        answer = await ask(f"feed #{number}")
        await ask(f"unsubscribe #{number}")
    assert "60 addresses" in answer.notice


async def test_without_a_public_url_the_answer_names_the_setting(services: Services) -> None:
    core = Commands(replace(services, public_url=""))
    for line in ("feed", "api"):
        answer = await core.handle_text(line, GUEST, a_channel())
        assert "PAPERBOY_PUBLIC_URL" in answer.card.notice


async def test_a_backup_restores_the_addresses(ask: Ask, services: Services, redis: Redis) -> None:
    await ask("subscribe agents")
    addresses = [secret_in(card_text(await ask(line))) for line in ("feed", "feed #1")]
    card = await ask("api new")
    found = re.search(r"any former token: ([\w-]{32})", card_text(card))
    assert found
    lines = [fact.model_dump_json() async for fact in facts(redis)]
    assert not any(found[1] in line for line in lines)
    await redis.delete(*[key async for key in redis.scan_iter("pb:{*")])
    for _ in range(2):
        await Restore(redis).write(lines)
    for secret, kind, number in ((addresses[0], "feed", 0), (addresses[1], "feed", 1), (found[1], "api", 0)):
        granted = await services.tokens.find(secret)
        assert granted is not None
        assert (granted.channel, granted.kind, granted.number) == (a_channel(), kind, number)
    assert secret_in(card_text(await ask("feed"))) == addresses[0]

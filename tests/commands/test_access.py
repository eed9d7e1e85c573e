"""Every entry point asks the platform who can read and change a channel."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from time import monotonic
from typing import cast

import pytest
from redis.asyncio import Redis

from bot.commands.access import MOST_REMEMBERED, REMEMBERED_FOR, AccessGate
from bot.commands.core import Commands
from bot.commands.services import Services
from bot.commands.specs import CommandSpec
from bot.commands.table import COMMANDS
from bot.domain.errors import AccessUnknown, UserError
from bot.domain.life import Watch
from bot.domain.models import ChannelRef, ChannelSettings, Command, User
from bot.ports import Access, Platform, Reply
from tests.access_table import PAGE, PLATFORM_ONLY, PORTS, methods, table
from tests.commands.conftest import ADA, card_text, services_on
from tests.papers import a_channel

EVE = User("U9", "Eve", may_manage=True)
"""A user who left the channel; an old form still says that she can manage it."""


@dataclass
class Guarded:
    """A platform that checks its members."""

    name: str = a_channel().platform
    members: dict[str, Access] = field(default_factory=lambda: {ADA.id: Access(member=True, may_manage=True)})
    silent: bool = False
    calls: int = 0

    async def access(self, user: User, channel: ChannelRef) -> Access:
        self.calls += 1
        if self.silent:
            raise AccessUnknown(f"no answer about {channel}")
        return self.members.get(user.id, Access(member=False, may_manage=False))


def gate_of(platform: Guarded, clock: Callable[[], float] = monotonic) -> AccessGate:
    return AccessGate([cast("Platform", platform)], clock)


@pytest.fixture
def platform() -> Guarded:
    return Guarded()


@pytest.fixture
def guarded(redis: Redis, platform: Guarded) -> Services:
    return replace(services_on(redis), access=gate_of(platform))


def options_for(spec: CommandSpec) -> dict[str, str]:
    """Return options that are valid enough to reach the handler."""
    values = {
        "query": "rag",
        "subscription": "#1",
        "paper": "p1",
        "change": "#1 -survey",
        "digest": "digest@1",
    }
    required = {o.name: values.get(o.name, "1") for o in spec.options if o.required}
    return required or (
        {"every": "daily"} if spec.name == "settings" else {"query": "rag"} if spec.changes else {}
    )


@pytest.mark.parametrize("spec", COMMANDS, ids=lambda spec: spec.name)
async def test_a_person_who_left_can_neither_see_nor_change_a_channel(
    spec: CommandSpec, guarded: Services
) -> None:
    await guarded.subscriptions.add(a_channel(), "agent", "now", EVE.signature)
    core = Commands(guarded)
    reply = await core.handle(Command(spec.name, EVE, a_channel(), options_for(spec)))
    assert refused(reply) is not spec.anywhere
    assert [s.query for s in await guarded.subscriptions.of(a_channel())] == ["agent"]
    assert await guarded.settings.of(a_channel()) == ChannelSettings()


def refused(reply: Reply) -> bool:
    return reply.card.kind == "error" and "not in this channel" in reply.card.notice


@pytest.mark.parametrize("spec", [spec for spec in COMMANDS if spec.changes], ids=lambda spec: spec.name)
async def test_current_permissions_count_and_not_those_in_an_old_form(
    spec: CommandSpec, guarded: Services, platform: Guarded
) -> None:
    platform.members[EVE.id] = Access(member=True, may_manage=False)
    reply = await Commands(guarded).handle(Command(spec.name, EVE, a_channel(), options_for(spec)))
    assert reply.card.kind == "error"
    assert "Only people who manage this channel" in reply.card.notice


async def test_a_removed_manager_cannot_change_who_edits(guarded: Services, platform: Guarded) -> None:
    await guarded.settings.put(a_channel(), ChannelSettings(editors="everyone"))
    platform.members[EVE.id] = Access(member=True, may_manage=False)
    reply = await Commands(guarded).handle_text("/paper settings editors:managers", EVE, a_channel())
    assert reply.card.kind == "error"
    assert (await guarded.settings.of(a_channel())).editors == "everyone"


async def test_nothing_is_shown_or_changed_if_the_platform_does_not_answer(
    guarded: Services, platform: Guarded
) -> None:
    platform.silent = True
    reply = await Commands(guarded).handle_text("/paper subscribe rag", ADA, a_channel())
    assert "Try again in a minute" in reply.card.notice
    assert await guarded.subscriptions.of(a_channel()) == []


async def test_suggestions_are_only_for_members(guarded: Services, platform: Guarded) -> None:
    await guarded.subscriptions.add(a_channel(), "secret project", "now", "")
    core = Commands(guarded)
    assert await core.complete("unsubscribe", "subscription", "", EVE, a_channel()) == ()
    assert len(await core.complete("unsubscribe", "subscription", "", ADA, a_channel())) == 1
    platform.silent = True
    assert await core.complete("unsubscribe", "subscription", "", EVE, a_channel()) == ()


def test_every_entry_point_has_an_access_check_or_is_for_platforms_only() -> None:
    assert methods() == PORTS.keys() | PLATFORM_ONLY


def test_the_security_page_has_the_table_of_entry_points() -> None:
    assert table() in PAGE.read_text("utf-8"), "run `python -m tests.access_table --write`"


async def test_only_members_see_what_a_channel_watches(guarded: Services, platform: Guarded) -> None:
    watched = Watch(frozenset({"code"}), ADA.signature, guarded.now())
    await guarded.watches.put(a_channel(), "2603.00001", watched)
    core = Commands(guarded)
    assert "2603.00001" in card_text((await core.handle_text("/paper watch", ADA, a_channel())).card)
    assert "Nothing is watched" in card_text((await core.handle_text("/paper watch", EVE, a_channel())).card)
    for line in ("watch 2603.00001 to:channel", "unwatch 2603.00001 to:channel"):
        assert refused(await core.handle_text(f"/paper {line}", EVE, a_channel()))
    platform.members[EVE.id] = Access(member=True, may_manage=False)
    core = Commands(
        replace(guarded, access=gate_of(platform))
    )  # a gate that doesn't remember that she had left
    reply = await core.handle_text("/paper unwatch 2603.00001 to:channel", EVE, a_channel())
    assert "Only people who manage this channel" in reply.card.notice
    assert await guarded.watches.of(a_channel()) == {"2603.00001": watched}


async def test_an_access_answer_is_cached_for_a_minute(platform: Guarded) -> None:
    now = 0.0
    gate = gate_of(platform, lambda: now)
    for _ in range(3):
        assert (await gate.of(ADA, a_channel())).member
    assert platform.calls == 1
    platform.members.clear()
    now = REMEMBERED_FOR
    assert not (await gate.of(ADA, a_channel())).member


async def test_the_number_of_cached_access_answers_is_limited(
    platform: Guarded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.commands.access.MOST_REMEMBERED", 10)
    gate = gate_of(platform)
    for n in range(30):
        await gate.of(User(f"U{n}", ""), a_channel())
    before = platform.calls
    await gate.of(User("U29", ""), a_channel())
    assert platform.calls == before
    await gate.of(User("U0", ""), a_channel())
    assert platform.calls == before + 1
    assert MOST_REMEMBERED >= 1000


async def test_users_of_a_platform_without_access_checks_are_trusted() -> None:
    gate = AccessGate()
    assert await gate.of(User("U1", "", may_manage=False), a_channel()) == Access(
        member=True, may_manage=False
    )


async def test_a_failed_access_check_is_not_cached(platform: Guarded) -> None:
    gate = gate_of(platform)
    platform.silent = True
    with pytest.raises(UserError):
        await gate.of(ADA, a_channel())
    platform.silent = False
    assert (await gate.of(ADA, a_channel())).member

"""The connection mode that the settings choose, and the errors of incomplete settings."""

import asyncio
import logging
from collections.abc import Mapping
from typing import TypeVar

import pytest
from pydantic import SecretStr
from redis.asyncio import Redis

from adapters.slack import build
from adapters.slack.connection_mode import choose_mode
from adapters.slack.http import INSTALL
from adapters.slack.manifest import manifest
from adapters.slack.platform import SlackPlatform
from adapters.slack.settings import SlackSettings
from bot.domain.errors import ConfigurationError
from bot.observability.logs import REDACTED, Redact
from bot.ports import Connected, Diagnosable, Editing, Invitable, Mounted
from bot.settings import Settings, SettingsGroup
from tests.adapters.slack.double import Message, Slack
from tests.adapters.slack.double.people import words
from tests.adapters.slack.harness import slack_harness
from tests.adapters.slack.running import SECRET_KEY, Running

GroupT = TypeVar("GroupT", bound=SettingsGroup)
Given = Mapping[str, object]
BOT: Given = {"slack_bot_token": SecretStr("xoxb-1")}
APP: Given = {"slack_app_token": SecretStr("xapp-1")}
SIGNED: Given = {"slack_signing_secret": SecretStr("secret")}
CLIENT: Given = {"slack_client_id": "1.2", "slack_client_secret": SecretStr("secret")}
KEY: Given = {"secret_key": SecretStr(SECRET_KEY)}


def settings(*given: Given) -> Settings:
    """Return the core's and Slack's settings, with these values instead of their defaults."""
    values = {name: value for some in given for name, value in some.items()}

    def of(group: type[GroupT]) -> GroupT:
        defaults = {name: field.default for name, field in group.model_fields.items()}
        return group.model_construct(**defaults | {n: v for n, v in values.items() if n in defaults})

    return of(Settings).with_groups(of(SlackSettings))


def test_slack_is_not_built_without_its_settings(redis: Redis) -> None:
    assert build(settings(), redis) is None


def test_the_settings_choose_the_connection_mode() -> None:
    modes = [choose_mode(settings(*given)) for given in ((BOT, APP), (BOT, SIGNED), (SIGNED, CLIENT, BOT))]
    assert [(mode.kind, bool(mode.bot_token)) for mode in modes if mode] == [
        ("socket", True),
        ("http", True),
        ("http", False),
    ]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ((BOT,), "SLACK_APP_TOKEN"),
        ((APP,), "SLACK_BOT_TOKEN"),
        ((SIGNED,), "SLACK_BOT_TOKEN"),
        ((CLIENT,), "SLACK_SIGNING_SECRET"),
        ((SIGNED, {"slack_client_id": "1.2"}), "SLACK_CLIENT_SECRET"),
        (
            ({"slack_bot_token": SecretStr("xapp-1"), "slack_app_token": SecretStr("xoxb-1")},),
            "begins with xoxb-",
        ),
        ((BOT, {"slack_app_token": SecretStr("xoxb-1")}), "begins with xapp-"),
    ],
)
def test_incomplete_settings_raise_an_error_that_names_what_is_missing(
    given: tuple[Given, ...], message: str
) -> None:
    with pytest.raises(ConfigurationError, match=message):
        choose_mode(settings(*given))


async def test_http_without_a_port_stops_the_role(redis: Redis) -> None:
    platform = build(settings(SIGNED, CLIENT, KEY), redis)
    assert isinstance(platform, SlackPlatform)
    async with Slack(manifest("http")).serve() as slack:
        bot = Running(slack, redis)
        await bot.start(bot.http())
        with pytest.raises(ConfigurationError, match="PORT"):
            await platform.run(bot.bot.core)
        await bot.stop()
    await platform.close()


async def test_one_workspace_over_http_with_a_bot_token(redis: Redis) -> None:
    async with Slack(manifest("http")).serve() as slack:
        lab = slack.workspace()
        ada = slack.person(lab)
        room = slack.channel(lab, "papers", ada)
        bot = Running(slack, redis)
        await bot.start(bot.http_alone(slack.world.install(lab, ada.user).value))
        running = asyncio.create_task(bot.platform.run(bot.bot.core))
        trigger = await ada.type(room, "subscribe diffusion")
        await bot.settled()
        (answer,) = ada.answers(trigger)
        assert isinstance(answer, Message)
        assert "Subscribed" in words(answer.blocks)
        assert bot.platform.invitation() is None
        running.cancel()
        await asyncio.wait({running})
        await bot.stop()


@pytest.mark.parametrize("fault", ["500", "html 403", "hang"])
async def test_commands_are_acknowledged_in_time_while_slack_does_not_answer(
    redis: Redis, fault: str
) -> None:
    async with Slack(manifest("http")).serve() as slack:
        lab = slack.workspace()
        ada = slack.person(lab)
        room = slack.channel(lab, "papers", ada)
        bot = Running(slack, redis)
        await bot.start(bot.http_alone(slack.world.install(lab, ada.user).value))
        slack.faults.next("auth.test", fault, fault)
        await ada.type(room, "help")  # raises NotAcknowledged if the acknowledgement is late
        await bot.stop()


def test_slack_has_every_capability_that_it_needs(redis: Redis) -> None:
    platform = build(settings(SIGNED, CLIENT, KEY, {"public_url": "https://papers.example.org"}), redis)
    assert all(isinstance(platform, kind) for kind in (Connected, Diagnosable, Editing, Invitable, Mounted))
    assert isinstance(platform, Invitable)
    assert platform.invitation() == "https://papers.example.org/slack/install"


async def test_slack_is_connected_while_its_socket_is_open(redis: Redis) -> None:
    async with slack_harness(redis) as harness:
        platform, _webhooks = harness.bot.platforms
        assert isinstance(platform, SlackPlatform)
        assert platform.connected()
        assert platform.invitation() is None  # only one workspace can use this app
        await harness.stop()
        assert not platform.connected()
        await harness.start()


async def test_without_a_public_address_the_invitation_is_a_path(redis: Redis) -> None:
    platform = build(settings(SIGNED, CLIENT, KEY), redis)
    assert isinstance(platform, SlackPlatform)
    assert platform.connected()
    assert platform.invitation() == INSTALL
    await platform.close()


@pytest.mark.parametrize(
    "secret",
    [
        "xoxb-1234567890-1234567890123-abcDEFghiJKLmno",
        "xapp-1-A0123456789-1234567890-0a1b2c3d4e5f",
        "xoxe.xoxb-1-MS0yLTEyMzQ1Njc4OTAtMTIz",
        "0a1b2c3d4e5f60718293",
        "commands/T0123/4567/abcDEF",
    ],
)
def test_secrets_are_recognised_by_their_format(secret: str) -> None:
    redact = Redact((), SlackSettings.secret_patterns)
    for text in (
        f"wss://x.slack.com/link?ticket={secret}&x=1",
        f"token {secret}, sent",
        f"to https://hooks.slack.com/{secret}",
    ):
        if secret.startswith("x") or f"ticket={secret}" in text or "hooks" in text:
            assert secret not in redact.text(text)
            assert REDACTED in redact.text(text)
    assert redact.text("xox-ray at https://arxiv.org/abs/1") == "xox-ray at https://arxiv.org/abs/1"


def test_slacks_libraries_log_only_errors() -> None:
    for name in ("slack_bolt.AsyncApp", "slack_sdk.web.async_client", "slack_sdk.socket_mode.aiohttp"):
        assert logging.getLogger(name).getEffectiveLevel() >= logging.ERROR

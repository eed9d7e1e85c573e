"""The manifest files match the code."""

from typing import Any, Literal

import pytest
import yaml

from adapters.slack.lifecycle import EVENTS
from adapters.slack.manifest import HINTED, manifest
from bot.commands.table import find, shown
from tests.adapters.slack.double.world import App
from tests.adapters.slack.manifests import DEPLOY, FILES, text

MODES: list[Literal["socket", "http"]] = ["socket", "http"]


@pytest.mark.parametrize("mode", MODES)
def test_the_manifest_files_match_the_command_table(mode: Literal["socket", "http"]) -> None:
    content = (DEPLOY / FILES[mode]).read_text()
    assert yaml.safe_load(content) == manifest(mode)
    assert content == text(mode), "outdated: run `make manifests`"


@pytest.mark.parametrize("mode", MODES)
def test_the_manifest_has_one_command_with_a_hint_from_the_table(mode: Literal["socket", "http"]) -> None:
    (command,) = manifest(mode)["features"]["slash_commands"]
    assert command["command"] == "/paper"
    assert command["usage_hint"] == "subscribe <query> | list | search <query> | help"
    assert all(find(name) in shown() for name in HINTED)
    assert len(command["description"]) <= 140


def test_slack_accepts_the_manifest() -> None:
    for mode in MODES:
        App(manifest=manifest(mode))
    names = [shortcut["name"] for shortcut in manifest("http")["features"]["shortcuts"]]
    assert names == ["Papers in this message", "Save papers", "Similar papers"]


def test_the_double_refuses_a_shortcut_name_that_is_too_long_for_slack() -> None:
    wrong = manifest("http")
    wrong["features"]["shortcuts"][0]["name"] = "Save papers in this message"
    with pytest.raises(AssertionError, match="24 characters"):
        App(manifest=wrong)


def test_the_app_does_not_subscribe_to_message_events() -> None:
    assert not [event for event in EVENTS if event.startswith("message")]


def test_only_the_http_manifest_has_addresses_of_the_app() -> None:
    socket, http = manifest("socket"), manifest("http", "https://bot.lab.org")
    assert socket["settings"]["socket_mode_enabled"]
    assert not http["settings"]["socket_mode_enabled"]
    addresses: list[Any] = [
        http["settings"]["event_subscriptions"]["request_url"],
        http["settings"]["interactivity"]["request_url"],
        http["features"]["slash_commands"][0]["url"],
    ]
    assert addresses == ["https://bot.lab.org/slack/events"] * 3
    assert http["oauth_config"]["redirect_urls"] == ["https://bot.lab.org/slack/oauth_redirect"]
    assert "://" not in str(socket)

"""Settings and secrets that Discord declares to the core."""

import pytest

from adapters.discord import SETTINGS, build
from bot.commands.setting_specs import SETTING_SPECS
from bot.domain.errors import ConfigurationError
from bot.observability.logs import REDACTED, Redact
from bot.settings import Settings

redact = Redact((), SETTINGS.secret_patterns)


@pytest.mark.parametrize(
    "secret",
    [
        "MTEyMjMzNDQ1NTY2Nzc4ODk5MA.GaBcDe.abcdefghijklmnopqrstuvwxyz0123456789AB",
        "https://discord.com/api/v10/webhooks/900/aW50ZXJhY3Rpb246MTIzNDU2/messages/@original",
        "https://discord.com/api/v10/interactions/77/aW50ZXJhY3Rpb246MTIzNDU2/callback",
    ],
    ids=["a bot's token", "a follow-up's address", "an answer's address"],
)
def test_secrets_are_redacted_in_the_log(secret: str) -> None:
    shown = redact.text(f"POST {secret} failed")
    assert REDACTED in shown
    assert "aW50ZXJhY3Rpb24" not in shown
    assert "GaBcDe" not in shown


@pytest.mark.parametrize(
    "harmless", ["discord:1043:2207", "https://discord.com/channels/1/2/3", "10.1000/1.2"]
)
def test_addresses_of_channels_and_papers_stay_readable(harmless: str) -> None:
    assert redact.text(harmless) == harmless


def test_every_optional_setting_that_discord_names_exists() -> None:
    optional = {spec.name for spec in SETTING_SPECS if spec.optional}
    assert SETTINGS.channel_settings <= optional
    assert "publish" in SETTINGS.channel_settings


def test_without_a_token_discord_is_not_configured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISCORD_TOKEN", raising=False)
    settings = Settings().with_groups(SETTINGS.model_construct(discord_token=None))
    assert not settings.of(SETTINGS).is_configured
    with pytest.raises(ConfigurationError, match="DISCORD_TOKEN"):
        build(settings, None)  # type: ignore[arg-type]  # it raises before it uses Redis

"""Which settings mail needs, and the error if one is missing or wrong."""

from typing import Any

import pytest
from redis.asyncio import Redis

from adapters.email import build
from adapters.email.platform import EmailPlatform
from adapters.email.settings import EmailSettings
from bot.domain.errors import ConfigurationError
from bot.settings import Settings

ALL = {
    "smtp_url": "smtp://papers:very-secret@mail.example.org",
    "mail_from": "Paperboy <papers@example.org>",
    "public_url": "https://papers.example.org",
    "secret_key": "a key that can't be guessed",
}


def build_platform(**values: Any) -> EmailPlatform | None:
    mail = {name: value for name, value in values.items() if name in EmailSettings.model_fields}
    aliased = {{"smtp_url": "SMTP_URL"}.get(name, name): value for name, value in mail.items()}
    core = {name: value for name, value in values.items() if name not in mail}
    platform = build(Settings(**core).with_groups(EmailSettings(**aliased)), Redis())
    assert platform is None or isinstance(platform, EmailPlatform)
    return platform


def test_without_a_server_there_is_no_platform() -> None:
    assert build_platform(mail_from="papers@example.org") is None


def test_with_all_settings_there_is_a_platform_that_holds_uncertain_mail() -> None:
    platform = build_platform(**ALL, mail_bounce="pop3s://bounces%40example.org:very-secret@mail.example.org")
    assert platform is not None
    assert platform.on_uncertain == "hold"


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"mail_from": None}, "PAPERBOY_MAIL_FROM"),
        ({"mail_from": "papers"}, "PAPERBOY_MAIL_FROM"),
        ({"public_url": None}, "PAPERBOY_PUBLIC_URL"),
        ({"secret_key": None}, "PAPERBOY_SECRET_KEY"),
        ({"secret_key": "short"}, "PAPERBOY_SECRET_KEY"),
        ({"smtp_url": "https://very-secret@mail.example.org"}, "SMTP_URL"),
        ({"mail_bounce": "imaps://me:very-secret@mail.example.org"}, "PAPERBOY_MAIL_BOUNCE"),
    ],
)
def test_a_missing_or_wrong_setting_is_named_without_its_secret(changed: dict[str, Any], named: str) -> None:
    with pytest.raises(ConfigurationError, match=named) as caught:
        build_platform(**{name: value for name, value in (ALL | changed).items() if value is not None})
    assert "very-secret" not in str(caught.value)

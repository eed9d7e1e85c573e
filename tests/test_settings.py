"""Settings: an operator's mistake is reported in one line."""

from pathlib import Path

import pytest
from pydantic import Field, SecretStr

from bot.app import read_settings
from bot.domain.errors import ConfigurationError
from bot.settings import PlatformSettings, Settings
from bot.sources.arxiv import ArxivSettings
from bot.sources.huggingface import HuggingFaceSettings


@pytest.fixture(autouse=True)
def empty_surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in Settings.environment_names():
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


def test_all_settings_are_optional() -> None:
    settings = read_settings()
    assert settings.of(HuggingFaceSettings).huggingface_url == "https://huggingface.co"
    assert settings.of(ArxivSettings).arxiv_rss_url == "https://rss.arxiv.org"
    assert settings.of(ArxivSettings).arxiv_categories == ("cs.AI", "cs.CL", "cs.CV", "cs.LG")
    assert settings.redis_url is None


def test_the_environment_overrides_the_env_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PAPERBOY_CONTACT=from-file\nPORT=8080\nFOREIGN=1\n")
    monkeypatch.setenv("PAPERBOY_CONTACT", "from-environment")
    settings = read_settings()
    assert (settings.contact, settings.port) == ("from-environment", 8080)


def test_categories_are_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAPERBOY_ARXIV_CATEGORIES", "cs.RO, math.CO,hep-th")
    assert read_settings().of(ArxivSettings).arxiv_categories == ("cs.RO", "math.CO", "hep-th")


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("PORT", "http", "PORT needs a whole number"),
        ("PORT", "70000", "PORT needs a number of at most 65535"),
        (
            "PAPERBOY_HUGGINGFACE_URL",
            "huggingface.co",
            "PAPERBOY_HUGGINGFACE_URL needs an address such as https://",
        ),
        ("PAPERBOY_CONSOLE_FORMAT", "xml", "PAPERBOY_CONSOLE_FORMAT needs one of 'rich' or 'json'"),
        (
            "PAPERBOY_ARXIV_CATEGORIES",
            "cs.AI,rm -rf",
            "PAPERBOY_ARXIV_CATEGORIES needs arXiv categories such as",
        ),
        ("PAPERBOY_ARXIV_CATEGORIES", "CS.ai", "Did you mean cs.AI?"),
        ("PAPERBOY_ARXIV_CATEGORIES", "cs.ai", "Did you mean cs.AI?"),
        ("PAPERBOY_ARXIV_HOLIDAYS", "Christmas", "PAPERBOY_ARXIV_HOLIDAYS needs dates such as"),
        ("PAPERBOY_FEEDS_PRIVATE", "home", "PAPERBOY_FEEDS_PRIVATE needs networks such as"),
        ("PAPERBOY_UNSAFE_REDIS", "perhaps", "PAPERBOY_UNSAFE_REDIS needs true or false"),
        ("PAPERBOY_FEEDS", "https://nature.com", "PAPERBOY_FEEDS needs feeds with a short name each"),
        ("PAPERBOY_CONSOLE_FROMAT", "json", "Did you mean PAPERBOY_CONSOLE_FORMAT?"),
        ("PAPERBOY_XYZZY", "1", "Paperboy has no setting PAPERBOY_XYZZY"),
    ],
)
def test_a_bad_value_is_one_readable_line(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, message: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError) as caught:
        read_settings()
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_unknown_name_in_the_env_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PAPERBOY_CONTACTS=me@example.org\n")
    with pytest.raises(ConfigurationError, match=r"Did you mean PAPERBOY_CONTACT\?"):
        read_settings()


def test_an_error_never_shows_a_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLACK_API_URL", "xoxb-planted-secret")
    with pytest.raises(ConfigurationError) as caught:
        read_settings()
    assert "planted" not in str(caught.value)


def test_secrets_are_registered_for_redaction(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-planted-secret")
    monkeypatch.setenv("REDIS_URL", "redis://:hunter2@localhost")
    settings = read_settings()
    assert set(settings.secrets()) == {"xoxb-planted-secret", "redis://:hunter2@localhost"}
    assert "planted" not in repr(settings)
    assert "hunter2" not in repr(settings)


class PigeonSettings(PlatformSettings):
    title = "Carrier pigeons"
    connect = "`PIGEON_TOKEN`"

    token: SecretStr | None = Field(default=None, validation_alias="PIGEON_TOKEN")
    pigeon_flock: int = 3

    @property
    def is_configured(self) -> bool:
        return self.token is not None


def test_a_platform_declares_its_own_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not Settings.read([PigeonSettings]).connected
    monkeypatch.setenv("PAPERBOY_PIGEON_FLOCK", "12")
    monkeypatch.setenv("PIGEON_TOKEN", "planted-secret")
    settings = Settings.read([PigeonSettings])
    assert settings.of(PigeonSettings).pigeon_flock == 12
    assert settings.connected
    assert "planted-secret" in settings.secrets()
    assert "planted" not in repr(settings) + repr(settings.of(PigeonSettings))


def test_mistakes_in_all_groups_are_reported_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAPERBOY_PIGEON_FLOCK", "many")
    monkeypatch.setenv("PORT", "http")
    with pytest.raises(
        ConfigurationError, match=r"PORT needs a whole number; PAPERBOY_PIGEON_FLOCK needs a whole number"
    ):
        Settings.read([PigeonSettings])


def test_settings_of_a_platform_that_is_not_installed_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAPERBOY_PIGEON_FLOCK", "12")
    with pytest.raises(ConfigurationError, match="PAPERBOY_PIGEON_FLOCK"):
        Settings.read()

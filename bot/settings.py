"""Settings from the environment and `.env`, read once at start.

The core's settings are here. Each source and platform declares its own as a `SettingsGroup` in its file or package. The
composition root passes all groups to `Settings.read`, and a component gets its group with `settings.of(Group)`.
"""

import os
import re
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self, TypeVar

from dotenv import dotenv_values
from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    IPvAnyNetwork,
    PrivateAttr,
    SecretStr,
    ValidationError,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from bot.domain.errors import ConfigurationError

PREFIX = "PAPERBOY_"


def _split_commas(value: object) -> object:
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


ItemT = TypeVar("ItemT")
GroupT = TypeVar("GroupT", bound="SettingsGroup")

CommaSeparated = Annotated[tuple[ItemT, ...], NoDecode, BeforeValidator(_split_commas)]
"""A list that an operator types as `a, b`."""


def matching(pattern: str, needs: str) -> AfterValidator:
    """Return a validator for a text setting; `needs` describes a valid value for the operator."""

    def check(value: str) -> str:
        if not re.match(pattern, value):
            raise ValueError(f"needs {needs}")
        return value

    return AfterValidator(check)


Url = Annotated[str, matching(r"^https?://[^\s/]+", "an address such as https://example.org")]
BaseUrl = Annotated[Url, AfterValidator(lambda url: url.rstrip("/"))]
"""A base URL to which paths are appended; a slash at its end is dropped."""


class SettingsGroup(BaseSettings):
    """Settings that belong together. A field `contact` is read from `PAPERBOY_CONTACT`, unless it has an alias."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_file=".env",
        env_file_encoding="utf-8",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
    )

    def secrets(self) -> tuple[str, ...]:
        """Return all values that must never be shown, for the logs to redact."""
        return tuple(value.get_secret_value() for _, value in self if isinstance(value, SecretStr))

    @classmethod
    def environment_names(cls) -> tuple[str, ...]:
        """Return the names of the environment variables of these settings."""
        return tuple(
            str(field.validation_alias or f"{PREFIX}{name.upper()}")
            for name, field in cls.model_fields.items()
        )


class PlatformSettings(SettingsGroup):
    """The settings of a platform, and its properties that the core needs before it is built."""

    title: ClassVar[str]
    """The platform's name as people write it."""
    connect: ClassVar[str] = ""
    """Sentence part with the settings that connect it, their names in backquotes; "" if it needs none."""
    channel_settings: ClassVar[frozenset[str]] = frozenset()
    """The optional channel settings that it supports, of `edits links threads embeds publish ping editors`."""
    message_menus: ClassVar[bool] = False
    """Whether a message has a menu with our commands (`CommandSpec.on_message`)."""
    message_threads: ClassVar[bool] = False
    """Whether a message has a thread, in which events of its paper are posted (`bot.ports.Threaded`)."""
    direct_messages: ClassVar[bool] = False
    """Whether Paperboy can message one person. If not, events that a person watches for are posted in their channel."""
    removed: ClassVar[str] = ""
    """The pause reason of a workspace that removed the app, by which it is found and forgotten after some time."""
    secret_patterns: ClassVar[Sequence[str]] = ()
    """Regular expressions that match its tokens, for the logs to redact. They must run in linear time."""

    @property
    @abstractmethod
    def is_configured(self) -> bool:
        """Whether the operator has connected the platform."""


class Settings(SettingsGroup):
    """The core's settings, together with the groups of sources and platforms."""

    _groups: dict[type[SettingsGroup], SettingsGroup] = PrivateAttr(default_factory=dict)

    redis_url: SecretStr | None = Field(default=None, validation_alias="REDIS_URL")
    """If unset, Paperboy runs its own Valkey server in `data_dir`."""
    port: int | None = Field(default=None, ge=1, le=65535, validation_alias="PORT")
    """Port for probes and metrics, and in the role `web` for the front page and platforms that use HTTP. If unset, the
    process doesn't listen."""
    metrics_token: SecretStr | None = None
    """Bearer token that `/metrics` requires; if unset, anyone can read the metrics."""
    public_url: BaseUrl | None = None
    """Public address of the role `web`, such as `https://papers.example.org`, for links in messages."""
    trusted_proxies: CommaSeparated[IPvAnyNetwork] = ()
    """Networks of the proxies in front of the role `web`, such as `10.0.0.0/8`. Only they are trusted
    to report a request's origin (X-Forwarded-For)."""
    data_dir: Path = Path("paperboy-data")
    unsafe_redis: bool = False
    """The operator's assurance that a Redis server that reports no persistence, or hides its settings, stores data."""

    contact: str = ""
    """Contact address or page of the operator, sent to upstreams in the User-Agent."""

    operator: str = ""
    """Name of the operator of this installation, for the pages on privacy and terms."""

    secret_key: SecretStr | None = None
    """Keys, separated by commas, for tokens and addresses in Redis: the first one encrypts, all of them decrypt."""

    zotero_url: BaseUrl = "https://api.zotero.org"
    """Zotero's API, or a proxy in front of it."""

    unclear: Literal["resend", "hold"] | None = None
    """Action for an unconfirmed post: post it again, or hold it for the operator. The default depends on the
    platform."""
    forget_after_days: int = Field(default=30, ge=0, le=3650)
    """Days after which everything about a workspace that removed the app is deleted; 0 for never."""
    log_format: Literal["auto", "text", "json"] = "auto"
    """`auto` is text on a terminal and JSON lines otherwise."""
    sentry_dsn: SecretStr | None = None
    """Sentry address for error reports; if unset, errors aren't reported."""
    log_level: Literal["debug", "info", "warning", "error"] | None = None
    """The default is `info`, or `error` if the terminal is the channel, since log lines would disrupt the cards."""

    @classmethod
    def read(cls, groups: Iterable[type[SettingsGroup]] = ()) -> Self:
        """Read the settings of this process, with these groups.

        Raises ConfigurationError with one line for invalid values and unknown `PAPERBOY_…` names (otherwise a typo
        would silently leave the default).
        """
        models: tuple[type[SettingsGroup], ...] = (cls, *groups)
        problems = list(_unknown(models, {*os.environ, *dotenv_values(".env")}))
        read: list[SettingsGroup] = []
        for model in models:
            try:
                read.append(model())
            except ValidationError as error:
                problems += _in_words(error)
        if problems:
            raise ConfigurationError("; ".join(dict.fromkeys(problems)).replace("?; ", "? "))
        core, *others = read
        assert isinstance(core, cls)  # noqa: S101  # the first of `models`
        return core.with_groups(*others)

    def with_groups(self, *groups: SettingsGroup) -> Self:
        """Return a copy in which these groups replace groups of the same types."""
        copy = self.model_copy()
        copy._groups = self._groups | {type(group): group for group in groups}  # noqa: SLF001  # the same class
        return copy

    def of(self, group: type[GroupT]) -> GroupT:
        """Return a component's own settings. Groups that weren't passed to `read` are read from the environment."""
        found = self._groups.get(group)
        return found if isinstance(found, group) else group()

    @property
    def platforms(self) -> tuple[PlatformSettings, ...]:
        """The settings of every platform, connected or not."""
        return tuple(group for group in self._groups.values() if isinstance(group, PlatformSettings))

    @property
    def connectable(self) -> tuple[tuple[str, str], ...]:
        """Title and `connect` text of each platform that an operator can connect."""
        return tuple((group.title, group.connect) for group in self.platforms if group.connect)

    @property
    def connected(self) -> bool:
        """Whether any platform other than the terminal has a token."""
        return any(group.is_configured for group in self.platforms if group.connect)

    def secrets(self) -> tuple[str, ...]:
        """Return all values of the core and of all groups that must never be shown."""
        return (
            *super().secrets(),
            *(secret for group in self._groups.values() for secret in group.secrets()),
        )

    def secret_patterns(self) -> tuple[str, ...]:
        """Return regular expressions that match the tokens of all platforms."""
        return tuple(pattern for group in self.platforms for pattern in group.secret_patterns)


def _unknown(models: Iterable[type[SettingsGroup]], names: Iterable[str]) -> Iterator[str]:
    known = [name for model in models for name in model.environment_names()]
    for name in sorted(names):
        if name.upper().startswith(PREFIX) and name.upper() not in known:
            near = get_close_matches(name.upper(), known, n=1)
            hint = f"Did you mean {near[0]}?" if near else "docs/configuration.md lists all settings."
            yield f"Paperboy has no setting {name}. {hint}"


def _in_words(error: ValidationError) -> list[str]:
    """Describe the problems by names and reasons, without values: those may be secrets."""
    problems = []
    for problem in error.errors(include_url=False, include_input=False):
        field, *_ = (str(part) for part in problem["loc"])
        name = field if field.isupper() else f"{PREFIX}{field.upper()}"
        problems.append(f"{name} {_needs(problem['type'], problem.get('ctx', {}), problem['msg'])}")
    return problems


_NEEDS = {
    "int_parsing": "a whole number",
    "greater_than_equal": "a number of at least {ge}",
    "less_than_equal": "a number of at most {le}",
    "literal_error": "one of {expected}",
    "bool_parsing": "true or false",
    "ip_any_network": "networks such as 10.1.0.0/16, separated by commas",
    "date_from_datetime_parsing": "dates such as 2027-05-03, separated by commas",
    "date_parsing": "dates such as 2027-05-03, separated by commas",
}
"""Pydantic's type of error -> description of a valid value. Its own messages are for programmers."""


def _needs(kind: str, context: Mapping[str, Any], message: str) -> str:
    if kind == "value_error":  # one of our own checks
        return message.removeprefix("Value error, ")
    needs = _NEEDS.get(kind)
    return f"needs {needs.format(**context)}" if needs else f"can't be used ({kind.replace('_', ' ')})"

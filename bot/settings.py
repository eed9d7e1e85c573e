"""Every knob, with its environment name. Read once at start, from the environment and `.env`."""

import os
import re
from collections.abc import Iterable
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Literal, Self

from dotenv import dotenv_values
from pydantic import Field, IPvAnyNetwork, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from bot.domain.errors import ConfigurationError

PREFIX = "PAPERBOY_"
OWN_SOURCES = ("arxiv", "huggingface", "hf", "biorxiv", "medrxiv", "sample")
"""What `source:` knows without any feed."""
CATEGORY_PATTERN = r"^[a-z][a-z-]+(\.[A-Za-z-]+)?$"

Url = Annotated[str, Field(pattern=r"^https?://[^\s/]+")]
Category = Annotated[str, Field(pattern=CATEGORY_PATTERN)]
Topic = Annotated[str, Field(pattern=r"^[a-z]+(-[a-z]+)*$")]
Feed = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,30}=https?://[^\s/@]+(/\S*)?$")]


class Settings(BaseSettings):
    """What the operator decides. A field `contact` is set by `PAPERBOY_CONTACT`, but for those with an alias."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_file=".env",
        env_file_encoding="utf-8",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
    )

    redis_url: SecretStr | None = Field(default=None, validation_alias="REDIS_URL")
    """Without it Paperboy runs a Valkey server of its own in `data_dir`."""
    port: int | None = Field(default=None, ge=1, le=65535, validation_alias="PORT")
    """Where a process listens: probes and metrics; in the role `web` the front page and platforms that are called
    over HTTP, too. Without it nothing listens."""
    metrics_token: SecretStr | None = None
    """What `/metrics` asks for as a bearer token; without it everybody may read them."""
    public_url: Url | None = None
    """Where people reach the role `web`, such as `https://papers.example.org`: for links in messages."""
    data_dir: Path = Path("paperboy-data")
    unsafe_redis: bool = False
    """The operator's word that a server that reports no persistence, or hides its settings, keeps data."""

    huggingface_url: Url = "https://huggingface.co"
    arxiv_rss_url: Url = "https://rss.arxiv.org"
    arxiv_oai_url: Url = "https://oaipmh.arxiv.org"
    arxiv_api_url: Url = "https://export.arxiv.org"
    """Asked for on-demand search and for backfilling, never for what is new."""
    semantic_scholar_url: Url = "https://api.semanticscholar.org"
    semantic_scholar_key: SecretStr | None = Field(default=None, validation_alias="SEMANTIC_SCHOLAR_API_KEY")
    """With it `/paper search` also looks there."""
    arxiv_categories: Annotated[tuple[Category, ...], NoDecode] = ("cs.AI", "cs.CL", "cs.CV", "cs.LG")
    arxiv_cross_lists: bool = False
    """Whether papers are new that are only listed in these categories too, under another one of their own."""
    arxiv_holidays: Annotated[tuple[date, ...], NoDecode] = ()
    """Dates on which arXiv announces nothing, beside those that are known: `2027-05-03,2027-08-16`."""
    biorxiv_url: Url = "https://api.biorxiv.org"
    biorxiv_categories: Annotated[tuple[Topic, ...], NoDecode] = ()
    """Which of bioRxiv's categories to follow, `neuroscience,cancer-biology`; `all` for all of them."""
    medrxiv_categories: Annotated[tuple[Topic, ...], NoDecode] = ()
    feeds: Annotated[tuple[Feed, ...], NoDecode] = ()
    """RSS or Atom feeds to follow, each with the name that `source:` knows it by: `nature=https://…`."""
    feeds_private: Annotated[tuple[IPvAnyNetwork, ...], NoDecode] = ()
    """Networks that are not public, but in which feeds may be: `10.1.0.0/16`."""
    enrich: Annotated[tuple[Literal["semanticscholar", "huggingface"], ...], NoDecode] = ()
    """Who is asked, beside and later, for one-sentence summaries and code of papers that were found."""
    contact: str = ""
    """An address or page, sent to upstreams in the User-Agent so that they can reach the operator."""

    secret_key: SecretStr | None = None
    """Encrypts tokens and addresses in Redis. Several, by commas: the first one encrypts, all of them decrypt."""

    unclear: Literal["resend", "hold"] | None = None
    """What to do with a post that nobody can confirm: post again, or wait for the operator. By default what
    suits the platform."""
    log_format: Literal["auto", "text", "json"] = "auto"
    """`auto` is text on a terminal and JSON lines elsewhere."""
    sentry_dsn: SecretStr | None = None
    """Where errors are reported to, without it nowhere."""
    log_level: Literal["debug", "info", "warning", "error"] | None = None
    """By default `info`; `error` in a terminal that is the channel, where a log would tear the cards."""
    console_format: Literal["rich", "json"] = "rich"

    slack_bot_token: SecretStr | None = Field(default=None, validation_alias="SLACK_BOT_TOKEN")
    slack_app_token: SecretStr | None = Field(default=None, validation_alias="SLACK_APP_TOKEN")
    slack_signing_secret: SecretStr | None = Field(default=None, validation_alias="SLACK_SIGNING_SECRET")
    slack_client_id: str | None = Field(default=None, validation_alias="SLACK_CLIENT_ID")
    slack_client_secret: SecretStr | None = Field(default=None, validation_alias="SLACK_CLIENT_SECRET")
    slack_api_url: Url = Field(default="https://slack.com/api/", validation_alias="SLACK_API_URL")
    discord_token: SecretStr | None = Field(default=None, validation_alias="DISCORD_TOKEN")
    discord_api_url: Url = Field(default="https://discord.com/api/v10", validation_alias="DISCORD_API_URL")

    smtp_url: SecretStr | None = Field(default=None, validation_alias="SMTP_URL")
    """`smtp://user:password@host:587` (STARTTLS) or `smtps://…:465`."""
    mail_from: str | None = None
    mail_bounce: SecretStr | None = None
    """The address that bounces go to, or the mailbox: `pop3s://bounces%40example.org:password@host`."""

    @field_validator(
        "arxiv_categories",
        "arxiv_holidays",
        "biorxiv_categories",
        "medrxiv_categories",
        "feeds_private",
        "enrich",
        mode="before",
    )
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("feeds", mode="before")
    @classmethod
    def _listed(cls, value: object) -> object:
        """Addresses may have commas in them: a comma parts two feeds where a name follows."""
        if isinstance(value, str):
            return tuple(part for part in re.split(r"\s*,?\s+|,(?=[a-z0-9_-]+=http)", value) if part)
        return value

    @field_validator("feeds")
    @classmethod
    def _named(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        names = [feed.partition("=")[0] for feed in value]
        for name in names:
            if name in OWN_SOURCES or names.count(name) > 1:
                raise ValueError(f"the name {name} is taken; give the feed another one")
        return value

    @field_validator(
        "huggingface_url",
        "arxiv_rss_url",
        "arxiv_oai_url",
        "arxiv_api_url",
        "semantic_scholar_url",
        "biorxiv_url",
        "discord_api_url",
        "public_url",
    )
    @classmethod
    def _without_slash(cls, value: str | None) -> str | None:
        return value.rstrip("/") if value else value

    @classmethod
    def read(cls) -> Self:
        """The settings of this process.

        Raises ConfigurationError, one line, for a value that can't be used and for a `PAPERBOY_…` name that
        means nothing (a typing error would otherwise silently keep the default).
        """
        _refuse_unknown(cls, {*os.environ, *dotenv_values(".env")})
        try:
            return cls()
        except ValidationError as error:
            raise ConfigurationError(_in_one_line(error)) from None

    @property
    def connected(self) -> bool:
        """Whether any platform other than the terminal has a token."""
        return any((self.slack_bot_token, self.slack_client_id, self.discord_token, self.smtp_url))

    def secrets(self) -> tuple[str, ...]:
        """Every value that must never be shown, for the logs to redact."""
        return tuple(v.get_secret_value() for _, v in self if isinstance(v, SecretStr))

    @classmethod
    def environment_names(cls) -> tuple[str, ...]:
        """The names that `read` looks for."""
        return tuple(
            str(field.validation_alias or f"{PREFIX}{name.upper()}")
            for name, field in cls.model_fields.items()
        )


def _refuse_unknown(settings: type[Settings], given: Iterable[str]) -> None:
    known = settings.environment_names()
    for name in sorted(given):
        if name.upper().startswith(PREFIX) and name.upper() not in known:
            near = get_close_matches(name.upper(), known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}."
            raise ConfigurationError(f"{name} is no setting of Paperboy: {hint}")


def _in_one_line(error: ValidationError) -> str:
    """Names and reasons, never the values: one of them may be a secret."""
    problems = []
    for problem in error.errors(include_url=False, include_input=False):
        field, *_ = (str(part) for part in problem["loc"])
        name = field if field.isupper() else f"{PREFIX}{field.upper()}"
        problems.append(f"{name}: {problem['msg']}")
    return "; ".join(problems)

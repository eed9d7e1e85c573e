"""Webhooks as a platform: a channel is a URL that gets a copy of each post of another channel."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from secrets import token_hex
from typing import Any, Literal

from redis.asyncio import Redis
from redis.exceptions import RedisError

from adapters.webhook.answers import ENDED_AFTER, confirms, on_answer, on_silence
from adapters.webhook.client import Answered, Unanswered, WebhookClient
from adapters.webhook.destination import Webhook, host_of, parse_address
from adapters.webhook.discord_format import render as render_discord
from adapters.webhook.json_format import dumped
from adapters.webhook.json_format import render as render_json
from adapters.webhook.settings import WebhookSettings
from adapters.webhook.signature import headers, identity_of, new_secret
from adapters.webhook.slack_format import render as render_slack
from bot.cards import Card
from bot.clock import Clock, wall_clock
from bot.domain.errors import (
    CardRefused,
    ChannelGone,
    ConfigurationError,
    LookupUnsupported,
    RetryLater,
    SendError,
    UserError,
)
from bot.domain.models import ChannelRef, MessageRef
from bot.encryption import Encryptor
from bot.ports import Core, Destination, Rate, Rates
from bot.settings import Settings
from bot.sources.http import user_agent
from bot.store import keys
from bot.store.copies import Copies

PLATFORM = "webhook"
MISCONFIGURED_PAUSE = 300.0
"""Seconds until the next attempt if no key decrypts the address: the operator has to restore the key."""
REMEMBERED = 2 * ENDED_AFTER
"""Time for which the start of a webhook's failure is stored."""

Render = Callable[[Card, ChannelRef, str, datetime], dict[str, Any]]
"""Renders a card, its channel, the post's label and the time as the fields of a request body."""
FORMATS: Mapping[str, Render] = {"json": render_json, "slack": render_slack, "discord": render_discord}


def build_platform(settings: Settings, redis: Redis) -> "WebhookPlatform":
    """Return the platform as configured. Raises ConfigurationError for a key that is too short."""
    encryptor = Encryptor.of(settings.secret_key.get_secret_value() if settings.secret_key else None)
    return WebhookPlatform(
        redis,
        encryptor,
        WebhookClient(
            user_agent=user_agent(settings.contact or settings.public_url or ""),
            now=wall_clock,
            private=settings.of(WebhookSettings).webhooks_private,
        ),
        now=wall_clock,
    )


class WebhookPlatform:
    """Sends each post as a request. Receives nothing. Posts can't be looked up, so they are resent with the same id."""

    name = PLATFORM
    rates = Rates(channel=Rate(1, 1.0))
    """Slack's limit per webhook. Discord's is 30 per minute; its 429 answers say how long to wait."""
    on_uncertain: Literal["resend", "hold"] = "resend"
    formats: Sequence[str] = tuple(FORMATS)

    def __init__(self, redis: Redis, encryptor: Encryptor, client: WebhookClient, *, now: Clock) -> None:
        self._redis = redis
        self._copies = Copies(redis)
        self._encryptor = encryptor
        self._client = client
        self._now = now

    async def run(self, core: Core) -> None:  # noqa: ARG002  # nothing comes in
        """Encrypt everything with the newest key, if there are several. Then wait, since nothing comes in."""
        if self._encryptor.rotating:
            await self._copies.reseal(PLATFORM, self._encryptor.reseal)
        await asyncio.Event().wait()

    async def send(self, to: ChannelRef, card: Card, key: str) -> MessageRef:
        """Send the post. All attempts have the same id. Raises a SendError."""
        channel, webhook = await self._webhook(to)
        label, at = key.partition("/")[2] or key, self._now()
        identity = identity_of(webhook.identity, label)
        try:
            values = FORMATS[webhook.form](card, channel, label, at)
            # In a thread: a large digest takes longer than the event loop should wait.
            body = await asyncio.to_thread(dumped, values)
        except (
            Exception
        ) as error:  # nothing was sent, so the core must not treat this as an uncertain delivery
            raise CardRefused(f"{type(error).__name__} while the body was composed: {error}"[:200]) from error
        signed = headers(webhook.secret, identity, int(at.timestamp()), body)
        outcome = await self._client.post(webhook.address, body, signed)
        if isinstance(outcome, Answered) and confirms(outcome.status):
            await self._clear_failure(to)
            return MessageRef(identity)
        raise await self._error(to, webhook.host, outcome, at)

    async def find(self, to: ChannelRef, key: str, since: datetime) -> MessageRef | None:
        """Raise LookupUnsupported: we can't look into the receiving program."""
        raise LookupUnsupported(f"can't look up whether {key} reached {to} since {since:%H:%M}")

    async def close(self) -> None:
        """Close all connections."""
        await self._client.close()

    async def destination(self, address: str, form: str, *, existing: Sequence[str]) -> Destination:
        """Return the record to store for an address. Raises UserError if nothing can be sent there."""
        if form not in FORMATS:
            *firsts, last = FORMATS
            formats = f"{', '.join(firsts)} or {last}" if firsts else last
            raise UserError(
                f"“format:” is {formats}, not “{form}”.", hint=f"/paper webhook add {address} format:{last}"
            )
        accepted = parse_address(address)
        known = filter(None, map(self._read, existing))
        if any(webhook.address == accepted for webhook in known):
            raise UserError("Posts are already sent to that address.", hint="/paper webhook list")
        await self._client.check(accepted)
        secret = new_secret()
        webhook = Webhook(identity=token_hex(16), address=accepted, form=form, secret=secret)
        return Destination(host_of(accepted), self._encryptor.seal(webhook.dumps()), secret)

    def describe(self, sealed: str) -> str:
        """Return the host and the format, not the path, which can be a secret."""
        webhook = self._read(sealed)
        return f"{webhook.host}, as {webhook.form}" if webhook else "an address that can't be read"

    def _read(self, sealed: str) -> Webhook | None:
        try:
            return Webhook.loads(self._encryptor.unseal(sealed))
        except (ConfigurationError, ValueError):
            return None

    async def _error(
        self, to: ChannelRef, host: str, outcome: Answered | Unanswered, at: datetime
    ) -> SendError:
        failing = await self._failing_for(to, at)
        if isinstance(outcome, Unanswered):
            return on_silence(outcome.what, outcome.reason, failing, host)
        return on_answer(outcome.status, outcome.retry_after, failing, host)

    async def _webhook(self, to: ChannelRef) -> tuple[ChannelRef, Webhook]:
        try:
            found = await self._copies.find(to)
        except (RedisError, OSError) as error:
            raise RetryLater(f"Redis is away: {error}", counts=False) from error
        if found is None:
            raise ChannelGone("this webhook was removed")
        channel, copy = found
        try:
            return channel, Webhook.loads(self._encryptor.unseal(copy.sealed))
        except (ConfigurationError, ValueError) as error:
            raise RetryLater(str(error), after=MISCONFIGURED_PAUSE, counts=False) from error

    async def _failing_for(self, to: ChannelRef, now: datetime) -> timedelta:
        """Record this failure; return the time for which the webhook has been failing."""
        key = _failing_since(to)
        try:
            await self._redis.set(key, now.timestamp(), nx=True, ex=REMEMBERED)
            since: Any = await self._redis.get(key)
        except (RedisError, OSError):
            return timedelta()
        return max(timedelta(), timedelta(seconds=now.timestamp() - float(since or now.timestamp())))

    async def _clear_failure(self, to: ChannelRef) -> None:
        with suppress(RedisError, OSError):  # the post was sent: an error must not cast doubt on that
            await self._redis.delete(_failing_since(to))


def _failing_since(to: ChannelRef) -> str:
    return keys.adapter_key(PLATFORM, "failing", str(to))

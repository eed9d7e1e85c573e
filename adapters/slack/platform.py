"""Slack as a platform."""

import asyncio
from collections.abc import Iterable
from datetime import datetime
from typing import Literal

from aiohttp.web import RouteDef
from redis.asyncio import Redis
from slack_bolt.async_app import AsyncApp
from slack_bolt.oauth.async_oauth_flow import AsyncOAuthFlow
from structlog import get_logger

from adapters.slack.answers import Answers
from adapters.slack.api import Api
from adapters.slack.app import Rooms, bolt_app, listen
from adapters.slack.doctor import examine
from adapters.slack.home import Home
from adapters.slack.http import INSTALL, routes
from adapters.slack.installations import RedisInstallationStore
from adapters.slack.lifecycle import Lifecycle
from adapters.slack.listeners import Listeners
from adapters.slack.oauth import oauth_flow
from adapters.slack.once import Once
from adapters.slack.places import Places
from adapters.slack.posting import Posting
from adapters.slack.socket import Socket
from adapters.slack.tasks import Tasks
from adapters.slack.tokens import InstalledTokens, OneToken, Tokens
from adapters.slack.ways import Way
from bot.cards import Card
from bot.domain.errors import ConfigurationError, RetryLater
from bot.domain.models import ChannelRef, MessageRef
from bot.encryption import Encryptor
from bot.ports import Core, Finding, Rate, Rates

DRAIN = 10.0
"""Seconds that answers have which are being given while the bot is stopped."""

_log = get_logger()


class SlackPlatform:
    """Posts to Slack, and listens to it over a socket or over HTTP."""

    name = "slack"
    rates = Rates(workspace=Rate(5, 1.0), channel=Rate(1, 1.0))
    """One message a second in a channel; "some hundreds a minute" in a workspace."""
    on_uncertain: Literal["resend", "hold"] = "resend"

    def __init__(self, way: Way, redis: Redis) -> None:
        self._way = way
        self._api = Api(way.api_url)
        self._redis = redis
        self._once = Once(redis)
        self._tasks = Tasks()
        self._store: RedisInstallationStore | None = None
        self._tokens: Tokens
        if way.bot_token:
            self._tokens = OneToken(self._api, way.bot_token)
        else:
            self._store = RedisInstallationStore(redis, Encryptor.of(way.secret_key))
            self._tokens = InstalledTokens(self._api, self._store, way.client_id, way.client_secret)
        self._posting = Posting(self._api, self._tokens, self._once)
        self._socket: Socket | None = None
        if way.kind == "socket":
            self._socket = Socket(self._api, way.app_token, OneToken(self._api, way.bot_token))

    def connected(self) -> bool:
        """Whether Slack can be heard; over HTTP it is Slack that calls."""
        return self._socket is None or self._socket.connected()

    def invitation(self) -> str | None:
        """The page by which a workspace installs the app, where every workspace may."""
        return f"{self._way.public_url}{INSTALL}" if self._store is not None else None

    async def run(self, core: Core) -> None:
        """Listen until cancelled: on a socket, while what comes over HTTP is the role `web`'s.

        Raises ConfigurationError where a token is refused.
        """
        if self._socket is not None:
            await self._socket.run(self._app(core), core)
            return
        if self._way.port is None:
            raise ConfigurationError(
                "Slack's HTTP mode needs PORT, where Slack's requests arrive; or set SLACK_APP_TOKEN for Socket Mode"
            )
        if self._store is not None:
            await self._store.reseal()
        if isinstance(self._tokens, OneToken):
            await self._resume(core, self._tokens)
        await asyncio.Event().wait()

    def routes(self, core: Core) -> Iterable[RouteDef]:
        """What Slack and browsers call over HTTP; nothing in Socket Mode."""
        if self._socket is not None:
            return ()
        oauth = None
        if self._store is not None:
            lifecycle = self._lifecycle(core)
            oauth = oauth_flow(self._way, self._api, self._redis, self._store, lifecycle)
        return routes(self._app(core, oauth), oauth)

    async def send(self, to: ChannelRef, card: Card, key: str) -> MessageRef:
        """Post a card, with its key in the message's metadata."""
        return await self._posting.send(to, card, key)

    async def find(self, to: ChannelRef, key: str, since: datetime) -> MessageRef | None:
        """Look for the key in the channel's history."""
        return await self._posting.find(to, key, since)

    async def edit(self, to: ChannelRef, message: MessageRef, card: Card) -> None:
        """Show a card in the place of a message."""
        await self._posting.edit(to, message, card)

    async def diagnose(self) -> Iterable[Finding]:
        """Look at tokens, scopes, the socket and the subscribed channels."""
        return await examine(self._way, self._api, self._tokens, self._redis)

    async def close(self) -> None:
        """Let answers that are being given arrive, then give the connections back."""
        await self._tasks.drain(DRAIN)
        await self._api.close()

    async def _resume(self, core: Core, token: OneToken) -> None:
        """The operator may have put a new token in the place of one that was refused."""
        try:
            await core.resume_workspace("slack", await token.workspace())
        except RetryLater as error:
            _log.warning("slack_unreachable", why=str(error))

    def _app(self, core: Core, oauth: AsyncOAuthFlow | None = None) -> AsyncApp:
        app = bolt_app(
            self._api,
            self._tokens,
            self._once,
            signing_secret=self._way.signing_secret if self._way.kind == "http" else None,
            oauth=oauth,
        )
        home = Home(self._api, self._tokens)
        listeners = Listeners(
            core=core,
            answers=Answers(self._api, self._tokens, self._posting),
            places=Places(self._api, self._tokens),
            home=home,
            once=self._once,
            tasks=self._tasks,
        )
        rooms = Rooms(
            listeners=listeners,
            lifecycle=self._lifecycle(core),
            home=home,
            once=self._once,
            tasks=self._tasks,
        )
        listen(app, core, rooms)
        return app

    def _lifecycle(self, core: Core) -> Lifecycle:
        return Lifecycle(core, self._tokens, self._posting, self._store)

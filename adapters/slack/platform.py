"""Slack as a platform: builds the parts and connects them."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from datetime import datetime
from typing import Literal

from aiohttp.web import RouteDef
from redis.asyncio import Redis
from slack_bolt.async_app import AsyncApp
from structlog import get_logger

from adapters.slack.api import Api
from adapters.slack.bolt_app import Handlers, add_listeners, bolt_app
from adapters.slack.calls import Calls
from adapters.slack.channels import Channels
from adapters.slack.connection_mode import ConnectionMode
from adapters.slack.dedup import Dedup
from adapters.slack.doctor import examine
from adapters.slack.home import Home
from adapters.slack.http import INSTALL, routes
from adapters.slack.installations import OneTimeStates, RedisInstallationStore
from adapters.slack.lifecycle import Lifecycle
from adapters.slack.listeners import BackgroundTasks, Listeners
from adapters.slack.notices import Notices
from adapters.slack.oauth import oauth_flow
from adapters.slack.outcomes import code_of
from adapters.slack.posting import Poster
from adapters.slack.replies import Replies
from adapters.slack.settings import SlackSettings
from adapters.slack.socket_mode import SocketConnection
from adapters.slack.tokens import InstalledTokens, OneToken, WorkspaceTokens
from adapters.slack.unfurling import Unfurling
from bot.cards import Card
from bot.clock import Clock, wall_clock
from bot.domain.errors import ConfigurationError, RetryLater, SendError
from bot.domain.models import ChannelRef, MessageRef, User
from bot.encryption import Encryptor
from bot.ports import Access, Core, Finding, Rate, Rates
from bot.store.limits import Limits
from bot.store.subscriptions import Subscriptions

THREAD_GONE = frozenset(
    {
        *("thread_not_found", "message_not_found", "cannot_reply_to_message"),
        *("restricted_action_thread_locked", "restricted_action_non_threadable_channel"),
    }
)
"""Slack's codes for a message whose thread can't be posted in."""
DRAIN = 10.0
"""Seconds to wait at shutdown for replies that are on their way."""

_log = get_logger()


class SlackPlatform:
    """Posts to Slack, and listens to it over a socket or over HTTP."""

    name = "slack"
    title = SlackSettings.title
    rates = Rates(workspace=Rate(5, 1.0), channel=Rate(1, 1.0))
    """Slack documents one message a second in a channel and “several hundred” a minute in a workspace."""
    on_uncertain: Literal["resend", "hold"] = "hold"
    """Without the history scopes a post can't be looked up; posting it again could show it twice."""

    def __init__(self, mode: ConnectionMode, redis: Redis, now: Clock = wall_clock) -> None:
        self._mode = mode
        self._now = now
        self._api = Api(mode.api_url)
        self._redis = redis
        self._dedup = Dedup(redis)
        self._tasks = BackgroundTasks()
        self._installations: tuple[RedisInstallationStore, OneTimeStates] | None = None
        self._tokens: WorkspaceTokens
        if mode.bot_token:
            self._tokens = OneToken(self._api, mode.bot_token, redis)
        else:
            encryptor = Encryptor.of(mode.secret_key)
            store = RedisInstallationStore(redis, encryptor)
            self._installations = store, OneTimeStates(redis, encryptor, now)
            self._tokens = InstalledTokens(self._api, store, mode.client_id, mode.client_secret, now)
        self._calls = Calls(self._api, self._tokens)
        self._channels = Channels(self._calls, redis)
        self._posting = Poster(self._calls, self._channels)
        self._notices = Notices(self._calls, self._posting, Subscriptions(redis))
        self._socket: SocketConnection | None = None
        if isinstance(self._tokens, OneToken) and mode.kind == "socket":
            self._socket = SocketConnection(self._api, mode.app_token, self._tokens)

    def connected(self) -> bool:
        """Whether the socket is open. Always true over HTTP, where it is Slack that connects."""
        return self._socket is None or self._socket.connected()

    def invitation(self) -> str | None:
        """Return the page on which any workspace can install the app, if there is one."""
        return f"{self._mode.public_url}{INSTALL}" if self._installations is not None else None

    async def run(self, core: Core) -> None:
        """Listen on the socket until cancelled. HTTP requests are handled by the role `web`, so nothing is done here.

        Raises ConfigurationError if a token is refused.
        """
        if self._socket is not None:
            await self._socket.run(self._app(core), core)
            return
        if self._mode.port is None:
            raise ConfigurationError(
                "Slack's HTTP mode needs PORT, where Slack's requests arrive. Or set SLACK_APP_TOKEN for Socket Mode"
            )
        if self._installations is not None:
            await self._installations[0].reseal()
        if isinstance(self._tokens, OneToken):
            await self._resume(core, self._tokens)
        await asyncio.Event().wait()

    def routes(self, core: Core) -> Iterable[RouteDef]:
        """Return the HTTP routes for Slack and browsers; none in Socket Mode."""
        if self._socket is not None:
            return ()
        oauth = None
        if self._installations is not None:
            oauth = oauth_flow(self._mode, self._api, *self._installations, self._lifecycle(core))
        return routes(self._app(core), self._mode.signing_secret, oauth, Limits(self._redis))

    async def send(self, to: ChannelRef, card: Card, key: str) -> MessageRef:
        """Post a card, with its key in the message's metadata."""
        return await self._posting.send(to, card, key)

    async def find(self, to: ChannelRef, key: str, since: datetime) -> MessageRef | None:
        """Look for the key in the channel's history."""
        return await self._posting.find(to, key, since)

    async def reply(self, to: ChannelRef, message: MessageRef, card: Card, key: str) -> MessageRef:
        """Post a card in a message's thread; in the channel if the message was deleted."""
        try:
            return await self._posting.reply(to, card, message.id, key)
        except SendError as error:
            if code_of(error) not in THREAD_GONE:
                raise
            return await self._posting.send(to, card, key)

    async def find_reply(
        self, to: ChannelRef, message: MessageRef, key: str, since: datetime
    ) -> MessageRef | None:
        """Look for the key in the message's thread."""
        try:
            return await self._posting.find(to, key, since, message.id)
        except SendError as error:
            if code_of(error) not in THREAD_GONE:
                raise
            return None

    async def edit(self, to: ChannelRef, message: MessageRef, card: Card) -> None:
        """Show a card in place of a message's content."""
        await self._posting.edit(to, message, card)

    async def join(self, channel: ChannelRef) -> str | None:
        """Join a public channel, so that posts can be looked up there."""
        return await self._channels.join(channel)

    async def access(self, user: User, channel: ChannelRef) -> Access:
        """Return the person's permissions in the channel, as Slack reports them."""
        return await self._channels.access(user, channel)

    async def channel_name(self, channel: ChannelRef) -> str:
        """Return the channel's name; "" if Slack doesn't say."""
        return await self._channels.name(channel)

    async def notify(self, channel: ChannelRef, problem: str) -> bool:
        """Send a problem as a direct message to someone who can help."""
        return await self._notices.notify(channel, problem)

    def diagnose(self) -> AsyncIterator[Finding]:
        """Check tokens, scopes, the socket and the subscribed channels."""
        return examine(self._mode, self._api, self._calls, self._redis)

    async def close(self) -> None:
        """Wait for replies that are on their way, then close the connections."""
        await self._tasks.drain(DRAIN)
        await self._api.close()

    async def _resume(self, core: Core, token: OneToken) -> None:
        """Resume the workspace: the operator may have replaced a token that was refused."""
        try:
            await core.resume_workspace("slack", await token.verified())
        except RetryLater as error:
            _log.warning("slack_unreachable", platform="slack", why=str(error))

    def _app(self, core: Core) -> AsyncApp:
        app = bolt_app(self._api, self._calls, self._dedup)
        home = Home(self._calls, self._now)
        listeners = Listeners(
            core=core,
            replies=Replies(self._api, self._calls, self._posting),
            channels=self._channels,
            home=home,
            dedup=self._dedup,
            tasks=self._tasks,
        )
        handlers = Handlers(
            listeners=listeners,
            lifecycle=self._lifecycle(core),
            home=home,
            unfurling=Unfurling(self._calls, self._dedup, self._tasks),
            dedup=self._dedup,
            tasks=self._tasks,
        )
        add_listeners(app, core, handlers)
        return app

    def _lifecycle(self, core: Core) -> Lifecycle:
        return Lifecycle(core, self._calls, self._tokens, self._channels, self._notices)

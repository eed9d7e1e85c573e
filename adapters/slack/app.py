"""Bolt's app with all listeners, the same for both ways in which Slack talks to us."""

import re
from dataclasses import dataclass
from time import monotonic
from typing import Any

from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.authorization.async_authorize import AsyncAuthorize
from slack_bolt.context.async_context import AsyncBoltContext
from slack_bolt.oauth.async_oauth_flow import AsyncOAuthFlow
from slack_bolt.response import BoltResponse

from adapters.slack.api import QUIET, Api
from adapters.slack.home import Home
from adapters.slack.lifecycle import EVENTS, Lifecycle
from adapters.slack.listeners import TOLD_AGAIN, Listeners, workspace_of
from adapters.slack.once import Once
from adapters.slack.tasks import Tasks
from adapters.slack.tokens import Tokens
from bot.domain.errors import WorkspaceGone
from bot.domain.models import User
from bot.ports import Core

NOT_INSTALLED = "Paperboy is not installed in this workspace any more. Ask an admin to install it again."
FRESH = 60.0
"""Seconds in which it is not looked up again that a workspace has the app: whoever calls has to be answered soon."""
SIGNATURE_LIVES = 600
"""Seconds; Bolt takes a signature for 300 before and after its time."""


class Authorize(AsyncAuthorize):
    """Finds the token for a request where posts find theirs. It asks Slack nothing: somebody waits."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens
        self._known: dict[str, tuple[float, str]] = {}

    async def __call__(
        self, *, context: AsyncBoltContext, enterprise_id: str | None, team_id: str | None, **_others: Any
    ) -> AuthorizeResult | None:
        """None where the app is not installed."""
        workspace, now = workspace_of(context), monotonic()
        until, bot_user = self._known.get(workspace, (0.0, ""))
        if until < now:
            try:
                bot_user = (await self._tokens.of(workspace)).bot_user
            except WorkspaceGone:
                return None
            self._known[workspace] = (now + FRESH, bot_user)
        return AuthorizeResult(enterprise_id=enterprise_id, team_id=team_id, bot_user_id=bot_user)


def bolt_app(
    api: Api,
    tokens: Tokens,
    once: Once,
    *,
    signing_secret: str | None = None,
    oauth: AsyncOAuthFlow | None = None,
) -> AsyncApp:
    """An app without listeners. Without a signing secret it takes no requests over HTTP."""

    async def refuse_replays(req: Any, next: Any) -> Any:  # noqa: A002  # Bolt's names
        signature = (req.headers.get("x-slack-signature") or [""])[0]
        if req.mode != "socket_mode" and not await once.first(f"signature:{signature}", SIGNATURE_LIVES):
            return BoltResponse(status=401)
        return await next()

    return AsyncApp(
        name="paperboy",
        logger=QUIET,
        client=api.asking(None),
        signing_secret=signing_secret,
        request_verification_enabled=signing_secret is not None,
        before_authorize=refuse_replays,
        authorize=Authorize(tokens),  # type: ignore[arg-type]  # Bolt declares functions only, and takes its own class, too
        oauth_flow=oauth,
        process_before_response=True,  # listeners end when they have acknowledged; Bolt would look every 10 ms
        user_facing_authorize_error_message=NOT_INSTALLED,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Rooms:
    """What the listeners work with."""

    listeners: Listeners
    lifecycle: Lifecycle
    home: Home
    once: Once
    tasks: Tasks


def listen(app: AsyncApp, core: Core, rooms: Rooms) -> None:
    """Give the app its listeners."""

    async def event(body: dict[str, Any], context: AsyncBoltContext) -> None:
        rooms.tasks.start(heard(body, workspace_of(context)))

    async def heard(body: dict[str, Any], workspace: str) -> None:
        if not await rooms.once.first(f"event:{body['event_id']}", TOLD_AGAIN):
            return
        told = body["event"]
        if told["type"] != "app_home_opened":
            await rooms.lifecycle.happened(told, workspace, float(body.get("event_time") or 0))
        elif told.get("tab") == "home":
            await rooms.home.publish(core, User(told["user"], ""), workspace)

    app.command(re.compile("/.+"))(rooms.listeners.command)
    app.action(re.compile(".*"))(rooms.listeners.action)
    app.view(re.compile(".*"))(rooms.listeners.submitted)
    for kind in EVENTS:
        app.event(kind)(event)

"""Bolt's app with all listeners, the same for Socket Mode and HTTP."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.authorization.async_authorize import AsyncAuthorize
from slack_bolt.context.async_context import AsyncBoltContext
from slack_bolt.response import BoltResponse
from structlog import get_logger

from adapters.slack.api import SDK_LOGGER, Api
from adapters.slack.calls import Calls
from adapters.slack.dedup import Dedup
from adapters.slack.home import Home
from adapters.slack.lifecycle import LINK_SHARED, Lifecycle
from adapters.slack.listeners import REPEAT_WINDOW, BackgroundTasks, Listeners, workspace_of
from adapters.slack.unfurling import Unfurling
from bot.domain.errors import SendError, WorkspaceGone
from bot.domain.models import User
from bot.ports import Core

NOT_INSTALLED = "Paperboy isn't installed in this workspace any more. Ask an admin to install it again."
AUTHORIZE_WAIT = 1.5
"""Seconds to wait for a workspace's token; everything has to be acknowledged within 3."""
LINKS_WAIT = 2.5
"""Seconds to wait for the cards below links; after that, we ask Slack to send the event again. Slack waits for 3."""
SIGNATURE_LIFE = 600
"""Seconds for which Slack's signatures are valid, from 300 before to 300 after their time."""

_log = get_logger()


class Authorize(AsyncAuthorize):
    """Finds out quickly, because a person is waiting, whether a request's workspace has the app."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def __call__(
        self, *, context: AsyncBoltContext, enterprise_id: str | None, team_id: str | None, **_others: Any
    ) -> AuthorizeResult | None:
        """Authorize a request of the workspace. Returns None if the app isn't installed there."""
        bot_user = ""
        try:
            async with asyncio.timeout(AUTHORIZE_WAIT):
                bot_user = (await self._calls.access(workspace_of(context))).bot_user
        except WorkspaceGone:
            return None
        except (SendError, TimeoutError) as error:  # acknowledge it anyway: the reply says what is wrong
            _log.warning("workspace_unknown", platform="slack", workspace=team_id, why=str(error))
        return AuthorizeResult(enterprise_id=enterprise_id, team_id=team_id, bot_user_id=bot_user)


def bolt_app(api: Api, calls: Calls, dedup: Dedup) -> AsyncApp:
    """Build an app without listeners. HTTP requests are verified before they reach it."""

    async def intercept(req: Any, next: Callable[[], Awaitable[Any]]) -> Any:  # noqa: A002  # Bolt's names
        """Refuse replayed requests. Acknowledge notices of rate limits, which need no listener."""
        signature = (req.headers.get("x-slack-signature") or [""])[0]
        if req.mode != "socket_mode" and not await dedup.is_first(f"signature:{signature}", SIGNATURE_LIFE):
            return BoltResponse(status=401)
        if req.body.get("type") == "app_rate_limited":
            _log.warning("events_rate_limited", platform="slack", workspace=req.body.get("team_id"))
            return BoltResponse(status=200)
        return await next()

    return AsyncApp(
        name="paperboy",
        logger=SDK_LOGGER,
        client=api.asking(None),
        request_verification_enabled=False,
        before_authorize=intercept,
        authorize=Authorize(calls),  # type: ignore[arg-type]  # Bolt accepts its own class, but declares functions only
        process_before_response=True,  # listeners return once they have acknowledged; else Bolt polls every 10 ms
        user_facing_authorize_error_message=NOT_INSTALLED,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Handlers:
    """The objects that handle requests."""

    listeners: Listeners
    lifecycle: Lifecycle
    home: Home
    unfurling: Unfurling
    dedup: Dedup
    tasks: BackgroundTasks


def add_listeners(app: AsyncApp, core: Core, handlers: Handlers) -> None:
    """Add the listeners to the app. Unhandled events are acknowledged, or Slack would send them again."""

    async def event(body: dict[str, Any], context: AsyncBoltContext) -> BoltResponse | None:
        workspace = workspace_of(context)
        if body["event"]["type"] != LINK_SHARED:
            handlers.tasks.start(handle(body, workspace))
        elif not await handlers.unfurling.answered(core, body, workspace, LINKS_WAIT):
            return BoltResponse(status=503)
        return None

    async def handle(body: dict[str, Any], workspace: str) -> None:
        if not await handlers.dedup.is_first(f"event:{body['event_id']}", REPEAT_WINDOW):
            return
        payload = body["event"]
        if payload["type"] != "app_home_opened":
            await handlers.lifecycle.handle(payload, workspace, float(body.get("event_time") or 0))
        elif payload.get("tab") == "home":
            await handlers.home.publish(core, User(payload["user"], ""), workspace)

    app.command(re.compile("/.+"))(handlers.listeners.command)
    app.action(re.compile(".*"))(handlers.listeners.action)
    app.message_shortcut(re.compile(".*"))(handlers.listeners.shortcut)
    app.view(re.compile(".*"))(handlers.listeners.submitted)
    app.event(re.compile(".+"))(event)

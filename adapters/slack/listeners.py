"""Passes commands, buttons and forms from Slack to the core."""

import asyncio
import re
from collections.abc import Coroutine, Mapping
from typing import Any

from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.context.async_context import AsyncBoltContext
from structlog import get_logger

from adapters.slack.block_kit import Json
from adapters.slack.channels import Channels
from adapters.slack.dedup import Dedup
from adapters.slack.forms import FORM, card_view, channel_in, corrected_view, filled_in, target_of
from adapters.slack.home import Home, channel_of
from adapters.slack.posting import in_room
from adapters.slack.replies import Interaction, Replies
from adapters.slack.typed_text import as_typed, text_of
from bot.cards import Card
from bot.cards.errors import error_card
from bot.commands.parser import INVOCATION, MAX_LINE
from bot.commands.specs import CommandSpec
from bot.commands.table import find
from bot.domain.errors import UserError
from bot.domain.models import ChannelRef, Command, User
from bot.ports import Core, Reply
from bot.text.mentions import papers_in

REPEAT_WINDOW = 3600
"""Seconds within which Slack may send the same event or interaction again."""
DIRECT = "D"
"""Prefix of the ids of direct messages."""
LONGEST_RAW = 5 * MAX_LINE
"""Maximum number of characters in a line as Slack sends it: an escaped `&` takes five."""
FORM_WAIT = 2.0
"""Seconds within which a form's result can replace the form; it has to be acknowledged within 3."""
SLOW = Card("reply", "This takes longer than usual. Look again in a moment to see whether it worked.")
_TURNS_PAGE = re.compile(r"(?:^|\s)page:[0-9]")

_log = get_logger()


class BackgroundTasks:
    """Tasks that continue after their request was acknowledged. Bolt doesn't keep track of them."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Run `work` in the background."""
        _ = self.started(work)

    def started(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run `work` in the background. Returns its task."""
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._ended)
        return task

    async def drain(self, seconds: float) -> None:
        """Wait until everything is done, `seconds` at most; then cancel the rest."""
        while self._running:
            _, late = await asyncio.wait(tuple(self._running), timeout=seconds)
            for task in late:
                task.cancel()

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()):
            _log.error("reply_failed", platform="slack", exc_info=error)


class Listeners:
    """Acknowledges at once, then asks the core and delivers its reply."""

    def __init__(
        self,
        *,
        core: Core,
        replies: Replies,
        channels: Channels,
        home: Home,
        dedup: Dedup,
        tasks: BackgroundTasks,
    ) -> None:
        self._core = core
        self._replies = replies
        self._channels = channels
        self._home = home
        self._dedup = dedup
        self._tasks = tasks

    async def command(self, ack: AsyncAck, body: dict[str, Any], context: AsyncBoltContext) -> None:
        """Handle a line typed after `/paper`."""
        await ack()
        self._tasks.start(self._command(body, context))

    async def action(self, ack: AsyncAck, body: dict[str, Any], context: AsyncBoltContext) -> None:
        """Handle a button or a menu. For a button that is a link, there is nothing to do."""
        await ack()
        line = line_of(body["actions"][0])
        if line:
            self._tasks.start(self._action(line, body, workspace_of(context)))

    async def shortcut(self, ack: AsyncAck, body: dict[str, Any], context: AsyncBoltContext) -> None:
        """Handle one of our entries in the menu of a message."""
        await ack()
        self._tasks.start(self._shortcut(body, workspace_of(context)))

    async def submitted(self, ack: AsyncAck, body: dict[str, Any], context: AsyncBoltContext) -> None:
        """Handle a submitted form. Its result replaces the form, as part of the acknowledgement."""
        view = body["view"]
        if view["callback_id"] != FORM:
            await ack()
            return
        submitting = asyncio.ensure_future(self._submitted(body, workspace_of(context)))
        done, _ = await asyncio.wait({submitting}, timeout=FORM_WAIT)
        shown = submitting.result() if done else card_view(SLOW, "", view["title"]["text"])
        await ack(response_action="update", view=shown)
        if not done:
            self._tasks.start(_finish(submitting))

    async def _submitted(self, body: Mapping[str, Any], workspace: str) -> Json:
        """Handle the form's command. Returns the view that replaces the form."""
        view = body["view"]
        name, channel_id = target_of(view)
        channel = ChannelRef("slack", workspace, channel_id)
        user = User(body["user"]["id"], _name(body["user"]))
        card = (await self._core.handle(Command(name, user, channel, filled_in(view)))).card
        if card.kind == "error":
            return corrected_view(view, card)
        return card_view(card, channel_id, view["title"]["text"])

    async def _command(self, body: Mapping[str, Any], context: AsyncBoltContext) -> None:
        if not await self._dedup.is_first(f"trigger:{body['trigger_id']}", REPEAT_WINDOW):
            return
        channel = place_of(workspace_of(context), body["channel_id"], body["user_id"])
        self._channels.seen(body["user_id"], channel)
        line = as_typed(str(body.get("text") or ""), context.bot_user_id or "", LONGEST_RAW)
        user = User(body["user_id"], body.get("user_name") or "")
        interaction = Interaction(user, channel, body["trigger_id"], body["response_url"])
        await self._replies.deliver(interaction, await self._reply_to(line, user, channel))

    async def _action(self, line: str, body: Mapping[str, Any], workspace: str) -> None:
        if not await self._dedup.is_first(f"trigger:{body['trigger_id']}", REPEAT_WINDOW):
            return
        view = body.get("view") or {}
        channel_id = (channel_of(body["actions"][0]) or channel_in(view)) if view else body["channel"]["id"]
        channel = place_of(workspace, channel_id, body["user"]["id"])
        container = body.get("container") or {}
        user = User(body["user"]["id"], _name(body["user"]))
        interaction = Interaction(
            user,
            channel,
            body["trigger_id"],
            body.get("response_url") or "",
            _message_id(channel_id, channel, container.get("message_ts") or ""),
            is_ephemeral=bool(container.get("is_ephemeral")),
            modal=str(view["id"]) if view.get("type") == "modal" else "",
            turns_page=bool(_TURNS_PAGE.search(line)),
        )
        await self._replies.deliver(interaction, await self._reply_to(line, user, channel))
        if view.get("type") == "home":
            await self._home.publish(self._core, user, workspace)

    async def _shortcut(self, body: Mapping[str, Any], workspace: str) -> None:
        if not await self._dedup.is_first(f"trigger:{body['trigger_id']}", REPEAT_WINDOW):
            return
        channel = place_of(workspace, body["channel"]["id"], body["user"]["id"])
        user = User(body["user"]["id"], _name(body["user"]))
        interaction = Interaction(user, channel, body["trigger_id"], body["response_url"])
        papers = " ".join(papers_in(text_of(body["message"])))
        command = Command(body["callback_id"], user, channel, {"papers": papers})
        await self._replies.deliver(interaction, await self._core.handle(command))

    async def _reply_to(self, line: str, user: User, channel: ChannelRef) -> Reply:
        """Return the core's reply; or, before anything is changed, the reason why nothing can be posted here."""
        spec = spec_of(line)
        if spec is None or not spec.posts or channel.person:
            return await self._core.handle_text(line, user, channel)
        try:
            async with self._channels.reserved(channel, self._core):
                return await self._core.handle_text(line, user, channel)
        except UserError as error:
            return Reply(error_card(error))


def place_of(workspace: str, channel: str, user: str) -> ChannelRef:
    """Return a command's channel; in direct messages, even with a colleague, the person's own: answers are private."""
    if channel.startswith(DIRECT):
        return ChannelRef.of_person("slack", workspace, user)
    return ChannelRef("slack", workspace, channel)


def _message_id(room: str, channel: ChannelRef, ts: str) -> str:
    return in_room(room, ts) if channel.person and ts else ts


def workspace_of(context: AsyncBoltContext) -> str:
    """Return the workspace of a verified request."""
    return str(context.team_id)


def line_of(action: Mapping[str, Any]) -> str:
    """Return the command line that a button or a menu's option runs; empty for a link."""
    chosen = action.get("selected_option") or {}
    return str(action.get("value") or chosen.get("value") or "") if "url" not in action else ""


def spec_of(line: str) -> CommandSpec | None:
    """Return the command that a line begins with."""
    words = INVOCATION.sub("", line.strip(), count=1).split(maxsplit=1)
    return find(words[0]) if words else None


async def _finish(task: "asyncio.Future[Json]") -> None:
    await task


def _name(user: Mapping[str, Any]) -> str:
    return str(user.get("username") or user.get("name") or "")

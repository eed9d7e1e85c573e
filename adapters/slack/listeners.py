"""What people do in Slack, handed to the core: commands, buttons, forms."""

import asyncio
import re
from collections.abc import Mapping
from typing import Any

from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.context.async_context import AsyncBoltContext

from adapters.slack.answers import Answers, Asked
from adapters.slack.elements import Json
from adapters.slack.forms import FORM, asked_by, card_view, channel_in, corrected_view, filled_in
from adapters.slack.home import Home, channel_of
from adapters.slack.once import Once
from adapters.slack.places import Places
from adapters.slack.tasks import Tasks
from bot.cards import Card
from bot.cards.problem import error_card
from bot.commands.line import INVOCATION
from bot.commands.table import CommandSpec, find
from bot.domain.errors import UserError
from bot.domain.models import ChannelRef, Command, User
from bot.ports import Core

TOLD_AGAIN = 3600
"""Seconds in which Slack may tell us of the same event or interaction once more."""
DIRECT = "directmessage"
"""What a direct message is called in place of a channel's name."""
PATIENCE = 2.0
"""Seconds in which what comes of a form can take its place; it has to be acknowledged within 3."""
SLOW = Card("reply", "That takes longer than usual. /paper settings shows what became of it.")
NEEDS_CHANNEL = "Papers are posted to channels, not to direct messages. Say that in a channel."
_TURNS_PAGE = re.compile(r"(?:^|\s)page:[0-9]+")
_LINK = re.compile(r"<(?:(https?:[^>|]+)(?:\|[^>]*)?|[#@!][^>|]*\|?([^>]*))>")


class Listeners:
    """Acknowledges at once, then asks the core and brings its answer."""

    def __init__(
        self, *, core: Core, answers: Answers, places: Places, home: Home, once: Once, tasks: Tasks
    ) -> None:
        self._core = core
        self._answers = answers
        self._places = places
        self._home = home
        self._once = once
        self._tasks = tasks

    async def command(self, ack: AsyncAck, body: dict[str, Any], context: AsyncBoltContext) -> None:
        """A line typed after `/paper`."""
        await ack()
        self._tasks.start(self._command(body, workspace_of(context)))

    async def action(self, ack: AsyncAck, body: dict[str, Any], context: AsyncBoltContext) -> None:
        """A button or a menu. A button that is a link opens by itself."""
        await ack()
        line = line_of(body["actions"][0])
        if line:
            self._tasks.start(self._action(line, body, workspace_of(context)))

    async def submitted(self, ack: AsyncAck, body: dict[str, Any], context: AsyncBoltContext) -> None:
        """A form was sent in. What comes of it takes the form's place, so it is acknowledged with it."""
        view = body["view"]
        if view["callback_id"] != FORM:
            await ack()
            return
        submitting = asyncio.ensure_future(self._submitted(body, workspace_of(context)))
        done, _ = await asyncio.wait({submitting}, timeout=PATIENCE)
        shown = submitting.result() if done else card_view(SLOW, "", view["title"]["text"])
        await ack(response_action="update", view=shown)
        if not done:
            self._tasks.start(_ended(submitting))

    async def _submitted(self, body: Mapping[str, Any], workspace: str) -> Json:
        """What is shown in the form's place."""
        view = body["view"]
        name, channel_id = asked_by(view)
        channel = ChannelRef("slack", workspace, channel_id)
        user = await self._user(body["user"]["id"], _name(body["user"]), channel)
        card = (await self._core.handle(Command(name, user, channel, filled_in(view)))).card
        if card.kind == "error":
            return corrected_view(view, card)
        return card_view(card, channel_id, view["title"]["text"])

    async def _command(self, body: Mapping[str, Any], workspace: str) -> None:
        if not await self._once.first(f"trigger:{body['trigger_id']}", TOLD_AGAIN):
            return
        channel = ChannelRef("slack", workspace, body["channel_id"])
        line = as_typed(body.get("text") or "")
        user = await self._user(body["user_id"], body.get("user_name") or "", channel)
        asked = Asked(user, channel, body["trigger_id"], body["response_url"])
        problem = await self._problem(line, channel, direct=body.get("channel_name") == DIRECT)
        if problem is not None:
            await self._answers.show(asked, problem)
            return
        await self._answers.give(asked, await self._core.handle_text(line, user, channel))

    async def _action(self, line: str, body: Mapping[str, Any], workspace: str) -> None:
        if not await self._once.first(f"trigger:{body['trigger_id']}", TOLD_AGAIN):
            return
        view = body.get("view") or {}
        channel_id = (channel_of(body["actions"][0]) or channel_in(view)) if view else body["channel"]["id"]
        channel = ChannelRef("slack", workspace, channel_id)
        container = body.get("container") or {}
        user = await self._user(body["user"]["id"], _name(body["user"]), channel)
        asked = Asked(
            user,
            channel,
            body["trigger_id"],
            body.get("response_url") or "",
            container.get("message_ts") or "",
            bool(container.get("is_ephemeral")),
            str(view["id"]) if view.get("type") == "modal" else "",
            bool(_TURNS_PAGE.search(line)),
        )
        problem = await self._problem(line, channel, direct=channel_id.startswith("D"))
        if problem is not None:
            await self._answers.show(asked, problem)
            return
        await self._answers.give(asked, await self._core.handle_text(line, user, channel))
        if view.get("type") == "home":
            await self._home.publish(self._core, user, workspace)

    async def _problem(self, line: str, channel: ChannelRef, *, direct: bool) -> Card | None:
        """Why the command can't be carried out here, before anything is changed."""
        spec = spec_of(line)
        if direct and spec is not None and not spec.anywhere:
            return error_card(UserError(NEEDS_CHANNEL, hint="/paper help"))
        if spec is not None and spec.posts:
            try:
                await self._places.reach(channel, self._core)
            except UserError as error:
                return error_card(error)
            await self._core.resume(channel)
        return None

    async def _user(self, user_id: str, name: str, channel: ChannelRef) -> User:
        return User(user_id, name, await self._places.may_manage(user_id, channel, self._core))


def workspace_of(context: AsyncBoltContext) -> str:
    """The workspace of a verified request; the organisation, where that installed the app for all of its."""
    whole = context.is_enterprise_install and context.enterprise_id
    return str(context.enterprise_id if whole else context.team_id)


def line_of(action: Mapping[str, Any]) -> str:
    """What a button or a menu's option says that it does."""
    chosen = action.get("selected_option") or {}
    return str(action.get("value") or chosen.get("value") or "") if "url" not in action else ""


def as_typed(text: str) -> str:
    """A line without the marks that Slack puts around links and names where an app asks for that."""
    plain = _LINK.sub(lambda found: found[1] or found[2] or "", text)
    return plain.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def spec_of(line: str) -> CommandSpec | None:
    """The command that a line begins with."""
    words = INVOCATION.sub("", line.strip(), count=1).split(maxsplit=1)
    return find(words[0]) if words else None


async def _ended(task: "asyncio.Future[Json]") -> None:
    await task


def _name(user: Mapping[str, Any]) -> str:
    return str(user.get("username") or user.get("name") or "")

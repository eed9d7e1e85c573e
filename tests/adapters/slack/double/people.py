"""Actions of a person in Slack, and what they see."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from time import time
from typing import TYPE_CHECKING, Any

from tests.adapters.slack.double.methods import checked_view
from tests.adapters.slack.double.world import Channel, Json, Message, Workspace

if TYPE_CHECKING:
    from tests.adapters.slack.double.service import Slack


@dataclass(frozen=True, slots=True)
class View:
    """A modal or App Home on a person's screen."""

    view: Json

    @property
    def text(self) -> str:
        return words(self.view["blocks"])

    @property
    def title(self) -> str:
        return str(self.view["title"]["text"])


Surface = Message | View


class Person:
    """A person in a workspace. Slack informs the app of their actions."""

    def __init__(self, slack: "Slack", workspace: Workspace, user: str) -> None:
        self.slack = slack
        self.workspace = workspace
        self.user = user

    async def type(self, channel: Channel, text: str, command: str = "/paper") -> str:
        """Send a slash command. Return its trigger. Raises NotAcknowledged."""
        payload = self.typed(channel, text, command)
        ack = await self.slack.send("slash_commands", payload)
        assert not ack.payload, "the acknowledgement must not contain an answer"
        return str(payload["trigger_id"])

    def typed(self, channel: Channel, text: str, command: str = "/paper") -> Json:
        """Return the payload of a slash command."""
        assert self.slack.app.command(command), f"the manifest lacks {command}"
        assert self.user in channel.members, "the person isn't in that channel"
        assert not channel.archived, "an archived channel doesn't accept commands"
        trigger = self.slack.trigger(self.user)
        kind = "privategroup" if channel.private else channel.name
        return {
            "token": "legacy",
            "team_id": self.workspace.id,
            "team_domain": self.workspace.name,
            "channel_id": channel.id,
            "channel_name": "directmessage" if channel.direct else kind,
            "user_id": self.user,
            "user_name": self.workspace.people[self.user]["name"],
            "command": command,
            "text": text,
            "api_app_id": self.slack.app.id,
            "is_enterprise_install": "false",
            "response_url": self.slack.response_url(channel, self.user, trigger),
            "trigger_id": trigger,
        }

    async def press(self, on: Surface, label: str, app_of: Workspace | None = None, *, link: str = "") -> str:
        """Press a button, or choose from a menu. Return the trigger. Raises NotAcknowledged or KeyError.

        `app_of` is the workspace whose app posted the message, if it isn't the person's own. With a `link`, the button
        is on the card below that link.
        """
        team = app_of or self.workspace
        blocks = (
            on.view["blocks"] if isinstance(on, View) else on.unfurls[link]["blocks"] if link else on.blocks
        )
        action = dict(actions(blocks))[label]
        trigger = self.slack.trigger(self.user)
        payload: Json = {
            "type": "block_actions",
            "team": {"id": team.id, "domain": team.name},
            "user": {
                "id": self.user,
                "username": self.workspace.people[self.user]["name"],
                "team_id": self.workspace.id,
            },
            "api_app_id": self.slack.app.id,
            "token": "legacy",
            "trigger_id": trigger,
            "enterprise": None,
            "is_enterprise_install": False,
            "actions": [action | {"action_ts": f"{time():.6f}"}],
        }
        if isinstance(on, View):
            payload |= {"view": on.view, "container": {"type": "view"}}
        else:
            assert on.only_for in {None, self.user}, "the person can't see that message"
            payload |= {
                "channel": {"id": on.channel.id, "name": on.channel.name},
                "container": {
                    "type": "message",
                    "message_ts": on.ts,
                    "channel_id": on.channel.id,
                    "is_ephemeral": on.only_for is not None,
                },
                "message": {"ts": on.ts, "text": on.text, "blocks": on.blocks},
                "response_url": self.slack.response_url(on.channel, self.user, trigger, on),
            }
            if on.only_for is not None or link:
                del payload["message"]  # Slack omits it
            if link:
                shown = {"app_unfurl_url": link, "is_app_unfurl": True}
                payload["container"] |= shown | {"type": "message_attachment", "attachment_id": 1}
                payload["app_unfurl"] = shown | {"id": 1, "blocks": on.unfurls[link]["blocks"]}
        await self.slack.send("interactive", payload)
        return trigger

    async def submit(self, form: View, **values: str) -> View | None:
        """Submit a form with these values changed. Return the next view, or None if the form was closed."""
        state = {
            name: {"value": _input_state(element, values.get(name))} for name, element in _inputs(form.view)
        }
        unknown = set(values) - set(state)
        assert not unknown, f"the form lacks {unknown}"
        view = {k: v for k, v in form.view.items() if k != "for"} | {"state": {"values": state}}
        ack = await self.slack.send(
            "interactive",
            {
                "type": "view_submission",
                "team": {"id": self.workspace.id, "domain": self.workspace.name},
                "user": {
                    "id": self.user,
                    "username": self.workspace.people[self.user]["name"],
                    "team_id": self.workspace.id,
                },
                "api_app_id": self.slack.app.id,
                "token": "legacy",
                "trigger_id": self.slack.trigger(self.user),
                "view": view,
                "enterprise": None,
                "is_enterprise_install": False,
            },
        )
        if ack.payload.get("response_action") == "update":
            stored = self.slack.methods.views[form.view["id"]]
            stored |= checked_view(ack.payload["view"], "modal")
            return View(stored)
        del self.slack.methods.views[form.view["id"]]
        return None

    async def home_opened(self) -> None:
        """Open App Home."""
        await self.slack.event(
            self.workspace,
            {"type": "app_home_opened", "user": self.user, "tab": "home", "channel": "D0"},
        )

    async def open_home(self) -> View:
        """Open App Home, wait until the app has filled it, and return it."""
        homes = self.workspace.homes
        homes.pop(self.user, None)
        await self.home_opened()
        await self.slack.until(lambda: self.user in homes)
        return View(homes[self.user])

    async def invite(self, channel: Channel) -> None:
        """Type `/invite @Paperboy`."""
        assert self.user in channel.members
        channel.members.add(self.workspace.bot_user)
        await self.slack.event(
            self.workspace,
            {
                "type": "member_joined_channel",
                "user": self.workspace.bot_user,
                "channel": channel.id,
                "channel_type": "G" if channel.private else "C",
                "team": self.workspace.id,
                "inviter": self.user,
            },
        )

    async def remove(self, channel: Channel) -> None:
        """Remove the app from a channel."""
        channel.members.discard(self.workspace.bot_user)
        kind = "group_left" if channel.private else "channel_left"
        await self.slack.event(self.workspace, {"type": kind, "channel": channel.id, "actor_id": self.user})

    async def archive(self, channel: Channel, *, archived: bool = True) -> None:
        """Archive a channel, or unarchive it (`archived=False`)."""
        channel.archived = archived
        kind = f"{'group' if channel.private else 'channel'}_{'archive' if archived else 'unarchive'}"
        await self.slack.event(self.workspace, {"type": kind, "channel": channel.id, "user": self.user})

    async def leave(self, channel: Channel) -> None:
        """Leave a channel, or be removed from it. The app isn't informed of that."""
        channel.members.discard(self.user)

    async def change_id(self, channel: Channel) -> None:
        """Give a channel another id, as happens when a private channel is shared."""
        old = channel.id
        channel.id = self.slack.world.new_id("C")
        self.workspace.channels[channel.id] = self.workspace.channels.pop(old)
        event = {"type": "channel_id_changed", "old_channel_id": old, "new_channel_id": channel.id}
        await self.slack.event(self.workspace, event)

    async def uninstall(self) -> None:
        """Remove the app from the workspace."""
        bot = self.workspace.bot_user
        self.slack.world.uninstall(self.workspace)
        await self.slack.event(
            self.workspace, {"type": "tokens_revoked", "tokens": {"oauth": [], "bot": [bot]}}
        )
        await self.slack.event(self.workspace, {"type": "app_uninstalled"})

    def answers(self, trigger: str) -> list[Surface]:
        """Return the answers to the action with this trigger, latest last."""
        found: list[Surface] = [
            message
            for channel in self.workspace.channels.values()
            for message in channel.messages
            if message.options.get("trigger") == trigger
        ]
        return found

    def modals(self) -> list[View]:
        """Return the modals on their screen, topmost last."""
        return [View(view) for view in self.slack.methods.views.values() if view["for"] == self.user]

    def direct(self) -> list[Message]:
        """Return the direct messages from the app."""
        return [
            m
            for c in self.workspace.channels.values()
            if c.direct and self.user in c.members
            for m in c.messages
        ]


def words(value: Any) -> str:
    """Return all text of blocks, in reading order."""
    return "\n".join(_texts(value))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for part in value:
            yield from _texts(part)
    elif isinstance(value, Mapping):
        kind = value.get("type")
        if kind in {"rich_text_section", "rich_text_preformatted"}:
            yield "".join(_mention(part) for part in value["elements"])
            return
        if isinstance(value.get("text"), str):
            yield value["text"]
        for name in ("text", "label", "hint", "elements", "element", "blocks", "options"):
            part = value.get(name)
            if isinstance(part, list | Mapping):
                yield from _texts(part)


def _mention(part: Mapping[str, Any]) -> str:
    if part["type"] == "channel":
        return f"<#{part['channel_id']}>"
    return str(part.get("text") or part.get("url") or "")


def actions(blocks: Sequence[Json]) -> Iterator[tuple[str, Json]]:
    """Yield each button's label and payload, without link buttons: the client opens those."""
    for block in blocks:
        elements = (
            [*block.get("elements", ())] if block["type"] == "actions" else [block.get("accessory", {})]
        )
        for element in elements:
            payload = {"block_id": block.get("block_id", "auto"), "action_id": element.get("action_id", "")}
            if element.get("type") == "button" and "url" not in element:
                yield element["text"]["text"], payload | {"type": "button", "value": element["value"]}
            if element.get("type") == "overflow":
                for option in element["options"]:
                    yield option["text"]["text"], payload | {"type": "overflow", "selected_option": option}


def _inputs(view: Json) -> Iterator[tuple[str, Json]]:
    for block in view["blocks"]:
        if block["type"] == "input":
            yield block["block_id"], block["element"]


def _input_state(element: Json, value: str | None) -> Json:
    """Return the state of an input: the text typed or the option with this label, else the initial value."""
    if element["type"] == "static_select":
        chosen = element.get("initial_option")
        if value is not None:
            chosen = next(option for option in element["options"] if option["text"]["text"] == value)
        return {"type": "static_select", "selected_option": chosen}
    typed = element.get("initial_value") if value is None else value
    return {"type": "plain_text_input", "value": typed or None}

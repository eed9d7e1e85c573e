"""`/paper feed` and `/paper api`: access to a channel's posts for feed readers and programs."""

from dataclasses import dataclass
from urllib.parse import quote

from bot.cards import Block, Bullets, Button, Card, Span, Text
from bot.cards.build import actions, bold, code, dim, paragraph, text
from bot.cards.paper import QUERY
from bot.commands.resolve import resolve_subscription
from bot.commands.services import Services
from bot.commands.webhooks import by_option
from bot.domain.errors import UserError
from bot.domain.models import Command
from bot.ports import Reply
from bot.store.tokens import SHARED_LIST, Grant
from bot.text import shorten

WARNING = "Anyone who has this address can read these posts, so share it with care."
LIST_WARNING = "Anyone who has this address can read the list and its notes, so share it with care."


@dataclass(frozen=True, slots=True)
class _Shown:
    """Contents of a feed."""

    number: int
    name: str
    typed: str
    """The command that shows its address."""


_CHANGES = {
    "on": "show",
    "show": "show",
    "new": "new",
    "off": "off",
    "stop": "off",
    "end": "off",
    "delete": "off",
}
"""Values of `feed:` that people type in place of a subscription."""


async def feed(command: Command, services: Services) -> Reply:
    """Reply with the address of a feed: the channel's, a subscription's or the shared list's. Make a missing one."""
    _require_pages(services)
    if misplaced := _CHANGES.get(command.options.get("subscription", "").casefold()):
        raise UserError(
            f"Type it as name:value, like feed:{misplaced}.", hint=f"/paper feed feed:{misplaced}"
        )
    shown = await _shown(command, services)
    change = command.options.get("feed", "show")
    if change == "off":
        ended = await services.tokens.end(command.channel, "feed", shown.number)
        return Reply(_feed_off(shown, ended=ended))
    secret = await services.tokens.secret(command.channel, shown.number)
    if change == "new" or secret is None:
        await services.access.check_edit(command, await services.settings.of(command.channel))
        grant = Grant(channel=command.channel, kind="feed", number=shown.number, at=services.now())
        secret = await services.tokens.make(grant)
    return Reply(_feed_card(shown, f"{services.public_url}/feeds/{secret}", replaced=change == "new"))


async def _shown(command: Command, services: Services) -> _Shown:
    if command.options.get("list"):
        return _Shown(SHARED_LIST, "the shared list of this channel", "feed list:here")
    typed = command.options.get("subscription", "").strip()
    if not typed:
        return _Shown(0, "all posts of this channel", "feed")
    subscription = await resolve_subscription(typed, command.channel, services)
    return _Shown(
        subscription.number,
        f"#{subscription.number}: {shorten(subscription.query, QUERY)}",
        f"feed #{subscription.number}",
    )


async def api(command: Command, services: Services) -> Reply:
    """Say whether the channel has a token for programs, make one (shown once), or end it. Handles `webhook:`, too."""
    if command.options.get("webhook", "").strip():
        return await by_option(command, services)
    _require_pages(services)
    change = command.options.get("token", "show")
    if change == "new":
        grant = Grant(channel=command.channel, kind="api", at=services.now())
        return Reply(_token_card(await services.tokens.make(grant), command, services))
    if change == "off":
        ended = await services.tokens.end(command.channel, "api")
        message = (
            "The token ended. Programs that use it are refused now." if ended else "There is no token to end."
        )
        return Reply(Card("reply", message, blocks=(paragraph(message),)))
    exists = await services.tokens.has(command.channel, "api")
    message = (
        "This channel has a token. It was shown once, when it was made."
        if exists
        else "This channel has no token yet."
    )
    buttons = (Button("Replace it", "api new"), Button("End it", "api off")) if exists else ()
    lines: tuple[Block, ...] = (
        paragraph(message),
        paragraph(
            "Search and trending papers need no token: ", _link(f"{services.public_url}/api/v1/openapi.json")
        ),
        *actions(*(buttons or (Button("Make a token", "api new"),)), Button("Webhooks", "webhook list")),
    )
    return Reply(Card("reply", message, "For programs", lines))


def _feed_card(shown: _Shown, address: str, *, replaced: bool) -> Card:
    """Return a card with the addresses, what to know about them, and how to end them."""
    lines: list[Text] = [
        text("Atom: ", _link(f"{address}.atom")),
        text("JSON Feed: ", _link(f"{address}.json")),
    ]
    if shown.number == 0:
        lines.append(text("All subscriptions, as OPML: ", _link(f"{address}.opml")))
    return Card(
        "reply",
        f"{'New feed' if replaced else 'Feed'} of {shown.name}",
        blocks=(
            paragraph("The former address has ended. " if replaced else "", "Feed of ", bold(shown.name)),
            Bullets(tuple(lines)),
            paragraph(dim(WARNING if shown.number != SHARED_LIST else LIST_WARNING)),
            *actions(
                Button("Replace the address", f"{shown.typed} feed:new"),
                Button("End it", f"{shown.typed} feed:off"),
            ),
        ),
    )


def _feed_off(shown: _Shown, *, ended: bool) -> Card:
    what = {0: "of this channel", SHARED_LIST: "of the shared list"}.get(shown.number, f"of #{shown.number}")
    message = (
        f"The feed {what} has ended: its address shows nothing now." if ended else f"There is no feed {what}."
    )
    again = Button("Make a new one", f"{shown.typed} feed:new")
    return Card("reply", message, blocks=(paragraph(message), *actions(again)))


def _token_card(secret: str, command: Command, services: Services) -> Card:
    posts = f"{services.public_url}/api/v1/channels/{quote(str(command.channel), safe=':@.-_~')}/posts"
    return Card(
        "reply",
        "A new token for programs. It is shown only this once.",
        "A new token",
        (
            paragraph("It is shown only this once, and replaces any former token: ", code(secret)),
            Bullets(
                (
                    text("Send it as ", code("Authorization: Bearer …")),
                    text("What was posted here: ", _link(posts)),
                    text("All of it: ", _link(f"{services.public_url}/api/v1/openapi.json")),
                )
            ),
            paragraph(
                dim(
                    "A program that has it can read this channel's posts and subscriptions, but can't change anything."
                )
            ),
            *actions(Button("End it", "api off")),
        ),
    )


def _link(address: str) -> Span:
    return Span(address, url=address)


def _require_pages(services: Services) -> None:
    if not services.public_url:
        raise UserError(
            "That needs a web address, and this Paperboy has none. Its operator can set PORT and PAPERBOY_PUBLIC_URL."
        )

"""`/paper feed` and `/paper api`: how a channel's posts are read elsewhere, by a feed reader or a program."""

from urllib.parse import quote

from bot.cards import Block, Bullets, Button, Card, Span, Text
from bot.cards.build import actions, bold, code, dim, paragraph, text
from bot.cards.paper import QUERY
from bot.commands.resolve import resolve_subscription
from bot.commands.services import Services
from bot.domain.errors import UserError
from bot.domain.models import Command, Subscription
from bot.ports import Reply
from bot.store.tokens import Grant
from bot.text import shorten

WARNING = "Anyone who has this address can read these posts, so share it with care."


async def feed(command: Command, services: Services) -> Reply:
    """The address of the channel's feed, or of one subscription's; it is made when it is first asked for."""
    _require_pages(services)
    typed = command.options.get("subscription", "")
    of = await resolve_subscription(typed, command.channel, services) if typed.strip() else None
    number = of.number if of else 0
    change = command.options.get("feed", "show")
    if change == "off":
        ended = await services.tokens.end(command.channel, "feed", number)
        return Reply(_feed_off(of, ended=ended))
    secret = await services.tokens.secret(command.channel, number)
    if change == "new" or secret is None:
        await services.access.check_edit(command, await services.settings.of(command.channel))
        grant = Grant(channel=command.channel, kind="feed", number=number, at=services.now())
        secret = await services.tokens.make(grant)
    return Reply(feed_card(of, f"{services.public_url}/feeds/{secret}", replaced=change == "new"))


async def api(command: Command, services: Services) -> Reply:
    """Whether the channel has a token for programs; a new one is shown once."""
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
        *actions(*(buttons or (Button("Make a token", "api new"),))),
    )
    return Reply(Card("reply", message, "For programs", lines))


def feed_card(of: Subscription | None, address: str, *, replaced: bool = False) -> Card:
    """The addresses, what to know about them, and how to end them."""
    what = f"#{of.number}: {shorten(of.query, QUERY)}" if of else "all posts of this channel"
    typed = f"feed #{of.number}" if of else "feed"
    lines: list[Text] = [
        text("Atom: ", _link(f"{address}.atom")),
        text("JSON Feed: ", _link(f"{address}.json")),
    ]
    if of is None:
        lines.append(text("All subscriptions, as OPML: ", _link(f"{address}.opml")))
    return Card(
        "reply",
        f"{'New feed' if replaced else 'Feed'} of {what}",
        blocks=(
            paragraph("The former address has ended. " if replaced else "", "Feed of ", bold(what)),
            Bullets(tuple(lines)),
            paragraph(dim(WARNING)),
            *actions(
                Button("Replace the address", f"{typed} feed:new"), Button("End it", f"{typed} feed:off")
            ),
        ),
    )


def _feed_off(of: Subscription | None, *, ended: bool) -> Card:
    what = f"of #{of.number}" if of else "of this channel"
    message = (
        f"The feed {what} has ended: its address shows nothing now." if ended else f"There is no feed {what}."
    )
    again = f"feed #{of.number}" if of else "feed"
    return Card(
        "reply", message, blocks=(paragraph(message), *actions(Button("Make a new one", f"{again} feed:new")))
    )


def _token_card(secret: str, command: Command, services: Services) -> Card:
    posts = f"{services.public_url}/api/v1/channels/{quote(str(command.channel), safe=':@.-_~')}/posts"
    return Card(
        "reply",
        "A new token for programs. It is shown only this once.",
        "A new token",
        (
            paragraph("It is shown only this once, and a former one has ended: ", code(secret)),
            Bullets(
                (
                    text("Send it as ", code("Authorization: Bearer …")),
                    text("What was posted here: ", _link(posts)),
                    text("All of it: ", _link(f"{services.public_url}/api/v1/openapi.json")),
                )
            ),
            paragraph(
                dim(
                    "A program that has it can read this channel's posts and subscriptions, and change nothing."
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

"""An address's own pages: everything that `/paper` does, a way out with one click, and to be forgotten."""

import asyncio
from contextlib import suppress
from dataclasses import replace
from urllib.parse import urlsplit

from aiohttp import web

from adapters.email.address import Address
from adapters.email.bounces import LARGEST, take_back
from adapters.email.desk import A_LETTER_AN_HOUR, REQUESTS, Desk, fields
from bot.cards import Card, Form
from bot.commands.line import parse_line
from bot.commands.table import shown
from bot.domain.errors import UserError
from bot.domain.models import ChannelRef, Command, User
from bot.ports import Rate, Reply

COMMANDS = Rate(60, 60)
"""Of one address."""
FULLER = 5.0
"""Seconds that a fuller answer may take; a page can't change once it is there."""
READING = frozenset(
    [
        "help",
        "list",
        "preview",
        "search",
        "similar",
        "trending",
        "saved",
        "abstract",
        "more",
        "explain",
        "status",
        "mutewhat",
    ]
)
"""Commands that a link in a mail carries out at once. The others take a button: programs follow links, too."""

ELSEWHERE = frozenset({"edits", "threads", "embeds", "ping", "editors"})
"""Settings that only chats have."""


def person(channel: ChannelRef) -> User:
    """Whoever reads what comes to an address."""
    return User(channel.channel, "you")


class Manage:
    """The pages behind a mail's links."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def routes(self) -> list[web.RouteDef]:
        """All of them."""
        return self._desk.guarded(
            [
                ("GET", "/email/manage/{token}", self._open),
                ("POST", "/email/manage/{token}", self._do),
                ("GET", "/email/unsubscribe/{token}", self._ask_to_stop),
                ("POST", "/email/unsubscribe/{token}", self._stop),
                ("POST", "/email/forget/{token}", self._forget),
                ("GET", "/email/link", self._ask_for_link),
                ("POST", "/email/link", self._send_link),
                ("POST", "/email/bounces", self._came_back),
            ]
        )

    async def show(
        self,
        channel: ChannelRef,
        *,
        title: str = "Your papers by mail",
        reply: Reply | None = None,
        line: str = "",
    ) -> web.Response:
        """The page of an address, with the answer to what was just done, or a `line` that waits to be confirmed."""
        address = await self._known(channel)
        found = await self._desk.core.subscriptions([channel])
        return self._desk.page(
            "manage.html",
            title=title,
            address=address.masked,
            here=_path(self._desk.links.manage(channel)),
            subscriptions=found.get(channel, ()),
            settings=await self._desk.core.settings(channel),
            card=await _fuller(reply) if reply else None,
            form=_fitting(reply.form) if reply and reply.form else None,
            line=line,
            commands=shown(),
        )

    async def _open(self, request: web.Request) -> web.Response:
        channel = self._desk.links.channel("manage", request.match_info["token"])
        line = request.query.get("say", "")
        if not line:
            return await self.show(channel)
        if not _only_reads(line, channel):
            return await self.show(channel, line=line)
        return await self._said(channel, line)

    async def _do(self, request: web.Request) -> web.Response:
        channel = self._desk.links.channel("manage", request.match_info["token"])
        given = dict(await fields(request))
        name = given.pop("command", "")
        if not name:
            return await self._said(channel, given.get("say", ""))
        options = {option: value for option, value in given.items() if value.strip()}
        return await self._done(Command(name, person(channel), channel, options))

    async def _said(self, channel: ChannelRef, line: str) -> web.Response:
        try:
            command = parse_line(line, person(channel), channel)
        except UserError:  # the core says what is wrong with it
            reply = await self._desk.core.handle_text(line, person(channel), channel)
            return await self.show(channel, reply=reply)
        return await self._done(command)

    async def _done(self, command: Command) -> web.Response:
        channel = command.channel
        address = await self._known(channel)
        if not await self._desk.addresses.allows(COMMANDS, "manage", channel.channel):
            raise UserError("That was a lot at once. Please wait a minute.")
        if command.name == "subscribe":  # whoever stopped all mail and changed their mind
            await self._desk.addresses.keep(channel, address)
        return await self.show(channel, reply=await self._desk.core.handle(command))

    async def _ask_to_stop(self, request: web.Request) -> web.Response:
        channel = self._desk.links.channel("unsubscribe", request.match_info["token"])
        found = await self._desk.core.subscriptions([channel])
        return self._desk.page("stop.html", subscriptions=found.get(channel, ()))

    async def _stop(self, request: web.Request) -> web.Response:
        """RFC 8058: a mail program posts here, with no cookie and for no page. Any number of times is once."""
        channel = self._desk.links.channel("unsubscribe", request.match_info["token"])
        found = await self._desk.core.subscriptions([channel])
        await self._desk.core.forget(channel)
        await self._desk.addresses.let_go(channel)
        here = _path(self._desk.links.manage(channel))
        return self._desk.page("stopped.html", subscriptions=found.get(channel, ()), here=here)

    async def _forget(self, request: web.Request) -> web.Response:
        channel = self._desk.links.channel("manage", request.match_info["token"])
        core, user = self._desk.core, person(channel)
        for paper in await core.saved(user, channel):
            await core.handle(Command("save", user, channel, {"paper": paper.id, "remove": "yes"}))
        await core.forget(channel)
        await self._desk.addresses.forget(channel)
        return self._desk.notice(
            "Forgotten", "Nothing about this address is kept here any more, and no mail comes."
        )

    async def _ask_for_link(self, _request: web.Request) -> web.Response:
        return self._desk.page("link.html")

    async def _send_link(self, request: web.Request) -> web.Response:
        """The same answer for every address: whether one is known is nobody's business."""
        if not await self._desk.allows(request, REQUESTS, "ask"):
            return self._desk.notice("That was too often", "Please try again later.", status=429)
        address = Address.parse((await fields(request)).get("address", ""))
        channel = await self._desk.addresses.channel(address)
        known = await self._desk.addresses.of(channel)
        if await self._desk.addresses.allows(A_LETTER_AN_HOUR, "to", address.identity) and known:
            self._desk.letters.way_in(known, channel)
        return self._desk.notice(
            "Look into your inbox",
            "If papers come to that address, a mail with a link is on its way to it. It gets one such mail an hour at most.",
        )

    async def _came_back(self, request: web.Request) -> web.Response:
        """A mail server passes on what came to the return address, as it was."""
        report = b""
        while len(report) < LARGEST and (more := await request.content.read(LARGEST - len(report))):
            report += more
        await take_back(report, self._desk.core, self._desk.addresses)
        return web.Response(text="ok\n")

    async def _known(self, channel: ChannelRef) -> Address:
        address = await self._desk.addresses.of(channel)
        if address is None:
            raise UserError(
                "This address is not known here (any more). You can subscribe it again on the front page."
            )
        return address


def _only_reads(line: str, channel: ChannelRef) -> bool:
    try:
        command = parse_line(line, person(channel), channel)
    except UserError:
        return True
    return command.name in READING or (command.name in {"settings", "mute", "unmute"} and not command.options)


async def _fuller(reply: Reply) -> Card:
    if reply.later is None:
        return reply.card
    with suppress(TimeoutError):
        async with asyncio.timeout(FULLER):
            return await reply.later() or reply.card
    return reply.card


def _fitting(form: Form) -> Form:
    """Without what a mail has not."""
    return replace(form, fields=tuple(field for field in form.fields if field.name not in ELSEWHERE))


def _path(url: str) -> str:
    return urlsplit(url).path

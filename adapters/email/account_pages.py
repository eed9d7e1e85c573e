"""The pages that mails link to: a button's command, the account's page, and stopping all mail. Also receives bounces."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace

from aiohttp import web

from adapters.email.address import Address
from adapters.email.addresses import Account
from adapters.email.bounces import MAX_REPORT, BounceReports, TooManyReports
from adapters.email.links import LinkGrant
from adapters.email.web_context import WebContext, reader
from bot.cards import Actions, Card, Form, PaperBlock
from bot.cards.sanitize import plain
from bot.commands.parser import parse_line
from bot.commands.table import shown
from bot.domain.errors import UserError
from bot.domain.models import Command
from bot.ports import File, Rate, Reply
from bot.store.limits import Limit
from bot.web.limits import count_request, retry_after
from bot.web.requests import form_of, raw_body

COMMANDS = Rate(60, 60)
"""Rate limit of commands per account."""
BOUNCES_EACH, BOUNCES_TOTAL = Rate(120, 60), Rate(300, 60)
"""Rate limits of bounce reports, per mail server and in total."""
FILES = Rate(20, 3600)
"""Rate limit of files sent by mail per account; further ones can only be downloaded."""
DOWNLOAD = "download"
"""Form field that requests a file as a download instead of by mail."""
SAVED_SHOWN = 5
"""Maximum number of papers of the reading list shown on the account's page."""
FULLER_SECONDS = 5.0
"""Timeout of a fuller answer, in seconds: a page can't change once it is shown."""
REPEATABLE = frozenset(
    [
        "help",
        "list",
        "preview",
        "search",
        "similar",
        "trending",
        "saved",
        "abstract",
        "show",
        "more",
        "explain",
        "status",
        "mutewhat",
        "followwhat",
        "author",
        "org",
        "presets",
    ]
)
"""Commands that change nothing: their links can be used again until they expire."""
FOLLOW_UPS: Mapping[str, frozenset[str]] = {
    "save": frozenset({"save"}),
    "saved": frozenset({"saved"}),
    "mutewhat": frozenset({"mute"}),
    "followwhat": frozenset({"subscribe"}),
    "subscribe": frozenset({"unsubscribe"}),
    "mute": frozenset({"unmute"}),
    "unmute": frozenset({"mute"}),
    "down": frozenset({"narrow"}),
    "narrow": frozenset({"widen"}),
    "widen": frozenset({"narrow"}),
    "more": frozenset({"more"}),
}
"""Command of a mail's link -> commands allowed as buttons in its answer: only its next step and its undo."""
NOT_FOR_MAIL = frozenset({"edits", "links", "threads", "embeds", "publish", "ping", "editors"})
"""Settings that only chat platforms have."""


class AccountPages:
    """The handlers of these pages."""

    def __init__(self, context: WebContext, bounces: BounceReports) -> None:
        self._context = context
        self._bounces = bounces

    def routes(self) -> list[web.RouteDef]:
        """Return all routes. GET never changes anything, since programs follow the links in mails, too."""
        return self._context.guarded(
            [
                ("GET", "/email/act/{token}", self._review),
                ("POST", "/email/act/{token}", self._act),
                ("GET", "/email/manage/{token}", self._open),
                ("POST", "/email/manage/{token}", self._manage),
                ("POST", "/email/manage/{token}/end-links", self._end_links),
                ("POST", "/email/manage/{token}/forget", self._forget),
                ("GET", "/email/unsubscribe/{token}", self._ask_to_stop),
                ("POST", "/email/unsubscribe/{token}", self._stop),
                ("GET", "/email/link", self._ask_for_link),
                ("POST", "/email/link", self._send_link),
                ("POST", "/email/bounces", self._bounce),
            ]
        )

    async def _review(self, request: web.Request) -> web.Response:
        grant, account = await self._context.grant("act", request)
        _confirmed_address(account)
        return self._context.page("act.html", line=grant.content["line"], card=None)

    async def _act(self, request: web.Request) -> web.Response:
        grant, account = await self._context.grant("act", request)
        _confirmed_address(account)
        command = parse_line(grant.content["line"], reader(account.channel), account.channel).command
        if command.name not in REPEATABLE and not await self._first_use(grant):
            raise UserError("This was already done. A button in a mail works once.")
        reply = await self._run(command)
        if reply.file is not None:
            return await self._send_file(request, account, reply.card, reply.file)
        card = await _fuller_card(reply)
        steps = self._next_steps(card, command.name, grant, account)
        return self._context.page("act.html", line="", card=card, steps=steps)

    async def _first_use(self, grant: LinkGrant) -> bool:
        if grant.until is None:
            return False
        lifetime = grant.until - self._context.links.now()
        return await self._context.addresses.use_once(grant.token, lifetime)

    def _next_steps(self, card: Card, after: str, grant: LinkGrant, account: Account) -> dict[str, str]:
        """Return links for the buttons of an answer, by command. None outlives the link that led here."""
        rows = [block.buttons for block in card.blocks if isinstance(block, Actions)]
        rows += [block.actions for block in card.blocks if isinstance(block, PaperBlock)]
        commands = [button.command for row in rows for button in row]
        allowed = FOLLOW_UPS.get(after, frozenset())
        return {
            command: self._context.links.act(account, command, grant.until)
            for command in commands
            if command.partition(" ")[0] in allowed
        }

    async def _open(self, request: web.Request) -> web.Response:
        _, account = await self._context.grant("manage", request)
        return await self._account_page(request, account)

    async def _manage(self, request: web.Request) -> web.Response:
        _, account = await self._context.grant("manage", request)
        _confirmed_address(account)
        fields = dict(form_of(request))
        fields.pop(DOWNLOAD, "")
        name, user = fields.pop("command", ""), reader(account.channel)
        if name:
            options = {option: value for option, value in fields.items() if value.strip()}
            reply = await self._run(Command(name, user, account.channel, options))
        else:
            reply = await self._handle_line(fields.get("say", ""), account)
        if reply.file is not None:
            return await self._send_file(request, account, reply.card, reply.file)
        return await self._account_page(request, account, reply)

    async def _send_file(
        self, request: web.Request, account: Account, card: Card, file: File
    ) -> web.Response:
        """Send the file by mail and offer a download on a page; after too many mails, only return the download."""
        form = form_of(request)
        limit = Limit(account.channel.channel, FILES)
        if DOWNLOAD in form or await self._context.limits.count("mail-files", [limit]):
            return _download(file)
        address = _confirmed_address(account)
        self._context.mails.send_file(address, card, file)
        fields = {**form, DOWNLOAD: "yes"}
        return self._context.page("exported.html", file=file.name, address=address.masked, fields=fields)

    async def _handle_line(self, line: str, account: Account) -> Reply:
        user, channel = reader(account.channel), account.channel
        try:
            command = parse_line(line, user, channel).command
        except UserError:  # the core answers what is wrong with the line
            return await self._context.core.handle_text(line, user, channel)
        return await self._run(command)

    async def _run(self, command: Command) -> Reply:
        limit = Limit(command.channel.channel, COMMANDS)
        if await self._context.limits.count("mail-commands", [limit]):
            raise UserError("That was a lot at once. Please wait a minute.")
        if command.name == "subscribe":  # a person who stopped all mail wants mail again
            await self._context.addresses.keep(command.channel)
        return await self._context.core.handle(command)

    async def _account_page(
        self, request: web.Request, account: Account, reply: Reply | None = None
    ) -> web.Response:
        address, channel = _confirmed_address(account), account.channel
        found = await self._context.core.subscriptions([channel])
        saved = await self._context.core.saved(reader(channel), channel)
        return self._context.page(
            "manage.html",
            address=address.masked,
            here=f"/email/manage/{request.match_info['token']}",
            subscriptions=found.get(channel, ()),
            settings=await self._context.core.settings(channel),
            saved=[(paper.id, plain(paper.title), paper.url) for paper in saved[:SAVED_SHOWN]],
            saved_count=len(saved),
            card=await _fuller_card(reply) if reply else None,
            form=_for_mail(reply.form) if reply and reply.form else None,
            commands=shown(),
        )

    async def _end_links(self, request: web.Request) -> web.Response:
        _, account = await self._context.grant("manage", request)
        await self._context.addresses.end_links(account.channel)
        return self._context.notice(
            "All links have ended",
            "No earlier link works any more, including the one to this page and the buttons in the mails that you have. "
            "Links that stop all mail still work.",
        )

    async def _forget(self, request: web.Request) -> web.Response:
        _, account = await self._context.grant("manage", request)
        core, channel, user = self._context.core, account.channel, reader(account.channel)
        for paper in await core.saved(user, channel):
            await core.handle(Command("save", user, channel, {"paper": paper.id, "remove": "yes"}))
        await core.forget(channel)
        await self._context.addresses.forget(channel)
        return self._context.notice(
            "Forgotten", "We've deleted everything about this address. You won't get any more mail."
        )

    async def _ask_to_stop(self, request: web.Request) -> web.Response:
        _, account = await self._context.grant("unsubscribe", request)
        return self._context.page("stop.html", address=account.address.masked if account.address else "")

    async def _stop(self, request: web.Request) -> web.Response:
        """Stop all mail. A mail program posts here without a cookie (RFC 8058). Posting again is harmless."""
        _, account = await self._context.grant("unsubscribe", request)
        await self._context.core.forget(account.channel)
        await self._context.addresses.expire(account.channel)
        return self._context.page("stopped.html")

    async def _ask_for_link(self, _request: web.Request) -> web.Response:
        return self._context.page("link.html")

    async def _send_link(self, request: web.Request) -> web.Response:
        """Mail a link to the account's page. The answer is the same for every address, known or not."""
        address = Address.parse(form_of(request).get("address", ""))
        if refused := await self._context.refuse_mail(request, "link", address):
            return refused
        self._context.mails.send_manage_link(address)
        return self._context.notice(
            "Check your inbox",
            "If this address gets papers from us, a link is on its way to it. The link works for one hour.",
            "If nothing comes, look in the spam folder, or check that this is the address that you subscribed.",
        )

    @raw_body
    async def _bounce(self, request: web.Request) -> web.Response:
        """Accept a mail to a return address, as forwarded by a mail server. The answer is the same for every mail."""
        full = await count_request(
            self._context.limits, request, "bounces", each=BOUNCES_EACH, total=BOUNCES_TOTAL
        )
        if full is not None:
            return web.Response(status=429, text="too many reports\n", headers=retry_after(full))
        try:
            await self._bounces.accept((await request.read())[:MAX_REPORT], self._context.core)
        except TooManyReports:
            return web.Response(status=503, text="busy\n", headers={"Retry-After": "60"})
        return web.Response(text="ok\n")


def _confirmed_address(account: Account) -> Address:
    if account.address is None:
        raise UserError("We don't know this address, or have forgotten it. You can subscribe it again.")
    return account.address


async def _fuller_card(reply: Reply) -> Card:
    if reply.later is None:
        return reply.card
    with suppress(TimeoutError):
        async with asyncio.timeout(FULLER_SECONDS):
            return await reply.later() or reply.card
    return reply.card


def _download(file: File) -> web.Response:
    """Return the file as a download."""
    headers = {
        "Content-Disposition": f'attachment; filename="{file.name}"',
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
    }
    return web.Response(text=file.text, content_type=file.mime, charset="utf-8", headers=headers)


def _for_mail(form: Form) -> Form:
    """Return the settings form without the settings that mail doesn't have."""
    return replace(form, fields=tuple(field for field in form.fields if field.name not in NOT_FOR_MAIL))

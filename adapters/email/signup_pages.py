"""The sign-up pages: a form, a mail that asks for confirmation, and only then a subscription."""

from collections.abc import Mapping
from dataclasses import replace

from aiohttp import web

from adapters.email.address import Address
from adapters.email.addresses import PLATFORM
from adapters.email.links import SignupRequest
from adapters.email.web_context import WebContext, reader
from bot.cards import Card, PaperBlock
from bot.domain.errors import UserError
from bot.domain.models import ChannelRef, ChannelSettings, Command
from bot.policy.schedule import find_zone
from bot.query import parse
from bot.web.requests import form_of, query_of

TRENDING = "trending"
EVERY: Mapping[str, str] = {"weekdays": "daily", "weekly": "weekly"}
"""Choice in the form -> schedule of the subscription."""
MAX_ZONE = 64
"""Maximum number of characters of a time zone's name."""
MAX_QUERY = 256
"""Maximum number of characters of a query."""
EXAMPLES = 3
"""Maximum number of papers in a preview below the form."""
ANONYMOUS = ChannelRef(PLATFORM, "", "")
"""Placeholder channel for a preview, which needs no address yet."""


class SignupPages:
    """The handlers of these pages."""

    def __init__(self, context: WebContext) -> None:
        self._context = context

    def routes(self) -> list[web.RouteDef]:
        """Return all routes."""
        return self._context.guarded(
            [
                ("GET", "/email/subscribe", self._empty_form),
                ("POST", "/email/subscribe", self._subscribe),
                ("GET", "/email/preview", self._preview_piece),
                ("GET", "/email/confirm/{token}", self._review),
                ("POST", "/email/confirm/{token}", self._confirm),
            ]
        )

    async def _empty_form(self, request: web.Request) -> web.Response:
        return self._form({"query": query_of(request).get("query", "")[:MAX_QUERY]})

    async def _preview_piece(self, request: web.Request) -> web.Response:
        """Return a preview of a query as a piece of HTML, for the form's script."""
        if refused := await self._context.refuse_preview(request):
            return refused
        return self._context.page("preview.html", preview=await self._preview(query_of(request)))

    async def _subscribe(self, request: web.Request) -> web.Response:
        form = form_of(request)
        too_many_previews = await self._context.refuse_preview(request)
        if form.get("do") == "preview":
            if too_many_previews:
                return too_many_previews
            return self._form(form, preview=await self._preview(form))
        try:
            address, signup = parse_form(form)
            if too_many_previews:  # other people's previews must not prevent a sign-up
                parse(signup.query)
        except UserError as error:
            return self._form(form, problem=str(error), status=400)
        if not too_many_previews:
            preview = await self._preview(form)
            if preview.kind == "error":
                return self._form(form, preview=preview, status=400)
        if refused := await self._context.refuse_mail(request, "signup", address):
            return refused
        self._context.mails.ask_to_confirm(address, signup)
        return self._context.notice(
            "Check your inbox",
            "We've sent a mail to this address. Follow the link in it to confirm. Until then we store nothing and send "
            "no papers.",
            "If it doesn't come within a few minutes, look in the spam folder.",
        )

    async def _review(self, request: web.Request) -> web.Response:
        """Show a page with a button that confirms, since programs follow the links in mails, too."""
        grant, _ = await self._context.grant("confirm", request)
        address = Address.parse(grant.request.address)
        return self._context.page("confirm.html", signup=grant.request, address=address.masked)

    async def _confirm(self, request: web.Request) -> web.Response:
        grant, account = await self._context.grant("confirm", request)
        core, channel, signup = self._context.core, account.channel, grant.request
        await self._context.addresses.confirm(channel, Address.parse(signup.address))
        await core.resume(channel)
        user = reader(channel)
        if await core.settings(channel) == ChannelSettings():
            await core.handle(Command("settings", user, channel, {"zone": signup.zone, "weekends": "off"}))
        options = {"query": signup.query, "every": signup.every, "sure": "yes"}
        reply = await core.handle(Command("subscribe", user, channel, options))
        return self._context.page("confirmed.html", card=reply.card)

    async def _preview(self, fields: Mapping[str, str]) -> Card:
        query = fields.get("query", "").strip() or TRENDING
        if len(query) > MAX_QUERY:
            raise UserError(f"That query is too long: at most {MAX_QUERY} characters.")
        command = Command("preview", reader(ANONYMOUS), ANONYMOUS, {"query": query})
        card = (await self._context.core.handle(command)).card
        papers = [block for block in card.blocks if isinstance(block, PaperBlock)]
        return replace(card, blocks=tuple(b for b in card.blocks if b not in papers[EXAMPLES:]))

    def _form(self, given: Mapping[str, str], *, status: int = 200, **more: object) -> web.Response:
        values = {"given": given, "problem": "", "preview": None, **more}
        return self._context.page("subscribe.html", status=status, **values)


def parse_form(form: Mapping[str, str]) -> tuple[Address, SignupRequest]:
    """Return the sign-up in the form. Raises UserError with a message that says what is wrong."""
    address = Address.parse(form.get("address", ""))
    zone_name = form.get("zone", "").strip() or "UTC"
    zone = find_zone(zone_name) if len(zone_name) <= MAX_ZONE else None
    if zone is None:
        raise UserError(
            f"“{zone_name[:MAX_ZONE]}” isn't a time zone. Use a city's name, such as Europe/Berlin."
        )
    query = form.get("query", "").strip() or TRENDING
    every = EVERY.get(form.get("every", ""), "daily")
    return address, SignupRequest(address=str(address), query=query, every=every, zone=zone)

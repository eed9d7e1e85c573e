"""Subscribing on a page: a form, a mail that asks back, and only then a subscription."""

from collections.abc import Mapping
from dataclasses import replace

from aiohttp import web

from adapters.email.address import Address
from adapters.email.desk import A_LETTER_AN_HOUR, LETTERS, LOOKS, REQUESTS, Desk, fields
from adapters.email.links import Wish
from adapters.email.manage import Manage, person
from adapters.email.store import PLATFORM
from bot.cards import Card, PaperBlock
from bot.domain.errors import UserError
from bot.domain.models import ChannelRef, ChannelSettings, Command
from bot.policy.schedule import find_zone

TRENDING = "trending"
EVERY: Mapping[str, str] = {"weekdays": "daily", "weekly": "weekly"}
"""What the form offers -> the schedule of the subscription."""
EXAMPLES = 3
"""Papers that a back-test shows beside the form."""
NOBODY = ChannelRef(PLATFORM, "", "")
"""Who looks at a back-test before there is a channel."""


class Signup:
    """The form's pages."""

    def __init__(self, desk: Desk, manage: Manage) -> None:
        self._desk = desk
        self._manage = manage

    def routes(self) -> list[web.RouteDef]:
        """All of them."""
        return self._desk.guarded(
            [
                ("GET", "/email/subscribe", self._blank),
                ("POST", "/email/subscribe", self._asked),
                ("GET", "/email/preview", self._preview),
                ("GET", "/email/confirm/{token}", self._look),
                ("POST", "/email/confirm/{token}", self._confirm),
            ]
        )

    async def _blank(self, _request: web.Request) -> web.Response:
        return self._form({})

    async def _preview(self, request: web.Request) -> web.Response:
        """What a query would have brought, as a piece of a page: for the form's script."""
        if not await self._desk.allows(request, LOOKS, "look"):
            raise web.HTTPTooManyRequests
        card = await self._looked_back(request.query)
        return self._desk.page("preview.html", preview=card)

    async def _asked(self, request: web.Request) -> web.Response:
        given = await fields(request)
        if given.get("do") == "preview":
            if not await self._desk.allows(request, LOOKS, "look"):
                return self._too_many()
            return self._form(given, preview=await self._looked_back(given))
        if not await self._desk.allows(request, REQUESTS, "ask"):
            return self._too_many()
        try:
            address, wish = read(given)
        except UserError as error:
            return self._form(given, problem=str(error), status=400)
        preview = await self._looked_back(given)
        if preview.kind == "error":
            return self._form(given, preview=preview, status=400)
        if await self._may_write(address):
            self._desk.letters.confirmation(address, wish)
        return self._sent()

    async def _look(self, request: web.Request) -> web.Response:
        """A program that follows the links of mails must not confirm anything: that takes a button."""
        wish = self._desk.links.wish(request.match_info["token"])
        return self._desk.page("confirm.html", wish=wish, address=Address.parse(wish.address).masked)

    async def _confirm(self, request: web.Request) -> web.Response:
        wish = self._desk.links.wish(request.match_info["token"])
        core, address = self._desk.core, Address.parse(wish.address)
        channel = await self._desk.addresses.channel(address)
        await self._desk.addresses.keep(channel, address)
        await core.resume(channel)
        user = person(channel)
        if await core.settings(channel) == ChannelSettings():
            await core.handle(Command("settings", user, channel, {"zone": wish.zone, "weekends": "off"}))
        asked = {"query": wish.query, "every": wish.every, "sure": "yes"}
        reply = await core.handle(Command("subscribe", user, channel, asked))
        return await self._manage.show(channel, title="Confirmed", reply=reply)

    async def _may_write(self, address: Address) -> bool:
        addresses = self._desk.addresses
        return await addresses.allows(A_LETTER_AN_HOUR, "to", address.identity) and await addresses.allows(
            LETTERS, "to all"
        )

    async def _looked_back(self, given: Mapping[str, str]) -> Card:
        query = given.get("query", "").strip() or TRENDING
        command = Command("preview", person(NOBODY), NOBODY, {"query": query})
        card = (await self._desk.core.handle(command)).card
        papers = [block for block in card.blocks if isinstance(block, PaperBlock)]
        return replace(card, blocks=tuple(b for b in card.blocks if b not in papers[EXAMPLES:]))

    def _form(self, given: Mapping[str, str], *, status: int = 200, **more: object) -> web.Response:
        values = {"given": given, "problem": "", "preview": None, **more}
        return self._desk.page("subscribe.html", status=status, **values)

    def _sent(self) -> web.Response:
        return self._desk.notice(
            "Look into your inbox",
            "If that address can get mail, a mail with a link is on its way to it. Nothing is kept, and no papers come, "
            "before that link was followed.",
            "An address gets one such mail an hour at most, however often it is asked for. If it doesn't come, "
            "look among the spam.",
        )

    def _too_many(self) -> web.Response:
        return self._desk.notice(
            "That was too often",
            "Too much was asked for from your network. Please try again later.",
            status=429,
        )


def read(given: Mapping[str, str]) -> tuple[Address, Wish]:
    """The form as it was filled in. Raises UserError for what can't be meant."""
    address = Address.parse(given.get("address", ""))
    zone = find_zone(given.get("zone", "").strip() or "UTC")
    if zone is None:
        raise UserError(
            f"There is no time zone “{given['zone']}”. It is a city's name, such as Europe/Berlin."
        )
    query = given.get("query", "").strip() or TRENDING
    every = EVERY.get(given.get("every", ""), "daily")
    return address, Wish(address=str(address), query=query, every=every, zone=zone)

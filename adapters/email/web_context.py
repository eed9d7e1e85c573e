"""The shared context of all mail pages: accounts behind links, rate limits on mails, and responses."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from functools import wraps

from aiohttp import web
from redis.exceptions import RedisError
from structlog import get_logger

from adapters.email.address import Address
from adapters.email.addresses import PLATFORM, Account, Addresses
from adapters.email.links import LinkGrant, Links, Purpose
from adapters.email.transactional import TransactionalMail
from bot.cards.build import count
from bot.cards.sanitize import link
from bot.domain.errors import ConfigurationError, UserError
from bot.domain.models import ChannelRef, User
from bot.ports import Core, Rate
from bot.store.limits import Limit, Limits, UsedUp
from bot.web.limits import ALL, count_request, retry_after
from bot.web.requests import form_of
from bot.web.templating import StaticFiles, Templates

ASSETS = StaticFiles(
    "adapters.email", "/email/static", {"mail.css": "text/css", "mail.js": "text/javascript"}
)
MAILS_EACH = Rate(20, 3600)
"""Rate limit of mail requests per client and kind. People who wait get a second quota: many can share an IP address."""
MAILS_INBOX = Rate(1, 3600)
"""Rate limit of mail requests per inbox and kind."""
MAILS_TOTAL = Rate(300, 3600)
"""Rate limit of mail requests per kind, in total. During an attack, people who wait have a second quota."""
PREVIEWS_EACH, PREVIEWS_TOTAL = Rate(60, 60), Rate(600, 60)
"""Rate limits of query previews, per client and in total."""

log = get_logger()

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def reader(channel: ChannelRef) -> User:
    """Return the person who reads the mail of an address."""
    return User(channel.channel, "you")


@dataclass(frozen=True, slots=True)
class WebContext:
    """Dependencies and helpers of every group of pages."""

    core: Core
    addresses: Addresses
    limits: Limits
    links: Links
    mails: TransactionalMail
    templates: Templates

    def page(self, template: str, *, status: int = 200, **values: object) -> web.Response:
        """Render a page that isn't cached or indexed, since its URL gives access."""
        response = self.templates.page(template, status=status, **values, safe=link)
        response.headers["Cache-Control"] = "no-store"
        response.headers["X-Robots-Tag"] = "noindex"
        return response

    def notice(self, title: str, *lines: str, status: int = 200) -> web.Response:
        """Render a page with one message."""
        return self.page("notice.html", status=status, title=title, lines=lines, problem=status >= 400)

    async def grant(self, purpose: Purpose, request: web.Request) -> tuple[LinkGrant, Account]:
        """Return what the link in the request's path allows, and its account.

        Raises UserError if the link has expired, was replaced, or isn't ours.
        """
        grant = self.links.read(purpose, request.match_info["token"])
        account = await self.addresses.account(await self._channel(grant))
        if purpose == "unsubscribe":
            is_valid = account.address is None or account.membership == grant.content.get("membership", "")
        else:
            is_valid = account.generation == grant.content["generation"]
        if not is_valid:
            raise UserError("This link no longer works: it was used, or a newer one has taken its place.")
        return grant, account

    async def _channel(self, grant: LinkGrant) -> ChannelRef:
        if "channel" in grant.content:
            return grant.channel
        return await self.addresses.channel(Address.parse(grant.request.address))

    async def refuse_preview(self, request: web.Request) -> web.Response | None:
        """Count a preview; return the page to answer with if there were too many."""
        full = await count_request(
            self.limits, request, "mail-preview", each=PREVIEWS_EACH, total=PREVIEWS_TOTAL
        )
        return self._too_often(full) if full else None

    async def refuse_mail(self, request: web.Request, purpose: str, to: Address) -> web.Response | None:
        """Count a mail to `to`; return the page to answer with if it must not be sent.

        Each kind of mail (`purpose`) has its own limits. The count, and so the answer, doesn't depend on whether the
        address is known.
        """
        inbox = Limit(await self.addresses.hashed(f"inbox {to.inbox}"), MAILS_INBOX)
        kind = f"mail-{purpose}"
        full = await self._count_mail(request, kind, inbox)
        has_waited = self.links.has_waited(form_of(request).get("ticket", ""), to)
        if full and full.limit is not inbox and has_waited:
            full = await self._count_mail(request, f"{kind}-waited", inbox)
        if full is None:
            return None
        if full.limit is inbox:
            return self._already_sent(full)
        return self._too_often(full) if has_waited else self._ask_to_wait(request, to, full)

    async def _count_mail(self, request: web.Request, kind: str, inbox: Limit) -> UsedUp | None:
        return await count_request(
            self.limits, request, kind, each=MAILS_EACH, more=(inbox,), total=MAILS_TOTAL
        )

    def _ask_to_wait(self, request: web.Request, to: Address, full: UsedUp) -> web.Response:
        """Return a page that asks to wait: the limit is used up, perhaps by others who share the person's IP address.

        A person can wait half a minute; a script rarely does.
        """
        fields = {name: value for name, value in form_of(request).items() if name != "ticket"}
        response = self.page(
            "rush.html",
            status=503 if full.limit.scope == ALL else 429,
            action=request.path,
            fields=fields | {"ticket": self.links.ticket(to)},
        )
        response.headers["Retry-After"] = "30"
        return response

    def _already_sent(self, full: UsedUp) -> web.Response:
        response = self.notice(
            "You already asked",
            "A mail to this inbox was requested less than an hour ago. Look there, and in the spam folder.",
            f"Nothing was sent now. You can ask again in {_minutes(full)}.",
            status=429,
        )
        response.headers.update(retry_after(full))
        return response

    def _too_often(self, full: UsedUp) -> web.Response:
        response = self.notice(
            "Too many requests",
            "There were too many requests from your network, or in total. Nothing was sent.",
            f"Please try again in {_minutes(full)}.",
            status=429,
        )
        response.headers.update(retry_after(full))
        return response

    def guarded(self, routes: Iterable[tuple[str, str, Handler]]) -> list[web.RouteDef]:
        """Return routes (method, path, handler) that answer with a page if a link is invalid or Redis is away."""
        return [web.route(method, path, self._guarded(handler)) for method, path, handler in routes]

    def _guarded(self, handler: Handler) -> Handler:
        @wraps(handler)
        async def guarded(request: web.Request) -> web.StreamResponse:
            try:
                return await handler(request)
            except UserError as error:
                return self.notice("That didn't work", str(error), status=400)
            except (RedisError, OSError, ConfigurationError) as error:
                log.warning("page_failed", platform=PLATFORM, page=handler.__name__, error=str(error))
                return self.notice("Not available right now", "Please try again in a minute.", status=503)

        return guarded


def _minutes(full: UsedUp) -> str:
    return count(max(1, round(full.seconds / 60)), "minute")

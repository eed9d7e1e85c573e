"""What the pages share: who is asking, what may be asked how often, and how a page is answered."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import wraps
from ipaddress import ip_address, ip_network

from aiohttp import web
from redis.exceptions import RedisError
from structlog import get_logger

from adapters.email.files import base
from adapters.email.letters import Letters
from adapters.email.links import Links
from adapters.email.store import Addresses
from bot.cards.plain import link
from bot.domain.errors import ConfigurationError, UserError
from bot.ports import Core, Rate
from bot.web.templating import Templates

A_LETTER_AN_HOUR = Rate(1, 3600)
"""To one address, whoever asks for it."""
LETTERS = Rate(300, 3600)
"""To all addresses together, that were not confirmed: what is left of an attack from everywhere."""
REQUESTS = Rate(20, 3600)
"""For a letter, from one source."""
LOOKS = Rate(60, 60)
"""At a back-test, from one source."""

log = get_logger()

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Desk:
    """Passed to every group of pages."""

    core: Core
    addresses: Addresses
    links: Links
    letters: Letters
    templates: Templates

    def page(self, template: str, *, status: int = 200, **values: object) -> web.Response:
        """A page that nobody keeps: its address is a key."""
        response = self.templates.page(template, status=status, **values, safe=link, files=base())
        response.headers["Cache-Control"] = "no-store"
        response.headers["X-Robots-Tag"] = "noindex"
        return response

    def notice(self, title: str, *lines: str, status: int = 200) -> web.Response:
        """A page that says one thing."""
        return self.page("notice.html", status=status, title=title, lines=lines, problem=status >= 400)

    async def allows(self, request: web.Request, rate: Rate, what: str) -> bool:
        """Whether whoever asks may do this once more."""
        return await self.addresses.allows(rate, what, "from", source(request))

    def guarded(self, routes: Iterable[tuple[str, str, Handler]]) -> list[web.RouteDef]:
        """Routes (method, path, handler) that answer with a page where a link is no good, or Redis is away."""
        return [web.route(method, path, self._guarded(handler)) for method, path, handler in routes]

    def _guarded(self, handler: Handler) -> Handler:
        @wraps(handler)
        async def guarded(request: web.Request) -> web.StreamResponse:
            try:
                return await handler(request)
            except UserError as error:
                return self.notice("That did not work", str(error), status=400)
            except (RedisError, OSError, ConfigurationError) as error:
                log.warning("page_not_shown", page=handler.__name__, error=str(error))
                return self.notice("Not at the moment", "Please try again in a minute.", status=503)

        return guarded


async def fields(request: web.Request) -> Mapping[str, str]:
    """A form's fields that are text."""
    posted = await request.post()
    return {name: value for name, value in posted.items() if isinstance(value, str)}


def source(request: web.Request) -> str:
    """Where a request comes from: for IPv6 the network, since one household has 2⁶⁴ addresses.

    A proxy on this machine or in a private network is believed about whom it speaks for, and nobody else is.
    """
    peer = request.remote or ""
    forwarded = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
    if forwarded and _is_near(peer):
        peer = forwarded
    try:
        address = ip_address(peer)
    except ValueError:
        return "unknown"
    return str(ip_network(f"{address}/64", strict=False)) if address.version == 6 else str(address)


def _is_near(peer: str) -> bool:
    try:
        return ip_address(peer).is_private
    except ValueError:
        return False

"""HTTP mode: Slack calls us, on routes of the bot's own web server."""

from collections import OrderedDict, deque
from collections.abc import Callable, Iterator, Sequence
from ipaddress import ip_address, ip_network
from time import monotonic

from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response
from slack_bolt.async_app import AsyncApp
from slack_bolt.oauth.async_oauth_flow import AsyncOAuthFlow
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse
from slack_sdk.signature import SignatureVerifier

from bot.web.requests import client_of

EVENTS = "/slack/events"
INSTALL = "/slack/install"
REDIRECT = "/slack/oauth_redirect"
TIMESTAMP_DIGITS = 12
"""Digits of a request's time in seconds, at most."""
LONGEST_QUERY = 2000
"""Characters of what a browser brings back from Slack: a state and a code."""
INSTALLS_PER_ADDRESS, INSTALLS, WINDOW = 10, 60, 60.0
"""Requests of one address, and of all, to the pages for installing, within so many seconds."""
ADDRESSES = 1000
"""Addresses that are remembered."""


class InstallLimit:
    """Bounds how often the pages for installing are used: the last one makes us call Slack."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._all: deque[float] = deque()
        self._by_address: OrderedDict[str, deque[float]] = OrderedDict()

    def allows(self, address: str) -> bool:
        """Count a request. False if the address, or everyone together, has made too many."""
        name = _network(address)
        theirs = self._by_address.setdefault(name, deque())
        self._by_address.move_to_end(name)
        if len(self._by_address) > ADDRESSES:
            self._by_address.popitem(last=False)
        now = self._clock()
        for times in (theirs, self._all):
            while times and times[0] <= now - WINDOW:
                times.popleft()
        if len(theirs) >= INSTALLS_PER_ADDRESS or len(self._all) >= INSTALLS:
            return False
        theirs.append(now)
        self._all.append(now)
        return True


def routes(app: AsyncApp, signing_secret: str, oauth: AsyncOAuthFlow | None) -> Iterator[web.RouteDef]:
    """One route for commands, buttons and events; two for installing, if workspaces may install the app."""
    verifier = SignatureVerifier(signing_secret)

    async def receive(request: web.Request) -> web.Response:
        body = await request.read()
        if not _is_signed(verifier, body, request):
            return web.Response(status=401)
        try:
            bolt_request = AsyncBoltRequest(body=body.decode(), headers=_headers(request))
        except (ValueError, AttributeError, RecursionError):  # not UTF-8, or not an object of JSON
            return web.Response(status=400)
        return await to_aiohttp_response(await app.async_dispatch(bolt_request))

    yield web.post(EVENTS, receive)
    if oauth is None:
        return
    limit = InstallLimit()

    async def install(request: web.Request) -> web.Response:
        if not limit.allows(str(client_of(request))):
            return _too_many()
        # Without the query: Bolt would put a team that it names into the address of Slack's page, unescaped.
        bolt_request = AsyncBoltRequest(body="", headers=_headers(request))
        return await _page(await oauth.handle_installation(bolt_request))

    async def installed(request: web.Request) -> web.Response:
        if len(request.query_string) > LONGEST_QUERY:
            return web.Response(status=400)
        if not limit.allows(str(client_of(request))):
            return _too_many()
        bolt_request = AsyncBoltRequest(body="", query=request.query_string, headers=_headers(request))
        return await _page(await oauth.handle_callback(bolt_request))

    yield web.get(INSTALL, install)
    yield web.get(REDIRECT, installed)


def _is_signed(verifier: SignatureVerifier, body: bytes, request: web.Request) -> bool:
    """Whether Slack signed the request. Nothing in it is read before."""
    timestamp = request.headers.get("X-Slack-Request-Timestamp", "")
    signature = request.headers.get("X-Slack-Signature", "")
    if not (timestamp.isascii() and timestamp.isdecimal() and len(timestamp) <= TIMESTAMP_DIGITS):
        return False
    try:
        return signature.isascii() and verifier.is_valid(body, timestamp, signature)
    except UnicodeDecodeError:
        return False


def _headers(request: web.Request) -> dict[str, str | Sequence[str]]:
    return {name.lower(): value for name, value in request.headers.items()}


async def _page(answer: BoltResponse) -> web.Response:
    """Bolt's page. Requests that other sites make don't carry its cookie, but for the way back from Slack's page."""
    response = await to_aiohttp_response(answer)
    for cookie in response.cookies.values():
        cookie["samesite"] = "Lax"
    return response


def _too_many() -> web.Response:
    return web.Response(
        status=429, text="Too many attempts. Try again in a minute.", headers={"Retry-After": "60"}
    )


def _network(address: str) -> str:
    """What counts as one address: an IPv6 network of /56, which one subscriber of a provider gets."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address[:100]
    return str(ip_network(f"{parsed}/56", strict=False)) if parsed.version == 6 else str(parsed)

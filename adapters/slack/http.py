"""HTTP mode: Slack calls us, on routes of the bot's own web server."""

from collections.abc import Iterator, Sequence

from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response
from slack_bolt.async_app import AsyncApp
from slack_bolt.oauth.async_oauth_flow import AsyncOAuthFlow
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse
from slack_sdk.signature import SignatureVerifier

from bot.ports import Rate
from bot.store.limits import Limits
from bot.web.limits import count_request, reload_after
from bot.web.requests import raw_body

EVENTS = "/slack/events"
INSTALL = "/slack/install"
REDIRECT = "/slack/oauth_redirect"
TIMESTAMP, SIGNATURE = "X-Slack-Request-Timestamp", "X-Slack-Signature"
"""The headers that prove that a request is from Slack."""
TIMESTAMP_DIGITS = 12
"""Maximum number of digits in a request's time, in seconds."""
LONGEST_QUERY = 2000
"""Maximum number of characters in the query with which a browser returns from Slack: a state and a code."""
INSTALLS_EACH, INSTALLS_TOTAL = Rate(10, 60.0), Rate(60, 60.0)
"""Rate limits of one client, and of all, on the installation pages. The last page makes us call Slack."""
TOO_MANY = "Many people are installing Paperboy right now. This page will continue automatically in a moment."
PURPOSE = "slack install"
"""Name under which these requests are counted."""


def routes(
    app: AsyncApp, signing_secret: str, oauth: AsyncOAuthFlow | None, limits: Limits
) -> Iterator[web.RouteDef]:
    """Yield one route for commands, buttons and events, and two for installing if workspaces can install the app."""
    verifier = SignatureVerifier(signing_secret)

    @raw_body  # Slack signs the bytes, and they can be longer than our forms
    async def receive(request: web.Request) -> web.Response:
        body = await request.read()
        if not _is_signed(verifier, body, request):
            return web.Response(status=401)
        try:
            bolt_request = AsyncBoltRequest(body=body.decode(), headers=_headers(request))
        except (ValueError, AttributeError, RecursionError):  # not UTF-8, or not a JSON object
            return web.Response(status=400)
        return await to_aiohttp_response(await app.async_dispatch(bolt_request))

    yield web.post(EVENTS, receive)
    if oauth is None:
        return

    async def count(request: web.Request) -> None:
        used_up = await count_request(limits, request, PURPOSE, each=INSTALLS_EACH, total=INSTALLS_TOTAL)
        if used_up is not None:
            raise web.HTTPTooManyRequests(text=TOO_MANY, headers=reload_after(used_up))

    async def install(request: web.Request) -> web.Response:
        await count(request)
        # Without the query: Bolt would copy its `team`, unescaped, into the address of Slack's page.
        bolt_request = AsyncBoltRequest(body="", headers=_headers(request))
        return await _page(await oauth.handle_installation(bolt_request))

    async def installed(request: web.Request) -> web.Response:
        if len(request.query_string) > LONGEST_QUERY:
            return web.Response(status=400)
        await count(request)
        bolt_request = AsyncBoltRequest(body="", query=request.query_string, headers=_headers(request))
        return await _page(await oauth.handle_callback(bolt_request))

    yield web.get(INSTALL, install)
    yield web.get(REDIRECT, installed)


def _is_signed(verifier: SignatureVerifier, body: bytes, request: web.Request) -> bool:
    """Whether Slack signed the request. Nothing in it is read before this check."""
    timestamps = request.headers.getall(TIMESTAMP, [])
    signatures = request.headers.getall(SIGNATURE, [])
    # With two of either, a replayed request could pass as a new one.
    if len(timestamps) != 1 or len(signatures) != 1:
        return False
    (timestamp,), (signature,) = timestamps, signatures
    if not (timestamp.isascii() and timestamp.isdecimal() and len(timestamp) <= TIMESTAMP_DIGITS):
        return False
    try:
        return signature.isascii() and verifier.is_valid(body, timestamp, signature)
    except UnicodeDecodeError:
        return False


def _headers(request: web.Request) -> dict[str, str | Sequence[str]]:
    return {name.lower(): value for name, value in request.headers.items()}


async def _page(answer: BoltResponse) -> web.Response:
    """Return Bolt's page. Other sites' requests don't carry its cookie, except on the way back from Slack's page."""
    response = await to_aiohttp_response(answer)
    for cookie in response.cookies.values():
        cookie["samesite"] = "Lax"
    return response

"""HTTP: Slack calls us. The routes live in the bot's own web server."""

from collections.abc import Iterator

from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.async_app import AsyncApp
from slack_bolt.oauth.async_oauth_flow import AsyncOAuthFlow

EVENTS = "/slack/events"
INSTALL = "/slack/install"
REDIRECT = "/slack/oauth_redirect"


def routes(app: AsyncApp, oauth: AsyncOAuthFlow | None) -> Iterator[web.RouteDef]:
    """Commands, buttons and events at one address; installing at two, where workspaces may."""

    async def told(request: web.Request) -> web.Response:
        if not request.headers.get("X-Slack-Request-Timestamp", "0").isdecimal():
            return web.Response(status=401)  # Bolt would fail on it
        return await to_aiohttp_response(await app.async_dispatch(await to_bolt_request(request)))

    yield web.post(EVENTS, told)
    if oauth is None:
        return

    async def install(request: web.Request) -> web.Response:
        return await to_aiohttp_response(await oauth.handle_installation(await to_bolt_request(request)))

    async def installed(request: web.Request) -> web.Response:
        return await to_aiohttp_response(await oauth.handle_callback(await to_bolt_request(request)))

    yield web.get(INSTALL, install)
    yield web.get(REDIRECT, installed)

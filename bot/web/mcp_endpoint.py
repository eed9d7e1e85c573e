"""`/mcp`: the Model Context Protocol over HTTP, for assistants that run elsewhere. It needs the extra `mcp`.

With a channel's token as the bearer, its posts and subscriptions can be read, too; without a token, only the public tools
are available. There are no sessions and no streams: each request is independent.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import TYPE_CHECKING, Any

from aiohttp import web
from redis.exceptions import RedisError

from bot.ports import Rate
from bot.store.limits import Limits
from bot.store.tokens import Tokens
from bot.web.api_documents import problem
from bot.web.limits import count_request, retry_after
from bot.web.list_reader import ListReader

if TYPE_CHECKING:
    from mcp.server.mcpserver import Context
    from starlette.applications import Starlette

PATH = "/mcp"
CALLS_EACH = Rate(120, 60)
"""Rate limit per client. An assistant sends two or three requests before its first question."""
CALLS_TOTAL = Rate(1200, 60)
"""Rate limit of all clients together."""
SECONDS = 10.0
"""Timeout of a request, in seconds."""
NOT_INSTALLED = (
    "This installation doesn't serve assistants. Its operator can add that: pip install 'paperboy[mcp]'."
)

Message = MutableMapping[str, Any]
App = Callable[
    [Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]
]


class McpEndpoint:
    """The route. The library is loaded by the first request, since most installations never get one."""

    def __init__(self, reader: ListReader, tokens: Tokens, limits: Limits, public_url: str = "") -> None:
        self._reader = reader
        self._tokens = tokens
        self._limits = limits
        self._public_url = public_url
        self._app: Callable[[bool], Starlette] | None = None
        self._loading = asyncio.Lock()

    def routes(self) -> Iterable[web.RouteDef]:
        """Return the POST route. For other methods, the protocol requires 405 without streams and sessions."""
        return [web.post(PATH, self._answer)]

    async def _answer(self, request: web.Request) -> web.Response:
        try:
            async with self._loading:  # on a slow machine, loading the library takes longer than SECONDS
                if self._app is None:
                    self._app = await asyncio.to_thread(self._load)
                app = self._app
            async with asyncio.timeout(SECONDS):
                full = await count_request(self._limits, request, "mcp", each=CALLS_EACH, total=CALLS_TOTAL)
                if full is not None:
                    return problem(429, "Too many requests. Wait as Retry-After says.", retry_after(full))
                secret = _bearer(request.headers.get("Authorization", ""))
                if secret and not await self._is_valid(secret):
                    return problem(
                        401,
                        "This token isn't valid, or was revoked. In the channel, /paper api new makes one.",
                        {"WWW-Authenticate": "Bearer"},
                    )
                return await self._serve(request, app(bool(secret)))
        except ModuleNotFoundError:
            return problem(501, NOT_INSTALLED)
        except (RedisError, OSError, TimeoutError):
            return problem(
                503, "That isn't available just now. Try again in a minute.", {"Retry-After": "60"}
            )

    async def _is_valid(self, secret: str) -> bool:
        grant = await self._tokens.find(secret)
        return grant is not None and grant.kind == "api"

    async def _serve(self, request: web.Request, app: "Starlette") -> web.Response:
        # One application per request: it has no state, and its background tasks end with the request.
        async with app.router.lifespan_context(app):
            response = await through_asgi(app, request)
        response.headers["Cache-Control"] = "no-store"
        return response

    def _load(self) -> "Callable[[bool], Starlette]":
        """Return the factory of the application, with the private tools or without. Raises ModuleNotFoundError."""
        from bot.web.assistant import Assistant, build_server, http_app  # noqa: PLC0415

        assistant = Assistant(self._reader, self._tokens, _token_of)
        servers = {private: build_server(assistant, private=private) for private in (False, True)}
        return lambda private: http_app(servers[private], PATH, self._public_url)


def _token_of(call: "Context") -> str:
    return _bearer((call.headers or {}).get("authorization", ""))


def _bearer(authorization: str) -> str:
    scheme, _, secret = authorization.partition(" ")
    return secret.strip() if scheme.lower() == "bearer" else ""


async def through_asgi(app: App, request: web.Request) -> web.Response:
    """Answer a request with an ASGI application: the library uses ASGI, and our server doesn't.

    Request and answer are read into memory, so both must be small.
    """
    body = await request.read()
    unread: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]
    sent: list[Message] = []

    async def receive() -> Message:
        if not unread:
            await asyncio.Event().wait()  # until the client disconnects, which cancels us
        return unread.pop()

    async def send(message: Message) -> None:
        sent.append(message)

    await app(_scope(request), receive, send)
    start, *parts = sent
    response = web.Response(status=start["status"], body=b"".join(part.get("body", b"") for part in parts))
    for name, value in start.get("headers", ()):
        if name.lower() != b"content-length":
            response.headers[name.decode("latin-1")] = value.decode("latin-1")
    return response


def _scope(request: web.Request) -> Message:
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": request.scheme,
        "path": request.path,
        "raw_path": request.rel_url.raw_path.encode(),
        "query_string": request.rel_url.raw_query_string.encode(),
        "root_path": "",
        "headers": [(name.lower(), value) for name, value in request.raw_headers],
    }

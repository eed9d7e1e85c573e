"""Answers a request by an ASGI application: the one library that we mount speaks ASGI, and our server doesn't."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from aiohttp import web

Message = MutableMapping[str, Any]
App = Callable[
    [Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]
]


async def through_asgi(app: App, request: web.Request) -> web.Response:
    """What `app` answers. Request and answer are read as a whole, so both have to be small."""
    body = await request.read()
    unread: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]
    sent: list[Message] = []

    async def receive() -> Message:
        if not unread:
            await asyncio.Event().wait()  # for the client to leave; then we are cancelled
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

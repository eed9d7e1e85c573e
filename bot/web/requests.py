"""Decodes requests for all routes, so that only well-formed requests reach a handler.

`decode` is a middleware. It answers malformed requests with 4xx, reads the body within a deadline, and determines the
client. Handlers use `query_of`, `form_of` and `client_of`.
"""

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import TypeVar

from aiohttp import BodyPartReader, web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.typedefs import Handler, Middleware
from structlog import get_logger

from bot.cards.sanitize import visible

MAX_BODY = 1024 * 1024
"""Maximum size of a request's body, in bytes."""
BODY_SECONDS = 15.0
"""Timeout of a request's body, in seconds."""
MAX_FIELD = 2_000
"""Maximum number of characters of a form field. The longest useful one is a command line of 1,000.

A query string needs no limit here: aiohttp accepts at most 8,190 bytes.
"""
MAX_FIELDS = 50
"""Maximum number of fields of a form or query."""
MAX_FORWARDED = 20
"""Maximum number of addresses read from X-Forwarded-For."""
CHARSETS = frozenset({"utf-8", "utf8", "us-ascii", "ascii"})

UNREADABLE = (
    web.RequestPayloadError,
    HttpProcessingError,
    ValueError,
    LookupError,
    RuntimeError,
    AssertionError,
    ConnectionResetError,
)
"""Exceptions that aiohttp raises for bodies that are truncated, wrongly encoded, or in parts without a clear boundary.

A connection that ends within a body is included, since thousands of tracebacks would fill the log.
"""

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
log = get_logger()
AnyHandler = TypeVar("AnyHandler", bound=Callable[..., object])

_QUERY: web.RequestKey[Mapping[str, str]] = web.RequestKey("query", Mapping)
_FORM: web.RequestKey[Mapping[str, str]] = web.RequestKey("form", Mapping)
_CLIENT: web.RequestKey[Address | None] = web.RequestKey("client")


def query_of(request: web.Request) -> Mapping[str, str]:
    """Return the fields of the query string, without control characters; the first one if a name is repeated."""
    return request[_QUERY]


def form_of(request: web.Request) -> Mapping[str, str]:
    """Return the text fields of a posted form, like `query_of`; none if the body isn't a form."""
    return request[_FORM]


def client_of(request: web.Request) -> Address | None:
    """Return the client's address; None for a peer without an IP address, such as a Unix socket."""
    return request.get(_CLIENT)


def raw_body(handler: AnyHandler) -> AnyHandler:
    """Mark a handler whose request body is bytes in no particular encoding."""
    handler.raw_body = True  # type: ignore[attr-defined]  # unknown to mypy; `decode` reads it
    return handler


def decode(trusted: Collection[Network] = ()) -> Middleware:
    """Return the middleware. `trusted` are the networks of proxies whose X-Forwarded-For is believed."""
    warned = False

    @web.middleware
    async def decoded(request: web.Request, handler: Handler) -> web.StreamResponse:
        nonlocal warned
        _check_head(request)
        request[_CLIENT] = found = client(request, trusted)
        if not warned and "X-Forwarded-For" in request.headers and found and found.is_private:
            warned = True
            todo = (
                "set PAPERBOY_TRUSTED_PROXIES if this is your proxy: now all its visitors count as one client"
            )
            log.warning("forwarded_header_ignored", peer=str(found), todo=todo)
        request[_QUERY] = _fields(request.rel_url.query.items())
        raw = getattr(request.match_info.handler, "raw_body", False)
        request[_FORM] = await _read_body(request, raw=raw)
        return await handler(request)

    return decoded


def client(request: web.BaseRequest, trusted: Collection[Network]) -> Address | None:
    """Return the client's address: the peer, or the last address in X-Forwarded-For that isn't a trusted proxy's."""
    found = _address(request.remote or "")
    forwarded = ",".join(request.headers.getall("X-Forwarded-For", ())).split(",")
    for hop in reversed(forwarded[-MAX_FORWARDED:]):
        if found is None or not any(found in network for network in trusted):
            break
        found = _address(hop.strip()) or found
    return found


def _address(text: str) -> Address | None:
    try:
        address = ip_address(text[:50])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def _check_head(request: web.Request) -> None:
    """Raise 400 if headers or path aren't ASCII, as HTTP requires, or if the decoded path has a NUL."""
    if not all(value.isascii() for value in request.headers.values()) or not request.path_qs.isascii():
        raise web.HTTPBadRequest(text="The request has characters where HTTP allows ASCII only.\n")
    if "\0" in request.path:
        raise web.HTTPBadRequest(text="The address has a NUL in it.\n")


async def _read_body(request: web.Request, *, raw: bool) -> Mapping[str, str]:
    """Read the whole body, which aiohttp caches for the handler. Return the form's fields; none if it isn't a form."""
    if not request.can_read_body:
        return {}
    if not raw and (request.charset or "utf-8").lower() not in CHARSETS:
        raise web.HTTPUnsupportedMediaType(text="Send text as UTF-8.\n")
    try:
        async with asyncio.timeout(BODY_SECONDS):
            if raw:
                await request.read()
            elif request.content_type == "multipart/form-data":
                return _fields(await _multipart(request), MAX_FIELD)
            elif request.content_type == "application/x-www-form-urlencoded":
                posted = await request.post()
                return _fields(((name, str(value)) for name, value in posted.items()), MAX_FIELD)
            else:
                await request.text()
    except TimeoutError:
        raise web.HTTPRequestTimeout(text="The request's body took too long to arrive.\n") from None
    except UNREADABLE:
        raise web.HTTPBadRequest(text="The request's body can't be read.\n") from None
    return {}


async def _multipart(request: web.Request) -> list[tuple[str, str]]:
    """Return the fields of a multipart form. None of our forms takes files. Raises ValueError."""
    fields: list[tuple[str, str]] = []
    parts = await request.multipart()
    while (part := await parts.next()) is not None:
        if not isinstance(part, BodyPartReader) or part.name is None or part.filename is not None:
            raise ValueError("a part that isn't a text field")
        value = bytearray()
        while chunk := await part.read_chunk():
            value += chunk
            if len(value) > MAX_FIELD * 4 or len(fields) >= MAX_FIELDS:
                raise ValueError("too large a form")
        fields.append((part.name, value.decode("utf-8")))
    return fields


def _fields(pairs: Iterable[tuple[str, str]], limit: int | None = None) -> dict[str, str]:
    fields: dict[str, str] = {}
    for count, (name, value) in enumerate(pairs, 1):
        if count > MAX_FIELDS:
            raise web.HTTPBadRequest(text="The request has too many fields.\n")
        if limit and max(len(name), len(value)) > limit:
            raise web.HTTPBadRequest(text=f"A field is too long: at most {limit:,} characters.\n")
        fields.setdefault(visible(name), visible(value))
    return fields

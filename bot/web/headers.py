"""Security headers of every answer."""

from collections.abc import Awaitable, Callable

from aiohttp import web

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""Allows our own files only: no inline script, no other host, no frame."""

HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Permissions-Policy": "interest-cohort=()",
}
HSTS = "max-age=31536000"
"""For a year, browsers use HTTPS only. Subdomains aren't ours to decide about."""


def harden(*, https: bool = False) -> Callable[[web.Request, web.StreamResponse], Awaitable[None]]:
    """Return a signal handler that adds the headers that an answer doesn't set itself.

    `https` says that people reach the pages over HTTPS: then browsers are asked to use nothing else.
    """
    headers = HEADERS | ({"Strict-Transport-Security": HSTS} if https else {})

    async def add_headers(_request: web.Request, response: web.StreamResponse) -> None:
        for name, value in headers.items():
            response.headers.setdefault(name, value)
        response.headers.pop("Server", None)

    return add_headers

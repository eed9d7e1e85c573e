"""The HTTP server of a process: probes and metrics in every role, pages and platforms in the role `web`."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable
from datetime import datetime
from typing import Protocol, cast

from aiohttp import web
from redis.asyncio import Redis
from structlog import get_logger

from bot.domain.errors import ConfigurationError
from bot.observability import metrics
from bot.observability.role_status import RoleStatus
from bot.ports import Core, Mounted, Platform
from bot.settings import Settings
from bot.store.limits import Limits
from bot.store.outbox.outbox import Outbox
from bot.store.tokens import Tokens
from bot.terminal.sample import PapersOrSample
from bot.web.api import Api, problems
from bot.web.connections import HEAD_SECONDS, ConnectionLimits, ProtocolFactory
from bot.web.feeds import Feeds
from bot.web.legal import LegalPages, Operator
from bot.web.list_reader import ListReader
from bot.web.mcp_endpoint import McpEndpoint
from bot.web.pages import Pages
from bot.web.paper_pages import PaperPages
from bot.web.plot import PlotPictures
from bot.web.probes import Probes
from bot.web.requests import MAX_BODY, Network, decode

WEB = "web"
"""Name of the role."""
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
"""Browsers use HTTPS only for a year. Subdomains aren't included, since they may belong to others."""

log = get_logger()


class Routed(Protocol):
    """A part of the website."""

    def routes(self) -> Iterable[web.RouteDef]:
        """Return the routes of this part."""


class Website:
    """The server on one port for people, probes and platforms."""

    def __init__(
        self,
        port: int,
        platforms: Iterable[Platform],
        probes: Probes,
        parts: Iterable[Routed],
        *,
        https: bool = False,
        trusted_proxies: Collection[Network] = (),
    ) -> None:
        self._port = port
        self._platforms = tuple(platforms)
        self._probes = probes
        self._parts = tuple(parts)
        self._https = https
        self._trusted_proxies = tuple(trusted_proxies)

    def app(
        self, core: Core, roles: frozenset[str] = frozenset(), status: RoleStatus | None = None
    ) -> web.Application:
        """Return the application with all routes of a process with these roles, or with all roles if none is named."""
        app = web.Application(middlewares=[problems, decode(self._trusted_proxies)], client_max_size=MAX_BODY)
        app.on_response_prepare.append(harden(https=self._https))
        app.add_routes(self._probes.routes(roles, status))
        if not roles or WEB in roles:
            for part in self._parts:
                app.add_routes(part.routes())
            for platform in self._platforms:
                if isinstance(platform, Mounted):
                    app.add_routes(platform.routes(core))
        return app

    async def run(
        self, core: Core, roles: frozenset[str] = frozenset(), status: RoleStatus | None = None
    ) -> None:
        """Listen until cancelled. Raises ConfigurationError if the port is taken."""
        app = self.app(core, roles, status)
        runner = web.AppRunner(app, access_log=None, keepalive_timeout=HEAD_SECONDS)
        await runner.setup()
        server = None
        try:
            limits = ConnectionLimits(cast("ProtocolFactory", runner.server), trusted=self._trusted_proxies)
            server = await asyncio.get_running_loop().create_server(
                limits, port=self._port, reuse_address=True
            )
            log.info("listening", port=self._port)
            await metrics.watch_loop()
        except OSError as error:
            raise ConfigurationError(
                f"PORT: can't listen on {self._port}: {error.strerror or error}. "
                "Each process on a machine needs its own PORT."
            ) from error
        finally:
            if server is not None:
                server.close()
            await runner.cleanup()


def website(
    settings: Settings,
    *,
    redis: Redis,
    reader: ListReader,
    papers: PapersOrSample,
    outbox: Outbox,
    platforms: tuple[Platform, ...],
    now: Callable[[], datetime],
) -> Website | None:
    """Return the HTTP server of this process; None if no PORT is set."""
    if settings.port is None:
        return None
    token = settings.metrics_token.get_secret_value() if settings.metrics_token else None
    return Website(
        settings.port,
        platforms,
        Probes(redis, outbox, platforms, now, token),
        (
            *parts(
                redis=redis,
                reader=reader,
                papers=papers,
                outbox=outbox,
                platforms=platforms,
                now=now,
                public_url=settings.public_url or "",
            ),
            LegalPages(Operator(settings.operator, settings.contact, settings.forget_after_days)),
        ),
        https=(settings.public_url or "").startswith("https:"),
        trusted_proxies=settings.trusted_proxies,
    )


def parts(
    *,
    redis: Redis,
    reader: ListReader,
    papers: PapersOrSample,
    outbox: Outbox,
    platforms: Iterable[Platform],
    now: Callable[[], datetime],
    public_url: str,
) -> tuple[Routed, ...]:
    """Return the parts of the website that don't belong to a platform."""
    return (
        Pages(redis=redis, papers=papers, reader=reader, outbox=outbox, platforms=platforms, now=now),
        PaperPages(reader, Limits(redis), now),
        Feeds(reader, Tokens(redis), Limits(redis), now, public_url),
        Api(reader, Tokens(redis), Limits(redis), public_url),
        PlotPictures(),
        McpEndpoint(reader, Tokens(redis), Limits(redis), public_url),
    )


def harden(*, https: bool = False) -> Callable[[web.Request, web.StreamResponse], Awaitable[None]]:
    """Return a signal handler that adds default security headers to an answer.

    With `https` (the public URL is HTTPS), a header makes browsers use HTTPS only.
    """
    headers = HEADERS | ({"Strict-Transport-Security": HSTS} if https else {})

    async def add_headers(_request: web.Request, response: web.StreamResponse) -> None:
        for name, value in headers.items():
            response.headers.setdefault(name, value)
        response.headers.pop("Server", None)

    return add_headers

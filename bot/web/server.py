"""The HTTP server of a process: probes and metrics in every role, pages and platforms in the role `web`."""

from collections.abc import Callable, Iterable
from datetime import datetime

from aiohttp import web
from redis.asyncio import Redis
from structlog import get_logger

from bot.domain.errors import ConfigurationError
from bot.observability import metrics
from bot.ports import Core, Mounted, Platform
from bot.search import Search
from bot.settings import Settings
from bot.store.outbox.outbox import Outbox
from bot.terminal.sample import PapersOrSample
from bot.web.headers import harden
from bot.web.pages import Pages
from bot.web.probes import Probes

WEB = "web"
"""The role."""

log = get_logger()


class Website:
    """Listens on one port, for people, probes and platforms."""

    def __init__(self, port: int, platforms: Iterable[Platform], probes: Probes, pages: Pages) -> None:
        self._port = port
        self._platforms = tuple(platforms)
        self._probes = probes
        self._pages = pages

    def app(self, core: Core, roles: frozenset[str] = frozenset()) -> web.Application:
        """Everything that a process of these roles answers; none named means all."""
        app = web.Application()
        app.on_response_prepare.append(harden)
        app.add_routes(self._probes.routes(roles))
        if not roles or WEB in roles:
            app.add_routes(self._pages.routes())
            for platform in self._platforms:
                if isinstance(platform, Mounted):
                    app.add_routes(platform.routes(core))
        return app

    async def run(self, core: Core, roles: frozenset[str] = frozenset()) -> None:
        """Listen until cancelled. Raises ConfigurationError where the port is taken."""
        runner = web.AppRunner(self.app(core, roles), access_log=None)
        await runner.setup()
        try:
            await web.TCPSite(runner, port=self._port).start()
            log.info("listening", port=self._port)
            await metrics.watch_loop()
        except OSError as error:
            raise ConfigurationError(
                f"PORT: nothing can listen on {self._port}: {error.strerror or error}. "
                "Give each process of this machine a PORT of its own."
            ) from error
        finally:
            await runner.cleanup()


def website(
    settings: Settings,
    *,
    redis: Redis,
    papers: PapersOrSample,
    search: Search,
    outbox: Outbox,
    platforms: tuple[Platform, ...],
    now: Callable[[], datetime],
) -> Website | None:
    """What this process answers over HTTP; None where it has no port."""
    if settings.port is None:
        return None
    token = settings.metrics_token.get_secret_value() if settings.metrics_token else None
    probes = Probes(redis, outbox, platforms, now, token)
    pages = Pages(redis=redis, papers=papers, search=search, outbox=outbox, platforms=platforms, now=now)
    return Website(settings.port, platforms, probes, pages)
